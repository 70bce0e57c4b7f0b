"""The negative table: how a batch can be wrong, and the name by which each wrong is refused, kept out and audited.

What is wrong with a signature itself, for batches, receipts and questions alike, is in test_spoiled_signatures.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from joserfc.jwe import JWERegistry, encrypt_compact
from joserfc.jwk import OKPKey

from regions import auditing, wire
from server.crypto.envelopes import seal
from server.crypto.keyring import make_keys
from server.crypto.signature_base import content_digest
from server.crypto.signatures import OutgoingRequest, sign_request
from server.crypto.suites import SigningKey
from server.desk.background.forgetting import forget_expired
from server.domain.canonical import canonical
from server.domain.errors import OutcomeUnknown
from server.domain.exchange.letters import VERSION, Letter
from tests.http.peer_books import Books
from tests.http.peer_requests import (
    Attempt,
    Sent,
    attempt,
    hand_in,
    letter_of,
    refused_signed,
    refused_unsigned,
    texts_of,
)
from tests.http.spoiling import spoiled_header
from tests.nodes import HandClock, Places, running_node
from tests.world import GUANGDONG, JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
LETTERS = (letter_of(body={"note": "first"}), letter_of(body={"note": "second"}), letter_of(body={"note": "third"}))


@dataclass(frozen=True)
class Row:
    """One wrong: what spoils a request that would be right, and how it is refused."""

    spoil: Callable[[Attempt], Attempt | Sent]
    status: int
    code: str

    def sent(self, request: Attempt) -> Sent:
        """The spoiled request."""
        made = self.spoil(request)
        return made.sent() if isinstance(made, Attempt) else made


def stranger(key_id: str) -> SigningKey:
    return SigningKey(key_id, Ed25519PrivateKey.generate())


def on_the_way(header: str, how: str) -> Callable[[Attempt], Sent]:
    """A right request, one of whose headers is spoiled after it was signed."""

    def spoil(it: Attempt) -> Sent:
        sent = it.sent()
        return replace(sent, headers=spoiled_header(sent.headers, header, how))

    return spoil


def with_body(sent: Sent, body: bytes) -> Sent:
    return replace(sent, body=body)


def for_another_authority(it: Attempt) -> Sent:
    """What Zhejiang rightly signed for another node."""
    sent = it.sent()
    url = "https://guangdong.example" + wire.PATH
    root = sent.headers["Exchange-Root"]
    signed = sign_request(
        it.key, OutgoingRequest("POST", url, wire.CONTENT_TYPE, sent.body, root), at=it.at, nonce="n-other"
    )
    return replace(sent, headers=signed.headers)


# Nobody is proven: the answer is not signed either.
UNPROVEN: dict[str, Row] = {
    "Content-Type altered on the way": Row(on_the_way("Content-Type", "altered"), 401, "signature_invalid"),
    "Content-Type removed on the way": Row(on_the_way("Content-Type", "removed"), 401, "component_missing"),
    "Content-Type doubled on the way": Row(on_the_way("Content-Type", "doubled"), 401, "signature_invalid"),
    "Content-Digest altered on the way": Row(on_the_way("Content-Digest", "altered"), 401, "signature_invalid"),
    "Content-Digest removed on the way": Row(on_the_way("Content-Digest", "removed"), 401, "component_missing"),
    "Content-Digest doubled on the way": Row(on_the_way("Content-Digest", "doubled"), 401, "signature_invalid"),
    "Exchange-Root altered on the way": Row(on_the_way("Exchange-Root", "altered"), 401, "signature_invalid"),
    "Exchange-Root removed on the way": Row(on_the_way("Exchange-Root", "removed"), 401, "component_missing"),
    "Exchange-Root doubled on the way": Row(on_the_way("Exchange-Root", "doubled"), 401, "signature_invalid"),
    "Signature-Input altered on the way": Row(on_the_way("Signature-Input", "altered"), 401, "signature_invalid"),
    "Signature-Input removed on the way": Row(on_the_way("Signature-Input", "removed"), 401, "not_signed"),
    "Signature-Input doubled on the way": Row(on_the_way("Signature-Input", "doubled"), 401, "signature_invalid"),
    "Signature altered on the way": Row(on_the_way("Signature", "altered"), 401, "signature_invalid"),
    "Signature removed on the way": Row(on_the_way("Signature", "removed"), 401, "not_signed"),
    "Signature doubled on the way": Row(on_the_way("Signature", "doubled"), 401, "signature_invalid"),
    "the query altered on the way": Row(lambda it: replace(it.sent(), query="?a"), 401, "signature_invalid"),
    "the body altered by one byte": Row(
        lambda it: with_body(it.sent(), it.sent().body[:-1] + b"-"), 401, "digest_mismatch"
    ),
    "the body of another of its requests": Row(lambda it: with_body(it.sent(), it.sent().body), 401, "digest_mismatch"),
    "an empty body": Row(lambda it: with_body(it.sent(), b""), 401, "digest_mismatch"),
    "another body with its digest": Row(
        lambda it: with_body(it.sent(), b"other").altered(Content_Digest=content_digest(b"other")),
        401,
        "signature_invalid",
    ),
    "signed by a stranger": Row(lambda it: replace(it, key=stranger("990000-sign-1")), 401, "unknown_key"),
    "signed by a forger": Row(lambda it: replace(it, key=stranger(it.key.id)), 401, "signature_invalid"),
    "rightly signed for another node": Row(for_another_authority, 401, "signature_invalid"),
    "a root of another length": Row(lambda it: replace(it, root=bytes(31)), 401, "signature_invalid"),
    "signed plain JSON": Row(lambda it: replace(it, content_type="application/json"), 415, "not_encrypted"),
    "a JWE of many parts": Row(lambda it: replace(it, content_type="application/jose+json"), 415, "not_encrypted"),
    "a body over four megabytes": Row(
        lambda it: replace(it, sealed=b"x" * (wire.MOST_BODY_BYTES + 1)), 413, "body_too_large"
    ),
}


def enveloped(**header: Any) -> Callable[[Attempt], Attempt]:
    """The right plaintext, encrypted to the right key by a library under another header."""

    def spoil(it: Attempt) -> Attempt:
        ours = it.receiver.keys.encryption
        key = OKPKey.import_key(X25519PublicKey.from_public_bytes(ours.public))
        whole = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": ours.id} | header
        names = [whole["alg"], whole["enc"], *([whole["zip"]] if "zip" in whole else [])]
        registry = JWERegistry(algorithms=names, strict_check_header=False)
        sealed = encrypt_compact(whole, wire.write(it.batch, texts_of(it.letters)), key, registry=registry)
        return replace(it, sealed=sealed.encode())

    return spoil


def sealed_for(key_id: str = "") -> Callable[[Attempt], Attempt]:
    """Sealed to a key that is not Jiangsu's, under its own id or under another one."""

    def spoil(it: Attempt) -> Attempt:
        other = make_keys(JIANGSU).encryption
        envelope = seal(wire.write(it.batch, texts_of(it.letters)), other.public, kid=key_id or "320000-encrypt-9")
        return replace(it, sealed=envelope)

    return spoil


