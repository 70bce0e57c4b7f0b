"""Canonical JSON is RFC 8785 on the domain it allows, and refuses the rest."""

import hashlib
from random import Random
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.canonical import DEEPEST, LARGEST_INTEGER, NotCanonical, canonical, digest

ASCII = st.text(st.characters(max_codepoint=127))
ALLOWED = st.recursive(
    st.none() | st.booleans() | st.integers(1 - LARGEST_INTEGER, LARGEST_INTEGER - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(ASCII, inner),
    max_leaves=25,
)


@given(value=ALLOWED)
def test_canonical_agrees_with_rfc_8785(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(value=ALLOWED)
def test_a_digest_is_the_sha_256_of_the_canonical_bytes(value: Any) -> None:
    assert digest(value) == hashlib.sha256(rfc8785.dumps(value)).hexdigest()


@pytest.mark.no_cover
@settings(max_examples=40)  # each draws a whole tree for every key
@given(entries=st.dictionaries(ASCII, ALLOWED), chance=st.randoms(use_true_random=False))
def test_the_order_of_keys_changes_nothing(entries: dict[str, Any], chance: Random) -> None:
    keys = list(entries)
    chance.shuffle(keys)
    assert canonical({key: entries[key] for key in keys}) == canonical(entries)


def test_tuples_are_lists() -> None:
    assert canonical((1, ("户", None))) == canonical([1, ["户", None]]) == '[1,["户",null]]'.encode()


def nested(depth: int) -> Any:
    value: Any = "inside"
    for level in range(depth):
        value = [value] if level % 2 else {"in": value}
    return value


def test_a_value_may_be_deep_but_not_without_an_end() -> None:
    assert canonical(nested(DEEPEST)) == rfc8785.dumps(nested(DEEPEST))
    for depth in (DEEPEST + 1, 5000):
        with pytest.raises(NotCanonical):
            canonical(nested(depth))


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        LARGEST_INTEGER,
        -LARGEST_INTEGER,
        b"bytes",
        {"户": 1},
        {1: 1},
        {1, 2},
        object(),
        "\ud800",
        {"\ud800": 1},
    ],
)
def test_what_the_two_would_write_differently_is_refused_at_any_depth(value: Any) -> None:
    for wrapped in (value, [value], {"a": {"b": [value]}}):
        with pytest.raises(NotCanonical):
            canonical(wrapped)
