"""The applicant takes a step back while the other province decides it: there is one outcome, the same at both."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from regions import outbox, settling
from server.domain.case.case import State
from tests.faults.books import ABROAD, ACTS, DEPARTMENT_ABROAD, Client, check_logs, is_quiet
from tests.nodes import Answer, Caller, Places, newborn_wish, running_nodes, until
from tests.world import JIANGSU, ZHEJIANG

SEEDS = range(20)  # the simulation has more of them
AT_ONCE = 4
WAY_THERE = (("deliver", JIANGSU), ("spread", ZHEJIANG), ("settle", ZHEJIANG))
WAY_BACK = (("deliver", ZHEJIANG), ("spread", JIANGSU), ("settle", JIANGSU))
A_FEW = 5
ENDS_AS = {"approved": "approve", "withdrawn": "withdraw"}
ENDS = frozenset(ENDS_AS.values())


@dataclass
class Race:
    """One case with its step abroad, and the two who want different things of it."""

    seed: int
    places: Places
    citizen: Caller
    officer: Caller
    case: str

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311 # who comes when
        self.answers: dict[str, Answer] = {}

    async def run(self) -> None:
        """The officer's acts, the wish on its way there, and what comes back, at a pace of their own, some at once."""
        back = [partial(self.work, *one) for one in (*WAY_BACK, *WAY_BACK)]
        there = [partial(self.do, "withdraw"), *(partial(self.work, *one) for one in WAY_THERE)]
        officer = [partial(self.do, act) for act in ACTS]
        pace = {id(lane): self.chance.random() for lane in (officer, there, back)}
        while left := [lane for lane in (officer, there, back) if lane]:
            now = self.chance.choices(left, [pace[id(lane)] for lane in left])
            if self.chance.random() < 0.2:
                now = self.chance.sample(left, len(left))
            await asyncio.gather(*(lane.pop(0)() for lane in now))

    async def do(self, act: str) -> None:
        """The officer does his next act, or the citizen takes the case back."""
        if act == "withdraw":
            path = f"/api/v1/cases/{self.case}/withdrawal"
        else:
            path = f"/desk/v1/cases/{JIANGSU}:{self.case}/steps/{ABROAD}/{act}"
        caller = self.citizen if act == "withdraw" else self.officer
        self.answers[act] = await caller.post(path, key=f"{self.case}-{act}")

    async def work(self, what: str, here: str) -> None:
        """One thing that `work` does at one of the two nodes, as long as there is more of it."""
        node = self.places.nodes[here].node
        [peer] = node.directory.peers_of(here)
        does = {
            "deliver": partial(outbox.deliver, node, peer),
            "spread": partial(settling.unpack, node, peer.node),
            "settle": partial(settling.settle, node),
        }
        while await does[what]():
            pass


async def made_races(places: Places) -> list[Race]:
    """A case for each seed, with its step abroad just arrived there."""
    citizen, home_officer = await places.citizen(), await places.officer("health")
    officer = await places.officer(DEPARTMENT_ABROAD, ZHEJIANG)
    wish = await newborn_wish(citizen)

    async def made(seed: int) -> Race:
        case = str((await citizen.post("/api/v1/cases", wish)).body["id"])
        for act in ACTS:
            await home_officer.post(f"/desk/v1/cases/{case}/steps/birth_certificate/{act}")
        return Race(seed, places, citizen, officer, case)

    races = await asyncio.gather(*(made(seed) for seed in SEEDS))
    await places.settle()
    return races


async def outcome_of(race: Race) -> State:
    """The one outcome of a race; it is the same at both nodes, and what both were told fits it."""
    home, peer = (race.places.nodes[code].node.store.cases for code in (JIANGSU, ZHEJIANG))
    ours, theirs = await home.case(race.case), await peer.case(f"{JIANGSU}:{race.case}")
    state = ours.case.steps[ABROAD].state
    assert theirs.case.steps[ABROAD].state == state, race.seed
    for record in (ours, theirs):
        ends = [event.act for event in record.events if getattr(event, "step", "") == ABROAD and event.act in ENDS]
        assert ends == [ENDS_AS[state]], race.seed
    assert ours.case.closed_at, race.seed
    assert race.answers["withdraw"].status == 200, race
    approval = race.answers["approve"]
    assert (approval.status, state) in {(200, "approved"), (409, "withdrawn")}, race
    return state


@pytest.mark.soak
async def test_a_withdrawal_and_a_decision_that_cross_have_one_outcome_at_both_nodes(
    tmp_path: Path, database_uri: str, database_name: str, database_sweeper: Client
):
    async with running_nodes(tmp_path, database_uri, database_name) as places:
        home, peer = (places.nodes[code].node for code in (JIANGSU, ZHEJIANG))
        races = await made_races(places)
        for first in range(0, len(races), AT_ONCE):
            await asyncio.gather(*(race.run() for race in races[first : first + AT_ONCE]))

        async def is_over() -> bool:
            await places.settle()
            return await is_quiet(database_sweeper, home, peer)

        await until(is_over, seconds=60)
        outcomes = Counter([await outcome_of(race) for race in races])
        assert outcomes["approved"] >= A_FEW
        assert outcomes["withdrawn"] >= A_FEW
        await check_logs(database_sweeper, home, peer)
        await check_logs(database_sweeper, peer, home)