def cut(part: int) -> Callable[[Attempt], Attempt]:
    """The right envelope, with another byte in the middle of one of its five parts."""

    def spoil(it: Attempt) -> Attempt:
        ours = it.receiver.keys.encryption
        parts = seal(wire.write(it.batch, texts_of(it.letters)), ours.public, kid=ours.id).split(b".")
        middle = len(parts[part]) // 2
        other = b"A" if parts[part][middle : middle + 1] != b"A" else b"B"
        parts[part] = parts[part][:middle] + other + parts[part][middle + 1 :]
        return replace(it, sealed=b".".join(parts))

    return spoil


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
    return document | {"letters": [document["letters"][0] | change, *document["letters"][1:]]}


def nested(text: bytes, place: bytes, depth: int) -> bytes:
    """The text with so many lists in each other behind this place."""
    return text.replace(place, place + b'"deep":' + b"[" * depth + b"]" * depth + b",", 1)


def carrying(*letters: Letter) -> Callable[[Attempt], Attempt]:
    """A batch that is right in every way but for whose letters it brings."""

    def spoil(it: Attempt) -> Attempt:
        return replace(it, letters=letters).of(root=wire.root_of(texts_of(letters)).hex())

    return spoil


def other_letters(*letters: Letter) -> Callable[[Attempt], Attempt]:
    """Other letters than those whose root is signed and stands in the batch."""
    return lambda it: replace(it, letters=letters)


