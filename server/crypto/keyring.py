"""The keys of one node, kept in one file that only its owner may read."""

import fcntl
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from server.crypto import base64url
from server.crypto.digests import keyed_bytes, keyed_digest
from server.crypto.fields import KEY_BYTES, FieldRing
from server.crypto.integrity import IntegrityRing
from server.crypto.permuting import Permutation
from server.crypto.suites import SUITE, EncryptionKey, SigningKey
from server.crypto.tickets import Tickets
from server.domain.keys import Ring
from server.domain.waiting.lots import lot_of

PLACE_FACTORS = (31_250, 32_000)  # as many places as `PLACES` of spoken numbers says
CHECKED = "check value"  # what is digested under each key; nothing else that a key digests begins like this


class KeyFileOpenToOthers(ValueError):
    """The group or the world may read or write the key file."""


class KeyFileUnreadable(ValueError):
    """The key file is missing or broken."""


class KeyFileExists(ValueError):
    """There is a key file already, and keys are never overwritten."""


@dataclass(frozen=True)
class NodeKeys:
    """All secrets of one node.

    `fields` seals what is stored and `integrity` proves it: who may read the one need not hold the other. `lookup` keys
    the digests of owners and of clues, `materials` the addresses of materials at rest, and `case_ids` the ids of cases,
    the lots of peaks and the order of spoken numbers: it never rotates, for a repeated submission must find its case
    for good, and no number may be given twice.
    """

    division: str
    signing: SigningKey
    encryption: EncryptionKey
    tokens: SigningKey
    fields: FieldRing
    integrity: IntegrityRing
    lookup: bytes = field(repr=False)
    case_ids: bytes = field(repr=False)
    materials: bytes = field(repr=False)

    @property
    def rings(self) -> dict[Ring, FieldRing | IntegrityRing]:
        """The two rings, whose keys can be replaced while the node runs."""
        return {"fields": self.fields, "integrity": self.integrity}

    def owner(self, kind: str, name: str) -> str:
        """The digest that stands for a person or a platform user in the database and in tokens."""
        return keyed_digest(self.lookup, [kind, name])

    def clue(self, kind: str, text: str) -> str:
        """The digest by which a case is found that has this clue."""
        return keyed_digest(self.lookup, ["clue", kind, text])

    def case_number(self, owner: str, key: str) -> str:
        """The number of the case that this owner opens under this Idempotency-Key."""
        return keyed_digest(self.case_ids, [owner, key])

    def peak_case_number(self, owner: str, peak: str) -> str:
        """The number of the one case that this owner opens in this peak, under whatever Idempotency-Key."""
        return keyed_digest(self.case_ids, ["peak", peak, owner])

    def lot(self, owner: str, peak: str) -> int:
        """The lot that this owner draws in this peak, each time and in each process the same."""
        return lot_of(keyed_bytes(self.case_ids, ["lot", peak, owner]))

    @cached_property
    def places(self) -> Permutation:
        """How the places of numbers that people say are spread, so that none tells how many came before it."""
        return Permutation(keyed_bytes(self.case_ids, ["spoken numbers"]), *PLACE_FACTORS)

    @cached_property
    def tickets(self) -> Tickets:
        """Who signs and reads tickets of the waiting room; made when first asked for."""
        return Tickets(self.integrity)

    def request_digest(self, request: Any) -> str:
        """The digest that tells two requests under one Idempotency-Key apart."""
        return keyed_digest(self.case_ids, request)

    def material(self, sha256: str) -> str:
        """What this node calls a material of this content, and its address at rest."""
        return keyed_digest(self.materials, sha256)

    def check_values(self) -> dict[str, str]:
        """What tells these keys from others and tells nothing of them, by secret (`lookup`, `fields:<key id>`)."""
        secrets = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "division"}
        return {name: value for secret, held in secrets.items() for name, value in _checked(secret, held)}


def make_keys(division: str) -> NodeKeys:
    """Fresh keys from the system's randomness, named after the division: `330000-sign-1`."""
    fields_id, integrity_id = f"{division}-fields-1", f"{division}-integrity-1"
    return NodeKeys(
        division=division,
        signing=_signing(f"{division}-sign-1", os.urandom(KEY_BYTES)),
        encryption=_encryption(f"{division}-encrypt-1", os.urandom(KEY_BYTES)),
        tokens=_signing(f"{division}-tokens-1", os.urandom(KEY_BYTES)),
        fields=FieldRing({fields_id: os.urandom(KEY_BYTES)}, fields_id),
        integrity=IntegrityRing({integrity_id: os.urandom(KEY_BYTES)}, integrity_id),
        lookup=os.urandom(KEY_BYTES),
        case_ids=os.urandom(KEY_BYTES),
        materials=os.urandom(KEY_BYTES),
    )


def make_publisher_key() -> SigningKey:
    """A fresh key for the publisher of the directory."""
    return _signing("publisher-1", os.urandom(KEY_BYTES))


def save_keys(keys: NodeKeys, path: Path) -> None:
    """Write a new key file with mode 600; KeyFileExists if there is one."""
    content = {
        "suite": SUITE,
        "division": keys.division,
        "signing": _pair(keys.signing),
        "encryption": _pair(keys.encryption),
        "tokens": _pair(keys.tokens),
        "fields": _ring(keys.fields),
        "integrity": _ring(keys.integrity),
        "lookup": base64url.encode(keys.lookup),
        "case_ids": base64url.encode(keys.case_ids),
        "materials": base64url.encode(keys.materials),
    }
    _write(path, content)


