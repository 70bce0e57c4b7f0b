"""`serve` and `work` whose stderr cannot be written: they start, do their work, and stop in order."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from server.demo.processes import Child, start
from tests.faults.provinces import HOST, provinces
from tests.nodes import Caller, until


@pytest.mark.soak
@pytest.mark.parametrize("stderr", ["2>/dev/full", "<&- >&- 2>&-"], ids=["full", "closed"])
async def test_a_log_that_cannot_be_written_ends_no_loop_and_no_process(
    tmp_path: Path, compiled: Mapping[str, str], database_uri: str, database_name: str, stderr: str
):
    async def mute(name: str, *, log: Path, environ: Mapping[str, str]) -> Child:
        arguments = ["sh", "-c", f'exec "$@" {stderr}', "sh", sys.executable, "-m", "server", name]
        return await start(name, arguments, log=log, environ={**environ, **compiled})

    async with provinces(tmp_path, database_uri, launch=mute, database=database_name) as (home, _):
        await home.start("serve", "work")
        ports = home.settings.port, home.settings.work_port
        both = [Caller(home.http, f"http://{HOST}:{port}") for port in ports]
        before = await asyncio.gather(*map(figures, both))
        home.settings.directory_file.write_text("unusable")  # each round of the loop logs a warning from now on

        async def has_gone_on() -> bool:
            now = await asyncio.gather(*map(figures, both))
            return all(late[each] > soon[each] for soon, late in zip(before, now, strict=True) for each in soon)

        await until(has_gone_on, seconds=60)
        assert [(await anyone.get("/ready")).status for anyone in both] == [200, 200]
        assert [await home.stop(command) for command in ("serve", "work")] == [0, 0]
        assert home.log("serve").read_text() == home.log("work").read_text() == ""


async def figures(anyone: Caller) -> dict[str, float]:
    """How many lines of the log were lost, and when the loop of the directory last succeeded."""
    families = text_string_to_metric_families((await anyone.get("/metrics")).body.decode())
    values = {(each.name, each.labels.get("loop")): each.value for family in families for each in family.samples}
    return {
        "lost": values["log_lines_lost_total", None],
        "last": values["loop_last_success_timestamp_seconds", "directory"],
    }
