"""Loops run again and again, survive failures, wake when nudged and stop cleanly."""

import asyncio
import errno
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from server.tools.loops import AWAKE_SECONDS, Loops, Rest, around
from server.tools.metrics import Metrics

HOUR = 3600.0


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[structlog.types.EventDict]]:
    with capture_logs() as entries:
        yield entries


class Counted:
    """A run that counts, and answers or raises what it is told, then None."""

    def __init__(self, *outcomes: bool | BaseException) -> None:
        self.runs = 0
        self.outcomes = list(outcomes)
        self.seen = asyncio.Condition()

    async def __call__(self) -> bool | None:
        async with self.seen:
            self.runs += 1
            self.seen.notify_all()
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    async def reach(self, runs: int) -> None:
        async with asyncio.timeout(20), self.seen:
            await self.seen.wait_for(lambda: self.runs >= runs)


class Pauses:
    """In place of chance: notes each pause and makes it short, or keeps it as it is."""

    def __init__(self, *, is_short: bool = True) -> None:
        self.noted: list[float] = []
        self.is_short = is_short

    def __call__(self, seconds: float) -> float:
        self.noted.append(seconds)
        return 0.001 if self.is_short else seconds


async def test_a_loop_runs_at_once_and_again_after_its_pause() -> None:
    pauses, run = Pauses(), Counted()
    loops = Loops(jitter=pauses)
    loops.start("sweep", run, every_seconds=5)
    await run.reach(3)
    await loops.stop(1)
    assert set(pauses.noted) == {5}


async def test_more_to_do_means_no_pause() -> None:
    pauses, run = Pauses(is_short=False), Counted(True, True, True)
    loops = Loops(jitter=pauses)
    loops.start("relay", run, every_seconds=HOUR)
    await run.reach(4)
    await loops.stop(1)
    assert run.runs == 4
    assert len(pauses.noted) <= 1


async def test_a_nudge_ends_the_pause() -> None:
    pauses, run = Pauses(is_short=False), Counted()
    loops = Loops(jitter=pauses)
    loops.start("relay", run, every_seconds=HOUR)
    for runs in (1, 2, 3):
        await run.reach(runs)
        loops.nudge("relay")
    await run.reach(4)
    await loops.stop(1)
    assert run.runs == 4
    assert pauses.noted[:3] == [HOUR] * 3


async def test_a_nudge_during_a_run_is_not_lost() -> None:
    run, gate = Counted(), asyncio.Event()

    async def slowly() -> None:
        await run()
        await gate.wait()

    loops = Loops()
    loops.start("relay", slowly, every_seconds=HOUR)
    await run.reach(1)
    loops.nudge("relay")
    assert run.runs == 1
    gate.set()
    await run.reach(2)
    await loops.stop(1)
    assert run.runs == 2


async def test_a_failure_is_logged_and_backs_off_until_the_next_success(
    logged: list[structlog.types.EventDict],
) -> None:
    pauses, fault = Pauses(), ValueError("no")
    run = Counted(fault, fault, fault, fault, False)
    loops = Loops(jitter=pauses)
    loops.start("outbox", run, every_seconds=1, most_seconds=6)
    await run.reach(6)
    await loops.stop(1)
    assert pauses.noted[:5] == [2, 4, 6, 6, 1]
    failures = [entry for entry in logged if entry["event"] == "loop.failed"]
    assert [(entry["loop"], entry["failures"]) for entry in failures] == [("outbox", n) for n in (1, 2, 3, 4)]


async def test_a_loop_with_long_pauses_is_tried_again_sooner_after_a_failure() -> None:
    pauses, run = Pauses(), Counted(ValueError("no"), ValueError("no"))
    loops = Loops(jitter=pauses)
    loops.start("expiry", run, every_seconds=600, most_seconds=30)
    await run.reach(4)
    await loops.stop(1)
    assert pauses.noted[:3] == [30, 30, 600]


