"""The load harness tells the truth: what is planted in a node is found, and a node without faults passes."""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtests import judging
from loadtests.budgets import BUDGETS, BudgetsFaulty, Counted, broken_bounds, counted, read_budgets
from loadtests.cpu_clock import CpuClock, machine_seconds
from loadtests.driving import LOCUST, Driven
from loadtests.killing import Killer
from loadtests.plan import PlanFaulty, RunPlan, Target, plan_from, read_target
from loadtests.reckoning import LoadBooks, listed_before, reckon
from loadtests.records import RecordBook, Submissions, busiest, submissions_of
from loadtests.seeding import seed
from loadtests.shapes import SHAPES
from loadtests.verdict import SIGNS, judged
from tests.planted_node import PlantedNode, planted

ROOT = Path(__file__).parents[1]
BOOK = read_budgets(BUDGETS, "small")
CLEAN = LoadBooks(1, 1, 0, (), ())
SHORT = ("--mix=citizens", "--seconds=2.5", "--base=12", "--think=0.1")


def row(door: str, *times: int, failures: int = 0) -> dict[str, Any]:
    """What Locust tells of a door."""
    method, _, name = door.partition(" ")
    told = {"num_requests": len(times), "num_failures": failures, "response_times": dict(Counter(map(str, times)))}
    return {"method": method, "name": name, **told}


def prepared(folder: Path, described: dict[str, Any], *, budget: str) -> list[str]:
    """The command of a short run in this folder."""
    folder.mkdir()
    (folder / "target.json").write_text(json.dumps(described), encoding="utf-8")
    files = [f"--target={folder / 'target.json'}", f"--kept={folder / 'kept'}", f"--budget={budget}"]
    return [sys.executable, "-m", "loadtests", "run", "--json", *SHORT, *files]


