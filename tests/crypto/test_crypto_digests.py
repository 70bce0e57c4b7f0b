"""Keyed digests."""

import base64
import hashlib
import hmac

import pytest

from server.crypto.digests import keyed_digest, keyed_digest_of_bytes
from server.domain.canonical import NotCanonical

KEY = bytes(range(32))


def test_a_keyed_digest_is_52_characters_fit_for_a_key():
    name = keyed_digest(KEY, ["person-1", "key-1"])
    assert len(name) == 52
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz234567")


def test_a_keyed_digest_is_the_hmac_of_the_canonical_value():
    expected = hmac.new(KEY, b'["a",{"b":1,"c":null}]', hashlib.sha256).digest()
    name = keyed_digest(KEY, ["a", {"c": None, "b": 1}])
    assert base64.b32decode(name.upper() + "====") == expected
    assert keyed_digest_of_bytes(KEY, b'["a",{"b":1,"c":null}]') == name


def test_another_key_or_another_value_gives_another_digest():
    assert keyed_digest(KEY, "a") != keyed_digest(bytes(32), "a")
    assert keyed_digest(KEY, ["ab", "c"]) != keyed_digest(KEY, ["a", "bc"])


def test_hmac_agrees_with_rfc_4231_case_1():
    expected = bytes.fromhex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
    assert base64.b32decode(keyed_digest_of_bytes(b"\x0b" * 20, b"Hi There").upper() + "====") == expected


def test_what_has_no_canonical_form_has_no_digest():
    with pytest.raises(NotCanonical):
        keyed_digest(KEY, 1.5)
