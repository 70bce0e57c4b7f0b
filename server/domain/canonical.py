"""One way to write a value as bytes (RFC 8785), for all that is hashed, signed or compared."""

import hashlib
from typing import Any

import orjson

LARGEST_INTEGER = 2**53


class NotCanonical(ValueError):
    """A value outside the domain on which sorted orjson and RFC 8785 give the same bytes."""


def canonical(value: Any) -> bytes:
    """Canonical JSON of text, integers below 2^53, booleans, None, lists and dictionaries with ASCII keys.

    On this domain sorting keys by code point equals RFC 8785's sorting by UTF-16 units. Raises NotCanonical.
    """
    _check(value)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError as fault:
        raise NotCanonical(str(fault)) from fault


def digest(value: Any) -> str:
    """SHA-256 of the canonical bytes, in hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _check(value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise NotCanonical(f"a key must be ASCII text: {key!r}")
            _check(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner)
    elif isinstance(value, int) and not isinstance(value, bool):
        if not -LARGEST_INTEGER < value < LARGEST_INTEGER:
            raise NotCanonical("an integer must be smaller than 2^53")
    elif not (value is None or isinstance(value, str | bool)):
        raise NotCanonical(f"no place for {type(value).__name__} in a canonical value")
