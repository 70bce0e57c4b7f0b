"""Encryption at rest: what is sealed opens only with its key, at its place, unaltered."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.crypto import base64url
from server.crypto.fields import FieldRing, SealBroken

MODERATE = settings(max_examples=60, derandomize=True, deadline=None)
RING = FieldRing({"320000-fields-1": os.urandom(32)}, "320000-fields-1")


def altered(text: str, at: int) -> str:
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


@MODERATE
@given(st.text(), st.text())
def test_a_sealed_text_opens_at_its_place(text: str, place: str):
    key = RING.new_key("case-1")
    assert RING.key(key.wrapped, "case-1").open(key.seal(text, place), place) == text


def test_the_same_text_never_looks_the_same_twice():
    key = RING.new_key("case-1")
    assert key.seal("张三", "case-1/name") != key.seal("张三", "case-1/name")


def test_a_sealed_text_cannot_be_moved_to_another_place():
    key = RING.new_key("case-1")
    sealed = key.seal("张三", "case-1/name")
    with pytest.raises(SealBroken, match="case-1/mother"):
        key.open(sealed, "case-1/mother")


def test_a_wrapped_key_cannot_be_moved_to_another_case():
    key = RING.new_key("case-1")
    with pytest.raises(SealBroken, match="case-2"):
        RING.key(key.wrapped, "case-2")


@MODERATE
@given(st.data())
def test_an_altered_seal_is_refused_and_the_refusal_shows_no_content(data: st.DataObject):
    key = RING.new_key("case-1")
    sealed = key.seal("13800138000", "case-1/phone")
    broken = altered(sealed, data.draw(st.integers(0, len(sealed) - 1)))
    with pytest.raises(SealBroken) as caught:
        key.open(broken, "case-1/phone")
    assert str(caught.value) == "what is stored at case-1/phone is not what this node wrote"
    assert caught.value.place == "case-1/phone"


@pytest.mark.parametrize("sealed", ["", "AAAA", "not base64!", "é", "A" * 36])
def test_what_was_never_a_seal_is_refused(sealed: str):
    with pytest.raises(SealBroken):
        RING.new_key("case-1").open(sealed, "case-1/name")


@pytest.mark.parametrize("wrapped", ["", "320000-fields-1", "320000-fields-1.", "320000-fields-9.AAAA", "."])
def test_what_was_never_a_wrapped_key_is_refused(wrapped: str):
    with pytest.raises(SealBroken):
        RING.key(wrapped, "case-1")


def test_bytes_that_are_no_text_are_not_opened_as_one():
    key = RING.new_key("case-1")
    blob = key.seal_bytes(b"\xff\xfe", "place")
    assert key.open_bytes(blob, "place") == b"\xff\xfe"
    with pytest.raises(SealBroken, match="place"):
        key.open(base64url.encode(blob), "place")


def test_a_rotated_ring_opens_old_keys_and_wraps_new_ones_with_the_current():
    old = RING.new_key("case-1")
    rotated = FieldRing({**RING.keys, "320000-fields-2": os.urandom(32)}, "320000-fields-2")
    sealed = old.seal("张三", "case-1/name")
    assert rotated.key(old.wrapped, "case-1").open(sealed, "case-1/name") == "张三"
    new = rotated.new_key("case-2")
    assert new.wrapped.startswith("320000-fields-2.")
    with pytest.raises(SealBroken):
        RING.key(new.wrapped, "case-2")


@pytest.mark.parametrize(
    ("keys", "current"),
    [({}, "a"), ({"a": b"short"}, "a"), ({"a.b": bytes(32)}, "a.b"), ({"a\n": bytes(32)}, "a\n")],
)
def test_a_ring_without_its_current_key_or_with_a_broken_one_is_refused(keys: dict[str, bytes], current: str):
    with pytest.raises(ValueError, match=r"key"):
        FieldRing(keys, current)


def test_neither_ring_nor_data_key_shows_its_secret():
    ring = FieldRing({"a": b"S" * 32}, "a")
    assert repr(ring) == "FieldRing(current='a')"
    key = ring.new_key("case-1")
    assert repr(key) == f"DataKey(wrapped='{key.wrapped}')"


@MODERATE
@given(st.binary(), st.text())
def test_a_blob_carries_its_own_key(data: bytes, place: str):
    assert RING.open_bytes(RING.seal_bytes(data, place), place) == data


@MODERATE
@given(st.data())
def test_an_altered_or_moved_blob_is_refused(data: st.DataObject):
    sealed = bytearray(RING.seal_bytes(b"birth certificate", "materials/1"))
    with pytest.raises(SealBroken):
        RING.open_bytes(bytes(sealed), "materials/2")
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealBroken):
        RING.open_bytes(bytes(sealed), "materials/1")


@MODERATE
@given(st.binary(max_size=80))
def test_stray_bytes_are_no_blob(data: bytes):
    with pytest.raises(SealBroken):
        RING.open_bytes(data, "materials/1")
