"""The waiting room over HTTP: lots before the hour, arrival after it, each person once and at their turn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from server.desk.citizen import queueing
from server.domain.catalogue.peaks import Peak
from server.domain.waiting.tickets import first_turn_at
from server.store.waiting import WAITING
from tests.domain.peaks import PEAK, announced_in, peak
from tests.http.asking import Sweeper, refused
from tests.http.conftest import module_wide, nodes_of_a_module
from tests.http.test_agents import mandate_wish
from tests.nodes import CITIZENS, Answer, Caller, HandClock, Places, Running, newborn_wish, reserved_port, running_node
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
MONTH_SECONDS = 2_592_000
# One for each test: on a day of its own, and so with a redemption of its own for each person.
PEAKS = [
    peak(id=f"day-{n}", **{name: getattr(PEAK, name) + n * DAY for name in ("joins_at", "opens_at", "closes_at")})
    for n in range(25)
]
NEXT = count()


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory, database_uri: str, database_sweeper: Sweeper, clock: HandClock
) -> AsyncIterator[Places]:
    """Nodes that have announced a peak for each day."""
    folder = tmp_path_factory.mktemp("nodes")
    more: dict[str, Any] = {"clock": clock, "regions_folder": announced_in(folder, *PEAKS)}
    more |= dict.fromkeys(("access_token_seconds", "desk_session_seconds", "desk_idle_seconds"), MONTH_SECONDS)
    async with nodes_of_a_module(folder, database_uri, database_sweeper, **more) as places:
        yield places


@asynccontextmanager
async def another_process(places: Places, clock: HandClock) -> AsyncIterator[tuple[Running, str]]:
    """One more process of the same node, and where it answers."""
    with reserved_port() as port:
        settings = places.nodes[JIANGSU].node.settings.model_copy(update={"port": port})
        async with running_node(settings, clock) as running:
            yield running, f"http://127.0.0.1:{port}"


@module_wide
async def second(places: Places, clock: HandClock) -> AsyncIterator[tuple[Running, str]]:
    async with another_process(places, clock) as found:
        yield found


@module_wide
async def agent(places: Places) -> Caller:
    return await places.citizen("agent")


@dataclass
class Room:
    """The waiting room of today's peak, and whoever asks there."""

    peak: Peak
    running: Running
    clock: HandClock

    async def ask(self, citizen: Caller, ticket: str = "") -> Answer:
        return await citizen.post(f"/api/v1/peaks/{self.peak.id}/ticket", {"ticket": ticket}, key=None)

    async def ticket(self, citizen: Caller, ticket: str = "") -> dict[str, Any]:
        answer = await self.ask(citizen, ticket)
        assert answer.status == 200, answer.body
        return dict(answer.body)

    async def settle(self) -> None:
        """The hour comes, and all have told whom they have met."""
        self.clock.at = self.peak.opens_at + queueing.TELLING
        await queueing.tell(self.running.node)

    async def turn(self, citizen: Caller) -> str:
        """A ticket whose turn it is."""
        ticket = (await self.ticket(citizen))["ticket"]
        await self.settle()
        self.clock.at = first_turn_at(self.peak) + SECOND
        return str((await self.ticket(citizen, ticket))["ticket"])


@pytest.fixture
def room(places: Places, clock: HandClock) -> Room:
    today = PEAKS[next(NEXT)]
    clock.at = today.joins_at
    return Room(today, places.nodes[JIANGSU], clock)


async def submit(citizen: Caller, wish: Any, ticket: str = "", **more: Any) -> Answer:
    return await citizen.post("/api/v1/cases", wish, headers={"Waiting-Ticket": ticket} if ticket else {}, **more)


def elsewhere(citizen: Caller, base_url: str) -> Caller:
    """The same citizen, at another process."""
    return Caller(citizen.http, base_url, citizen.token)


async def test_anybody_sees_what_is_announced_and_not_over(places: Places, room: Room):
    anyone = places.caller()
    told = (await anyone.get("/api/v1/peaks")).body["peaks"]
    assert [each["id"] for each in told] == [each.id for each in PEAKS if each.closes_at > room.clock.at]
    assert told[0]["bundle_name"] == "新生儿出生"
    assert told[0]["opens_at"].endswith("T12:00:00.000+08:00")
    room.clock.at = room.peak.closes_at
    assert (await anyone.get("/api/v1/peaks")).body["peaks"][0]["id"] != room.peak.id


async def test_tickets_are_for_citizens_with_a_proven_name(places: Places, room: Room):
    refused(await room.ask(places.caller()), 401, "token_missing")
    refused(await room.ask(await places.citizen("mother", is_real_name=False)), 403, "real_name_needed")


