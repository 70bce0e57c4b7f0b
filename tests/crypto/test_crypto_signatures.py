"""Signed requests: what is proven, and what an altered message or parameter leads to."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.crypto.signature_base import (
    byte_sequence,
    content_digest,
)
from server.crypto.signatures import (
    ComponentMissing,
    DigestMismatch,
    NotSigned,
    Proof,
    Proven,
    SignatureExpired,
    SignatureInvalid,
    UnknownKey,
    prove_request,
    sign_request,
    verify_request,
)
from server.crypto.suites import SigningKey
from tests.crypto.signed_requests import (
    BODY,
    COMPONENTS,
    HEADERS,
    KEY,
    NOON,
    ORIGIN,
    ROOT,
    changed,
    directory_key,
    outgoing,
    public_half,
    received,
    signed,
    verified,
)


def test_a_signed_request_is_proven():
    sent = signed()
    proof = verified(received(dict(sent.headers)))
    assert proof == Proof(
        sender="320000",
        key=public_half(KEY),
        covered={name.strip('"'): value for name, value in COMPONENTS.items()},
        root=ROOT,
        created=NOON,
        expires=NOON + timedelta(seconds=300),
        nonce="n-1",
        directory_version=7,
        base=sent.base,
        signature=sent.signature,
    )
    assert proof.asked == sent.asked


def test_the_headers_are_written_as_agreed():
    sent = signed()
    assert sent.headers == {
        **HEADERS,
        "Signature-Input": (
            'tongban-1=("@method" "@authority" "@path" "@query" "content-type" "content-digest" "exchange-root")'
            ';created=1795406400;expires=1795406700;nonce="n-1";keyid="320000-sign-1";alg="ed25519";tag="tongban-1"'
        ),
        "Signature": f"tongban-1={byte_sequence(sent.signature)}",
    }


def test_header_names_are_read_in_any_case():
    assert verified(received({name.upper(): value for name, value in signed().headers.items()})).sender == "320000"


def test_a_query_and_a_port_are_covered():
    sent = signed(url="http://127.0.0.1:8001/peer/v1/log?stream=2&a=b")
    request = received(dict(sent.headers), origin="http://127.0.0.1:8001", query="stream=2&a=b")
    assert verified(request).covered["@query"] == "?stream=2&a=b"
    with pytest.raises(SignatureInvalid):
        verified(replace(request, query="stream=3&a=b"))


def test_a_request_without_path_is_for_the_root():
    sent = signed(url=ORIGIN)
    assert verified(received(dict(sent.headers), path="/")).covered["@path"] == "/"


def test_a_request_for_another_origin_method_or_path_is_refused():
    for request in (
        received(origin="https://node.gd.example"),
        received(method="PUT"),
        received(path="/peer/v1/other"),
        received(path="/peer/办"),
        received(query="a=b"),
    ):
        with pytest.raises(SignatureInvalid):
            verified(request)


@pytest.mark.parametrize("kept", [(), ("Signature",), ("Signature-Input",)])
def test_a_request_without_signature_is_not_signed(kept: tuple[str, ...]):
    headers = {name: value for name, value in signed().headers.items() if name in HEADERS or name in kept}
    with pytest.raises(NotSigned):
        verified(received(headers))


def test_an_altered_body_does_not_match_its_digest():
    with pytest.raises(DigestMismatch):
        verified(received(body=BODY + b"x"))


def test_an_altered_digest_breaks_the_signature():
    for digest in ("sha-512=:AAAA:", "", content_digest(b"x"), f"{content_digest(BODY)}, {content_digest(BODY)}"):
        with pytest.raises((SignatureInvalid, ComponentMissing)):
            verified(received({**signed().headers, "Content-Digest": digest}))


def test_headers_alone_prove_nothing_but_say_who_announces_a_body():
    announced = verify_request(received(), directory_key=directory_key, at=NOON, directory_version=7)
    assert (announced.sender, announced.root) == ("320000", ROOT)
    assert not isinstance(announced, Proven)
    with pytest.raises(DigestMismatch):
        prove_request(announced, b"", at=NOON)
    assert prove_request(announced, BODY, at=NOON) == verified(received())


@pytest.mark.parametrize(("seconds", "is_late"), [(300, False), (301, True)])
def test_a_body_must_be_here_before_its_signature_expires(seconds: int, is_late: bool):
    announced = verify_request(received(), directory_key=directory_key, at=NOON, directory_version=7)
    at = NOON + timedelta(seconds=seconds)
    if is_late:
        with pytest.raises(SignatureExpired):
            prove_request(announced, BODY, at=at)
    else:
        assert prove_request(announced, BODY, at=at).sender == "320000"


def test_body_and_digest_altered_together_break_the_signature():
    with pytest.raises(SignatureInvalid):
        verified(received({**signed().headers, "Content-Digest": content_digest(b"x")}, body=b"x"))


@pytest.mark.parametrize(
    ("name", "value"),
    [("Exchange-Root", byte_sequence(bytes(32))), ("Content-Type", "application/json"), ("Content-Type", "办")],
)
def test_an_altered_header_breaks_the_signature(name: str, value: str):
    with pytest.raises(SignatureInvalid):
        verified(received({**signed().headers, name: value}))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('nonce="n-1"', 'nonce="n-2"'),
        ("created=1795406400", "created=1795406401"),
        ("expires=1795406700", "expires=1795406699"),
        ('alg="ed25519"', 'alg="hmac-sha256"'),
        ('tag="tongban-1"', 'tag="tongban-1-receipt"'),
        ('tongban-1=("@method"', 'other=("@method"'),
        (";created=1795406400", ""),
    ],
)
def test_altered_parameters_break_the_signature(old: str, new: str):
    with pytest.raises(SignatureInvalid):
        verified(received(changed("Signature-Input", old, new)))


def test_a_stranger_is_unknown():
    stranger = SigningKey("990000-sign-1", Ed25519PrivateKey.generate())
    sent = sign_request(stranger, outgoing(), at=NOON, nonce="n-1")
    with pytest.raises(UnknownKey):
        verified(received(dict(sent.headers)))


def test_a_stranger_who_uses_a_known_name_is_found_out():
    impostor = SigningKey(KEY.id, Ed25519PrivateKey.generate())
    sent = sign_request(impostor, outgoing(), at=NOON, nonce="n-1")
    with pytest.raises(SignatureInvalid):
        verified(received(dict(sent.headers)))
