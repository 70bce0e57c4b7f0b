"""A deadline between two nodes takes effect only once the home's letters are complete up to its end."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from regions import evidence, outbox, settling
from server.desk.acting import perform
from server.desk.background.clockwork import tick
from server.desk.relay import relay
from server.domain.aggregate.actors import Actor
from server.domain.aggregate.acts import Act
from server.domain.case import acts
from server.domain.case.case import Step
from server.domain.catalogue.terms import Gap
from server.node import Node
from tests.http.asking import crossed
from tests.nodes import HandClock, Places, newborn_wish, running_nodes
from tests.world import JIANGSU, ZHEJIANG, citizen, officer

ABROAD = "household_registration"
AUTHORITY = "public_security/330106"
LAST_DAY = date(2026, 12, 14)  # the fifteenth working day after 2026-11-23


def decider() -> Actor:
    """An officer of the authority that decides the step."""
    return officer(node=ZHEJIANG).model_copy(update={"authority": AUTHORITY})


class Abroad:
    """A case of Jiangsu whose household registration, decided in Zhejiang, waits for the applicant."""

    def __init__(self, places: Places, clock: HandClock, case: str) -> None:
        self.places = places
        self.clock = clock
        self.case = case

    @property
    def home(self) -> Node:
        return self.places.nodes[JIANGSU].node

    @property
    def decider(self) -> Node:
        return self.places.nodes[ZHEJIANG].node

    async def step(self, node: Node) -> Step:
        """The step as this node has it."""
        id = self.case if node is self.home else f"{JIANGSU}:{self.case}"
        return (await node.store.cases.case(id)).case.steps[ABROAD]

    async def do(self, node: Node, act: Act) -> None:
        """Do an act in this node, a second after the last one: what happens at one moment has no order on the way."""
        self.clock.at += timedelta(seconds=1)
        id = self.case if node is self.home else f"{JIANGSU}:{self.case}"
        await relay(node, await perform(node, id, act))

    async def warned(self) -> list[str]:
        """What Zhejiang's officers were told of their last days."""
        found = await self.decider.store.warnings.warnings({(AUTHORITY, "officer")}, limit=50)
        return [each.rung for each in found]


@pytest.fixture
async def abroad(tmp_path: Path, database_uri: str, database_name: str) -> AsyncIterator[Abroad]:
    clock = HandClock()
    async with running_nodes(tmp_path, database_uri, database_name, clock=clock) as places:
        mother = await places.citizen("mother")
        case = await crossed(places, mother, await newborn_wish(mother))
        abroad = Abroad(places, clock, case)
        by, common = decider(), {"step": ABROAD}
        await abroad.do(abroad.decider, acts.Receive(id="receive", by=by, **common))
        gap = Gap(kind="field", code=(await abroad.step(abroad.decider)).plan.fields[0], reason="请核对")
        await abroad.do(abroad.decider, acts.AskSupplement(id="ask", by=by, gaps=(gap,), **common))
        await places.settle()
        supplement = (await abroad.step(abroad.decider)).supplement
        assert supplement
        assert supplement.due_on == LAST_DAY
        yield abroad


async def test_silence_takes_effect_after_the_homes_word_that_nothing_is_on_its_way(abroad: Abroad):
    abroad.clock.to(12, 15, 0, 1)
    await tick(abroad.decider)
    assert (await abroad.step(abroad.decider)).state == "supplementing", "the home may still have an answer"
    await tick(abroad.home)
    await abroad.places.settle()
    abroad.clock.to(12, 15, 0, 12)
    for node in (abroad.home, abroad.decider):
        await tick(node)
    assert (await abroad.step(abroad.decider)).state == "supplementing", "its word is from before midnight"
    await abroad.places.settle()
    abroad.clock.to(12, 15, 0, 23)
    await tick(abroad.decider)
    assert (await abroad.step(abroad.decider)).state == "withdrawn"
    await abroad.places.settle()
    assert (await abroad.step(abroad.home)).state == "withdrawn"
    for node in (abroad.home, abroad.decider):
        receipts = await evidence.check_receipts(node)
        assert receipts.verified, "empty batches have their place in the chain"


async def test_an_answer_of_the_last_minute_counts_though_it_comes_the_day_after(abroad: Abroad):
    abroad.clock.to(12, 14, 23, 58)
    field = (await abroad.step(abroad.home)).plan.fields[0]
    supply = acts.Supply(id=uuid4().hex, by=citizen(), step=ABROAD, form={field: "测试"})
    await abroad.do(abroad.home, supply)
    abroad.clock.to(12, 15, 9)
    await tick(abroad.decider)
    assert (await abroad.step(abroad.decider)).state == "supplementing"
    await abroad.places.settle()
    abroad.clock.to(12, 15, 10)
    await tick(abroad.decider)
    assert (await abroad.step(abroad.decider)).state == "received"


async def test_a_home_that_is_silent_for_three_days_leaves_it_to_an_officer(abroad: Abroad):
    for day in (15, 16, 17):
        abroad.clock.to(12, day, 23)
        await tick(abroad.decider)
    assert "lapse_blocked" not in await abroad.warned()
    abroad.clock.to(12, 18)
    await tick(abroad.decider)
    assert (await abroad.warned()).count("lapse_blocked") == 1
    decline = acts.Decline(id="decline", by=decider(), step=ABROAD, reason="unfixed", grounds="逾期未补正")
    await abroad.do(abroad.decider, decline)
    assert (await abroad.step(abroad.decider)).state == "declined"


async def test_the_home_gives_its_word_every_ten_minutes_and_stops_when_it_is_kept(abroad: Abroad):
    home, clock = abroad.home, abroad.clock
    peer = home.directory.entry(ZHEJIANG)
    assert peer
    clock.to(12, 13, 12)
    await tick(home)
    assert not await outbox.deliver(home, peer), "the last day has not begun"
    clock.to(12, 14, 23)
    sent = []
    for minute in range(0, 100):
        await tick(home)
        if await outbox.deliver(home, peer):
            sent.append(minute)
        clock.at += timedelta(minutes=1)
    assert sent == list(range(0, 90, 10)), "until the word of 00:05 is known to be kept"


async def test_a_word_that_a_wrong_clock_gave_for_the_future_counts_for_nothing(abroad: Abroad):
    abroad.clock.to(12, 10, 9)
    ahead = HandClock(abroad.clock.at + timedelta(days=10))
    home, peer = abroad.home, next(abroad.home.directory.peers_of(JIANGSU))
    await home.store.peers.want_heartbeat(ZHEJIANG, until=ahead.at + timedelta(hours=1))
    assert not await outbox.deliver(replace(home, clock=ahead), peer), "it is refused for its time"
    assert await outbox.deliver(home, peer), "but it stands in the log, and goes"
    await settling.unpack(abroad.decider, JIANGSU)
    spread = (await abroad.decider.store.peers.inbound(JIANGSU)).spread
    last = await abroad.decider.store.log("in", JIANGSU).entry(spread)
    assert last
    assert last.batch.complete_to > ahead.at - timedelta(minutes=10)
    abroad.clock.to(12, 15, 0, 12)
    for node in (abroad.home, abroad.decider):
        await tick(node)
    assert (await abroad.step(abroad.decider)).state == "supplementing"
    await abroad.places.settle()
    abroad.clock.to(12, 15, 0, 23)
    await tick(abroad.decider)
    assert (await abroad.step(abroad.decider)).state == "withdrawn", "the next word of the home is a true one"
