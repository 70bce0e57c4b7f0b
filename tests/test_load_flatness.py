"""A load run tells truly whether processes stay flat: one that leaks is named, one that is flat passes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from loadtests.budgets import BUDGETS, FlatBudget, read_budgets
from loadtests.driving import Driven
from loadtests.flatness import Growth, Warmth, growths_in, table_of_growths
from loadtests.plan import RunPlan
from loadtests.reckoning import LoadBooks
from loadtests.records import RecordBook, records_in
from loadtests.verdict import judged
from loadtests.watching import EVERY_SECONDS, SAMPLE, Watch, descriptors, memory_kib, watching

BUDGET = FlatBudget(memory_growth=0.05, descriptor_growth=8)
SHORT = Warmth(seconds=10, least_seconds=20)
ROUNDS = 40
ROUND = """
import sys
held, files = [bytearray(4 << 20)], []
for turn, line in enumerate(sys.stdin):
    {}
    print(turn, flush=True)
"""
PLANTED = {
    "flat": "list(range(100_000)); files = [open('/dev/null') for _ in range(turn % 7)]",
    "memory": "held.append(bytearray(b'x' * 100_000))",
    "descriptors": "files.append(open('/dev/null'))",
    "warm": "held += [bytearray(b'x' * 1_000_000)] * (turn < 8); files += [open('/dev/null') for _ in range(8 - turn)]",
}


class PlantedDemo:
    """Processes that do one round of what was planted in them whenever they are told; `roles` says what they are."""

    def __init__(self, stack: ExitStack, *planted: str, roles: Sequence[str] = ()) -> None:
        self.names = planted
        self.children = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", ROUND.format(PLANTED[each])],
                    env={**os.environ, "TONGBAN_DIVISION": each},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
            for each in planted
        ]
        self._roles = roles or ["serve"] * len(planted)
        self.turns = 0

    def processes(self) -> list[tuple[str, int]]:
        return [(role, child.pid) for role, child in zip(self._roles, self.children, strict=True)]

    def go(self) -> None:
        """One round of each, done when it answers."""
        for child in self.children:
            assert child.stdin
            assert child.stdout
            child.stdin.write(b"\n")
            child.stdin.flush()
            child.stdout.readline()
        self.turns += 1


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def watched(demo: Any, folder: Path, *, rounds: int = ROUNDS) -> None:
    """So many rounds, each a second of the demo's own clock, with a look after each."""
    watch = Watch(demo, RecordBook(folder), clock=lambda: demo.turns)
    for _ in range(rounds):
        demo.go()
        watch.look()


def verdict_of(folder: Path, *, shape: str = "steady") -> Any:
    """That on a run without a fault of any other kind."""
    RecordBook(folder).write("cpu", pid=1, share=0.1)
    door = {"method": "POST", "name": "/api/v1/cases", "num_requests": 1, "num_failures": 0, "response_times": {"9": 1}}
    plan, books = RunPlan(folder, folder, mix="citizens", shape=shape), LoadBooks(1, 1, 0, (), ())
    return judged(plan, Driven([door], (), 0), books=books, book=read_budgets(BUDGETS, "small"))


def test_a_process_that_leaks_is_named_and_a_flat_one_passes(tmp_path: Path, stack: ExitStack) -> None:
    watched(PlantedDemo(stack, "flat", "memory", "descriptors", "warm"), tmp_path)
    found = {each.process: each.unflat(BUDGET) for each in growths_in(tmp_path, SHORT)}
    assert found["flat serve"] == found["warm serve"] == []
    assert "memory grew from " in found["memory serve"][0]
    assert "open descriptors grew from " in found["descriptors serve"][0]
    assert [len(each) for each in found.values()].count(1) == 2


def test_what_the_database_keeps_is_told_and_not_judged(tmp_path: Path, stack: ExitStack) -> None:
    watched(PlantedDemo(stack, "memory", "memory", roles=["database", "work"]), tmp_path)
    database, work = growths_in(tmp_path, SHORT)
    assert (database.process, database.is_judged, database.unflat(BUDGET)) == ("memory database", False, [])
    assert database.memory_growth > BUDGET.memory_growth
    assert len(work.unflat(BUDGET)) == 1


def test_a_process_that_is_started_again_begins_anew(tmp_path: Path, stack: ExitStack) -> None:
    first = PlantedDemo(stack, "memory")
    watched(first, tmp_path, rounds=15)
    again = PlantedDemo(stack, "flat")
    again.turns = first.turns
    first.children[0].kill()
    first.children[0].wait()
    gone = Watch(first, RecordBook(tmp_path), clock=lambda: 16)  # type: ignore[arg-type]
    gone.look()
    watched(again, tmp_path, rounds=30)
    short, whole = sorted(growths_in(tmp_path, SHORT), key=lambda each: each.is_judged)
    assert (short.is_judged, short.seconds, short.unflat(BUDGET)) == (False, 14, [])
    assert (whole.is_judged, whole.seconds, whole.unflat(BUDGET)) == (True, 19, [])