async def test_failures_and_the_last_success_of_each_loop_are_counted() -> None:
    metrics, good, bad = Metrics(), Counted(), Counted(*[ValueError("no")] * 1000)
    loops = Loops(metrics, jitter=Pauses())
    loops.start("good", good, every_seconds=1)
    loops.start("bad", bad, every_seconds=1)
    assert values(metrics) == {
        ("loop_failures_total", "good"): 0,
        ("loop_failures_total", "bad"): 0,
        ("loop_last_success_timestamp_seconds", "good"): 0,
        ("loop_last_success_timestamp_seconds", "bad"): 0,
    }
    await asyncio.gather(good.reach(2), bad.reach(3))
    await loops.stop(1)
    counted = values(metrics)
    assert counted["loop_failures_total", "good"] == 0
    assert counted["loop_failures_total", "bad"] == bad.runs
    assert counted["loop_last_success_timestamp_seconds", "good"] > 0
    assert counted["loop_last_success_timestamp_seconds", "bad"] == 0


def values(metrics: Metrics) -> dict[tuple[str, str], float]:
    """What is counted of loops, by name and loop."""
    families = text_string_to_metric_families(metrics.render().decode())
    samples = [sample for family in families for sample in family.samples if "loop" in sample.labels]
    return {(sample.name, sample.labels["loop"]): sample.value for sample in samples}


class Moment:
    """In place of the machine's clock."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


async def test_a_loop_that_fails_is_overdue_a_minute_after_its_longest_pause_until_it_succeeds() -> None:
    now, run = Moment(), Counted(False, *[ValueError("no")] * 10)
    loops = Loops(jitter=Pauses(), now=now)
    loops.start("relay", run, every_seconds=1, most_seconds=30)
    await run.reach(5)
    now.seconds += 30 + 60
    assert loops.overdue() == ()
    now.seconds += 1
    assert loops.overdue() == ("relay",)
    await run.reach(13)
    assert loops.overdue() == ()
    await loops.stop(1)


async def test_a_loop_with_long_pauses_is_overdue_a_minute_after_its_own() -> None:
    now, pauses, run = Moment(), Pauses(is_short=False), Counted()
    loops = Loops(jitter=lambda seconds: pauses(seconds) * 1.2, now=now)
    loops.start("expiry", run, every_seconds=600, most_seconds=30)
    await run.reach(1)
    await asyncio.sleep(0)
    now.seconds += 720 + 60
    assert loops.overdue() == ()
    now.seconds += 1
    assert loops.overdue() == ("expiry",)
    await loops.stop(1)


async def test_a_loop_that_has_just_started_has_the_same_time_for_its_first_success() -> None:
    now, gate = Moment(), asyncio.Event()
    loops = Loops(jitter=Pauses(), now=now)

    async def slowly() -> None:
        await gate.wait()

    loops.start("calendar", slowly, every_seconds=600, most_seconds=30)
    now.seconds += 30 + 60
    assert loops.overdue() == ()
    now.seconds += 1
    assert loops.overdue() == ("calendar",)
    gate.set()
    await loops.stop(1)


async def test_a_loop_whose_rounds_are_known_to_be_long_has_that_time_too() -> None:
    now, gate = Moment(), asyncio.Event()
    loops = Loops(jitter=Pauses(), now=now)

    async def slowly() -> None:
        await gate.wait()

    loops.start("fetch", slowly, every_seconds=5, most_seconds=30, round_seconds=900)
    now.seconds += 30 + 900 + 60
    assert loops.overdue() == ()
    now.seconds += 1
    assert loops.overdue() == ("fetch",)
    gate.set()
    await loops.stop(1)


async def test_a_loop_within_one_very_long_round_is_overdue_too() -> None:
    now, run, gate = Moment(), Counted(), asyncio.Event()

    async def stuck() -> bool:
        await run()
        if run.runs == 3:
            await gate.wait()
        return True

    loops = Loops(now=now)
    loops.start("settle", stuck, every_seconds=1, most_seconds=30)
    await run.reach(3)
    now.seconds += 30 + 60 + 1
    assert loops.overdue() == ("settle",)
    gate.set()
    await run.reach(5)
    assert loops.overdue() == ()
    await loops.stop(1)


async def test_a_cancellation_from_within_does_not_kill_the_loop(
    logged: list[structlog.types.EventDict],
) -> None:
    run = Counted(asyncio.CancelledError())
    loops = Loops(jitter=Pauses())
    loops.start("inbox", run, every_seconds=1)
    await run.reach(2)
    await loops.stop(1)
    assert [(entry["event"], entry["loop"], entry["failures"]) for entry in logged] == [("loop.failed", "inbox", 1)]


class Panic(BaseException):
    """What an extension module raises when it is at its wits' end: no Exception."""


