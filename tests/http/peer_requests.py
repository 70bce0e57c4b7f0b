"""Requests of Zhejiang to Jiangsu's log, true in every part until a test spoils one."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from regions import wire
from regions.directory import known_key
from server.crypto import base64url
from server.crypto.envelopes import seal
from server.crypto.receipts import Receipt, ReceivedAnswer, verify_answer
from server.crypto.signatures import OutgoingRequest, RequestReference, sign_request
from server.crypto.suites import SigningKey
from server.domain.exchange.letters import Batch, Letter, letter_id
from server.domain.exchange.log import Head
from server.node import Node
from tests.http.asking import refused
from tests.nodes import Answer, Places
from tests.world import JIANGSU, ZHEJIANG


@dataclass(frozen=True)
class Sent:
    """A signed request as it goes out, and what its answer must repeat."""

    headers: Mapping[str, str]
    body: bytes
    asked: RequestReference
    query: str = ""

    def without(self, header: str) -> "Sent":
        """The same with one header less."""
        return replace(self, headers={name: value for name, value in self.headers.items() if name != header})

    def altered(self, **headers: str) -> "Sent":
        """The same with other headers (`Exchange_Root` for `Exchange-Root`)."""
        return replace(self, headers={**self.headers, **{name.replace("_", "-"): headers[name] for name in headers}})


@dataclass(frozen=True)
class Attempt:
    """What a request is made of."""

    sender: Node
    receiver: Node
    batch: Batch
    letters: tuple[Letter, ...]
    key: SigningKey
    at: datetime
    lifetime_seconds: int = 300
    content_type: str = wire.CONTENT_TYPE
    plaintext: bytes | None = None
    sealed: bytes | None = None
    root: bytes | None = None

    def of(self, **changes: Any) -> "Attempt":
        """The same with other fields in the batch."""
        return replace(self, batch=self.batch.model_copy(update=changes))

    def sent(self) -> Sent:
        """Sealed and signed, anew each time."""
        root = bytes.fromhex(self.batch.root) if self.root is None else self.root
        plaintext = wire.write(self.batch, texts_of(self.letters)) if self.plaintext is None else self.plaintext
        ours = self.receiver.keys.encryption
        envelope = seal(plaintext, ours.public, kid=ours.id) if self.sealed is None else self.sealed
        origin = self.receiver.settings.origin
        request = OutgoingRequest("POST", origin + wire.PATH, self.content_type, envelope, wire.root_header(root))
        nonce = base64url.encode(self.sender.chance.token(16))
        signed = sign_request(self.key, request, at=self.at, nonce=nonce, lifetime_seconds=self.lifetime_seconds)
        return Sent(signed.headers, envelope, signed.asked)


@dataclass(frozen=True)
class Reply:
    """What came back, byte for byte."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        """The JSON in it."""
        return dict(orjson.loads(self.raw))

    @property
    def is_signed(self) -> bool:
        """Whether it claims to be."""
        return "Signature" in self.headers


def letter_of(here: str = ZHEJIANG, to: str = JIANGSU, **change: Any) -> Letter:
    """A letter that no node has an act for, with these changes; its id is made of its body."""
    whole: dict[str, Any] = {
        "sender": here,
        "to": to,
        "after": None,
        "about": None,
        "kind": "letter.unheard",
        "at": datetime(2026, 11, 23, 4, 0, tzinfo=UTC),
        "salt": "c2FsdHNhbHRzYWx0c2FsdA",
        "body": {"note": "hello"},
    } | change
    return Letter(id=letter_id(here, to, whole["kind"], whole["body"]), **whole)


def texts_of(letters: Iterable[Letter]) -> list[bytes]:
    """Their canonical bytes."""
    return [letter.text().encode() for letter in letters]


async def head_of(places: Places) -> Head:
    """How far Jiangsu's copy of Zhejiang's log has come."""
    return await places.nodes[JIANGSU].node.store.log("in", ZHEJIANG).head(0)


async def attempt(places: Places, *letters: Letter, **changes: Any) -> Attempt:
    """The request that would be right next, with these changes in the batch."""
    sender, receiver = places.nodes[ZHEJIANG].node, places.nodes[JIANGSU].node
    head, now = await head_of(places), sender.clock.now()
    batch = Batch(
        sender=ZHEJIANG,
        to=JIANGSU,
        stream=head.stream,
        number=head.number + 1,
        prev=head.hash,
        complete_to=now - timedelta(minutes=5),
        root=wire.root_of(texts_of(letters)).hex(),
    )
    return Attempt(sender, receiver, batch, letters, sender.keys.signing, now).of(**changes)


async def hand_in(places: Places, sent: Sent, *, base_url: str = "") -> Reply:
    """Send it (to Jiangsu if to no other address), and take the answer as it is."""
    url = (base_url or places.nodes[JIANGSU].base_url) + wire.PATH + sent.query
    plain = {"headers": sent.headers, "skip_auto_headers": ["Content-Type"]}
    async with places.http.post(url, data=io.BytesIO(sent.body), **plain) as answer:
        return Reply(answer.status, answer.headers, await answer.read())


def receipt_of(places: Places, sent: Sent, reply: Reply) -> Receipt:
    """The answer's signature, verified as Zhejiang would; the refusals of signatures.py if it is not true."""
    node = places.nodes[ZHEJIANG].node
    return verify_answer(
        ReceivedAnswer(reply.status, reply.headers, reply.raw),
        request=sent.asked,
        sender=JIANGSU,
        directory_key=lambda key_id: known_key(node, key_id),
        at=node.clock.now(),
    )


def refused_unsigned(reply: Reply, status: int, code: str) -> dict[str, Any]:
    """The problem of a request that was not verified: anybody might have written it."""
    problem = refused(Answer(reply.status, reply.body, reply.headers), status, code)
    assert not reply.is_signed
    return problem


def refused_signed(places: Places, sent: Sent, reply: Reply, status: int, code: str) -> dict[str, Any]:
    """The problem of a verified request: Jiangsu stands by it."""
    problem = refused(Answer(reply.status, reply.body, reply.headers), status, code)
    assert receipt_of(places, sent, reply).status == status
    return problem
