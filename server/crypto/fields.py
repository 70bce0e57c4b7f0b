"""Encryption at rest: a data key for each case or blob, wrapped by a key of the node's ring."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.crypto import base64url
from server.crypto.randomness import random_bytes
from server.domain.errors import NotAuthentic

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
WRAPPED_CHARACTERS = 80  # in base64url, of a nonce, a data key and a tag

_KEY_ID = re.compile(r"[A-Za-z0-9_-]+")


class SealBroken(NotAuthentic):
    """What is sealed was altered, moved to another place, or sealed under a key that is gone."""


@dataclass(frozen=True)
class DataKey:
    """The key of one case: `wrapped` is stored beside what it seals, and erasing `wrapped` erases that.

    A text is bound to its place (such as `case id/field`), so that it cannot be moved to another.
    """

    wrapped: str
    _cipher: AESGCM = field(repr=False, compare=False)

    def seal(self, text: str, place: str) -> str:
        return base64url.encode(_seal(self._cipher, text.encode(), place=place))

    def open(self, sealed: str, place: str) -> str:
        """The text; SealBroken if it is not what this key sealed at this place."""
        data = _open(self._cipher, _decoded(sealed, place), place=place)
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise SealBroken(place) from None

    def seal_bytes(self, data: bytes, place: str) -> bytes:
        return _seal(self._cipher, data, place=place)

    def open_bytes(self, sealed: bytes, place: str) -> bytes:
        """The bytes; SealBroken if they are not what this key sealed at this place."""
        return _open(self._cipher, sealed, place=place)


@dataclass(frozen=True)
class FieldRing:
    """The keys that wrap data keys, by id: `current` wraps new ones, all of them open old ones."""

    keys: Mapping[str, bytes] = field(repr=False)
    current: str

    def __post_init__(self) -> None:
        if self.current not in self.keys:
            raise ValueError(f"the ring of field keys has no key {self.current}")
        for key_id, key in self.keys.items():
            if len(key) != KEY_BYTES or not _KEY_ID.fullmatch(key_id):
                raise ValueError(f"the field key {key_id!r} needs {KEY_BYTES} bytes and a plain id")

    @cached_property
    def _ciphers(self) -> Mapping[str, AESGCM]:
        return {key_id: AESGCM(key) for key_id, key in self.keys.items()}

    def new_key(self, context: str) -> DataKey:
        """A fresh data key, wrapped by the current key and bound to its context (such as the case id)."""
        secret = random_bytes(KEY_BYTES)
        return DataKey(self._wrapped(secret, context), AESGCM(secret))

    def key(self, wrapped: str, context: str) -> DataKey:
        """The data key that `new_key` wrapped for this context; SealBroken otherwise."""
        return DataKey(wrapped, AESGCM(self._secret(wrapped, context)))

    def key_of(self, text: str) -> str:
        """The id of the key of this ring that wrapped a data key; empty for any other text."""
        key_id, _, sealed = text.partition(".")
        return key_id if len(sealed) == WRAPPED_CHARACTERS and key_id in self.keys else ""

    def unwraps(self, wrapped: str, context: str) -> bool:
        """Whether this is a data key that a key of this ring wrapped for this context."""
        try:
            self._secret(wrapped, context)
        except SealBroken:
            return False
        return True

    def rewrapped(self, wrapped: str, context: str) -> str:
        """The same data key wrapped by the current key, or as it is if it was; SealBroken if it is not of this context.

        What it seals stays as it is.
        """
        secret = self._secret(wrapped, context)
        return wrapped if wrapped.startswith(f"{self.current}.") else self._wrapped(secret, context)

    def seal_bytes(self, data: bytes, place: str) -> bytes:
        """A blob that carries its own data key: the wrapped key, a line feed, the sealed bytes."""
        key = self.new_key(place)
        return key.wrapped.encode() + b"\n" + key.seal_bytes(data, place)

    def open_bytes(self, sealed: bytes, place: str) -> bytes:
        """The bytes that `seal_bytes` sealed at this place; SealBroken otherwise."""
        wrapped, _, rest = sealed.partition(b"\n")
        return self.key(wrapped.decode("ascii", "replace"), place).open_bytes(rest, place)

    def rewrapped_bytes(self, sealed: bytes, place: str) -> bytes:
        """The same blob with its data key wrapped by the current key, or as it is if it was; SealBroken as above."""
        wrapped, feed, rest = sealed.partition(b"\n")
        return self.rewrapped(wrapped.decode("ascii", "replace"), place).encode() + feed + rest

    def _wrapped(self, secret: bytes, context: str) -> str:
        return f"{self.current}.{base64url.encode(_seal(self._ciphers[self.current], secret, place=context))}"

    def _secret(self, wrapped: str, context: str) -> bytes:
        key_id, _, sealed = wrapped.partition(".")
        if key_id not in self.keys:
            raise SealBroken(context)
        return _open(self._ciphers[key_id], _decoded(sealed, context), place=context)


def _decoded(sealed: str, place: str) -> bytes:
    try:
        return base64url.decode(sealed)
    except ValueError:
        raise SealBroken(place) from None


def _seal(cipher: AESGCM, data: bytes, *, place: str) -> bytes:
    nonce = random_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, data, place.encode())


def _open(cipher: AESGCM, sealed: bytes, *, place: str) -> bytes:
    if len(sealed) < NONCE_BYTES + TAG_BYTES:
        raise SealBroken(place)
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
    except InvalidTag:
        raise SealBroken(place) from None
