"""The signed directory: only the pinned publisher is believed."""

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OKPKey

from server.crypto import base64url
from server.crypto.keyring import make_publisher_key
from server.crypto.publishing import HEADER, NotFromPublisher, publish, read_published
from server.domain.canonical import canonical

MODERATE = settings(max_examples=60, derandomize=True, deadline=None)
KEY = make_publisher_key()
PAYLOAD = {"version": 7, "nodes": [{"division": "330000", "name": "浙江"}]}


def signed(header: str, content: bytes) -> str:
    text = f"{header}.{base64url.encode(content)}"
    return f"{text}.{base64url.encode(KEY.sign(text.encode()))}"


def test_what_the_publisher_signed_is_read():
    assert read_published(publish(KEY, PAYLOAD), KEY.public) == PAYLOAD
    assert read_published(publish(KEY, PAYLOAD) + "\n", KEY.public) == PAYLOAD


def test_two_libraries_read_the_same_signature():
    text = publish(KEY, PAYLOAD)
    assert jwt.PyJWS().decode(text, KEY.private.public_key(), algorithms=["EdDSA"]) == canonical(PAYLOAD)
    with pytest.warns(UserWarning, match="EdDSA is deprecated"):
        found = jws.deserialize_compact(text, OKPKey.import_key(KEY.private.public_key()), algorithms=["EdDSA"])
    assert found.payload == canonical(PAYLOAD)


def test_another_publisher_is_not_believed():
    with pytest.raises(NotFromPublisher, match="pinned"):
        read_published(publish(make_publisher_key(), PAYLOAD), KEY.public)


@MODERATE
@given(st.data())
def test_an_altered_directory_is_not_believed(data: st.DataObject):
    text = publish(KEY, PAYLOAD)
    at = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(NotFromPublisher):
        read_published(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :], KEY.public)


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "EdDSA"}, {"alg": "EdDSA", "typ": "JWT"}])
def test_another_header_is_refused_even_when_signed(header: dict[str, str]):
    with pytest.raises(NotFromPublisher, match="not a signed directory"):
        read_published(signed(base64url.encode(canonical(header)), canonical(PAYLOAD)), KEY.public)


@pytest.mark.parametrize("content", [b"[]", b"7", b"null", b"{", b"\xff"])
def test_a_signed_text_that_is_no_directory_is_refused(content: bytes):
    with pytest.raises(NotFromPublisher):
        read_published(signed(HEADER, content), KEY.public)


@MODERATE
@given(st.text(max_size=40))
def test_stray_text_is_no_directory(text: str):
    for candidate in (text, f"{HEADER}.{text}", f"{HEADER}.{text}.{text}"):
        with pytest.raises(NotFromPublisher):
            read_published(candidate, KEY.public)
