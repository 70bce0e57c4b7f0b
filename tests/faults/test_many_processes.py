"""`serve` in two processes: they are replaced, killed, cannot start, and who asks meanwhile is answered."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from server.demo.processes import Child, start
from tests.faults.books import DEPARTMENT_ABROAD
from tests.faults.provinces import HOST, Province, provinces
from tests.faults.test_data_of_another_version import ended
from tests.faults.wire import Fate, Wire, request
from tests.nodes import Caller, until

SEVERAL = ("serve", "--processes", "2")
BUSY, SLOW, FRESH, AFRESH = 3, 8, 2, 50
REST_SECONDS, LONG_REST_SECONDS = 0.03, 0.2  # between two questions; a slow caller's connection is mostly at rest
LEAST_PORT, PAIRS = 20_000, 5000  # below those that a system gives away
ANSWERED = (Fate.ANSWERED, 200)


class Stream:
    """Callers who ask again and again: some over a connection that they keep, some each time over another."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._is_over = False
        self._lanes: list[asyncio.Task[None]] = []
        self.answers: Counter[tuple[Fate, int]] = Counter()

    async def __aenter__(self) -> "Stream":
        kept = [self._ask(REST_SECONDS) for _ in range(BUSY)] + [self._ask(LONG_REST_SECONDS) for _ in range(SLOW)]
        fresh = [self._ask(REST_SECONDS, keeps_connection=False) for _ in range(FRESH)]
        self._lanes = [asyncio.create_task(each) for each in kept + fresh]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_over = True
        await asyncio.gather(*self._lanes)

    async def _ask(self, rest_seconds: float, *, keeps_connection: bool = True) -> None:
        wire = Wire(self._port)
        while not self._is_over:
            fate, status, _ = await wire.ask(request("GET", "/ready", headers={}))
            self.answers[fate, status] += 1
            if not keeps_connection:
                await wire.close()
            await asyncio.sleep(rest_seconds)
        await wire.close()


@pytest.fixture
async def home(
    tmp_path: Path, compiled: Mapping[str, str], database_uri: str, database_name: str
) -> AsyncIterator[Province]:
    """A province whose `serve` is two processes; none runs yet."""

    async def launch(name: str, *, log: Path, environ: Mapping[str, str]) -> Child:
        words = SEVERAL if name == "serve" else (name,)
        return await start(name, [sys.executable, "-m", "server", *words], log=log, environ={**environ, **compiled})

    async with provinces(tmp_path, database_uri, launch=launch, database=database_name) as (home, _):
        yield home


async def asked_afresh(port: int) -> tuple[Fate, int]:
    """What became of a request over a connection of its own."""
    wire = Wire(port)
    fate, status, _ = await wire.ask(request("GET", "/live", headers={}))
    await wire.close()
    return fate, status


def told(province: Province, event: str) -> list[dict[str, Any]]:
    """The lines of this event in the log of `serve`, supervisor and processes alike."""
    lines = [line for line in province.log("serve").read_text().splitlines() if line.startswith("{")]
    return [each for each in map(json.loads, lines) if each["event"] == event]


async def has_told(province: Province, event: str, *, times: int = 1) -> bool:
    return len(told(province, event)) >= times


async def started(province: Province) -> list[int]:
    """The process ids of both, once they are ready."""
    await province.start("serve")
    await until(partial(has_told, province, "child.ready", times=2), seconds=60)
    return [each["pid"] for each in sorted(told(province, "child.ready"), key=lambda line: line["slot"])]