def load_keys(path: Path) -> NodeKeys:
    """The keys of a file that `save_keys` wrote; KeyFileUnreadable or KeyFileOpenToOthers."""
    content = _read(path)
    try:
        return NodeKeys(
            division=_text(content["division"]),
            signing=_signing(*_named(content["signing"])),
            encryption=_encryption(*_named(content["encryption"])),
            tokens=_signing(*_named(content["tokens"])),
            fields=FieldRing(*_keys_of(content["fields"])),
            integrity=IntegrityRing(*_keys_of(content["integrity"])),
            lookup=_secret(content["lookup"]),
            case_ids=_secret(content["case_ids"]),
            materials=_secret(content["materials"]),
        )
    except (LookupError, TypeError, AttributeError, ValueError):
        raise _broken(path) from None


def add_key(path: Path, ring: Ring, key_id: str) -> None:
    """Add a fresh key to a ring of a key file, beside the current one."""
    with _changed(path) as content:
        if key_id in content[ring]["keys"]:
            raise ValueError(f"the ring {ring} has a key {key_id} already")
        content[ring]["keys"][key_id] = base64url.encode(os.urandom(KEY_BYTES))


def choose_key(path: Path, ring: Ring, key_id: str) -> None:
    """Make a key of a ring the current one."""
    with _changed(path) as content:
        content[ring]["current"] = key_id


def remove_key(path: Path, ring: Ring, key_id: str) -> None:
    """Take a key that is not the current one out of a ring, for good."""
    with _changed(path) as content:
        content[ring]["keys"].pop(key_id, None)


def next_key_id(division: str, ring: Ring, known: Iterable[str]) -> str:
    """What the next key of a ring is called, none of these: `320000-fields-2`."""
    stem = f"{division}-{ring}-"
    numbers = [int(found[1]) for each in known if (found := re.fullmatch(re.escape(stem) + "([0-9]+)", each))]
    return f"{stem}{max(numbers, default=0) + 1}"


def save_publisher_key(key: SigningKey, path: Path) -> None:
    """Write a new key file of the publisher with mode 600; KeyFileExists if there is one."""
    _write(path, {"suite": SUITE, "publisher": _pair(key)})


def load_publisher_key(path: Path) -> SigningKey:
    """The key of a file that `save_publisher_key` wrote; KeyFileUnreadable or KeyFileOpenToOthers."""
    content = _read(path)
    try:
        return _signing(*_named(content["publisher"]))
    except (LookupError, TypeError, ValueError):
        raise _broken(path) from None


def _checked(secret: str, held: Any) -> Iterator[tuple[str, str]]:
    """The check values of one secret: of the public half where there is one, else of each key; TypeError for others."""
    if isinstance(held, FieldRing | IntegrityRing):
        for key_id, key in held.keys.items():
            yield f"{secret}:{key_id}", keyed_digest(key, [CHECKED, secret])
    elif isinstance(held, SigningKey | EncryptionKey):
        yield secret, keyed_digest(held.public, [CHECKED, secret])
    elif isinstance(held, bytes):
        yield secret, keyed_digest(held, [CHECKED, secret])
    else:
        raise TypeError(f"no check value is known for the secret {secret}")


def _write(path: Path, content: dict[str, Any]) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileExists(
            f"there is a key file at {path} already; choose another path, or move it away if it is no longer needed"
        ) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2))
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _changed(path: Path) -> Iterator[dict[str, Any]]:
    """What stands in a key file, to be changed by one process at a time; nothing else in it is lost.

    The new file takes the place of the old one whole, for the same owner, or not at all: raises KeyFileUnreadable if
    it would hold no keys of a node.
    """
    path = path.resolve()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        content, owner = _read(path), path.stat()
        yield content
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # with mode 600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2))
                file.flush()
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
                os.fsync(descriptor)
            load_keys(Path(name))
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeyFileOpenToOthers(
                    f"the key file {path} is open to others (mode {mode:o}); run: chmod 600 {path}"
                )
            content = orjson.loads(file.read())
    except OSError as fault:
        raise KeyFileUnreadable(
            f"the key file {path} cannot be read ({fault.strerror}); make one with: python -m server keys make"
        ) from None
    except orjson.JSONDecodeError:
        raise _broken(path) from None
    if not isinstance(content, dict) or content.get("suite") != SUITE:
        raise _broken(path)
    return content


def _broken(path: Path) -> KeyFileUnreadable:
    return KeyFileUnreadable(f"the key file {path} is broken or of another kind; restore it from the backup of keys")


def _pair(key: SigningKey | EncryptionKey) -> dict[str, str]:
    return {"id": key.id, "private": base64url.encode(key.private.private_bytes_raw())}


def _named(pair: Any) -> tuple[str, bytes]:
    return _text(pair["id"]), _secret(pair["private"])


def _ring(ring: FieldRing | IntegrityRing) -> dict[str, Any]:
    return {"current": ring.current, "keys": {key_id: base64url.encode(key) for key_id, key in ring.keys.items()}}


def _keys_of(ring: Any) -> tuple[dict[str, bytes], str]:
    return {key_id: _secret(key) for key_id, key in ring["keys"].items()}, ring["current"]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text is missing")
    return value


def _secret(text: Any) -> bytes:
    secret = base64url.decode(_text(text))
    if len(secret) != KEY_BYTES:
        raise ValueError(f"a secret must have {KEY_BYTES} bytes")
    return secret


def _signing(key_id: str, secret: bytes) -> SigningKey:
    return SigningKey(key_id, Ed25519PrivateKey.from_private_bytes(secret))


def _encryption(key_id: str, secret: bytes) -> EncryptionKey:
    return EncryptionKey(key_id, X25519PrivateKey.from_private_bytes(secret))
