"""A peer's body is not kept before its signature headers are in order, and proves nothing before it is compared."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import orjson
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handlers.bodies import BodyTooLarge
from handlers.in_flight import InFlight
from handlers.peers import PeerLogHandler
from regions import wire
from server import main
from server.crypto.signature_base import content_digest
from server.crypto.suites import SigningKey
from tests.http.peer_requests import (
    Attempt,
    Reply,
    Sent,
    attempt,
    hand_in,
    head_of,
    letter_of,
    receipt_of,
    refused_unsigned,
)
from tests.http.test_bodies import answer_of
from tests.nodes import HandClock, Places, reserved_port
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
LONG = b"x" * (256 * 1024)
OTHER = content_digest(b"other")


@dataclass
class Seen:
    """What the watched door has seen."""

    kept: list[int] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)


SEEN = Seen()


class Watched(PeerLogHandler):
    """The door of batches; it tells how much of each body it kept, and when the first byte of one came."""

    def data_received(self, chunk: bytes) -> None:
        super().data_received(chunk)
        SEEN.begun.set()

    def on_finish(self) -> None:
        with suppress(BodyTooLarge):
            SEEN.kept.append(len(self.body()))
        super().on_finish()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(three: Places) -> AsyncIterator[str]:
    """The address of that door of Jiangsu."""
    running = three.nodes[JIANGSU]
    with reserved_port() as port:
        server, _ = main.listen(running.node, running.in_flight, doors=(Watched,), port=port)
        yield f"http://127.0.0.1:{port}"
        await main.stop_listening(server, InFlight(), 5.0)


@pytest.fixture
def kept() -> list[int]:
    """How much was kept of each body since the test began; a body of which nothing was kept is not in it."""
    SEEN.kept.clear()
    return SEEN.kept


def stranger(key_id: str) -> SigningKey:
    return SigningKey(key_id, Ed25519PrivateKey.generate())


def later(it: Attempt, **span: float) -> Attempt:
    return replace(it, at=it.at + timedelta(**span))


IN_DISORDER: dict[str, tuple[Callable[[Attempt], Sent], int, str]] = {
    "not signed": (lambda it: it.sent().without("Signature"), 401, "not_signed"),
    "not in the profile": (lambda it: it.sent().altered(Signature="x=:AA==:"), 401, "signature_invalid"),
    "without a digest": (lambda it: it.sent().without("Content-Digest"), 401, "component_missing"),
    "of a stranger": (lambda it: replace(it, key=stranger("990000-sign-1")).sent(), 401, "unknown_key"),
    "of a forger": (lambda it: replace(it, key=stranger(it.key.id)).sent(), 401, "signature_invalid"),
    "with the digest of another": (lambda it: it.sent().altered(Content_Digest=OTHER), 401, "signature_invalid"),
    "an hour old": (lambda it: later(it, hours=-1).sent(), 401, "clock_skew"),
    "expired": (lambda it: replace(later(it, seconds=-30), lifetime_seconds=29).sent(), 401, "signature_expired"),
    "of an open body": (lambda it: replace(it, content_type="application/json").sent(), 415, "not_encrypted"),
    "without a root": (lambda it: replace(it, root=bytes(31)).sent(), 401, "signature_invalid"),
}  # fmt: skip


@pytest.mark.parametrize("how", IN_DISORDER)
async def test_nothing_is_kept_of_a_body_whose_headers_are_not_in_order(
    three: Places, watched: str, kept: list[int], how: str
):
    spoil, status, code = IN_DISORDER[how]
    sent = spoil(replace(await attempt(three, letter_of()), sealed=LONG))
    refused_unsigned(await hand_in(three, sent, base_url=watched), status, code)
    assert kept == []


@pytest.mark.parametrize("how", IN_DISORDER)
async def test_the_headers_are_judged_whatever_the_body_is(three: Places, how: str):
    spoil, status, code = IN_DISORDER[how]
    sent = replace(spoil(await attempt(three, letter_of())), body=b"another")
    refused_unsigned(await hand_in(three, sent), status, code)


async def test_a_body_is_kept_when_the_headers_are_in_order(three: Places, watched: str, kept: list[int]):
    sent = (await attempt(three, letter_of(body={"note": "in order"}))).sent()
    reply = await hand_in(three, sent, base_url=watched)
    assert receipt_of(three, sent, reply).status == 200
    assert kept == [len(sent.body)]


async def test_another_body_is_refused_and_does_not_use_up_the_nonce(three: Places):
    sent, before = (await attempt(three, letter_of(body={"note": "swapped"}))).sent(), await head_of(three)
    refused_unsigned(await hand_in(three, replace(sent, body=LONG)), 401, "digest_mismatch")
    assert await head_of(three) == before
    assert receipt_of(three, sent, await hand_in(three, sent)).status == 200
    refused_unsigned(await hand_in(three, sent), 401, "nonce_replayed")


async def begun(base_url: str, sent: Sent) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which the headers and the first byte of the body have come."""
    host, _, port = base_url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    headers = "".join(f"{name}: {value}\r\n" for name, value in sent.headers.items())
    SEEN.begun.clear()
    writer.write(
        f"POST {wire.PATH} HTTP/1.1\r\nHost: here\r\n{headers}Content-Length: {len(sent.body)}\r\n\r\n".encode()
    )
    writer.write(sent.body[:1])
    await SEEN.begun.wait()
    return reader, writer


async def test_who_asks_before_sending_is_refused_before_sending(three: Places):
    """With `Expect: 100-continue` nothing is on its way yet, so that the connection can be closed at once."""
    host, _, port = three.nodes[JIANGSU].base_url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST {wire.PATH} HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
    writer.write(head.encode())
    status, head, problem = await answer_of(reader)
    assert (status, problem["code"]) == (401, "not_signed")
    assert "connection: close" in head
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def ended(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Reply:
    status, head, problem = await answer_of(reader)
    lines = [line.partition(": ") for line in head.splitlines()[1:]]
    writer.close()
    await writer.wait_closed()
    headers = {name.title(): value for name, _, value in lines} | {"X-Request-Id": "some"}
    return Reply(status, headers, orjson.dumps(problem))


async def test_a_body_that_outlives_its_signature_is_refused(three: Places, watched: str, clock: HandClock):
    sent, before = (await attempt(three, letter_of(body={"note": "late"}))).sent(), await head_of(three)
    reader, writer = await begun(watched, sent)
    clock.wait(seconds=301)
    writer.write(sent.body[1:])
    refused_unsigned(await ended(reader, writer), 401, "signature_expired")
    assert await head_of(three) == before


@pytest.mark.parametrize("mebibytes", [5, 9])
async def test_a_body_that_is_too_long_is_told_so_first(three: Places, mebibytes: int):
    """Up to twice the largest batch it is read and thrown away; beyond that nothing of it is read."""
    is_read = mebibytes << 20 <= PeerLogHandler.most_read_bytes
    host, _, port = three.nodes[JIANGSU].base_url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST {wire.PATH} HTTP/1.1\r\nHost: here\r\nContent-Length: {mebibytes << 20}\r\n\r\n".encode())
    if is_read:
        writer.write(bytes(mebibytes << 20))
    status, head, problem = await answer_of(reader)
    assert (status, problem["code"]) == (413, "body_too_large")
    assert ("connection: close" in head) == (not is_read)
    writer.close()
    await writer.wait_closed()
