"""The faults of a demo: what is done, that it is undone, and how the timeline tells both."""

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from server.demo import faults
from server.demo.faults import DemoFault, Injury, wired
from server.demo.folder import new_plan
from server.demo.ports import HOST, reserved
from server.demo.processes import Child, children, ready, start
from server.demo.provinces import Demo, Province
from server.demo.proxy import Mode, Proxy, proxied
from server.demo.story import Row

SERVER = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Ready(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""


class Peer(Province):
    """A province whose processes only say that they are ready."""

    async def process(self, what: str) -> Child:
        url = self.base_url if what == "serve" else self.work_url
        command = [sys.executable, "-c", SERVER, url.rpartition(":")[2]]
        return await start(f"{self.division} {what}", command, log=self.logs / "log")


@asynccontextmanager
async def demo_of(folder: Path) -> AsyncIterator[tuple[Demo, Proxy]]:
    """Two provinces of which the second runs, and the wire to it."""
    with reserved() as port, reserved() as work_port:
        urls = [f"http://{HOST}:{each}" for each in (port, work_port)]
        both = [Peer(code, f"节点{code}", *urls, (), {}, folder) for code in ("320000", "330000")]
        async with proxied(port) as wire, children() as running:
            running += [await both[1].process("serve"), await both[1].process("work")]
            for child, url in zip(running, urls, strict=True):
                await ready(child, url)
            yield Demo(tuple(both), "", "", (), running), wire


def row(step: str, act: str) -> Row:
    """Something that happened just now, which is told like what is done to the wire."""
    return Row("2026-11-24T01:45:27.144+08:00", "330000", "节点", step, step, act, act, "", "卫健")


async def story(injury: Injury) -> AsyncGenerator[Row | str, None]:
    """A case that arrives at the other province when the fault is mended."""
    yield row("birth_certificate", "accept")
    while not injury.is_mended:
        await asyncio.sleep(0.01)
    yield row("household_registration", "receive")


@pytest.mark.parametrize("fault", DemoFault)
async def test_a_fault_begins_before_the_case_leaves_and_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: DemoFault
) -> None:
    monkeypatch.setattr(faults, "FAULT_SECONDS", 0.3)
    async with demo_of(tmp_path) as (demo, wire):
        before = [child.process.pid for child in demo.running]
        injury, told, modes, alive = Injury(fault, demo, [wire]), [], [], []
        async for part in injury.among(story(injury)):
            told.append(part.act if isinstance(part, Row) else part)
            modes.append(wire.mode)
            alive.append([child.process.returncode is None for child in demo.running])
        assert [each for each in told if " " not in each] == ["accept", fault, "mend", "receive"]
        assert told[-2].endswith("by itself.")
        during = told.index(fault)
        assert modes[during] is {DemoFault.CUT: Mode.CUT, DemoFault.SLOW: Mode.SLOW, DemoFault.KILL: Mode.OPEN}[fault]
        assert alive[during] == [fault is not DemoFault.KILL] * 2
        assert (modes[-1], alive[-1]) == (Mode.OPEN, [True, True])
        assert (before != [child.process.pid for child in demo.running]) is (fault is DemoFault.KILL)
        async with aiohttp.ClientSession() as http, http.get(f"http://{HOST}:{wire.port}/ready") as answer:
            assert answer.status == 200


async def test_with_a_fault_other_provinces_reach_a_node_only_through_its_wire() -> None:
    plan = new_plan({"320000": [], "330000": []}, ports=[1, 2, 3, 4, 5])
    async with wired(plan) as (changed, wires):
        assert [node.wire_port for node in changed.nodes] == [wire.port for wire in wires]
        assert [node.port for node in changed.nodes] == [node.port for node in plan.nodes]