# Its sender is proven, and the refusal is signed.
PROVEN: dict[str, Row] = {
    # The envelope.
    "not sealed at all": Row(lambda it: replace(it, sealed=b'{"v":1}'), 400, "undecryptable"),
    "an empty envelope": Row(lambda it: replace(it, sealed=b"."), 400, "undecryptable"),
    "sealed to another node's key": Row(sealed_for(), 400, "undecryptable"),
    "sealed to another key under our id": Row(sealed_for("320000-encrypt-1"), 400, "undecryptable"),
    "another key agreement": Row(enveloped(alg="ECDH-ES+A256KW"), 400, "undecryptable"),
    "another encryption": Row(enveloped(enc="A128GCM"), 400, "undecryptable"),
    "compressed": Row(enveloped(zip="DEF"), 400, "undecryptable"),
    "a header with a type": Row(enveloped(typ="JOSE"), 400, "undecryptable"),
    "a header with an address": Row(enveloped(apu="YQ"), 400, "undecryptable"),
    **{
        f"a byte altered in the {name}": Row(cut(part), 400, "undecryptable")
        for part, name in ((0, "header"), (2, "initialization vector"), (3, "ciphertext"), (4, "tag"))
    },
    # What is in it.
    "no JSON": Row(plain(lambda _: b"nonsense"), 400, "batch_unreadable"),
    "a list": Row(plain(lambda _: b"[]"), 400, "batch_unreadable"),
    "no letters": Row(plain(lambda all: {**all, "letters": None}), 400, "batch_unreadable"),
    "an unknown field": Row(plain(lambda all: all | {"hurry": True}), 400, "batch_unreadable"),
    "a letter with an unknown field": Row(plain(lambda all: first_letter(all, hurry=True)), 400, "batch_unreadable"),
    "a letter without an id": Row(plain(lambda all: first_letter(all, id="short")), 400, "batch_unreadable"),
    "a letter with a Chinese key": Row(
        plain(lambda all: orjson.dumps(first_letter(all, body={"证": "x"}))), 400, "batch_unreadable"
    ),
    "a letter with a fraction": Row(
        plain(lambda all: orjson.dumps(first_letter(all, body={"n": 0.5}))), 400, "batch_unreadable"
    ),
    "too many letters": Row(plain(lambda all: all | {"letters": all["letters"][:1] * 201}), 400, "batch_unreadable"),
    "a moment without milliseconds": Row(
        plain(lambda all: all | {"complete_to": "2026-11-23T04:00:00Z"}), 400, "batch_unreadable"
    ),
    "a moment before all others": Row(
        plain(lambda all: all | {"complete_to": "0001-01-01T00:00:00.000+08:00"}), 400, "batch_unreadable"
    ),
    "a letter of a moment after all others": Row(
        plain(lambda all: first_letter(all, at="9999-12-31T23:59:59.999-08:00")), 400, "batch_unreadable"
    ),
    "a number that is a text": Row(plain(lambda all: all | {"number": str(all["number"])}), 400, "batch_unreadable"),
    "a number beyond 2^53": Row(plain(lambda all: orjson.dumps(all | {"number": 2**53})), 400, "batch_unreadable"),
    "a letter of a thousand lists in each other": Row(
        plain(lambda all: nested(canonical(all), b'"body":{', 1000)), 400, "batch_unreadable"
    ),
    "a letter with a moment of another zone": Row(
        plain(lambda all: first_letter(all, at="2026-11-23T12:00:00.000+08:00")), 400, "batch_unreadable"
    ),
    "another version": Row(plain(lambda all: all | {"v": VERSION + 1}), 400, "version_unknown"),
    "a letter of another version": Row(plain(lambda all: first_letter(all, v=VERSION + 1)), 400, "version_unknown"),
    # Whose it is, and for whom.
    "another sender": Row(lambda it: it.of(sender=GUANGDONG), 403, "sender_not_proven"),
    "a letter of another sender": Row(
        plain(lambda all: first_letter(all, **{"from": GUANGDONG})), 403, "sender_not_proven"
    ),
    "a letter stolen from another node": Row(carrying(letter_of(GUANGDONG)), 403, "sender_not_proven"),
    "our own letter, sent back": Row(carrying(letter_of(JIANGSU, ZHEJIANG)), 403, "sender_not_proven"),
    "for another node": Row(lambda it: it.of(to=GUANGDONG), 403, "not_for_us"),
    "a letter for another node": Row(carrying(letter_of(to=GUANGDONG)), 403, "not_for_us"),
    # What was signed for.
    "another root in the batch": Row(
        lambda it: replace(it.of(root="ab" * 32), root=bytes.fromhex(it.batch.root)), 400, "root_mismatch"
    ),
    "another root in the header": Row(lambda it: replace(it, root=bytes(32)), 400, "root_mismatch"),
    "the root of other letters": Row(other_letters(letter_of(body={"note": "other"})), 400, "root_mismatch"),
    "the root of another order": Row(other_letters(*reversed(LETTERS)), 400, "root_mismatch"),
    "the root of one letter more": Row(other_letters(*LETTERS[:2]), 400, "root_mismatch"),
    "the root of no letter": Row(other_letters(), 400, "root_mismatch"),
    # Where it stands in the log; Jiangsu has the batch before.
    "a number ahead": Row(lambda it: it.of(number=it.batch.number + 1), 409, "log_gap"),
    "a number far ahead": Row(lambda it: it.of(number=2**52), 409, "log_gap"),
    "the number before, with another hash": Row(lambda it: it.of(number=it.batch.number - 1), 409, "log_conflict"),
    "number zero": Row(lambda it: it.of(number=0), 409, "log_conflict"),
    "a number below zero": Row(lambda it: it.of(number=-1), 409, "log_conflict"),
    "another predecessor": Row(lambda it: it.of(prev="ab" * 32), 409, "log_conflict"),
    "the first predecessor again": Row(lambda it: it.of(prev="0" * 64), 409, "log_conflict"),
    "a stream that has not begun": Row(lambda it: it.of(stream=2), 409, "log_gap"),
    "a new stream that does not follow our head": Row(
        lambda it: it.of(stream=2, number=1, prev="ab" * 32), 409, "log_gap"
    ),
    "the stream after the next": Row(lambda it: it.of(stream=3, number=1), 409, "log_gap"),
    "a stream before the first": Row(lambda it: it.of(stream=0), 409, "log_conflict"),
}