def test_a_watch_looks_on_until_its_block_ends_and_tells_what_it_could_not_write(
    tmp_path: Path, stack: ExitStack
) -> None:
    demo: Any = PlantedDemo(stack, "flat")
    with watching(Watch(demo, RecordBook(tmp_path)), seconds=600, every_seconds=0.01):
        while len(list(records_in(tmp_path))) < 3:
            demo.go()
    ended = len(list(records_in(tmp_path)))
    demo.go()
    assert len(list(records_in(tmp_path))) == ended
    broken = type("BrokenBook", (), {"write": lambda *_, **__: 1 / 0})
    with pytest.raises(ZeroDivisionError), watching(Watch(demo, broken()), seconds=600):
        pass


def test_a_watch_is_over_when_the_run_should_be(tmp_path: Path, stack: ExitStack) -> None:
    demo: Any = PlantedDemo(stack, "flat")
    with watching(Watch(demo, RecordBook(tmp_path)), seconds=0, every_seconds=0.001):
        demo.go()
    assert len(list(records_in(tmp_path))) == 1


def test_what_is_open_and_what_was_written_is_counted() -> None:
    before = descriptors("self")
    with ExitStack() as files:
        for _ in range(5):
            files.enter_context(closing(os.fdopen(os.dup(1))))
        assert descriptors("self") == before + 5
    written = memory_kib("self")
    kept = bytearray(b"x") * (32 << 20)
    assert memory_kib("self") - written > 30 << 10
    assert len(kept) == 32 << 20


def planted(folder: Path, memory: Sequence[float], files: Sequence[float], *, role: str = "serve") -> Growth:
    """How a process went that showed these, one after the other, every five seconds."""
    book = RecordBook(folder)
    for turn, (kib, count) in enumerate(zip(memory, files, strict=True)):
        told = {"at": turn * EVERY_SECONDS, "memory_kib": kib, "descriptors": count}
        book.write(SAMPLE, role=role, process=f"320000 {role}", pid=7, **told)
    (growth,) = growths_in(folder, Warmth())
    return growth


@pytest.mark.parametrize(("share", "faults"), [(0.049, 0), (0.051, 1)])
def test_memory_may_grow_by_its_budget_after_the_warm_up(tmp_path: Path, share: float, faults: int) -> None:
    warm = [1000.0 + turn for turn in range(120)]  # a third of thirty minutes
    growth = planted(tmp_path, [*warm, *[100_000.0] * 120, *[100_000 * (1 + share)] * 121], [20] * 361)
    assert (growth.is_judged, growth.seconds) == (True, 1200)
    assert growth.memory_growth == pytest.approx(share)
    assert len(growth.unflat(BUDGET)) == faults


@pytest.mark.parametrize(("every", "faults"), [(30, 0), (20, 1)])
def test_descriptors_may_rise_by_their_budget_however_their_number_swings(
    tmp_path: Path, every: int, faults: int
) -> None:
    swinging = [40 + turn // every + turn * 7 % 11 for turn in range(361)]
    growth = planted(tmp_path, [1000] * 361, swinging)
    assert len(growth.unflat(BUDGET)) == faults
    assert growth.unflat(FlatBudget(0.05, 100)) == []


def test_a_burst_at_either_end_is_no_growth(tmp_path: Path) -> None:
    growth = planted(tmp_path, [*[1000] * 358, 9000, 9000, 9000], [*[20] * 358, 500, 500, 500])
    assert growth.unflat(BUDGET) == []


def test_a_process_that_was_seen_for_ten_minutes_is_told_and_not_judged(tmp_path: Path) -> None:
    growth = planted(tmp_path, range(1000, 1121), range(121))
    assert (growth.seconds, growth.unflat(BUDGET)) == (600, [])
    assert growth.told() == {
        "process": "320000 serve",
        "pid": 7,
        "seconds": 600,
        "judged": False,
        "memory_kib": [1006, 1114],
        "memory_growth": 0.1079,
        "descriptors": [5.5, 114],
        "descriptor_growth": 108.2,
    }


def test_the_verdict_fails_by_the_name_of_who_grew(tmp_path: Path) -> None:
    planted(tmp_path, [1000] * 130 + [1100] * 15, range(145))
    verdict = verdict_of(tmp_path)
    assert (verdict.word, verdict.code) == ("failed", 1)
    assert verdict.reasons == (
        "320000 serve (process 7): memory grew from 1000 to 1100 KiB in 420 s, by 10.0%, the budget 5.0%",
        "320000 serve (process 7): open descriptors grew from 63.5 to 140 in 420 s, by 76.5 along a line, the budget 8",
    )
    assert [each["judged"] for each in json.loads(json.dumps(verdict.told()))["processes"]] == [True]
    assert table_of_growths(verdict.growths)[1].endswith("judged")


def test_a_run_whose_load_is_not_level_tells_and_does_not_judge(tmp_path: Path) -> None:
    planted(tmp_path, range(1000, 1200), range(200))
    verdict = verdict_of(tmp_path, shape="step")
    assert (verdict.word, verdict.reasons) == ("passed", ())
    assert table_of_growths(verdict.growths)[1].endswith("told only")


def test_a_run_that_watched_nobody_says_nothing_of_it(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path)
    assert (verdict.word, verdict.told()["processes"], table_of_growths(verdict.growths)) == ("passed", [], [])