class Unspeakable(Exception):
    """A failure that cannot even be written down."""

    def __str__(self) -> str:
        raise ValueError("no words")

    __repr__ = __str__


@pytest.mark.parametrize("fault", [Panic("oops"), MemoryError(), BaseExceptionGroup("all", [Panic()]), Unspeakable()])
async def test_whatever_a_run_raises_the_loop_goes_on(fault: BaseException) -> None:
    pauses, run = Pauses(), Counted(fault, fault)
    loops = Loops(jitter=pauses)
    loops.start("relay", run, every_seconds=1, most_seconds=8)
    await run.reach(4)
    await loops.stop(1)
    assert pauses.noted[:3] == [2, 4, 1]


@pytest.mark.parametrize(
    "obstacle", [OSError(errno.ENOSPC, "no room"), BrokenPipeError(), ValueError("closed file"), Panic("oops")]
)
async def test_a_failure_that_cannot_be_logged_does_not_end_the_loop(obstacle: BaseException) -> None:
    def refuse(_logger: object, _method: str, _event: structlog.types.EventDict) -> structlog.types.EventDict:
        raise obstacle

    pauses, run = Pauses(), Counted(ValueError("no"), ValueError("no"))
    loops = Loops(jitter=pauses)
    structlog.configure(processors=[refuse])
    loops.start("relay", run, every_seconds=1, most_seconds=8)
    await run.reach(4)
    await loops.stop(1)
    assert pauses.noted[:3] == [2, 4, 1]


async def test_a_cancellation_that_a_library_did_not_take_back_does_not_end_the_loop() -> None:
    run = Counted()

    async def careless() -> None:
        await run()
        if run.runs == 1:
            asyncio.current_task().cancel()  # as a time-out does that comes at the moment of another failure
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
        raise OSError("reset")

    loops = Loops(jitter=Pauses())
    loops.start("courier", careless, every_seconds=1)
    await run.reach(3)
    await loops.stop(1)


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_the_end_of_the_process_is_not_held_up(end: type[BaseException]) -> None:
    async def main() -> None:
        loops = Loops(jitter=Pauses())
        loops.start("relay", Counted(end()), every_seconds=HOUR)
        await asyncio.Event().wait()

    with pytest.raises(end):
        asyncio.run(main())


async def test_a_loop_that_ends_by_itself_is_named_and_logged(logged: list[structlog.types.EventDict]) -> None:
    run = Counted()
    loops = Loops()
    loops.start("relay", Counted(), every_seconds=HOUR)
    loops.start("settle", run, every_seconds=HOUR)
    await run.reach(1)
    ended = asyncio.create_task(loops.ended())
    await asyncio.sleep(0)
    assert not ended.done()
    of_name("loop:settle").cancel()
    assert await ended == "settle"
    assert [(entry["event"], entry["loop"]) for entry in logged] == [("loop.ended", "settle")]
    await loops.stop(1)


async def test_a_loop_whose_machinery_fails_ends_and_is_named(logged: list[structlog.types.EventDict]) -> None:
    def unlucky(_seconds: float) -> float:
        raise OSError(errno.EIO, "no chance")

    loops = Loops(jitter=unlucky)
    loops.start("relay", Counted(), every_seconds=HOUR)
    assert await loops.ended() == "relay"
    assert [(entry["event"], str(entry["exc_info"])) for entry in logged] == [("loop.ended", "[Errno 5] no chance")]


