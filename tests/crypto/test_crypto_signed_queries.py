"""Signed questions: a GET covers where it goes and its range, and nothing else; its answer is bound to it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, MappingKeyResolver, algorithms

from server.crypto.receipts import Answer, Receipt, ReceivedAnswer, sign_answer, verify_answer
from server.crypto.signature_base import Message, sign_message
from server.crypto.signatures import (
    ClockSkew,
    ComponentMissing,
    DigestMismatch,
    NotEncrypted,
    Proven,
    RequestReference,
    SignatureInvalid,
    SignedRequest,
    UnknownKey,
    prove_sender,
    sign_as_received,
    verify_request,
    verify_sender,
)
from server.domain.errors import Unproven
from tests.crypto.signed_requests import KEY, NOON, ORIGIN, Arrived, directory_key, signed

PATH, QUERY, RANGE = "/peer/v1/materials/00", "case=320000/a&step=b", "bytes=0-99"
URL = f"{ORIGIN}{PATH}?{QUERY}"
COMPONENTS = {
    '"@method"': "GET",
    '"@authority"': "node.zj.example",
    '"@path"': PATH,
    '"@query"': f"?{QUERY}",
    '"range"': RANGE,
}
PLAIN = ["@method", "@authority", "@path", "@query"]
PART = Answer(206, "application/octet-stream", b"x" * 100, "bytes 0-99/1000")
WHOLE = Answer(200, "application/octet-stream", b"x" * 100)


def question(headers: Mapping[str, str], **changes: object) -> Arrived:
    return replace(Arrived("GET", ORIGIN, PATH, QUERY, headers, b""), **changes)


def asked(span: str = RANGE, *, at: datetime = NOON, nonce: str = "n-1") -> SignedRequest:
    return sign_as_received(KEY, question({"Range": span} if span else {}), at=at, nonce=nonce)


def proven(request: Arrived, at: datetime = NOON) -> Proven:
    announced = verify_sender(request, directory_key=directory_key, at=at, directory_version=7)
    return prove_sender(announced, request.body, at=at)


def of_components(components: Mapping[str, str]) -> Mapping[str, str]:
    """Headers with a true signature over other components."""
    message = Message("tongban-1", components, {"Range": RANGE})
    return sign_message(KEY, message, at=NOON, nonce="n-1").headers


@pytest.mark.parametrize("span", [RANGE, ""])
def test_a_signed_question_is_proven(span: str):
    sent = asked(span)
    proof = proven(question(sent.headers))
    assert (proof.sender, proof.nonce, proof.expires) == ("320000", "n-1", NOON + timedelta(seconds=300))
    assert list(proof.covered) == [*PLAIN, *(["range"] if span else [])]
    assert proof.asked == sent.asked == RequestReference(sent.asked.signature, "", "")


def test_the_base_of_a_question_is_written_as_agreed():
    assert asked().base.decode() == (
        '"@method": GET\n'
        '"@authority": node.zj.example\n'
        f'"@path": {PATH}\n'
        f'"@query": ?{QUERY}\n'
        f'"range": {RANGE}\n'
        '"@signature-params": ("@method" "@authority" "@path" "@query" "range");created=1795406400'
        ';expires=1795406700;nonce="n-1";keyid="320000-sign-1";alg="ed25519";tag="tongban-1"'
    )


@pytest.mark.parametrize(
    ("part", "value"),
    [("origin", "https://node.gd.example"), ("path", "/peer/v1/heads"), ("query", QUERY + "c"), ("query", "")],
)
def test_an_altered_address_breaks_the_signature(part: str, value: str):
    with pytest.raises(SignatureInvalid):
        proven(question(asked().headers, **{part: value}))


def test_an_altered_range_breaks_the_signature():
    with pytest.raises(SignatureInvalid):
        proven(question({**asked().headers, "Range": "bytes=0-98"}))


def test_another_method_asks_for_what_a_question_does_not_cover():
    for method in ("POST", "HEAD"):
        with pytest.raises(ComponentMissing):
            proven(question(asked().headers, method=method))


def test_a_range_that_was_added_or_removed_is_refused():
    with_range, without = asked().headers, asked("").headers
    for headers in (
        {name: value for name, value in with_range.items() if name != "Range"},
        {**without, "Range": RANGE},
    ):
        with pytest.raises(ComponentMissing):
            proven(question(headers))


@pytest.mark.parametrize("left_out", COMPONENTS)
def test_a_true_signature_that_covers_less_is_refused(left_out: str):
    with pytest.raises(ComponentMissing):
        proven(question(of_components({name: value for name, value in COMPONENTS.items() if name != left_out})))


def test_a_true_signature_that_covers_more_or_in_another_order_is_refused():
    assert proven(question(of_components(COMPONENTS))).sender == "320000"
    for components in ({**COMPONENTS, '"@scheme"': "https"}, dict(reversed(COMPONENTS.items()))):
        with pytest.raises(ComponentMissing):
            proven(question(of_components(components)))


def test_a_question_with_a_body_is_refused():
    with pytest.raises(DigestMismatch):
        proven(question(asked().headers, body=b"x"))


def test_an_old_question_is_clock_skew():
    with pytest.raises(ClockSkew):
        proven(question(asked().headers), at=NOON + timedelta(seconds=301))


def test_a_question_is_no_batch_and_a_batch_no_question():
    with pytest.raises(NotEncrypted):
        verify_request(question(asked().headers), directory_key=directory_key, at=NOON, directory_version=7)
    with pytest.raises(ComponentMissing):
        proven(Arrived("GET", ORIGIN, "/peer/v1/log", "", signed().headers, b"sealed.batch"))


# Its answer.


def answered(answer: Answer, request: RequestReference, *, key: object = KEY) -> ReceivedAnswer:
    made = sign_answer(key, answer, request=request, at=NOON, nonce="m-1")
    return ReceivedAnswer(answer.status, made.headers, answer.body)


def heard(answer: ReceivedAnswer, request: RequestReference, *, sender: str = "320000") -> Receipt:
    return verify_answer(answer, request=request, sender=sender, directory_key=directory_key, at=NOON)


@pytest.mark.parametrize("answer", [PART, WHOLE], ids=["part", "whole"])
def test_the_answer_to_a_question_is_bound_to_it_and_covers_which_part_it_is(answer: Answer):
    first, second = asked(nonce="n-1").asked, asked(nonce="n-2").asked
    receipt = heard(answered(answer, first), first)
    names = [line.partition(": ")[0] for line in receipt.base.decode().splitlines()]
    of_part = ['"content-range"'] if answer is PART else []
    assert names == [
        '"@status"', '"content-type"', '"content-digest"', *of_part, '"signature";req;key="tongban-1"',
        '"@signature-params"',
    ]  # fmt: skip
    with pytest.raises(SignatureInvalid):
        heard(answered(answer, first), second)
    with pytest.raises(UnknownKey):
        heard(answered(answer, first), first, sender="330000")


@pytest.mark.parametrize("content_range", ["bytes 1-100/1000", "bytes 0-99/1001", ""])
def test_a_part_that_is_said_to_be_another_is_refused(content_range: str):
    request = asked().asked
    answer = answered(PART, request)
    with pytest.raises((SignatureInvalid, ComponentMissing)):
        heard(replace(answer, headers={**answer.headers, "Content-Range": content_range}), request)


def test_a_part_is_not_the_whole():
    request = asked().asked
    with pytest.raises(Unproven):
        heard(replace(answered(PART, request), status=200), request)
    with pytest.raises(Unproven):
        heard(replace(answered(WHOLE, request), status=206), request)


# The library.


@dataclass
class LibraryRequest:
    """A question as http-message-signatures reads and writes it."""

    headers: dict[str, str]
    method: str = "GET"
    url: str = URL


RESOLVER = MappingKeyResolver(public_keys={KEY.id: KEY.private.public_key()}, private_keys={KEY.id: KEY.private})


def test_the_library_verifies_the_question_that_we_sign():
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=RESOLVER)
    (found,) = verifier.verify(
        LibraryRequest(dict(asked(at=datetime.now(UTC)).headers)),  # the library compares with the real clock
        max_age=timedelta(seconds=300),
        expect_tag="tongban-1",
        expect_label="tongban-1",
        require_components=[*PLAIN, "range"],
    )
    assert {name: value for name, value in found.covered_components.items() if name in COMPONENTS} == COMPONENTS


def test_we_verify_the_question_that_the_library_signs():
    request = LibraryRequest({"Range": RANGE})
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=RESOLVER)
    signer.sign(
        request,
        key_id=KEY.id,
        created=NOON,
        expires=NOON + timedelta(seconds=120),
        nonce="n-2",
        label="tongban-1",
        tag="tongban-1",
        covered_component_ids=[*PLAIN, "range"],
    )
    assert proven(question(request.headers)).nonce == "n-2"
