"""The negative table of signatures: every component, parameter and header spoiled, of batches, receipts and questions.

A component or parameter is spoiled under a signature that is true; a header is spoiled on its way.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

import pytest
import pytest_asyncio
from multidict import CIMultiDict

from handlers.base import Operation, Role
from handlers.in_flight import InFlight
from handlers.peers import PeerQueryHandler
from regions import answering, outbox, wire
from server import main
from server.crypto.receipts import Answer
from server.crypto.signatures import ReceivedRequest, sign_as_received
from server.domain.exchange.log import Outbound
from server.domain.exchange.wire import WireAnswer, WireRequest
from server.node import Node
from server.tools.wire import Wire
from tests.http.peer_books import Books
from tests.http.peer_requests import Reply, attempt, hand_in, letter_of, refused_unsigned
from tests.http.spoiling import Components, Signing, Spoil, in_another_order, spoiled, spoiled_header
from tests.nodes import HandClock, Places, reserved_port
from tests.world import GUANGDONG, JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
module_wide = pytest_asyncio.fixture(scope="module", loop_scope="module")

WHERE = ('"@method"', '"@authority"', '"@path"', '"@query"')
OF_BATCH = (*WHERE, '"content-type"', '"content-digest"', '"exchange-root"')
OF_QUESTION = (*WHERE, '"range"')
OF_REQUEST = ('"signature";req;key="tongban-1"', '"content-digest";req', '"exchange-root";req')
OF_RECEIPT = ('"@status"', '"content-type"', '"content-digest"', *OF_REQUEST)
AS_IT_IS: Spoil = lambda it: it  # noqa: E731 # what the tables spoil, left as it is
REORDERED: Spoil = lambda it: replace(it, rewritten=in_another_order)  # noqa: E731 # the profile fixes no order

# How -> what is spoiled, and the code of the refusal.
BATCH, QUESTION, RECEIPT = spoiled(OF_BATCH), spoiled(OF_QUESTION), spoiled(OF_RECEIPT)
ON_THE_WAY = {
    "Signature-Input altered": "signature_invalid",
    "Signature-Input removed": "not_signed",
    "Signature-Input doubled": "signature_invalid",
    "Signature altered": "signature_invalid",
    "Signature removed": "not_signed",
    "Signature doubled": "signature_invalid",
}
QUESTION_ON_THE_WAY = ON_THE_WAY | {
    "Range altered": "signature_invalid",
    "Range removed": "component_missing",
    "Range doubled": "signature_invalid",
}
RECEIPT_ON_THE_WAY = ON_THE_WAY | {
    "Content-Type altered": "signature_invalid",
    "Content-Type removed": "component_missing",
    "Content-Type doubled": "signature_invalid",
    "Content-Digest altered": "signature_invalid",
    "Content-Digest removed": "component_missing",
    "Content-Digest doubled": "signature_invalid",
}


# A batch.


async def batch_by(three: Places, spoil: Spoil) -> Reply:
    """What Jiangsu answers to a batch whose signature is spoiled."""
    request = await attempt(three, letter_of())
    sent = request.sent()
    of_body = tuple((name, sent.headers[name.strip('"').title()]) for name in OF_BATCH[4:])
    where = zip(WHERE, ("POST", request.receiver.settings.origin[7:], wire.PATH, "?"), strict=True)
    nonce = request.sender.chance.token(8).hex()
    signing = spoil(Signing(request.key, "tongban-1", (*where, *of_body), request.at, nonce))
    return await hand_in(three, replace(sent, headers={**sent.headers, **signing.headers()}))


@pytest.mark.parametrize("how", BATCH)
async def test_a_batch_under_a_spoiled_signature_is_refused(three: Places, books: Books, how: str):
    spoil, code = BATCH[how]
    async with books.unchanged_but_for(code, door=wire.PATH) as audited:
        refused_unsigned(await batch_by(three, spoil), 401, code)
    assert audited["peer"] == ""


@pytest.mark.parametrize("spoil", [AS_IT_IS, REORDERED], ids=["as agreed", "parameters in another order"])
async def test_a_batch_under_a_true_signature_is_kept(three: Places, spoil: Spoil):
    assert (await batch_by(three, spoil)).status == 200


# A question, which is a signed GET.


class Echo(PeerQueryHandler):
    """A door for questions of peers, which says who has asked."""

    path = "/peer/v1/echo"
    role = Role.PEER
    operations: ClassVar[Mapping[str, Operation]] = {"GET": Operation(answering.signed, "签名答复")}

    async def get(self) -> None:
        await self.admit()
        self.reply(answering.signed(self.node, self.proof, Answer(200, "text/plain", self.proof.sender.encode())))


@dataclass(frozen=True)
class Asking:
    """Zhejiang, which asks Jiangsu by that door."""

    three: Places
    base_url: str

    async def asked(self, spoil: Spoil, carry: Callable[[CIMultiDict[str]], CIMultiDict[str]] = CIMultiDict) -> Reply:
        """The answer to a question whose signature is spoiled, and whose headers are changed on the way."""
        asker, asked = self.three.nodes[ZHEJIANG].node, self.three.nodes[JIANGSU].node
        values = ("GET", asked.settings.origin[7:], Echo.path, "?of=all", "bytes=0-9")
        components = tuple(zip(OF_QUESTION, values, strict=True))
        nonce = asker.chance.token(8).hex()
        signing = spoil(Signing(asker.keys.signing, "tongban-1", components, asker.clock.now(), nonce))
        headers = carry(CIMultiDict({"Range": "bytes=0-9", **signing.headers()}))
        async with self.three.http.get(f"{self.base_url}{Echo.path}?of=all", headers=headers) as answer:
            return Reply(answer.status, answer.headers, await answer.read())


@module_wide
async def asking(three: Places) -> AsyncIterator[Asking]:
    running = three.nodes[JIANGSU]
    with reserved_port() as port:
        server, _ = main.listen(running.node, running.in_flight, doors=(Echo,), port=port)
        yield Asking(three, f"http://127.0.0.1:{port}")
        await main.stop_listening(server, InFlight(), 5.0)


@pytest.mark.parametrize("how", QUESTION)
async def test_a_question_under_a_spoiled_signature_is_refused(asking: Asking, books: Books, how: str):
    spoil, code = QUESTION[how]
    async with books.unchanged_but_for(code, door=Echo.path) as audited:
        refused_unsigned(await asking.asked(spoil), 401, code)
    assert audited["peer"] == ""


@pytest.mark.parametrize("how", QUESTION_ON_THE_WAY)
async def test_a_question_that_is_spoiled_on_its_way_is_refused(asking: Asking, books: Books, how: str):
    header, _, change = how.rpartition(" ")
    code = QUESTION_ON_THE_WAY[how]
    async with books.unchanged_but_for(code, door=Echo.path):
        reply = await asking.asked(AS_IT_IS, lambda headers: spoiled_header(headers, header, change))
        refused_unsigned(reply, 401, code)


@pytest.mark.parametrize("spoil", [AS_IT_IS, REORDERED], ids=["as agreed", "parameters in another order"])
async def test_a_question_under_a_true_signature_is_answered(asking: Asking, spoil: Spoil):
    reply = await asking.asked(spoil)
    assert (reply.status, reply.raw, reply.is_signed) == (200, ZHEJIANG.encode(), True)


async def test_a_question_that_is_replayed_or_meant_for_another_node_is_refused(asking: Asking, books: Books):
    asker, origin = asking.three.nodes[ZHEJIANG].node, asking.three.nodes[JIANGSU].node.settings.origin
    for asked_of, codes in ((origin, ["", "nonce_replayed"]), ("https://node.gd.example", ["signature_invalid"] * 2)):
        received = ReceivedRequest("GET", asked_of, Echo.path, "", {})
        signed = sign_as_received(asker.keys.signing, received, at=asker.clock.now(), nonce=f"n-{asked_of[:5]}")
        for code in codes:
            async with asking.three.http.get(asking.base_url + Echo.path, headers=signed.headers) as answer:
                reply = Reply(answer.status, answer.headers, await answer.read())
            assert reply.status == (401 if code else 200)
            if code:
                refused_unsigned(reply, 401, code)
    assert await books.refusals("nonce_replayed")


# A receipt, which Guangdong waits for.


@dataclass(frozen=True)
class Spoiling:
    """A wire on whose other end answers are spoiled."""

    wire: Wire
    spoil: Callable[[WireRequest, WireAnswer], WireAnswer]

    async def send(self, request: WireRequest) -> WireAnswer:
        return self.spoil(request, await self.wire.send(request))


def resigned(three: Places, spoil: Spoil) -> Callable[[WireRequest, WireAnswer], WireAnswer]:
    """The answer of Jiangsu, signed anew by it with a spoiled signature."""
    key, clock = three.nodes[JIANGSU].node.keys.signing, three.nodes[JIANGSU].node.clock

    def sign(request: WireRequest, answer: WireAnswer) -> WireAnswer:
        asked = (request.headers["Signature"].partition("=")[2], request.headers["Content-Digest"])
        values = (str(answer.status), answer.headers["Content-Type"], answer.headers["Content-Digest"], *asked)
        components: Components = tuple(zip(OF_RECEIPT, (*values, request.headers["Exchange-Root"]), strict=True))
        signing = spoil(Signing(key, "tongban-1-receipt", components, clock.now(), "n-receipt"))
        return replace(answer, headers=CIMultiDict({**answer.headers, **signing.headers()}))

    return sign


@dataclass
class Waiting:
    """Guangdong's courier to Jiangsu, which tries again and again."""

    node: Node
    clock: HandClock

    async def outbound(self) -> Outbound:
        return await self.node.store.peers.outbound(JIANGSU)

    async def delivers(self, spoil: Callable[[WireRequest, WireAnswer], WireAnswer]) -> bool:
        """Whether its next attempt, with a letter to send, ends in a receipt."""
        self.clock.wait(minutes=11)
        letter = letter_of(GUANGDONG, at=self.clock.now(), body={"note": self.node.chance.token(8).hex()})
        await self.node.store.letters_out.answer(letter)
        peer = self.node.directory.entry(JIANGSU)
        return await outbox.deliver(replace(self.node, wire=Spoiling(self.node.wire, spoil)), peer)

    async def is_refused(self, spoil: Callable[[WireRequest, WireAnswer], WireAnswer], code: str) -> None:
        """A spoiled receipt acknowledges nothing, is kept nowhere, and its code is the state of the peer."""
        before = await self.outbound()
        assert not await self.delivers(spoil)
        after = await self.outbound()
        assert (after.reason, after.failures, after.stopped) == (code, before.failures + 1, "")
        assert after.acknowledged == before.acknowledged
        entry = await self.node.store.log("out", JIANGSU).after(before.acknowledged)
        assert entry is not None
        assert entry.evidence is None


