"""Sealed bodies: they open for their receiver, and everything else is undecryptable."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwe import JWERegistry, decrypt_compact, encrypt_compact
from joserfc.jwk import OctKey, OKPKey

from server.crypto import base64url
from server.crypto.envelopes import LARGEST_PLAINTEXT, Undecryptable, open_sealed, seal
from server.crypto.suites import EncryptionKey

MODERATE = settings(max_examples=60, derandomize=True, deadline=None)
KEY = EncryptionKey("330000-encrypt-1", X25519PrivateKey.generate())
EPHEMERAL = {"kty": "OKP", "crv": "X25519", "x": base64url.encode(KEY.public)}
HEADER = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": KEY.id, "epk": EPHEMERAL}


def key_for(kid: str) -> EncryptionKey | None:
    return KEY if kid == KEY.id else None


def header_of(body: bytes) -> Any:
    return json.loads(base64url.decode(body.split(b".")[0].decode()))


def with_header(header: object) -> bytes:
    parts = seal(b"batch", KEY.public, kid=KEY.id).split(b".")
    return b".".join([base64url.encode(json.dumps(header).encode()).encode(), *parts[1:]])


@MODERATE
@given(st.binary())
def test_a_sealed_body_opens_for_its_receiver(plaintext: bytes):
    assert open_sealed(seal(plaintext, KEY.public, kid=KEY.id), key_for) == plaintext


def test_the_header_says_only_what_is_agreed():
    header = header_of(seal(b"batch", KEY.public, kid=KEY.id))
    assert {name: header[name] for name in ("alg", "enc", "kid")} == {
        "alg": "ECDH-ES",
        "enc": "A256GCM",
        "kid": "330000-encrypt-1",
    }
    assert set(header) == {"alg", "enc", "kid", "epk"}


def test_every_envelope_has_its_own_ephemeral_key():
    first, second = (header_of(seal(b"batch", KEY.public, kid=KEY.id)) for _ in range(2))
    assert first["epk"] != second["epk"]


def test_the_largest_batch_travels_and_a_larger_one_is_never_sealed():
    largest = bytes(LARGEST_PLAINTEXT)
    assert open_sealed(seal(largest, KEY.public, kid=KEY.id), key_for) == largest
    with pytest.raises(ValueError, match="at most"):
        seal(largest + b"x", KEY.public, kid=KEY.id)


def test_a_body_beyond_the_limit_is_undecryptable():
    registry = JWERegistry(algorithms=["ECDH-ES", "A256GCM"])
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": KEY.id}
    too_large = encrypt_compact(
        header, bytes(LARGEST_PLAINTEXT + 10), OKPKey.import_key(KEY.private.public_key()), registry=registry
    )
    with pytest.raises(Undecryptable):
        open_sealed(too_large.encode(), key_for)


def test_the_library_alone_opens_our_envelope():
    body = seal(b"batch", KEY.public, kid=KEY.id)
    found = decrypt_compact(body, OKPKey.import_key(KEY.private), algorithms=["ECDH-ES", "A256GCM"])
    assert found.plaintext == b"batch"


def test_a_key_that_is_not_ours_is_undecryptable():
    with pytest.raises(Undecryptable) as caught:
        open_sealed(seal(b"batch", KEY.public, kid="440000-encrypt-1"), key_for)
    assert caught.value.code == "undecryptable"


def test_an_envelope_to_somebody_else_is_undecryptable():
    other = EncryptionKey("x", X25519PrivateKey.generate())
    with pytest.raises(Undecryptable):
        open_sealed(seal(b"batch", other.public, kid=KEY.id), key_for)


@pytest.mark.parametrize("zip_", ["DEF", "none", None])
def test_compression_is_refused(zip_: str | None):
    with pytest.raises(Undecryptable, match="头部"):
        open_sealed(with_header({**HEADER, "zip": zip_}), key_for)


def test_a_true_envelope_with_compression_is_refused():
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": KEY.id, "zip": "DEF"}
    body = encrypt_compact(
        header,
        b"batch",
        OKPKey.import_key(KEY.private.public_key()),
        registry=JWERegistry(algorithms=["ECDH-ES", "A256GCM", "DEF"]),
    )
    with pytest.raises(Undecryptable):
        open_sealed(body.encode(), key_for)


@pytest.mark.parametrize(("alg", "enc"), [("ECDH-ES", "A128GCM"), ("ECDH-ES+A256KW", "A256GCM")])
def test_true_envelopes_of_other_algorithms_are_refused(alg: str, enc: str):
    body = encrypt_compact(
        {"alg": alg, "enc": enc, "kid": KEY.id},
        b"batch",
        OKPKey.import_key(KEY.private.public_key()),
        registry=JWERegistry(algorithms=[alg, enc]),
    )
    with pytest.raises(Undecryptable, match="算法"):
        open_sealed(body.encode(), key_for)


def test_an_envelope_under_a_shared_key_is_refused():
    shared = OctKey.import_key(KEY.public)
    body = encrypt_compact(
        {"alg": "dir", "enc": "A256GCM", "kid": KEY.id},
        b"batch",
        shared,
        registry=JWERegistry(algorithms=["dir", "A256GCM"]),
    )
    with pytest.raises(Undecryptable):
        open_sealed(body.encode(), key_for)


@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, "crit": ["exp"]},
        {**HEADER, "apu": "QQ"},
        {**HEADER, "kid": 7},
        {**HEADER, "kid": None},
        {**HEADER, "alg": ["ECDH-ES"]},
        {**HEADER, "epk": None},
        {**HEADER, "epk": {}},
        {**HEADER, "epk": {**EPHEMERAL, "crv": "X448"}},
        {**HEADER, "epk": {**EPHEMERAL, "kty": "EC"}},
        {**HEADER, "epk": {**EPHEMERAL, "x": 7}},
        {**HEADER, "epk": {**EPHEMERAL, "x": ""}},
        {**HEADER, "epk": {**EPHEMERAL, "x": "AAAA"}},
        {**HEADER, "epk": {**EPHEMERAL, "x": base64url.encode(bytes(32))}},
        {**HEADER, "epk": {**EPHEMERAL, "x": "é"}},
        {**HEADER, "epk": {**EPHEMERAL, "d": "AAAA"}},
        {**HEADER, "padding": "x" * 2000},
        {},
        [],
        "text",
        None,
    ],
)
def test_a_header_of_another_form_is_undecryptable(header: object):
    with pytest.raises(Undecryptable):
        open_sealed(with_header(header), key_for)


@MODERATE
@given(st.data())
def test_an_altered_envelope_is_undecryptable(data: st.DataObject):
    body = bytearray(seal(b"batch", KEY.public, kid=KEY.id))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != body[at]))
    with pytest.raises(Undecryptable):
        open_sealed(bytes(body), key_for)


@MODERATE
@given(st.lists(st.binary(max_size=30), max_size=7), st.booleans())
def test_stray_bytes_are_undecryptable(parts: list[bytes], has_true_header: bool):
    header = [base64url.encode(json.dumps(HEADER).encode()).encode()] if has_true_header else []
    with pytest.raises(Undecryptable):
        open_sealed(b".".join(header + parts), key_for)


def test_a_deeply_nested_header_is_undecryptable():
    nested = base64url.encode(b"[" * 700).encode()
    with pytest.raises(Undecryptable):
        open_sealed(nested + b"...", key_for)
