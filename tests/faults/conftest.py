"""What the tests with real processes share."""

import fcntl
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from server.demo.processes import ROOT
from tests.faults.nursery import Nursery, nursery


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment in which processes start quickly: where nothing compiled may be kept, a folder that may.

    The workers of a test run share it, and the first compiles.
    """
    if not sys.dont_write_bytecode:
        return {}
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-") else base) / "compiled"
    folder.mkdir(exist_ok=True)
    environ = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder)}
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run([sys.executable, "-c", "import server.cli"], check=True, env=environ, cwd=ROOT)
    return environ


@pytest.fixture
async def forks(tmp_path: Path, compiled: Mapping[str, str]) -> AsyncIterator[Nursery]:
    """Where the processes of a test come from."""
    async with nursery(tmp_path / "nursery.log", compiled) as running:
        yield running