@pytest.mark.parametrize("how", UNPROVEN)
async def test_what_nobody_is_proven_to_have_sent_is_refused(three: Places, books: Books, how: str):
    row = UNPROVEN[how]
    async with books.unchanged_but_for(row.code, door=wire.PATH) as audited:
        refused_unsigned(await hand_in(three, row.sent(await attempt(three, *LETTERS))), row.status, row.code)
    assert audited["peer"] == ""
    assert audited["key"] in (f"{ZHEJIANG}-sign-1", "")


@pytest.mark.parametrize("how", PROVEN)
async def test_what_a_true_node_sends_wrongly_is_refused_with_a_signature(three: Places, books: Books, how: str):
    row = PROVEN[how]
    await books.begin()
    request = await attempt(three, *LETTERS)
    before = await books.head()
    async with books.unchanged_but_for(row.code, door=wire.PATH) as audited:
        sent = row.sent(request)
        problem = refused_signed(three, sent, await hand_in(three, sent), row.status, row.code)
    assert (audited["peer"], audited["key"]) == (ZHEJIANG, f"{ZHEJIANG}-sign-1")
    assert problem.get("head") == (before.told() if row.status == 409 else None)
    assert problem.get("versions") == ([VERSION] if row.code == "version_unknown" else None)


async def test_the_request_that_both_tables_spoil_is_right(three: Places):
    assert (await hand_in(three, (await attempt(three, *LETTERS)).sent())).status == 200


async def test_a_whole_batch_that_another_node_has_stolen_is_refused(three: Places, books: Books):
    thief = three.nodes[GUANGDONG].node
    stolen = replace(await attempt(three, *LETTERS), key=thief.keys.signing)
    async with books.unchanged_but_for("sender_not_proven", door=wire.PATH) as audited:
        sent = stolen.sent()
        refused_signed(three, sent, await hand_in(three, sent), 403, "sender_not_proven")
    assert audited["peer"] == GUANGDONG