async def test_there_are_no_tickets_before_one_may_join_after_the_end_and_for_what_is_not_announced(
    room: Room, mother: Caller
):
    refused(await mother.post("/api/v1/peaks/nothing/ticket", {}, key=None), 404, "no_such_peak")
    room.clock.at = room.peak.joins_at - 5 * SECOND
    answer = await room.ask(mother)
    refused(answer, 409, "joining_not_begun")
    assert answer.headers["Retry-After"] == "5"
    room.clock.at = room.peak.closes_at
    refused(await room.ask(mother), 409, "peak_over")


async def test_lots_do_not_depend_on_when_or_where_or_how_often_one_asks(
    room: Room, second: tuple[Running, str], mother: Caller, stranger: Caller, agent: Caller
):
    """Places follow the lots, and both processes name the same ones, whichever of them has met whom."""
    citizens = {"mother": mother, "stranger": stranger, "agent": agent}
    first, other = room.running.node, second[0].node
    lots = {who: first.keys.lot(owner_of(first, who), room.peak.id) for who in citizens}
    asked = {}
    for who in ("agent", "mother", "stranger", "mother"):
        room.clock.wait(minutes=1)
        at = elsewhere(citizens[who], second[1]) if who == "stranger" else citizens[who]
        asked[who] = await room.ticket(at)
        assert (asked[who]["state"], asked[who]["place"]) == ("drawing", None)
    await queueing.tell(first)
    await queueing.tell(other)
    await room.settle()
    await queueing.tell(other)
    room.clock.at = first_turn_at(room.peak)
    places = {}
    for who, citizen in citizens.items():
        here = await room.ticket(citizen, asked[who]["ticket"])
        there = await room.ticket(elsewhere(citizen, second[1]), asked[who]["ticket"])
        assert {**here, "ticket": ""} == {**there, "ticket": ""}
        assert await room.ticket(citizen, there["ticket"]) == here
        places[who] = here["place"]
    assert places == {who: (lot * 3 >> 63) + 1 for who, lot in lots.items()}


def owner_of(node: Any, who: str) -> str:
    found = next(each for each in CITIZENS if each.code == who)
    return str(node.keys.owner("person", found.id_number))


async def test_after_the_hour_the_place_is_the_arrival_behind_all_who_drew_at_whichever_process(
    room: Room, second: tuple[Running, str], mother: Caller, stranger: Caller, agent: Caller
):
    await room.ticket(mother)
    await room.settle()
    await queueing.tell(second[0].node)
    late = await room.ticket(elsewhere(stranger, second[1]))
    later = await room.ticket(agent)
    assert [late["place"], later["place"]] == [2, 3]
    assert (await room.ticket(stranger, late["ticket"]))["place"] == 2
    assert (await room.ticket(elsewhere(stranger, second[1])))["place"] == 2  # known there without the ticket
    assert (await room.ticket(stranger))["place"] == 4  # and here not
    assert at_of(later["turn_at"]) == first_turn_at(room.peak) + timedelta(seconds=0.2)


def at_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_who_comes_before_it_is_settled_how_many_drew_gets_their_place_when_it_is(room: Room, mother: Caller):
    room.clock.at = room.peak.opens_at
    asked = await room.ticket(mother)
    assert (asked["state"], asked["place"]) == ("drawing", None)
    room.clock.wait(seconds=asked["poll_after_seconds"])
    await queueing.tell(room.running.node)
    assert (await room.ticket(mother, asked["ticket"]))["place"] == 1


async def test_asking_again_asks_the_database_nothing(room: Room, mother: Caller):
    asked = await room.ticket(mother)
    await room.settle()
    before = room.running.writes.asked
    for _ in range(10):
        asked = await room.ticket(mother, asked["ticket"])
    assert room.running.writes.asked == before


async def test_an_application_is_taken_at_its_turn_and_not_before(room: Room, mother: Caller, wish: dict[str, Any]):
    asked = await room.ticket(mother)
    problem = refused(await submit(mother, wish), 409, "waiting_ticket_missing")
    assert problem["ticket_path"] == f"/api/v1/peaks/{room.peak.id}/ticket"
    early = await submit(mother, wish, asked["ticket"])
    refused(early, 429, "waiting_turn_not_come")
    assert early.headers["Retry-After"] == "3603"
    await room.settle()
    room.clock.at = first_turn_at(room.peak) - SECOND
    asked = await room.ticket(mother, asked["ticket"])
    assert (asked["state"], asked["place"], asked["expected_wait_seconds"]) == ("waiting", 1, 1)
    assert asked["poll_after_seconds"] == 1
    refused(await submit(mother, wish, asked["ticket"]), 429, "waiting_turn_not_come")
    room.clock.wait(seconds=1)
    assert (await room.ticket(mother, asked["ticket"]))["state"] == "open"
    assert (await submit(mother, wish, asked["ticket"])).status == 201


