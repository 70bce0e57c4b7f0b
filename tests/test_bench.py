"""`make bench` measures each row in each round, and its tables say what was measured."""

import asyncio
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import pymongo
import pytest

from loadtests.bench import __main__ as bench
from loadtests.bench import carrying, rounds
from loadtests.bench.__main__ import IDLE, BenchPlan, MeasuredRun, result_of, sections_from
from loadtests.bench.carrying import NotCarried, watched
from loadtests.bench.contestants import BASELINES, Contestant, repeated
from loadtests.bench.figures import SHOWN, Spread, ratios
from loadtests.bench.page import BEGIN, END, NoPlaceOnPage, put_on_page, text_of
from loadtests.bench.rest import StartedCopy, copied, told_idle
from loadtests.bench.rounds import MeasuredProcesses, one_round
from loadtests.bench.rows import READS, SUBMISSION
from loadtests.demos import cpu_seconds_of
from server.store.queries import HELD
from tests.answering import GET, OK, answering

Sweeper = pymongo.MongoClient[dict[str, Any]]
DUE = "t2026-12-01T08:00:00.000Z"


# Rounds


def row(name: str, port: int, *, section: str = READS, against: str = "") -> Contestant:
    return Contestant(name, section, port, (os.getpid(),), 3, 200, repeated(GET), against=against)


async def test_each_round_begins_with_another_row_and_measures_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "REST_SECONDS", 0.01)
    processes = MeasuredProcesses((), (), ())
    async with answering([OK] * 18) as server:
        rows = [row(name, server.port) for name in ("a", "b", "c")]
        found = [await one_round(number, rows, processes, connections=1) for number in range(2)]
    assert [list(one) for one in found] == [["a", "b", "c"], ["b", "c", "a"]]
    assert all(one["failed"] == 0 and one["rps"] > 0 and one["app_cpu_us"] >= 0 for one in found[0].values())


def test_the_cpu_time_of_a_process_is_told_finely() -> None:
    before = time.process_time()
    told = cpu_seconds_of(os.getpid())
    assert before <= told <= time.process_time()


def test_a_process_that_is_not_there_has_no_cpu_time() -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        cpu_seconds_of(2**22 + 1)  # more than the kernel counts to


async def test_what_follows_cases_is_waited_for(
    database_uri: str, database_name: str, database_sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "QUIET_SECONDS", 0.01)
    cases = database_sweeper[database_name]["cases"]
    cases.insert_many([{"_id": "1", "relay": "done"}, {"_id": "2", "relay": DUE}])
    async with watched(database_uri, database_name, []) as every:
        waiting = asyncio.create_task(every.wait())
        await asyncio.sleep(0.1)
        assert not waiting.done()
        cases.update_one({"_id": "2"}, {"$set": {"relay": "done"}})
        await waiting


async def test_what_is_not_carried_in_time_is_told(
    database_uri: str, database_name: str, database_sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "QUIET_SECONDS", 0.01)
    monkeypatch.setattr(carrying, "WITHIN_SECONDS", 0.1)
    database_sweeper[database_name]["cases"].insert_one({"_id": "1", "relay": HELD + DUE})
    async with watched(database_uri, database_name, []) as every:
        with pytest.raises(NotCarried):
            await every.wait()


# A copy of a process


async def test_a_copy_that_ends_is_told() -> None:
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    ended = await asyncio.create_subprocess_exec(sys.executable, "-c", "input('?')", **pipes)
    try:
        assert ended.stdout is not None
        await ended.stdout.readexactly(1)  # it runs: before, it has no words yet
        with pytest.raises(RuntimeError, match="exit code"):
            async with copied(ended.pid, "serve"):
                pass
    finally:
        ended.kill()
        await ended.wait()


def test_a_second_at_rest_is_told_by_role() -> None:
    told = told_idle({"work": (1,), "database": (2, 3)}, [{1: 0.010, 2: 0.001, 3: 0.002}, {1: 0.030, 2: 0.001, 3: 0.0}])
    assert (told["work_ms"], told["database_ms"]) == (20.0, 2.0)
    assert told["spread"]["work_ms"] == [10.0, 30.0]


# Figures, JSON and tables


def figures(factor: float) -> dict[str, float]:
    told = {name: factor * place for place, name in enumerate(SHOWN, 1)}
    return {**told, "busy": 0.5, "failed": 0.0}