@module_wide
async def waiting(three: Places, clock: HandClock) -> Waiting:
    return Waiting(three.nodes[GUANGDONG].node, clock)


@pytest.mark.parametrize("how", RECEIPT)
async def test_a_receipt_under_a_spoiled_signature_is_none(three: Places, waiting: Waiting, how: str):
    spoil, code = RECEIPT[how]
    await waiting.is_refused(resigned(three, spoil), code)


@pytest.mark.parametrize("how", RECEIPT_ON_THE_WAY)
async def test_a_receipt_that_is_spoiled_on_its_way_is_none(waiting: Waiting, how: str):
    header, _, change = how.rpartition(" ")

    def spoil(_: WireRequest, answer: WireAnswer) -> WireAnswer:
        return replace(answer, headers=spoiled_header(answer.headers, header, change))

    await waiting.is_refused(spoil, RECEIPT_ON_THE_WAY[how])


WHOLE_ANSWERS: dict[str, tuple[Callable[[WireAnswer], WireAnswer], str]] = {
    "another status": (lambda answer: replace(answer, status=202), "unsigned_202_unknown"),
    "a byte more": (lambda answer: replace(answer, body=answer.body + b" "), "digest_mismatch"),
    "no body": (lambda answer: replace(answer, body=b""), "digest_mismatch"),
}