async def test_whoever_has_not_asked_again_since_the_hour_may_apply_with_the_ticket_of_before(
    room: Room, mother: Caller, wish: dict[str, Any]
):
    asked = await room.ticket(mother)
    room.clock.at = first_turn_at(room.peak) + SECOND
    unsettled = await submit(mother, wish, asked["ticket"])
    refused(unsettled, 429, "waiting_turn_not_come")
    assert unsettled.headers["Retry-After"] == "1"
    await queueing.tell(room.running.node)
    assert (await submit(mother, wish, asked["ticket"])).status == 201


async def test_a_ticket_of_another_person_or_peak_or_of_nobody_is_refused_each_by_its_name(
    room: Room, mother: Caller, stranger: Caller, wish: dict[str, Any]
):
    ticket = await room.turn(mother)
    refused(await submit(stranger, await newborn_wish(stranger), ticket), 403, "waiting_ticket_not_yours")
    refused(await room.ask(stranger, ticket), 403, "waiting_ticket_not_yours")
    refused(await submit(mother, wish, ticket[:-6] + "AAAAAA"), 403, "waiting_ticket_invalid")
    refused(await room.ask(mother, "ticket"), 403, "waiting_ticket_invalid")
    tomorrow = PEAKS[PEAKS.index(room.peak) + 1]
    refused(await mother.post(f"/api/v1/peaks/{tomorrow.id}/ticket", {"ticket": ticket}), 409, "joining_not_begun")
    room.clock.at = tomorrow.joins_at
    answer = await mother.post(f"/api/v1/peaks/{tomorrow.id}/ticket", {"ticket": ticket}, key=None)
    refused(answer, 409, "waiting_ticket_unfit")
    other_bundle = {"bundle": "retirement", "division": "320102", "form": {}}
    refused(await submit(mother, other_bundle, ticket), 409, "waiting_ticket_unfit")


async def test_who_is_refused_for_the_ticket_after_the_hour_costs_the_database_nothing(
    room: Room, mother: Caller, stranger: Caller, wish: dict[str, Any]
):
    ticket = await room.turn(mother)
    late = (await room.ticket(stranger))["ticket"]
    for_stranger = await newborn_wish(stranger)
    room.clock.at = first_turn_at(room.peak) - SECOND
    before = room.running.writes.asked
    refused(await submit(mother, wish), 409, "waiting_ticket_missing")
    refused(await submit(mother, wish, late), 403, "waiting_ticket_not_yours")
    refused(await submit(mother, wish, "x" + ticket), 403, "waiting_ticket_invalid")
    refused(await submit(mother, wish, ticket), 429, "waiting_turn_not_come")
    refused(await submit(stranger, for_stranger, late), 429, "waiting_turn_not_come")
    assert room.running.writes.asked == before


async def test_a_person_applies_once_whatever_keys_they_send_and_through_whichever_process(
    room: Room, second: tuple[Running, str], mother: Caller, wish: dict[str, Any]
):
    ticket = await room.turn(mother)
    both = (mother, elsewhere(mother, second[1]))
    answers = await asyncio.gather(*(submit(both[n % 2], wish, ticket) for n in range(20)))
    assert {each.status for each in answers} == {201}
    assert len({each.body["id"] for each in answers}) == 1
    assert len({str(each.body) for each in answers}) == 1
    other = {**wish, "form": {**wish["form"], "child_name": "另一个宝宝"}}
    problem = refused(await submit(mother, other, ticket), 409, "waiting_ticket_redeemed")
    assert problem["case"] == answers[0].body["id"]
    again = await room.ticket(mother)  # as one who comes after the hour
    room.clock.wait(seconds=60)
    refused(await submit(mother, other, again["ticket"]), 409, "waiting_ticket_redeemed")


async def test_a_draft_is_prepared_before_the_hour_and_submitted_by_one_small_request(
    room: Room, mother: Caller, wish: dict[str, Any]
):
    draft = {"draft": room.peak.id, "version": 1}
    path = f"/api/v1/drafts/{room.peak.id}"
    assert (await mother.call("PUT", path, json=wish)).status == 200
    refused(await submit(mother, draft), 409, "waiting_ticket_missing")
    ticket = await room.turn(mother)
    refused(await submit(mother, draft), 409, "waiting_ticket_missing")
    assert (await mother.get(path)).status == 200
    submitted = await submit(mother, draft, ticket)
    assert submitted.status == 201
    assert (await submit(mother, draft, ticket)).body == submitted.body
    refused(await mother.get(path), 404, "draft_gone")
    refused(await submit(mother, wish, ticket), 409, "waiting_ticket_redeemed")