async def test_a_request_that_its_receiver_hands_on_is_refused_elsewhere(three: Places, books: Books):
    sent = (await attempt(three, *LETTERS)).sent()
    other = three.nodes[GUANGDONG]
    refused_unsigned(await hand_in(three, sent, base_url=other.base_url), 401, "signature_invalid")
    assert (await other.node.store.log("in", ZHEJIANG).head(0)).number == 0


REPLAYS = {
    "a second later": (1, "nonce_replayed"),
    "a second before its window ends": (299, "nonce_replayed"),
    "when its window ends": (300, "nonce_replayed"),
    "a second after its window": (301, "clock_skew"),
}


@pytest.mark.parametrize("when", REPLAYS)
async def test_a_replayed_request_is_refused(three: Places, books: Books, clock: HandClock, when: str):
    seconds, code = REPLAYS[when]
    sent = (await attempt(three, *LETTERS)).sent()
    assert (await hand_in(three, sent)).status == 200
    clock.wait(seconds=seconds)
    await forget_expired(three.nodes[JIANGSU].node, clock.now() - timedelta(hours=1))
    async with books.unchanged_but_for(code, door=wire.PATH):
        refused_unsigned(await hand_in(three, sent), 401, code)


async def test_a_request_that_is_replayed_to_a_new_process_is_refused(three: Places, books: Books, clock: HandClock):
    sent = (await attempt(three, *LETTERS)).sent()
    assert (await hand_in(three, sent)).status == 200
    settings = three.nodes[JIANGSU].node.settings.model_copy(update={"port": books.port})
    async with (
        books.unchanged_but_for("nonce_replayed", door=wire.PATH),
        running_node(settings, clock) as restarted,
    ):
        address = f"http://127.0.0.1:{books.port}"
        refused_unsigned(await hand_in(three, sent, base_url=address), 401, "nonce_replayed")
        await restarted.in_flight.drain()


async def test_a_stranger_can_write_one_entry_an_hour_and_no_more(three: Places, books: Books, clock: HandClock):
    clock.wait(hours=1)
    request = await attempt(three)
    for number in range(20):
        made_up = replace(request, key=stranger(f"{number}-sign-1")).sent()
        refused_unsigned(await hand_in(three, made_up), 401, "unknown_key")
    entries = await books.refusals("unknown_key", hour=clock.now())
    assert [(entry["about"]["key"], entry["times"]) for entry in entries] == [("", 20)]


async def test_an_audit_entry_of_a_refusal_holds_no_content(three: Places, books: Books):
    await hand_in(three, replace(await attempt(three, *LETTERS), content_type="text/secret").sent())
    for entry in await books.refusals():
        keys = {"time_key", "kind_key", "officer_key", "case_key", "person_key", "chain"}
        assert set(entry) == {"_id", "kind", "at", "about", "times", "version", "proof", *keys}
        assert (entry["officer_key"], entry["case_key"], entry["person_key"]) == ("", "", "")
        assert set(entry["about"]) == {"peer", "key", "code", "door"}
        assert "secret" not in str(entry)


class Gone:
    """An audit that cannot be written to."""

    async def count(self, *_: object, **__: object) -> None:
        raise OutcomeUnknown


async def test_an_audit_that_cannot_be_written_ends_nothing(three: Places, capsys: pytest.CaptureFixture[str]):
    node = three.nodes[JIANGSU].node
    deaf = replace(node, store=replace(node.store, audit=Gone()))
    await auditing.note(deaf, auditing.RejectedRequest(wire.NotForUs(), wire.PATH, {}, None))
    assert "audit.missed" in capsys.readouterr().out


async def test_what_this_node_cannot_do_now_is_not_audited_as_a_refusal(three: Places, books: Books):
    before = await books.refusals()
    turned = auditing.RejectedRequest(OutcomeUnknown(), wire.PATH, {}, None)
    await auditing.note(three.nodes[JIANGSU].node, turned)
    assert await books.refusals() == before
