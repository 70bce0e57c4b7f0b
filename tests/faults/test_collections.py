"""Garbage collections: what a process has loaded for its whole life is not looked through again and again."""

import signal
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from server.demo.processes import Child, start
from tests.faults.provinces import provinces
from tests.nodes import until

USUAL = 700  # new objects until CPython collects, as long as nobody says otherwise
# The product with one addition: at this signal it tells how many items of the catalogue the collector would look at,
# and how many new objects it waits for.
TELLING = """
import gc, signal, sys
from server.cli import run
from server.domain.catalogue.items import Item

def tell(*_):
    items = sum(isinstance(each, Item) for each in gc.get_objects())
    print("collector", items, gc.get_threshold()[0], flush=True)

signal.signal(signal.SIGUSR1, tell)
sys.exit(run(sys.argv[1:]))
"""


async def telling(name: str, *, log: Path, environ: Mapping[str, str], more: Mapping[str, str]) -> Child:
    """Start `python -m server NAME` so that it tells."""
    return await start(name, [sys.executable, "-c", TELLING, name], log=log, environ={**environ, **more})


def told(log: Path) -> list[int]:
    """What it told; empty as long as it has not."""
    lines = [line.split() for line in log.read_text().splitlines() if line.startswith("collector ")]
    return [int(word) for word in lines[0][1:]] if lines else []


async def has_told(log: Path) -> bool:
    """Whether it has told."""
    return bool(told(log))


@pytest.mark.soak
@pytest.mark.parametrize("process", ["serve", "work"])
async def test_a_process_collects_seldom_and_never_looks_through_its_catalogue(
    tmp_path: Path, compiled: Mapping[str, str], database_uri: str, database_name: str, process: str
):
    launch = partial(telling, more=compiled)
    async with provinces(tmp_path, database_uri, launch=launch, database=database_name) as (home, _):
        await home.start(process)
        home.children[process].process.send_signal(signal.SIGUSR1)
        await until(partial(has_told, home.log(process)), seconds=60)
        items, threshold = told(home.log(process))
        assert items == 0
        assert threshold > 10 * USUAL
        assert await home.stop(process) == 0