def are_alive(pids: list[int]) -> list[bool]:
    """Whether these run; those that have ended and are not waited for yet do not."""
    states = [Path(f"/proc/{pid}/stat") for pid in pids]
    return [state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z" for state in states]


async def are_gone(pids: list[int]) -> bool:
    return not any(are_alive(pids))


@pytest.mark.soak
async def test_a_rolling_restart_resets_no_connection_and_fails_no_request(home: Province):
    before = await started(home)
    async with Stream(home.settings.port) as stream:
        await until(partial(has_enough, stream, 100))
        home.children["serve"].process.send_signal(signal.SIGHUP)
        await until(partial(has_told, home, "restart.finished"), seconds=60)
        await until(partial(has_enough, stream, stream.answers.total() + 100))
    assert stream.answers.keys() == {ANSWERED}, stream.answers
    assert [line["code"] for line in told(home, "child.ended") if line["pid"] in before] == [0, 0]
    after = [line["pid"] for line in told(home, "child.ready")[2:]]
    assert (len(after), are_alive(before + after)) == (2, [False, False, True, True])
    assert await home.stop("serve") == 0
    assert not any(are_alive(after))


async def has_enough(stream: Stream, count: int) -> bool:
    """Whether so many requests have been answered in some way."""
    return stream.answers.total() >= count


async def test_a_process_that_is_killed_is_started_again_and_the_other_answers_meanwhile(home: Province):
    first, second = await started(home)
    os.kill(first, signal.SIGKILL)
    await until(partial(has_told, home, "child.ended"))
    async with Stream(home.settings.port) as stream:
        await until(partial(has_told, home, "child.ready", times=3), seconds=60)
    assert stream.answers.keys() == {ANSWERED}, stream.answers
    (line,) = told(home, "child.ended")
    assert (line["slot"], line["pid"], line["code"]) == (0, first, -signal.SIGKILL)
    assert are_alive([first, second]) == [False, True]


@pytest.mark.soak
async def test_processes_end_when_their_supervisor_is_killed(home: Province):
    pids = await started(home)
    await home.kill("serve")
    await until(partial(are_gone, pids))
    assert len(told(home, "node.stopping")) == 2  # in order
    assert (await Wire(home.settings.port).ask(request("GET", "/live", headers={})))[0] is Fate.NOT_SENT


@pytest.mark.soak
async def test_a_new_process_that_cannot_start_leaves_the_old_ones_serving_and_is_tried_again_only_if_one_dies(
    home: Province,
):
    pids = await started(home)
    keys = home.settings.keys_file.read_bytes()
    home.settings.keys_file.write_text("unusable")
    async with Stream(home.settings.port) as stream:
        home.children["serve"].process.send_signal(signal.SIGHUP)
        await until(partial(has_told, home, "restart.stopped"), seconds=60)
        assert (len(told(home, "child.failed")), are_alive(pids)) == (1, [True, True])
    assert stream.answers.keys() == {ANSWERED}, stream.answers
    os.kill(pids[1], signal.SIGKILL)
    await until(partial(has_told, home, "child.ended"))
    async with asyncio.timeout(30):  # none waits for the one that is not there
        answers = Counter([await asked_afresh(home.settings.port) for _ in range(AFRESH)])
    assert answers == {ANSWERED: AFRESH}
    async with Stream(home.settings.port) as stream:
        await until(partial(has_told, home, "child.failed", times=3), seconds=60)
        home.settings.keys_file.write_bytes(keys)
        await until(partial(has_told, home, "child.ready", times=3), seconds=60)
    assert stream.answers.keys() == {ANSWERED}, stream.answers
    assert await home.stop("serve") == 0


async def test_a_supervisor_that_is_stopped_while_its_first_process_starts_leaves_none(home: Province):
    home.children["serve"] = await home.launch("serve", log=home.log("serve"), environ=home.environ())
    await until(partial(has_told, home, "child.started"), seconds=60)
    assert await home.stop("serve") == 0
    (line,) = told(home, "child.started")
    assert are_alive([line["pid"]]) == [False]
    assert told(home, "child.ready") == []


async def test_if_no_process_can_start_the_supervisor_ends_with_its_exit_code(home: Province):
    home.settings.keys_file.write_text("unusable")
    code, said = await ended(home, *SEVERAL)
    assert code == 1
    assert said.count('"event":"child.started"') == 1
    assert str(home.settings.keys_file) in said
    assert said.splitlines()[-1] == (
        "tongban: the first process ended before it was ready (exit code 1); it said above why"
    )


@pytest.mark.soak
async def test_a_second_supervisor_at_the_port_is_refused_and_changes_nothing(home: Province):
    pids = await started(home)
    code, said = await ended(home, *SEVERAL)
    assert (code, are_alive(pids)) == (1, [True, True])
    assert f"port {home.settings.port} of 127.0.0.1: processes of another supervisor listen there" in said


@pytest.mark.soak
async def test_each_process_has_its_own_metrics_and_keeps_its_own_file_of_what_has_ended(home: Province):
    slots_port = LEAST_PORT + 2 * (os.getpid() % PAIRS)
    several = replace(home, settings=home.settings.model_copy(update={"slots_port": slots_port}), children={})
    pids = await started(several)
    callers = [Caller(home.http, f"http://{HOST}:{slots_port + slot}") for slot in range(2)]
    officer = await home.officer(DEPARTMENT_ABROAD)
    await officer.call("DELETE", "/desk/v1/sessions/current")
    shown = [await metric(each, "http_requests_total", door="/desk/v1/sessions") for each in callers]
    assert sorted(shown) == [0, 1]
    assert [(await each.get("/ready")).status for each in callers] == [200, 200]
    assert [(await each.get("/api/v1/bundles")).status for each in callers] == [404, 404]
    wanted = {f"{os.uname().nodename}-serve-{home.settings.port}-{slot}.json" for slot in range(2)}

    async def are_there() -> bool:
        return wanted <= {each.name for each in home.settings.data_folder.glob("ends-heads/*/*/*.json")}

    await until(are_there)
    several.children["serve"].process.send_signal(signal.SIGHUP)
    await until(partial(has_told, several, "restart.finished"), seconds=60)
    assert await are_gone(pids)
    assert [await metric(each, "http_requests_total", door="/desk/v1/sessions") for each in callers] == [0, 0]
    assert await several.stop("serve") == 0


async def metric(anyone: Caller, name: str, **labels: str) -> float:
    """What a process counts under this name with at least these labels."""
    families = text_string_to_metric_families((await anyone.get("/metrics")).body.decode())
    samples = [each for family in families for each in family.samples if each.name == name]
    return sum(each.value for each in samples if labels.items() <= each.labels.items())
