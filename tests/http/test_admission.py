"""Admission: who comes when too many are there is told at once when to come again, and no group crowds out another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import pytest

from handlers.admission import GROUPS, LATE, OPEN, SPREAD_SECONDS, WEIGHT, AdmissionControl, Busy, ClientGone, group_of
from handlers.application import FOR_OPERATORS
from handlers.routes import DOORS
from server.tools.metrics import Metrics

AT_ONCE, MOST_WAIT = 2, 1.0


class Seconds:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Storm:
    """Requests of one group that are worked on until they are told to end."""

    def __init__(self, control: AdmissionControl, seconds: Seconds) -> None:
        self.control = control
        self.seconds = seconds
        self.working: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.gone: set[str] = set()

    async def come(self, *names: str, group: str = "citizens") -> None:
        for name in names:
            self.tasks[name] = asyncio.create_task(self._work(name, group))
            await _turns()

    async def end(self, name: str, *, after_seconds: float = 0.0) -> None:
        self.seconds.now += after_seconds
        self.working.pop(name).set()
        await _turns()

    async def _work(self, name: str, group: str) -> None:
        async with self.control.turn(group, lambda: name in self.gone):
            self.working[name] = asyncio.Event()
            await self.working[name].wait()


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def _node(at_once: int = AT_ONCE) -> Any:
    shares = {f"{group}_at_once": at_once for group in GROUPS.values()}
    return SimpleNamespace(settings=SimpleNamespace(**shares, most_wait_seconds=MOST_WAIT), metrics=Metrics())


@pytest.fixture
async def storm() -> AsyncIterator[Storm]:
    """A process that works on two requests of each group at once."""
    seconds = Seconds()
    storm = Storm(AdmissionControl(_node(), now=seconds), seconds)
    yield storm
    async with AsyncExitStack() as stack:
        for task in storm.tasks.values():
            task.cancel()
            stack.push_async_callback(asyncio.wait, [task])


async def slow(storm: Storm, *, seconds: float) -> None:
    """Let so many requests take so long that this is what one is taken to need."""
    for place in range(int(8 / WEIGHT)):
        await storm.come(f"before{place}")
        await storm.end(f"before{place}", after_seconds=seconds)


async def test_so_many_are_worked_on_at_once_and_the_others_come_in_their_order(storm: Storm) -> None:
    await storm.come("a", "b", "c", "d")
    assert list(storm.working) == ["a", "b"]
    await storm.end("b")
    assert list(storm.working) == ["a", "c"]
    await storm.end("a")
    assert list(storm.working) == ["c", "d"]


async def test_nobody_is_turned_away_while_there_is_room_however_long_requests_take(storm: Storm) -> None:
    await slow(storm, seconds=60.0)
    await storm.come("a")
    assert storm.control.retry_after_seconds("citizens") == 0


async def test_whoever_would_wait_too_long_is_told_when_to_come_again(storm: Storm) -> None:
    await slow(storm, seconds=0.9)
    await storm.come("a", "b")
    assert storm.control.retry_after_seconds("citizens") == 0, "0.45 s for the place that is free first"
    await storm.come("c", "d")
    told = [storm.control.retry_after_seconds("citizens") for _ in range(2 * SPREAD_SECONDS)]
    assert set(told) == set(range(2, 2 + SPREAD_SECONDS)), "1.35 s, and not all in one second"


async def test_while_requests_take_too_long_fewer_are_worked_on_at_once_and_then_more_again(storm: Storm) -> None:
    storm.control = AdmissionControl(_node(at_once=40), now=storm.seconds)
    names = iter(range(10_000))
    await storm.come(*(f"n{next(names)}" for _ in range(60)))
    assert len(storm.working) == 40

    async def go_on(*, seconds: float) -> None:
        for _ in range(400):
            storm.seconds.now += seconds / len(storm.working)
            await storm.end(next(iter(storm.working)))
            left = sum(not task.done() for task in storm.tasks.values())
            await storm.come(*(f"n{next(names)}" for _ in range(60 - left)))

    await go_on(seconds=2.0)
    assert len(storm.working) < 15, "each takes two seconds, where six tenths of one are the goal"
    await go_on(seconds=0.1)
    assert len(storm.working) == 40


async def test_a_storm_of_one_group_leaves_the_others_their_share(storm: Storm) -> None:
    await slow(storm, seconds=0.9)
    await storm.come(*(f"citizen{place}" for place in range(20)))
    assert storm.control.retry_after_seconds("citizens") > 0
    assert storm.control.retry_after_seconds("officers") == storm.control.retry_after_seconds("peers") == 0
    await storm.come("officer", group="officers")
    assert "officer" in storm.working


async def test_what_nobody_waits_for_any_more_is_not_begun(storm: Storm) -> None:
    await storm.come("a", "b", "c", "d")
    storm.gone.add("c")
    await storm.end("a")
    assert list(storm.working) == ["b", "d"]
    with pytest.raises(ClientGone):
        await storm.tasks["c"]


async def test_whoever_waited_far_too_long_is_refused_and_the_next_has_its_turn(storm: Storm) -> None:
    await storm.come("a", "b", "c")
    storm.seconds.now += LATE * MOST_WAIT + 0.1
    await storm.come("d")
    await storm.end("a")
    with pytest.raises(Busy) as refused:
        await storm.tasks["c"]
    assert refused.value.more["retry_after_seconds"] >= 1
    assert list(storm.working) == ["b", "d"]


async def test_one_that_is_cancelled_while_it_waits_takes_no_place(storm: Storm) -> None:
    await storm.come("a", "b", "c", "d")
    storm.tasks["c"].cancel()
    await _turns()
    await storm.end("a")
    assert list(storm.working) == ["b", "d"]
    await storm.end("b")
    await storm.end("d")
    await storm.come("e", "f", "g")
    assert list(storm.working) == ["e", "f"]


async def test_one_that_is_cancelled_as_its_turn_comes_gives_it_on(storm: Storm) -> None:
    await storm.come("a", "b", "c", "d")
    storm.working.pop("a").set()
    await asyncio.sleep(0)
    storm.tasks["c"].cancel()
    await _turns()
    await _turns()
    assert list(storm.working) == ["b", "d"]


async def test_what_fails_leaves_its_place_too(storm: Storm) -> None:
    for _ in range(3 * AT_ONCE):
        with pytest.raises(RuntimeError):
            async with storm.control.turn("peers", lambda: False):
                raise RuntimeError
    await storm.come("a", group="peers")
    assert list(storm.working) == ["a"]


def test_each_door_belongs_to_a_group_but_those_of_operators_and_the_description() -> None:
    outside = {door.path for door in DOORS if group_of(door.path) == OPEN}
    assert outside == {door.path for door in FOR_OPERATORS} | {"/openapi.json"}
    assert {group_of(door.path) for door in DOORS} == {OPEN, *GROUPS.values()}


async def test_doors_of_operators_are_always_open(storm: Storm) -> None:
    await storm.come(*(f"one{place}" for place in range(50)), group=OPEN)
    assert len(storm.working) == 50
    assert storm.control.retry_after_seconds(OPEN) == 0
