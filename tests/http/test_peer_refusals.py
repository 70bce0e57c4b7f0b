"""What the door of other nodes refuses: first whatever does not prove its sender, then whatever breaks the log."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from regions import wire
from server.crypto.envelopes import seal
from server.crypto.keyring import make_keys
from server.crypto.signature_base import Message, content_digest, sign_message
from server.crypto.signatures import DigestMismatch, SignatureInvalid
from server.crypto.suites import SigningKey
from server.domain.canonical import canonical
from tests.http.peer_requests import (
    Attempt,
    Sent,
    attempt,
    hand_in,
    head_of,
    letter_of,
    receipt_of,
    refused_signed,
    refused_unsigned,
    texts_of,
)
from tests.nodes import Places
from tests.world import GUANGDONG, JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
COVERED = ("@method", "@authority", "@path", "@query", "content-type", "content-digest", "exchange-root")


def stranger(key_id: str) -> SigningKey:
    return SigningKey(key_id, Ed25519PrivateKey.generate())


def covering(request: Attempt, names: tuple[str, ...]) -> Sent:
    """A true signature over other components than those of the profile."""
    sent = request.sent()
    values = dict(zip(COVERED, ("POST", request.receiver.settings.origin[7:], wire.PATH, "?"), strict=False))
    values |= {name.lower(): value for name, value in sent.headers.items()}
    plain = {name: value for name, value in sent.headers.items() if not name.startswith("Signature")}
    message = Message("tongban-1", {f'"{name}"': values[name] for name in names}, plain, sent.body)
    return replace(sent, headers=sign_message(request.key, message, at=request.at, nonce="n-covering").headers)


def with_body(sent: Sent, body: bytes) -> Sent:
    return replace(sent, body=body)


Spoil = Callable[[Attempt], Sent]
UNPROVEN: dict[str, tuple[Spoil, int, str]] = {
    "without a signature": (lambda it: it.sent().without("Signature"), 401, "not_signed"),
    "without its description": (lambda it: it.sent().without("Signature-Input"), 401, "not_signed"),
    "with a garbled signature": (lambda it: it.sent().altered(Signature="tongban-1=:abc:"), 401, "signature_invalid"),
    "by a stranger": (lambda it: replace(it, key=stranger("990000-sign-1")).sent(), 401, "unknown_key"),
    "by a forger": (lambda it: replace(it, key=stranger(it.key.id)).sent(), 401, "signature_invalid"),
    "with an altered body": (lambda it: with_body(it.sent(), it.sent().body), 401, "digest_mismatch"),
    "with an altered body and digest": (
        lambda it: with_body(it.sent(), b"other").altered(Content_Digest=content_digest(b"other")),
        401,
        "signature_invalid",
    ),
    "with another root in the header": (
        lambda it: it.sent().altered(Exchange_Root=wire.root_header(bytes(32))),
        401,
        "signature_invalid",
    ),
    "with another content type than signed": (
        lambda it: it.sent().altered(Content_Type="application/json"),
        401,
        "signature_invalid",
    ),
    "with another query than signed": (lambda it: replace(it.sent(), query="?stream=2"), 401, "signature_invalid"),
    "without the root": (lambda it: it.sent().without("Exchange-Root"), 401, "component_missing"),
    "with a root of another length": (lambda it: replace(it, root=bytes(31)).sent(), 401, "signature_invalid"),
    "that ran out": (
        lambda it: replace(it, at=it.at - timedelta(seconds=30), lifetime_seconds=10).sent(),
        401,
        "signature_expired",
    ),
    "that lasts too long": (lambda it: replace(it, lifetime_seconds=301).sent(), 401, "signature_invalid"),
    "as signed plain JSON": (lambda it: replace(it, content_type="application/json").sent(), 415, "not_encrypted"),
}


@pytest.mark.parametrize("how", UNPROVEN)
async def test_a_request_is_refused_without_a_signature(places: Places, how: str):
    spoil, status, code = UNPROVEN[how]
    before = await head_of(places)
    refused_unsigned(await hand_in(places, spoil(await attempt(places))), status, code)
    assert await head_of(places) == before


@pytest.mark.parametrize("name", COVERED)
async def test_a_signature_that_leaves_a_component_out_is_refused(places: Places, name: str):
    request = await attempt(places)
    others = tuple(each for each in COVERED if each != name)
    refused_unsigned(await hand_in(places, covering(request, others)), 401, "component_missing")


async def test_a_signature_over_all_components_is_what_the_tests_above_spoil(places: Places):
    request = await attempt(places)
    assert (await hand_in(places, covering(request, COVERED))).status == 200


@pytest.mark.parametrize("seconds", [-302, -3600, 62, 3600])
async def test_a_clock_that_is_too_far_off_is_told_our_time(places: Places, seconds: int):
    request = await attempt(places)
    off = replace(request, at=request.at + timedelta(seconds=seconds))
    problem = refused_unsigned(await hand_in(places, off.sent()), 401, "clock_skew")
    ours = datetime.fromisoformat(problem["time"])
    assert abs(ours - request.receiver.clock.now()) < timedelta(minutes=1)
    assert abs(problem["seconds"] - seconds) <= 60


@pytest.mark.parametrize("seconds", [-200, 20])
async def test_a_clock_that_is_a_little_off_does_no_harm(places: Places, seconds: int):
    request = await attempt(places)
    sent = replace(request, at=request.at + timedelta(seconds=seconds)).sent()
    assert receipt_of(places, sent, await hand_in(places, sent)).status == 200


async def test_a_replayed_request_is_refused(places: Places):
    sent = (await attempt(places)).sent()
    assert (await hand_in(places, sent)).status == 200
    refused_unsigned(await hand_in(places, sent), 401, "nonce_replayed")


async def test_plain_json_without_a_signature_tells_a_stranger_nothing_more(places: Places):
    answer = await places.caller().post(wire.PATH, {"v": 1})
    assert (answer.status, answer.code) == (401, "not_signed")


async def test_a_body_over_four_megabytes_is_refused(places: Places):
    request = replace(await attempt(places), sealed=b"x" * (wire.MOST_BODY_BYTES + 1))
    refused_unsigned(await hand_in(places, request.sent()), 413, "body_too_large")


def sealed_for_another(it: Attempt) -> Attempt:
    other = make_keys(JIANGSU).encryption
    return replace(it, sealed=seal(wire.write(it.batch, texts_of(it.letters)), other.public, kid=other.id))


def plain(change: Callable[[dict[str, Any]], Any]) -> Callable[[Attempt], Attempt]:
    """The attempt with another plaintext than that of its batch."""

    def changed(it: Attempt) -> Attempt:
        document = it.batch.model_dump(by_alias=True) | {
            "letters": [each.model_dump(by_alias=True) for each in it.letters]
        }
        made = change(document)
        return replace(it, plaintext=made if isinstance(made, bytes) else canonical(made))

    return changed


def first_letter(document: dict[str, Any], **change: Any) -> dict[str, Any]:
    return document | {"letters": [document["letters"][0] | change]}


BROKEN: dict[str, tuple[Callable[[Attempt], Attempt], int, str]] = {
    "sealed for another": (sealed_for_another, 400, "undecryptable"),
    "not sealed at all": (lambda it: replace(it, sealed=b'{"v":1}'), 400, "undecryptable"),
    "an empty body": (lambda it: replace(it, sealed=b"."), 400, "undecryptable"),
    "no JSON": (plain(lambda _: b"nonsense"), 400, "batch_unreadable"),
    "a list": (plain(lambda _: b"[]"), 400, "batch_unreadable"),
    "no letters": (plain(lambda all: {**all, "letters": None}), 400, "batch_unreadable"),
    "an unknown field": (plain(lambda all: all | {"hurry": True}), 400, "batch_unreadable"),
    "a letter with an unknown field": (plain(lambda all: first_letter(all, hurry=True)), 400, "batch_unreadable"),
    "a letter without an id": (plain(lambda all: first_letter(all, id="short")), 400, "batch_unreadable"),
    "a letter with a Chinese key": (
        plain(lambda all: orjson.dumps(first_letter(all, body={"证": "x"}))),
        400,
        "batch_unreadable",
    ),
    "too many letters": (plain(lambda all: all | {"letters": all["letters"] * 201}), 400, "batch_unreadable"),
    "another version": (plain(lambda all: all | {"v": 2}), 400, "version_unknown"),
    "another sender": (lambda it: it.of(sender=GUANGDONG), 403, "sender_not_proven"),
    "a letter of another sender": (
        plain(lambda all: first_letter(all, **{"from": GUANGDONG})),
        403,
        "sender_not_proven",
    ),
    "for another node": (lambda it: it.of(to=GUANGDONG), 403, "not_for_us"),
    "a letter for another node": (plain(lambda all: first_letter(all, to=GUANGDONG)), 403, "not_for_us"),
    "another root in the batch": (
        lambda it: replace(it.of(root="ab" * 32), root=bytes.fromhex(it.batch.root)),
        400,
        "root_mismatch",
    ),
    "another root in the header": (lambda it: replace(it, root=bytes(32)), 400, "root_mismatch"),
    "other letters than the root's": (lambda it: replace(it, letters=()), 400, "root_mismatch"),
    "a number ahead": (lambda it: it.of(number=it.batch.number + 1), 409, "log_gap"),
    "a number far ahead": (lambda it: it.of(number=2**52), 409, "log_gap"),
    "another predecessor": (lambda it: it.of(prev="ab" * 32), 409, "log_conflict"),
    "a stream that has not begun": (lambda it: it.of(stream=2), 409, "log_gap"),
    "number zero": (lambda it: it.of(number=0), 409, "log_conflict"),
    "a number below zero": (lambda it: it.of(number=-1), 409, "log_conflict"),
}


@pytest.mark.parametrize("how", BROKEN)
async def test_a_proven_request_is_refused_with_a_signature(places: Places, how: str):
    spoil, status, code = BROKEN[how]
    before = await head_of(places)
    sent = spoil(await attempt(places, letter_of())).sent()
    problem = refused_signed(places, sent, await hand_in(places, sent), status, code)
    assert await head_of(places) == before
    if code == "log_gap":
        assert problem["head"] == before.told()
    if code == "version_unknown":
        assert problem["versions"] == [1]


async def test_a_batch_is_acknowledged_again_as_often_as_it_comes(places: Places):
    request = await attempt(places, letter_of(body={"note": "again"}))
    heads = []
    for _ in range(3):
        sent = request.sent()
        reply = await hand_in(places, sent)
        assert receipt_of(places, sent, reply).status == 200
        heads.append(reply.body["head"])
    assert heads == [{"stream": 1, "number": request.batch.number, "hash": request.batch.hash()}] * 3
    later = (await attempt(places)).sent()
    assert (await hand_in(places, later)).status == 200
    sent = request.sent()
    reply = await hand_in(places, sent)
    assert receipt_of(places, sent, reply).status == 200
    assert reply.body["head"]["number"] == request.batch.number + 1


async def test_a_number_that_is_taken_by_another_batch_is_a_conflict(places: Places):
    request = await attempt(places)
    assert (await hand_in(places, request.sent())).status == 200
    before = await head_of(places)
    other = request.of(complete_to=request.batch.complete_to - timedelta(minutes=1)).sent()
    refused_signed(places, other, await hand_in(places, other), 409, "log_conflict")
    assert await head_of(places) == before


async def test_a_receipt_is_bound_to_its_request(places: Places):
    first, second = (await attempt(places)).sent(), (await attempt(places)).sent()
    reply = await hand_in(places, first)
    assert receipt_of(places, first, reply).status == 200
    with pytest.raises(SignatureInvalid):
        receipt_of(places, second, reply)
    with pytest.raises(DigestMismatch):
        receipt_of(places, first, replace(reply, raw=reply.raw + b" "))
    with pytest.raises(SignatureInvalid):
        receipt_of(places, first, replace(reply, status=202))


async def test_the_directory_is_what_its_publisher_signed(places: Places):
    answer = await places.caller().get("/peer/v1/directory")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/jose")
    text = places.nodes[JIANGSU].node.settings.directory_file.read_text().strip()
    assert answer.body.decode() == text
