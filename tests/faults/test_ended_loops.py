"""A process without one of its loops is half a process: it ends, so that its supervisor starts it anew."""

import json
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from server.demo.processes import Child, start
from tests.faults.provinces import HOST, Province, provinces
from tests.nodes import Caller, until

LOOPS = {"serve": "directory", "work": "settle"}


@pytest.mark.soak  # each starts processes and waits for them to end
@pytest.mark.parametrize("command", ["serve", "work"])
async def test_a_process_whose_loop_ends_by_itself_ends_with_an_exit_code_and_says_which(
    tmp_path: Path, compiled: Mapping[str, str], database_uri: str, database_name: str, command: str
):
    async def unlucky(name: str, *, log: Path, environ: Mapping[str, str]) -> Child:
        arguments = [sys.executable, "-m", "tests.faults.unlucky", name, LOOPS[name]]
        return await start(name, arguments, log=log, environ={**environ, **compiled})

    async with provinces(tmp_path, database_uri, launch=unlucky, database=database_name) as (home, _):
        await home.start(command)
        port = home.settings.port if command == "serve" else home.settings.work_port
        anyone = Caller(home.http, f"http://{HOST}:{port}")
        await until(lambda: has_succeeded(anyone, LOOPS[command]))
        child = home.children.pop(command)
        child.process.send_signal(signal.SIGUSR1)
        assert await child.process.wait() == 1
        assert ("loop.ended", LOOPS[command]) in said(home, command)
        assert home.log(command).read_text().splitlines()[-1] == (
            f"tongban: the loop '{LOOPS[command]}' ended by itself; the log says why"
        )


async def has_succeeded(anyone: Caller, loop: str) -> bool:
    """Whether this loop has told of a success."""
    families = text_string_to_metric_families((await anyone.get("/metrics")).body.decode())
    samples = [sample for family in families for sample in family.samples if sample.labels.get("loop") == loop]
    values = {sample.name: sample.value for sample in samples}
    return values["loop_last_success_timestamp_seconds"] > 0 and values["loop_failures_total"] == 0


def said(province: Province, command: str) -> list[tuple[str, str]]:
    """What the lines of its log are about, and which loop they name."""
    lines = [line for line in province.log(command).read_text().splitlines() if line.startswith("{")]
    return [(each["event"], each.get("loop", "")) for each in map(json.loads, lines)]
