"""`make bench` measures each row in each round, waits until all is carried, and tells a second at rest."""

import asyncio
import os
import sys
import time
from typing import Any

import pymongo
import pytest

from loadtests.bench import carrying, rounds
from loadtests.bench.carrying import NotCarried, watched
from loadtests.bench.contestants import Contestant, repeated
from loadtests.bench.rest import copied, told_idle
from loadtests.bench.rounds import MeasuredProcesses, one_round
from loadtests.demos import cpu_seconds_of
from server.store.queries import HELD
from tests.answering import GET, OK, answering

Sweeper = pymongo.MongoClient[dict[str, Any]]
DUE = "t2026-12-01T08:00:00.000Z"


# Rounds


def row(name: str, port: int, *, section: str = "reads", against: str = "") -> Contestant:
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