@pytest.mark.parametrize("how", WHOLE_ANSWERS)
async def test_another_answer_than_the_signed_one_is_no_receipt(waiting: Waiting, how: str):
    change, code = WHOLE_ANSWERS[how]
    await waiting.is_refused(lambda _, answer: change(answer), code)


async def test_the_receipt_of_another_request_is_none(waiting: Waiting):
    answers: list[WireAnswer] = []

    def first(_: WireRequest, answer: WireAnswer) -> WireAnswer:
        answers.append(answer)
        return answers[0]

    assert await waiting.delivers(first)
    waiting.clock.wait(minutes=-11)  # the first one is still young
    await waiting.is_refused(first, "signature_invalid")


async def test_the_receipt_of_another_node_is_none(three: Places, waiting: Waiting):
    other = three.nodes[ZHEJIANG].node.keys.signing
    await waiting.is_refused(resigned(three, lambda it: replace(it, key=other)), "unknown_key")


@pytest.mark.parametrize("spoil", [AS_IT_IS, REORDERED], ids=["as agreed", "parameters in another order"])
async def test_a_receipt_under_a_true_signature_acknowledges_all_that_waited(
    three: Places, waiting: Waiting, spoil: Spoil
):
    assert await waiting.delivers(resigned(three, spoil))
    assert (await waiting.outbound()).reason == ""
    assert timedelta(0) == waiting.clock.now() - (await waiting.outbound()).succeeded_at
