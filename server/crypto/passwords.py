"""Officers' passwords, kept as argon2id hashes; both functions block, so callers use an executor."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


def hash_password(text: str, *, rounds: int = 3, memory_kib: int = 65_536, lanes: int = 4) -> str:
    """The hash with its salt and parameters in one text; the defaults are RFC 9106's second recommendation."""
    return PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=lanes).hash(text)


def verify_password(hashed: str, text: str) -> bool:
    """Whether this is the password; a hash that cannot be read admits nobody."""
    try:
        return PasswordHasher().verify(hashed, text)
    except (VerificationError, InvalidHashError):
        return False
