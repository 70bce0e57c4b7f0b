"""A demo for load tests starts again what is killed, and nothing that ended by itself."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from server.demo import processes
from server.demo.processes import Child, ChildFailed
from server.demo.provinces import Demo, Province
from server.demo.reviving import revive_killed

SLEEPER, ENDER = "import time; time.sleep(60)", "raise SystemExit(0)"


class PretendedProvince(Province):
    """A province whose processes are small programs."""

    async def process(self, what: str) -> Child:
        command = [sys.executable, "-I", "-S", "-c", self.environ[what]]
        return await processes.start(f"{self.division} {what}", command, log=self.logs / "log")


def province(folder: Path, programs: Mapping[str, str]) -> Province:
    return PretendedProvince("320000", "江苏省", "", "", officers=(), environ=programs, logs=folder)


async def test_what_is_killed_is_started_again_in_its_place(tmp_path: Path) -> None:
    home = province(tmp_path, {"serve": SLEEPER, "work": SLEEPER})
    async with processes.children() as running:
        running += [await home.process("serve"), await home.process("work")]
        reviving = asyncio.create_task(revive_killed(Demo((home,), "", "", (), running)))
        first, other = running
        first.kill()
        async with asyncio.timeout(20):
            while running[0] is first:
                await asyncio.sleep(0.02)
        reviving.cancel()
        assert running[0].name == "320000 serve"
        assert running[0].process.returncode is None
        assert running[1] is other


async def test_what_ends_by_itself_ends_the_demo(tmp_path: Path) -> None:
    home = province(tmp_path, {"serve": SLEEPER, "work": ENDER})
    async with processes.children() as running:
        running += [await home.process("serve"), await home.process("work")]
        with pytest.raises(ChildFailed, match="`320000 work` ended by itself"):
            await revive_killed(Demo((home,), "", "", (), running))
