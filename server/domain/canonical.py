"""One way to write a value as bytes (RFC 8785), for all that is hashed, signed or compared."""

import hashlib
from typing import Any

import orjson

LARGEST_INTEGER = 2**53
DEEPEST = 64


class NotCanonical(ValueError):
    """A value outside the domain on which sorted orjson and RFC 8785 give the same bytes."""


def canonical(value: Any) -> bytes:
    """Canonical JSON of text, integers below 2^53, booleans, None, lists and dictionaries with ASCII keys.

    They may stand 64 deep in each other. On this domain sorting keys by code point equals RFC 8785's sorting by
    UTF-16 units. Raises NotCanonical.
    """
    _check(value, DEEPEST)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError as fault:
        raise NotCanonical(str(fault)) from fault


def digest(value: Any) -> str:
    """SHA-256 of the canonical bytes, in hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _check(value: Any, depth: int) -> None:
    """This runs for each value of each letter: texts, which are most, are passed by in one look."""
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str) or not key.isascii():
                raise NotCanonical(f"a key must be ASCII text: {key!r}")
        value = value.values()
    elif not isinstance(value, list | tuple):
        _check_plain(value)
        return
    if not depth:
        raise NotCanonical(f"lists and dictionaries may stand {DEEPEST} deep in each other")
    for inner in value:
        if type(inner) is not str:
            _check(inner, depth - 1)


def _check_plain(value: Any) -> None:
    if isinstance(value, int) and not isinstance(value, bool):
        if not -LARGEST_INTEGER < value < LARGEST_INTEGER:
            raise NotCanonical("an integer must be smaller than 2^53")
    elif not (value is None or isinstance(value, str | bool)):
        raise NotCanonical(f"no place for {type(value).__name__} in a canonical value")