async def test_what_was_handed_in_before_one_could_join_is_found_again_by_its_key(
    room: Room, mother: Caller, wish: dict[str, Any]
):
    room.clock.at = room.peak.joins_at - SECOND
    submitted = await submit(mother, wish, key=room.peak.id)
    assert submitted.status == 201
    room.clock.at = room.peak.joins_at
    assert (await submit(mother, wish, key=room.peak.id)).body == submitted.body
    refused(await submit(mother, wish), 409, "waiting_ticket_missing")


async def test_after_the_peak_one_applies_as_always_and_a_ticket_still_finds_its_case(
    room: Room, mother: Caller, wish: dict[str, Any]
):
    ticket = await room.turn(mother)
    submitted = await submit(mother, wish, ticket)
    room.clock.at = room.peak.closes_at
    assert (await submit(mother, wish, ticket)).body == submitted.body
    without = await submit(mother, wish)
    assert without.status == 201
    assert without.body["id"] != submitted.body["id"]


async def test_other_bundles_are_not_concerned(room: Room, mother: Caller):
    problem = (await submit(mother, {"bundle": "retirement", "division": "320102", "form": {}})).body
    assert "ticket" not in problem["code"]


async def test_an_agent_queues_for_themselves_and_applies_once(
    room: Room, clock: HandClock, mother: Caller, agent: Caller
):
    asked = mandate_wish(clock, bundles=["newborn"])
    mandate = (await mother.post("/api/v1/mandates", asked)).body["id"]
    wish = {**await newborn_wish(agent), "mandate": mandate}
    mothers = (await room.ticket(mother))["ticket"]
    ticket = await room.turn(agent)
    refused(await submit(agent, wish, mothers), 403, "waiting_ticket_not_yours")
    assert (await submit(agent, wish, ticket)).status == 201
    own = await newborn_wish(mother)
    mothers = (await room.ticket(mother, mothers))["ticket"]
    room.clock.wait(seconds=60)
    assert (await submit(mother, own, mothers)).status == 201


async def test_when_all_processes_start_anew_no_ticket_and_no_lot_is_lost(
    places: Places, room: Room, mother: Caller, stranger: Caller, wish: dict[str, Any]
):
    """A process that knows nothing but the database and its keys goes on where the others stopped."""
    tickets = [(await room.ticket(citizen))["ticket"] for citizen in (mother, stranger)]
    await queueing.tell(room.running.node)
    async with another_process(places, room.clock) as (running, base_url):
        room.clock.at = room.peak.opens_at + queueing.TELLING
        await queueing.tell(running.node)
        assert running.node.store.waiting.of(room.peak.id).people == 2
        room.clock.wait(seconds=5)
        settled = await room.ticket(elsewhere(mother, base_url), tickets[0])
    async with another_process(places, room.clock) as (running, base_url):
        assert running.node.store.waiting.of(room.peak.id).people is None
        assert (await submit(elsewhere(mother, base_url), wish, settled["ticket"])).status == 201


async def test_what_was_given_and_redeemed_is_counted_and_no_ticket_is_logged(
    places: Places, room: Room, mother: Caller, wish: dict[str, Any], capfd: pytest.CaptureFixture[str]
):
    ticket = await room.turn(mother)
    await submit(mother, wish, ticket)
    room.clock.wait(seconds=1)
    await submit(mother, wish, ticket)
    metrics = (await places.caller().get("/metrics")).body.decode()
    assert f'waiting_tickets_issued_total{{peak="{room.peak.id}"}} 1.0' in metrics
    assert f'waiting_tickets_redeemed_total{{peak="{room.peak.id}"}} 1.0' in metrics
    logged = capfd.readouterr()
    assert ticket not in logged.out + logged.err


async def test_a_quiet_hour_leaves_two_documents_of_numbers_and_digests(
    room: Room, mother: Caller, database_sweeper: Sweeper
):
    await room.ticket(mother)
    await room.settle()
    await room.ticket(mother)
    rows = database_sweeper[room.running.node.settings.database][WAITING].find({"_id": {"$regex": f":{room.peak.id}$"}})
    assert {row["_id"].partition(":")[0]: row.get("people", row.get("next_number")) for row in rows} == {
        "lots": 1,
        "arrivals": 1,
    }
