"""The loader of `make bench` sends what it is given, once each, and counts what became of it."""

import re

import pytest

from loadtests.bench import loader
from loadtests.bench.contestants import submissions
from loadtests.bench.loader import LoadUnanswered, UnreadableAnswer, load
from tests.answering import BROKEN, GET, OK, UNCHANGED, answering


async def test_the_loader_sends_all_requests_over_the_connections_it_keeps() -> None:
    async with answering([OK] * 20) as server:
        result = await load(server.port, [GET] * 20, status=200, connections=3)
    assert (result.answered, result.failed, len(result.latencies)) == (20, 0, 20)
    assert (server.connections, len(server.asked)) == (3, 20)
    assert result.percentile_ms(50) <= result.percentile_ms(99)
    assert result.rps == pytest.approx(20 / result.seconds)


async def test_another_status_has_failed_and_is_told() -> None:
    async with answering([OK, BROKEN, OK, BROKEN]) as server:
        result = await load(server.port, [GET] * 4, status=200, connections=1)
    assert (result.answered, result.failed) == (2, 2)
    assert "503 Service Unavailable" in result.first_failure


async def test_an_answer_without_a_body_ends_with_its_head() -> None:
    async with answering([UNCHANGED] * 3) as server:
        result = await load(server.port, [GET] * 3, status=304, connections=1)
    assert (result.answered, result.failed) == (3, 0)


async def test_requests_that_a_lost_connection_leaves_have_failed() -> None:
    async with answering([OK, b""]) as server:
        result = await load(server.port, [GET] * 5, status=200, connections=1)
    assert (result.answered, result.failed) == (1, 4)
    assert "lost" in result.first_failure


async def test_an_answer_whose_end_cannot_be_known_is_an_error() -> None:
    async with answering([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]) as server:
        with pytest.raises(UnreadableAnswer, match="chunked"):
            await load(server.port, [GET], status=200, connections=1)


def test_every_submission_has_a_key_of_its_own_and_the_bodies_in_turns() -> None:
    made = submissions("/wishes", bodies=[b"{1}", b"{2}"], authorization="Bearer t")(4)
    keys = {re.search(rb"Idempotency-Key: (\w+)", each)[1] for each in made}  # type: ignore[index]
    assert len(keys) == 4
    assert [each[-3:] for each in made] == [b"{1}", b"{2}", b"{1}", b"{2}"]
    assert all(b"Authorization: Bearer t\r\n" in each and b"Content-Length: 3\r\n" in each for each in made)


async def test_a_server_that_does_not_answer_is_waited_for_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "WITHIN_SECONDS", 0.1)
    async with answering([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"]) as server:
        with pytest.raises(LoadUnanswered, match="1 requests"):
            await load(server.port, [GET], status=200, connections=1)
