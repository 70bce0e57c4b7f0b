"""Signed answers: bound to their request, refused otherwise, and the library as oracle in both directions."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, MappingKeyResolver, algorithms
from hypothesis import given, settings
from hypothesis import strategies as st

from server.crypto.receipts import Answer, Receipt, ReceivedAnswer, sign_answer, verify_answer
from server.crypto.signature_base import SignedMessage, byte_sequence, content_digest
from server.crypto.signatures import (
    ClockSkew,
    ComponentMissing,
    DigestMismatch,
    KnownKey,
    NotSigned,
    OutgoingRequest,
    ReceivedRequest,
    RequestReference,
    SignatureInvalid,
    SignedRequest,
    UnknownKey,
    prove_request,
    sign_request,
    verify_request,
)
from server.crypto.suites import SigningKey
from server.domain.errors import Unproven
from tests.crypto.signed_requests import public_half

MODERATE = settings(max_examples=100, derandomize=True, deadline=None)
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
ORIGIN = "https://node.zj.example"
BODY = b'{"head":{"hash":"00","number":118,"stream":1},"time":"2026-11-23T04:00:00.000Z"}'
SENDER = SigningKey("320000-sign-1", Ed25519PrivateKey.generate())
PEER = SigningKey("330000-sign-1", Ed25519PrivateKey.generate())
OTHER = SigningKey("440000-sign-1", Ed25519PrivateKey.generate())
DIRECTORY = {key.id: KnownKey(key.id[:6], public_half(key)) for key in (SENDER, PEER, OTHER)}
COVERED = [
    '"@status"',
    '"content-type"',
    '"content-digest"',
    '"signature";req;key="tongban-1"',
    '"content-digest";req',
    '"exchange-root";req',
]


def request(nonce: str = "n-1", at: datetime = NOON) -> SignedRequest:
    root = byte_sequence(hashlib.sha256(b"letters").digest())
    outgoing = OutgoingRequest("POST", f"{ORIGIN}/peer/v1/log", "application/jose", b"sealed", root)
    return sign_request(SENDER, outgoing, at=at, nonce=nonce)


def answered(
    asked: RequestReference, *, key: SigningKey = PEER, status: int = 200, at: datetime = NOON
) -> SignedMessage:
    return sign_answer(key, Answer(status, "application/json", BODY), request=asked, at=at, nonce="m-1")


def received(headers: Mapping[str, str], **changes: object) -> ReceivedAnswer:
    return replace(ReceivedAnswer(200, headers, BODY), **changes)


def verified(answer: ReceivedAnswer, asked: RequestReference, at: datetime = NOON) -> Receipt:
    return verify_answer(answer, request=asked, sender="330000", directory_key=DIRECTORY.get, at=at)


def test_the_answer_to_a_proven_request_is_a_receipt():
    sent = request()
    announced = verify_request(
        ReceivedRequest("POST", ORIGIN, "/peer/v1/log", "", sent.headers),
        directory_key=DIRECTORY.get,
        at=NOON,
        directory_version=7,
    )
    answer = answered(prove_request(announced, b"sealed", at=NOON).asked)
    receipt = verified(received(answer.headers), sent.asked)
    assert receipt == Receipt("330000", "330000-sign-1", 200, NOON, answer.base, answer.signature)
    assert public_half(PEER).verify(receipt.signature, receipt.base)


def test_the_base_of_an_answer_is_written_as_agreed():
    asked = request().asked
    assert answered(asked).base.decode() == (
        '"@status": 200\n'
        '"content-type": application/json\n'
        f'"content-digest": {content_digest(BODY)}\n'
        f'"signature";req;key="tongban-1": {asked.signature}\n'
        f'"content-digest";req: {asked.content_digest}\n'
        f'"exchange-root";req: {asked.exchange_root}\n'
        '"@signature-params": ("@status" "content-type" "content-digest" "signature";req;key="tongban-1" '
        '"content-digest";req "exchange-root";req);created=1795406400;expires=1795406700;nonce="m-1"'
        ';keyid="330000-sign-1";alg="ed25519";tag="tongban-1-receipt"'
    )


def test_a_signed_refusal_keeps_its_status():
    asked = request().asked
    assert verified(received(answered(asked, status=409).headers, status=409), asked).status == 409


def test_an_answer_with_another_status_or_body_is_refused():
    asked = request().asked
    headers = answered(asked, status=409).headers
    with pytest.raises(SignatureInvalid):
        verified(received(headers), asked)
    with pytest.raises(DigestMismatch):
        verified(received(answered(asked).headers, body=b"{}"), asked)


def test_an_answer_to_another_request_is_no_receipt():
    first, second = request("n-1"), request("n-2")
    with pytest.raises(SignatureInvalid):
        verified(received(answered(first.asked).headers), second.asked)


@pytest.mark.parametrize("part", ["signature", "content_digest", "exchange_root"])
def test_each_part_of_the_request_is_bound(part: str):
    asked = request().asked
    with pytest.raises(SignatureInvalid):
        verified(received(answered(asked).headers), replace(asked, **{part: byte_sequence(bytes(32))}))


def test_an_answer_of_another_true_node_is_no_receipt_of_this_one():
    asked = request().asked
    with pytest.raises(UnknownKey):
        verified(received(answered(asked, key=OTHER).headers), asked)


def test_an_answer_of_a_stranger_is_no_receipt():
    asked = request().asked
    stranger = SigningKey("990000-sign-1", Ed25519PrivateKey.generate())
    with pytest.raises(UnknownKey):
        verified(received(answered(asked, key=stranger).headers), asked)


def test_an_answer_without_signature_is_no_receipt():
    with pytest.raises(NotSigned):
        verified(
            received({"Content-Type": "application/json", "Content-Digest": content_digest(BODY)}), request().asked
        )


def test_the_signature_of_a_request_is_no_receipt():
    sent = request()
    with pytest.raises((SignatureInvalid, ComponentMissing)):
        verified(received(sent.headers, body=b"sealed"), sent.asked)


def test_an_old_answer_is_clock_skew():
    asked = request().asked
    with pytest.raises(ClockSkew):
        verified(received(answered(asked).headers), asked, at=NOON + timedelta(seconds=301))


@MODERATE
@given(st.dictionaries(st.sampled_from(sorted(answered(request().asked).headers)), st.text(max_size=40), min_size=1))
def test_hostile_answers_are_refused_and_never_crash(hostile: dict[str, str]):
    asked = request().asked
    headers = {**answered(asked).headers, **hostile}
    with pytest.raises(Unproven):
        verified(received(headers), asked)


# The library.


@dataclass
class LibraryRequest:
    """A sent request as http-message-signatures reads it."""

    headers: dict[str, str]
    method: str = "POST"
    url: str = f"{ORIGIN}/peer/v1/log"


@dataclass
class LibraryAnswer:
    """An answer as http-message-signatures reads and writes it."""

    headers: dict[str, str]
    request: LibraryRequest
    status_code: int = 200


RESOLVER = MappingKeyResolver(public_keys={PEER.id: PEER.private.public_key()}, private_keys={PEER.id: PEER.private})


def test_the_library_verifies_the_answer_that_we_sign():
    now = datetime.now(UTC)  # the library compares with the real clock
    sent = request(at=now)
    answer = LibraryAnswer(dict(answered(sent.asked, at=now).headers), LibraryRequest(dict(sent.headers)))
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=RESOLVER)
    (found,) = verifier.verify(
        answer,
        max_age=timedelta(seconds=300),
        expect_tag="tongban-1-receipt",
        require_components=COVERED,
        body=BODY,
    )
    assert found.parameters["keyid"] == PEER.id
    assert found.covered_components['"signature";req;key="tongban-1"'] == sent.asked.signature


def test_we_verify_the_answer_that_the_library_signs():
    sent = request()
    answer = LibraryAnswer({"Content-Type": "application/json"}, LibraryRequest(dict(sent.headers)))
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=RESOLVER)
    signer.sign(
        answer,
        key_id=PEER.id,
        created=NOON,
        expires=NOON + timedelta(seconds=300),
        nonce="m-2",
        label="tongban-1-receipt",
        tag="tongban-1-receipt",
        covered_component_ids=COVERED,
        body=BODY,
    )
    receipt = verified(received(answer.headers), sent.asked)
    assert (receipt.sender, receipt.status, receipt.created) == ("330000", 200, NOON)