async def run_against(folder: Path, node: PlantedNode, *, budget: str) -> tuple[int | None, dict[str, Any]]:
    """The exit code and the result of a short run."""
    async with planted(node) as described:
        process = await asyncio.create_subprocess_exec(
            *prepared(folder, described, budget=budget), cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
    return process.returncode, json.loads(output)


def kept_in(told: dict[str, Any]) -> set[str]:
    return {each.name for each in Path(told["kept"]).iterdir()}


async def test_what_is_planted_is_found_and_a_sound_node_passes(tmp_path: Path) -> None:
    assert LOCUST.exists(), "`make .venv-load/load.stamp` brings Locust"
    faulty = PlantedNode(slow="/timeline", failing="/drafts/", rude="/materials", forgets=True, doubles=True)
    sound = PlantedNode(busy="/bundles")
    (code, found), (passed, told) = await asyncio.gather(
        run_against(tmp_path / "faulty", faulty, budget="small"), run_against(tmp_path / "sound", sound, budget="peak")
    )
    reasons = "\n".join(found["reasons"])
    assert (code, found["verdict"]) == (1, "failed")
    assert "read: p95_ms is " in reasons
    assert "write: error_share is" in reasons
    assert "PUT /api/v1/drafts/{id}: CatchResponseError('500 planted')" in reasons
    assert "POST /api/v1/materials: CatchResponseError('503 without Retry-After')" in reasons
    assert found["books"]["lost"] > 0
    assert found["books"]["doubled"] > 0
    assert "GET /api/v1/cases/{id}: CatchResponseError('404 no_such_case')" in reasons  # which was forgotten
    assert {each.partition(":")[0] for each in found["reasons"] if "share" in each} == {"read", "write"}
    assert (passed, told["verdict"], told["reasons"]) == (0, "passed", [])
    assert told["classes"]["read"]["refused"] > 0
    assert told["books"]["acknowledged"] == len(sound.by_key) > 5
    assert {"report.html", "figures_stats.csv", "rows.json", "result.json"} <= kept_in(told)


async def books_of(node: PlantedNode, submissions: dict[str, Submissions]) -> LoadBooks:
    async with planted(node) as described:
        target = Target(described)
        before = await listed_before(target)
        for key, one in submissions.items():
            one.ids.append(node.submit(one.citizen, key))
        return await reckon(target, submissions, before)


def asked(*keys: str) -> dict[str, Submissions]:
    return {key: Submissions("citizen-1") for key in keys}


async def test_books_of_a_sound_node_are_clean() -> None:
    node = PlantedNode()
    node.submit("citizen-1", "from before")
    books = await books_of(node, asked("a", "b", "c"))
    assert (books.is_clean, books.keys, books.acknowledged) == (True, 3, 3)


async def test_an_acknowledged_case_that_is_not_there_is_lost() -> None:
    books = await books_of(PlantedNode(forgets=True), asked(*"abcde"))
    assert (len(books.lost), books.doubled) == (1, ())


async def test_two_ids_for_one_key_are_doubled() -> None:
    node = PlantedNode(doubles=True)
    submissions = asked("a", "b")
    async with planted(node) as described:
        for key, one in submissions.items():
            one.ids += [node.submit(one.citizen, key), node.submit(one.citizen, "b")]
        books = await reckon(Target(described), submissions, {})
    assert len(books.doubled) >= 1
    assert books.doubled[0].startswith("a: ")


async def test_a_case_listed_twice_is_doubled() -> None:
    node = PlantedNode()
    submissions = asked("a")
    submissions["a"].ids.append(node.submit("citizen-1", "a"))
    node.cases["citizen-1"] *= 2
    async with planted(node) as described:
        books = await reckon(Target(described), submissions, {})
    assert [each.partition(": ")[2] for each in books.doubled] == ["listed 2 times"]


async def test_a_case_that_nobody_asked_for_is_doubled_and_one_without_an_answer_is_not() -> None:
    node = PlantedNode()
    for key in ("unanswered", "nobody's"):
        node.submit("citizen-1", key)
    async with planted(node) as described:
        books = await reckon(Target(described), asked("unanswered"), {})
        fewer = await reckon(Target(described), asked("unanswered", "another"), {})
    assert len(books.doubled) == 1
    assert (fewer.is_clean, fewer.unknown) == (True, 2)


async def test_seeding_by_http_hands_in_as_many_as_were_asked_for() -> None:
    node = PlantedNode(busy="/cases")
    async with planted(node) as described:
        seeding = await seed(Target(described), cases=13, at_once=3)
    assert seeding.done == len(node.by_key) == 13
    assert sorted(map(len, node.cases.values())) == [3, 3, 3, 4]
    assert seeding.line().startswith("13 of 13 cases, ")


@pytest.mark.parametrize(("forgets", "code"), [(False, 0), (True, 1)])
async def test_what_masters_and_workers_left_is_judged(tmp_path: Path, forgets: bool, code: int) -> None:
    node, book = PlantedNode(forgets=forgets), RecordBook(tmp_path)
    for key in "abc":
        book.write("asked", key=key, citizen="citizen-1")
        book.write("acknowledged", key=key, citizen="citizen-1", id=node.submit("citizen-1", key))
    book.write("cpu", pid=1, share=0.1)
    (tmp_path / "rows.json").write_text(json.dumps([row(SIGNS["citizen"], 100)]), encoding="utf-8")
    parser = argparse.ArgumentParser()
    judging.add_arguments(parser)
    async with planted(node) as described:
        (tmp_path / "target.json").write_text(json.dumps(described), encoding="utf-8")
        asked_for = [str(tmp_path), "--target", str(tmp_path / "target.json"), "--mix", "citizens"]
        assert await asyncio.to_thread(judging.run, parser.parse_args(asked_for)) == code


def verdict_of(folder: Path, *rows: dict[str, Any], cpu: float | None = 0.2, code: int = 0) -> Any:
    if cpu is not None:
        RecordBook(folder).write("cpu", pid=1, share=cpu)
    plan = RunPlan(folder, folder, mix="citizens")
    return judged(plan, Driven(rows, (), code, "it broke"), books=CLEAN, book=BOOK)


SUBMITTED = row(SIGNS["citizen"], 100, 100)


def test_a_run_within_its_budgets_passes(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, SUBMITTED)
    assert (verdict.word, verdict.code, verdict.reasons) == ("passed", 0, ())


@pytest.mark.parametrize(("cpu", "says"), [(0.9, "used 90% of a core"), (None, "told nothing of its own CPU")])
def test_a_run_whose_locust_was_the_bottleneck_is_invalid(tmp_path: Path, cpu: float | None, says: str) -> None:
    verdict = verdict_of(tmp_path, SUBMITTED, cpu=cpu)
    assert (verdict.word, verdict.code) == ("invalid", 3)
    assert says in verdict.reasons[0]


@pytest.mark.parametrize(
    ("rows", "code", "reason"),
    [
        ((SUBMITTED,), 1, "Locust ended with code 1: it broke"),
        ((SUBMITTED, row("GET /nowhere", 1)), 0, "GET /nowhere belongs to no class of the budgets"),
        ((row("GET /api/v1/cases", 1),), 0, "nobody of the journey citizen came by: POST /api/v1/cases"),
        ((row(SIGNS["citizen"], 100, 100, failures=1),), 0, "submit: error_share is 0.5, the budget 0"),
        ((row(SIGNS["citizen"], 100, 1100),), 0, "submit: p95_ms is 1100, the budget 1000"),
        ((SUBMITTED, row("shed arrivals", 0)), 0, "1 of 1 arrivals were shed"),
        ((SUBMITTED, row(f"refused {SIGNS['citizen']} 503", 0)), 0, "submit: refused_share is 0.3333, the budget 0"),
    ],
)
def test_a_run_fails_for_a_reason(tmp_path: Path, rows: tuple[dict[str, Any], ...], code: int, reason: str) -> None:
    verdict = verdict_of(tmp_path, *rows, code=code)
    assert (verdict.word, verdict.code) == ("failed", 1)
    assert reason in verdict.reasons


def test_what_is_refused_or_broke_off_is_no_answer_and_no_error() -> None:
    rows = [
        row(SIGNS["citizen"], 50, 70),
        row(f"refused {SIGNS['citizen']} 429", 1),
        row(f"broken {SIGNS['citizen']}", 2),
    ]
    found, strangers, shed = counted(rows, BOOK)
    one = found["submit"]
    assert (one.asked, one.answered, one.refused, one.broken, one.errors) == (4, 2, 1, 1, 0)
    assert (one.percentile(0.5), one.percentile(0.99), strangers, shed) == (50, 70, [], 0)


def test_percentiles_count_answers() -> None:
    assert Counted(Counter({10.0: 94, 20.0: 5, 30.0: 1})).percentile(0.95) == 20
    assert Counted().percentile(0.99) == 0


def test_each_name_of_budgets_is_for_the_same_classes_and_peak_allows_more() -> None:
    peak = read_budgets(BUDGETS, "peak")
    assert set(peak.budgets) == set(BOOK.budgets) == set(BOOK.class_of.values())
    for name, budget in BOOK.budgets.items():
        assert budget.error_share == peak.budgets[name].error_share == 0
        assert budget.p95_ms <= budget.p99_ms <= peak.budgets[name].p99_ms


@pytest.mark.parametrize(
    ("before", "after"),
    [("submit = { p95_ms", "submit = { p95"), ('"POST /api/v1/cases"]', "]"), ("[small]", "[tiny]")],
)
def test_budgets_that_do_not_fit_together_are_refused(tmp_path: Path, before: str, after: str) -> None:
    text = BUDGETS.read_text(encoding="utf-8")
    assert before in text
    (tmp_path / "budgets.toml").write_text(text.replace(before, after, 1))
    with pytest.raises(BudgetsFaulty):
        read_budgets(tmp_path / "budgets.toml", "small")


def test_a_budget_that_is_broken_is_named_with_its_value() -> None:
    book = replace(BOOK, budgets={"read": replace(BOOK.budgets["read"], p95_ms=5)})
    slow = broken_bounds(
        {"read": Counted(Counter({33_000.0: 1}))}, replace(book, budgets={"read": BOOK.budgets["read"]})
    )
    assert broken_bounds({"read": Counted(Counter({6.0: 1}))}, book) == ["read: p95_ms is 6, the budget 5"]
    assert slow[0] == "read: p95_ms is 33000, the budget 500"


def test_shapes_rise_and_fall() -> None:
    level = {name: shape.level for name, shape in SHAPES.items()}
    assert [level["step"](at, 100) for at in (0, 20, 99)] == [0.2, 0.4, 1.0]
    assert [level["spike"](at, 300) for at in (99, 100, 159, 160)] == [1, 5, 5, 1]
    assert [round(level["night"](at, 300), 1) for at in (0, 49, 55, 60, 90, 300)] == [1, 1, 5.5, 10, 5.5, 1.0]
    assert {level[name](at, 60) for name in ("steady", "soak") for at in (0, 30, 60)} == {1.0}


def test_a_plan_is_read_as_it_was_told(tmp_path: Path) -> None:
    plan = RunPlan(tmp_path / "a", tmp_path, shape="night", model="open", base=3.5, workers=2, has_kills=True)
    assert plan_from({**plan.environ(), "PATH": "x"}) == plan
    assert plan.level(0) == 3.5


@pytest.mark.parametrize("change", [{"SHAPE": "round"}, {"SECONDS": "x"}, {"SPEED": "1"}, {"TARGET": None}])
def test_a_plan_that_cannot_be_is_refused(tmp_path: Path, change: dict[str, str | None]) -> None:
    told = RunPlan(tmp_path, tmp_path).environ() | {f"LOADTEST_{name}": value for name, value in change.items()}
    with pytest.raises(PlanFaulty):
        plan_from({name: value for name, value in told.items() if value is not None})


def test_a_target_without_what_journeys_need_is_refused(tmp_path: Path) -> None:
    node = {"base_url": "http://127.0.0.1:9", "officers": [], "counties": ["320102"]}
    whole = {"nodes": [node, node], "citizens": [{"code": "one"}], "app_id": "x"}
    path = tmp_path / "target.json"
    for described in (whole | {"nodes": [node]}, whole | {"citizens": []}, whole | {"app_id": ""}, []):
        path.write_text(json.dumps(described))
        with pytest.raises(PlanFaulty, match=r"target\.json"):
            read_target(path, mix="citizens")
    path.write_text(json.dumps(whole))
    assert read_target(path, mix="public").counties(1) == ["320102"]
    with pytest.raises(PlanFaulty, match="lacks officers"):
        read_target(path, mix="everyday")


def test_records_tell_submissions_by_key_and_the_busiest_five_seconds(tmp_path: Path) -> None:
    book = RecordBook(tmp_path)
    book.write("asked", key="k", citizen="c")
    book.write("acknowledged", key="k", citizen="c", id="1")
    book.write("acknowledged", key="k", citizen="c", id="1")
    for share in (0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.1):
        book.write("cpu", pid=1, share=share)
    assert submissions_of(tmp_path) == {"k": Submissions("c", ["1", "1"])}
    assert busiest(tmp_path) == pytest.approx(0.9)


def test_the_clock_of_cpu_tells_work_from_rest() -> None:
    clock, before = CpuClock(), machine_seconds()
    until = time.process_time() + 0.2
    while time.process_time() < until:
        pass
    worked, by_all = clock.share(), machine_seconds() - before
    time.sleep(0.3)
    assert clock.share() < worked
    assert by_all > 0.15


async def test_who_is_killed_is_one_that_serves() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    demo: Any = type("ServingDemo", (), {"serving": lambda _: [process.pid]})()
    killer = Killer(demo, 1.0)
    killer.strike()
    assert await process.wait() == -9
    killer.strike()  # it is gone
    assert killer.struck == [process.pid]


@pytest.mark.soak
async def test_a_run_against_a_demo_whose_processes_are_killed_loses_and_doubles_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "loadtests", "run", "--json", "--seconds=20", "--base=24", "--budget=peak"]
    process = await asyncio.create_subprocess_exec(
        *command, "--kill-every=6", f"--kept={tmp_path}", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    told = json.loads(output)
    assert told["kills"] >= 2
    assert (told["books"]["lost"], told["books"]["doubled"]) == (0, 0)
    assert (process.returncode, told["reasons"]) == (0, [])
    seen = Counter(each["process"] for each in told["processes"])
    assert seen.keys() == {"database", "320000 serve", "320000 work", "330000 serve", "330000 work"}
    assert seen["320000 serve"] + seen["330000 serve"] > 2  # who was started again is somebody else
    assert (seen["320000 work"], seen["330000 work"]) == (1, 1)
