"""What the door of other nodes says: our time to a wrong clock, a receipt as often as asked, the directory.

What it refuses stands in test_negative_table.py.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from regions import wire
from server.crypto.signatures import DigestMismatch, SignatureInvalid
from tests.http.peer_requests import (
    attempt,
    hand_in,
    head_of,
    letter_of,
    receipt_of,
    refused_signed,
    refused_unsigned,
)
from tests.nodes import Places
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")


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


async def test_plain_json_without_a_signature_tells_a_stranger_nothing_more(places: Places):
    answer = await places.caller().post(wire.PATH, {"v": 1})
    assert (answer.status, answer.code) == (401, "not_signed")


async def test_a_batch_is_acknowledged_again_as_often_as_it_comes(places: Places):
    request = await attempt(places, letter_of(body={"note": "again"}))
    heads = []
    for _ in range(3):
        sent = request.sent()
        reply = await hand_in(places, sent)
        assert receipt_of(places, sent, reply).status == 200
        heads.append(reply.body["head"])
    assert heads == [{"stream": 1, "number": request.batch.number, "hash": request.batch.hash}] * 3
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