def run(*, busy: float = 0.5) -> dict[str, Any]:
    names = ("tongban", *BASELINES)
    rows = [row(name, 1, section=SUBMISSION) for name in names]
    rows += [row("bare page", 1), row("bundle", 1, against="bare page")]
    one = {name: figures(2.0 if name in ("tongban", "bundle") else 1.0) for name in (*names, "bare page", "bundle")}
    one["tongban"] |= {"busy": busy, "failed": 1.0}
    two = {name: {**each, "app_cpu_us": each["app_cpu_us"] * 3} for name, each in one.items()}
    starts = [StartedCopy(1, 8000, 1.5, 2.0), StartedCopy(2, 8001, 1.7, 2.5)]
    idle = told_idle({"work": (1,), "serve": (2,), "database": (3,)}, [{1: 0.01, 2: 0.002, 3: 0.02}])
    found = MeasuredRun(rows, [one, two], starts, idle, {"serve": 150.0, "work": 130.5}, 1200)
    plan = BenchPlan((SUBMISSION, READS, IDLE), rounds=2, requests=300, connections=64)
    machine = {"cpu": "a processor", "cores": 2, "memory_gb": 8.0, "system": "Linux 6", "python": "3.11"}
    return result_of(
        found, plan, machine={**machine, "database": "a database", "load_average": 0.5}, command="make bench"
    )


def test_the_json_has_the_promised_shape() -> None:
    result = json.loads(json.dumps(run()))
    assert {
        "machine",
        "rounds",
        "servers",
        "reads",
        "ratios",
        "idle",
        "start",
        "memory",
        "loader_bound",
    } <= result.keys()
    assert list(result["servers"]) == ["tongban", *BASELINES]
    assert list(result["reads"]) == ["bare page", "bundle"]
    for server in result["servers"].values():
        assert {"rps", "p50_ms", "p99_ms", "app_cpu_us", "db_cpu_us"} <= server.keys()
        assert all(server["spread"][name][0] <= server[name] <= server["spread"][name][1] for name in SHOWN)
    assert result["ratios"]["submission"].keys() == set(BASELINES)
    assert result["failed"] == 2
    assert result["start"]["cpu_seconds"] == 1.6


def test_a_loader_that_was_busy_itself_is_marked() -> None:
    assert not run(busy=0.9)["loader_bound"]
    assert run(busy=0.91)["loader_bound"]


def test_ratios_are_taken_within_rounds() -> None:
    slow = {"a": figures(20.0), "b": figures(10.0)}
    quick = {"a": figures(3.0), "b": figures(1.0)}
    assert ratios([slow, quick], "a", "b")["app_cpu_us"] == 2.5


def test_what_was_nothing_has_no_ratio() -> None:
    nothing = {"a": figures(1.0), "b": figures(1.0) | {"db_cpu_us": 0.0}}
    assert ratios([nothing], "a", "b").keys() == {"spread", "rps", "app_cpu_us"}


def test_a_spread_has_the_median_and_the_ends() -> None:
    assert Spread.of([3.0, 1.0, 20_000.4]) == Spread(3.0, 1.0, 20_000.0)


def test_the_tables_are_made_from_the_result() -> None:
    text = text_of(run())
    assert "a processor, 2 cores" in text
    assert "$ make bench\n" in text
    assert "2 requests failed" in " ".join(text.split())
    assert max(map(len, text.partition("```")[0].splitlines())) <= 120
    assert re.search(r"^\| Tongban, the full submission \| 2\.00 \(2\.00 to 2\.00\) \|", text, re.MULTILINE)
    assert re.search(r"^\| FastAPI, uvicorn, pymongo \| 2\.00 \(2\.00 to 2\.00\) \|", text, re.MULTILINE)
    assert re.search(r"^\| bundle \|.* 2\.00 \(2\.00 to 2\.00\) \|$", text, re.MULTILINE)
    assert "| CPU seconds of a `serve` until it is ready | 1.60 (1.50 to 1.70) |" in text


def test_what_was_not_measured_has_no_table() -> None:
    text = text_of(run() | {"reads": {}, "idle": {}, "start": {}})
    assert "bundle" not in text
    assert "at rest" not in text
    assert "ready" not in text
    assert "connections" not in text_of(run() | {"servers": {}, "reads": {}})


def test_the_tables_go_between_the_marks_and_nowhere_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    put_on_page(page, "new\n")
    assert page.read_text() == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing")
    with pytest.raises(NoPlaceOnPage):
        put_on_page(page, "new\n")
    assert page.read_text() == "nothing"


def test_the_page_of_costs_has_a_place_for_the_tables() -> None:
    text = bench.PERFORMANCE.read_text(encoding="utf-8")
    assert (text.count(BEGIN), text.count(END)) == (1, 1)
    assert text.index(BEGIN) < text.index(END)


# The command line


def test_sections_come_in_our_order() -> None:
    assert sections_from("idle,submission") == ["submission", "idle"]


@pytest.mark.parametrize(
    "words", [["--only", "letters"], ["--rounds", "0"], ["--requests", "x"], ["--connections", "9999"]]
)
def test_a_wrong_command_line_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        bench.main(words)
    assert ended.value.code == 2
    assert words[0] in capsys.readouterr().err
