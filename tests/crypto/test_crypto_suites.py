"""Keys of the international suite, and base64url as it is read strictly."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from server.crypto import base64url
from server.crypto.suites import SUITE, EncryptionKey, SigningKey, VerifyKey
from tests.crypto.signed_requests import public_half

MODERATE = settings(max_examples=100, derandomize=True, deadline=None)


def signing_key(name: str = "320000-sign-1") -> SigningKey:
    return SigningKey(name, Ed25519PrivateKey.generate())


def test_what_a_key_signs_its_public_half_verifies():
    key = signing_key()
    signature = key.sign(b"letter")
    assert public_half(key).verify(signature, b"letter")
    assert len(key.public) == 32


def test_an_altered_text_a_short_signature_and_a_foreign_key_do_not_verify():
    key = signing_key()
    signature = key.sign(b"letter")
    verify = public_half(key).verify
    assert not verify(signature, b"lettre")
    assert not verify(signature[:-1], b"letter")
    assert not verify(b"", b"letter")
    assert not public_half(signing_key()).verify(signature, b"letter")


def test_a_public_key_of_another_length_is_refused_at_once():
    with pytest.raises(ValueError, match="320000-sign-1"):
        VerifyKey("320000-sign-1", b"short")


def test_keys_name_their_suite_and_never_show_their_secret():
    secret = os.urandom(32)
    signing = SigningKey("a", Ed25519PrivateKey.from_private_bytes(secret))
    encryption = EncryptionKey("b", X25519PrivateKey.from_private_bytes(secret))
    assert {signing.suite, encryption.suite, public_half(signing).suite} == {SUITE}
    assert repr(signing) == "SigningKey(id='a', suite='international')"
    assert repr(encryption) == "EncryptionKey(id='b', suite='international')"


def test_both_sides_of_an_agreement_come_to_the_same_secret():
    ours, theirs = (EncryptionKey(name, X25519PrivateKey.generate()) for name in ("a", "b"))
    assert len(ours.public) == 32
    assert ours.private.exchange(theirs.private.public_key()) == theirs.private.exchange(ours.private.public_key())


@MODERATE
@given(st.binary())
def test_base64url_reads_what_it_wrote(data: bytes):
    text = base64url.encode(data)
    assert "=" not in text
    assert base64url.decode(text) == data


@MODERATE
@given(st.text(alphabet="AQgw_-+/= \n.é", max_size=9))
def test_base64url_reads_nothing_that_it_would_not_write(text: str):
    try:
        data = base64url.decode(text)
    except ValueError:
        return
    assert base64url.encode(data) == text


@pytest.mark.parametrize("text", ["QQ==", "QR", "Q", "Q Q", "Q+/_", "é"])
def test_padding_stray_bits_and_other_alphabets_are_refused(text: str):
    with pytest.raises(ValueError, match=r".+"):
        base64url.decode(text)
