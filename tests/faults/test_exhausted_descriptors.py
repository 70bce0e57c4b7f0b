"""A process that may open no more files goes on, writes about it within bounds, and says how much it left out."""

import asyncio
import json
import resource
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.faults.nursery import Nursery
from tests.faults.provinces import HOST, Province, provinces
from tests.nodes import Caller, until

CROWD = 40
FLOOD_SECONDS = 3.0
MOST_LINES, MOST_BYTES = 150, 500_000  # of one message in two windows, with a traceback each


@pytest.mark.soak
async def test_a_server_without_descriptors_writes_a_bounded_log_and_recovers(
    tmp_path: Path, forks: Nursery, database_uri: str, database_name: str
):
    async with provinces(tmp_path, database_uri, launch=forks.start, database=database_name) as (home, _):
        await home.start("serve")
        anyone = Caller(home.http, f"http://{HOST}:{home.settings.port}")
        before = home.log("serve").stat().st_size
        pid = home.children["serve"].process.pid
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_files(pid), limits[1]))
        callers = [await asyncio.open_connection(HOST, home.settings.port) for _ in range(CROWD)]
        await asyncio.sleep(FLOOD_SECONDS)
        for _, writer in callers:
            writer.close()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        assert (await anyone.get("/ready")).status == 200
        assert home.log("serve").stat().st_size - before < MOST_BYTES
        told = Counter(line["event"].partition(" ")[0] for line in lines(home))
        assert 0 < told["Exception"] <= MOST_LINES
        suppressed = await until(lambda: left_out(home))
        assert suppressed["message"].startswith("asyncio: Exception in callback")
        assert suppressed["message"].endswith("(OSError)")
        assert suppressed["lines"] > MOST_LINES
        assert await home.stop("serve") == 0


def open_files(pid: int) -> int:
    """How many files a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def lines(province: Province) -> list[dict[str, Any]]:
    """What `serve` has logged."""
    return [json.loads(line) for line in province.log("serve").read_text().splitlines()]


async def left_out(province: Province) -> dict[str, Any] | None:
    """The line that tells of the flood, once it is there."""
    return next((line for line in lines(province) if line["event"] == "log.suppressed"), None)
