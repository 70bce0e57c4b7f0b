"""Officers' passwords, kept as argon2id hashes; both functions block, so callers use an executor."""

from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


class Cost(NamedTuple):
    """What it costs to try a password; a check costs what the hash did."""

    rounds: int
    memory_kib: int
    lanes: int


RECOMMENDED = Cost(rounds=3, memory_kib=65_536, lanes=4)  # RFC 9106, section 4: the second recommendation


def hash_password(text: str, cost: Cost = RECOMMENDED) -> str:
    """The hash with its salt and cost in one text."""
    return PasswordHasher(time_cost=cost.rounds, memory_cost=cost.memory_kib, parallelism=cost.lanes).hash(text)


def verify_password(hashed: str, text: str) -> bool:
    """Whether this is the password; a hash that cannot be read admits nobody."""
    try:
        return PasswordHasher().verify(hashed, text)
    except (VerificationError, InvalidHashError):
        return False