async def test_loops_that_are_told_to_stop_have_not_ended_by_themselves() -> None:
    run = Counted()

    async def forever() -> None:
        await run()
        await asyncio.Event().wait()

    loops = Loops()
    ended = asyncio.create_task(loops.ended())
    loops.start("inbox", forever, every_seconds=HOUR)
    await run.reach(1)
    await loops.stop(0.01)
    await asyncio.sleep(0)
    assert not ended.done()
    ended.cancel()


def of_name(name: str) -> asyncio.Task[None]:
    """The task of this name."""
    return next(task for task in asyncio.all_tasks() if task.get_name() == name)


async def test_stopping_lets_the_present_run_finish_and_starts_no_other() -> None:
    run, gate, finished = Counted(), asyncio.Event(), asyncio.Event()

    async def slowly() -> bool:
        await run()
        await gate.wait()
        finished.set()
        return True

    loops = Loops()
    loops.start("relay", slowly, every_seconds=HOUR)
    await run.reach(1)
    stopping = asyncio.create_task(loops.stop(60))
    await asyncio.sleep(0)
    assert not stopping.done()
    gate.set()
    await stopping
    assert finished.is_set()
    assert run.runs == 1


async def test_a_run_that_does_not_finish_in_time_is_cut(logged: list[structlog.types.EventDict]) -> None:
    run, cut = Counted(), asyncio.Event()

    async def forever() -> None:
        await run()
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()

    loops = Loops()
    loops.start("inbox", forever, every_seconds=HOUR)
    await run.reach(1)
    await loops.stop(0.01)
    assert cut.is_set()
    assert [entry["loop"] for entry in logged] == ["inbox"]


async def test_stopping_without_loops_is_nothing(logged: list[structlog.types.EventDict]) -> None:
    await Loops().stop(1)
    assert logged == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_name_is_taken_once() -> None:
    loops = Loops()
    loops.start("relay", Counted(), every_seconds=HOUR)
    with pytest.raises(ValueError, match="relay"):
        loops.start("relay", Counted(), every_seconds=HOUR)
    await loops.stop(1)


def test_the_pause_varies_by_a_fifth() -> None:
    spans = [around(10) for _ in range(1000)]
    assert 8 <= min(spans) < 9
    assert 11 < max(spans) <= 12


class HandSeconds:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def resting() -> AsyncIterator[tuple[Loops, HandSeconds, Pauses, Counted, Counted]]:
    """Two loops, of which the first rests for an hour, after all that was told at the start is long past."""
    seconds, pauses = HandSeconds(), Pauses(is_short=False)
    loops = Loops(jitter=pauses, now=seconds, rest=Rest({"looking"}, HOUR))
    looking, other = Counted(), Counted()
    seconds.now += AWAKE_SECONDS + 1
    loops.start("looking", looking, every_seconds=0.01)
    loops.start("other", other, every_seconds=0.01)
    await other.reach(3)
    yield loops, seconds, pauses, looking, other
    await loops.stop(5)


async def test_a_loop_that_may_rest_does_so_while_nothing_wakes_it(resting: Any) -> None:
    _, _, pauses, looking, _ = resting
    assert looking.runs == 1
    assert pauses.noted.count(HOUR) == 1


async def test_what_wakes_them_ends_the_rest_and_keeps_them_awake_for_a_while(resting: Any) -> None:
    loops, seconds, pauses, looking, _ = resting
    loops.wake()
    await looking.reach(4)
    assert pauses.noted.count(HOUR) == 1
    seconds.now += AWAKE_SECONDS + 1
    at = looking.runs
    await asyncio.sleep(0.1)
    assert looking.runs <= at + 1
    assert pauses.noted.count(HOUR) == 2


async def test_a_loop_that_finds_more_to_do_keeps_all_awake(resting: Any) -> None:
    loops, _, pauses, looking, other = resting
    other.outcomes = [True]
    await other.reach(other.runs + 2)
    loops.nudge("looking")
    await looking.reach(4)
    assert pauses.noted.count(HOUR) == 1


async def test_a_loop_at_rest_is_not_overdue(resting: Any) -> None:
    loops, seconds, _, _, _ = resting
    seconds.now += HOUR
    assert "looking" not in loops.overdue()
