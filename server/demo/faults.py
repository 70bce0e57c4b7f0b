"""Faults of a demo: what is done to the wire or to the other province while the case is under way, and undone."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum

from server.demo.folder import DemoPlan
from server.demo.plots import PLOTS, Plot
from server.demo.processes import ready, together
from server.demo.provinces import Demo, Province
from server.demo.proxy import Mode, Proxy, proxied
from server.demo.story import Row

FAULT_SECONDS = 4.0
SLOW_SECONDS = 1.5
PROCESSES = ("serve", "work")
BY = "demo"
CHINA = timezone(timedelta(hours=8))


class DemoFault(StrEnum):
    """What may be done, by its name on the command line."""

    CUT = "cut"
    SLOW = "slow"
    KILL = "kill"


@dataclass(frozen=True)
class Words:
    """How a fault is told: a sentence, and what the timeline calls its beginning and its end."""

    sentence: str
    begins: str
    ends: str


WORDS = {
    DemoFault.CUT: Words(
        f"The wire between the provinces is cut for {FAULT_SECONDS:.0f} seconds.", "线路中断", "线路恢复"
    ),
    DemoFault.SLOW: Words(
        f"For {FAULT_SECONDS:.0f} seconds each answer takes {SLOW_SECONDS} seconds on the wire.", "线路变慢", "线路恢复"
    ),
    DemoFault.KILL: Words(
        f"The processes of the other province are killed (SIGKILL), and start again {FAULT_SECONDS:.0f} seconds later.",
        "进程中断",
        "进程恢复",
    ),
}


@asynccontextmanager
async def wired(plan: DemoPlan) -> AsyncIterator[tuple[DemoPlan, tuple[Proxy, ...]]]:
    """The plan in which the provinces reach each other only through proxies, and these."""
    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(proxied(node.port)) for node in plan.nodes]
        pairs = zip(plan.nodes, wires, strict=True)
        nodes = tuple(node.model_copy(update={"wire_port": wire.port}) for node, wire in pairs)
        yield plan.model_copy(update={"nodes": nodes}), tuple(wires)


class Injury:
    """One fault of a demo: it begins before the case leaves home, and is mended after a while."""

    def __init__(self, fault: DemoFault, demo: Demo, wires: Sequence[Proxy], *, plot: Plot = PLOTS["newborn"]) -> None:
        self._fault = fault
        self._plot = plot
        self._words = WORDS[fault]
        self._wires = wires
        self._running = demo.running
        self._peer: Province = demo.provinces[1]
        self._mended: Row | None = None
        self._is_told = False

    @property
    def is_mended(self) -> bool:
        """Whether all is whole again."""
        return self._mended is not None

    async def among(self, story: AsyncGenerator[Row | str, None]) -> AsyncGenerator[Row | str, None]:
        """The story with the fault in it: a row where it begins, one where it ends, and how soon the case went on."""
        mending: asyncio.Task[None] | None = None
        try:
            async for part in story:
                for more in self._meanwhile(part):
                    yield more
                yield part
                if isinstance(part, Row) and (part.step, part.act) == self._plot.last_at_home:
                    yield self._words.sentence
                    await self._begin()
                    yield self._row(self._fault, self._words.begins)
                    mending = asyncio.create_task(self._mend())
            if mending:
                await mending
            for more in self._meanwhile(None):
                yield more
        finally:
            if mending:
                mending.cancel()
            await story.aclose()

    def _meanwhile(self, part: Row | str | None) -> list[Row | str]:
        """What is to be told before this part of the story: that the fault is mended, and that the case goes on."""
        told: list[Row | str] = []
        if self._mended and not self._is_told:
            self._is_told = True
            told.append(self._mended)
            if isinstance(part, Row) and (part.step, part.act) == (self._plot.abroad, "receive"):
                span = datetime.fromisoformat(part.at) - datetime.fromisoformat(self._mended.at)
                told.append(f"{self._peer.name} has the step {span.total_seconds():.1f} seconds later, by itself.")
        return told

    async def _begin(self) -> None:
        if self._fault is DemoFault.KILL:
            for place in self._places():
                self._running[place].kill()
                await self._running[place].process.wait()
            return
        mode = Mode.CUT if self._fault is DemoFault.CUT else Mode.SLOW
        for wire in self._wires:
            await wire.switch(mode, seconds=SLOW_SECONDS)

    async def _mend(self) -> None:
        """Undo it after a while."""
        await asyncio.sleep(FAULT_SECONDS)
        if self._fault is DemoFault.KILL:
            await self._start_again()
        for wire in self._wires:
            await wire.switch(Mode.OPEN)
        self._mended = self._row("mend", self._words.ends)

    async def _start_again(self) -> None:
        children = [await self._peer.process(what) for what in PROCESSES]
        for place, child in zip(self._places(), children, strict=True):
            self._running[place] = child
        urls = (self._peer.base_url, self._peer.work_url)
        await together(*(ready(child, url + "/ready") for child, url in zip(children, urls, strict=True)))

    def _places(self) -> list[int]:
        """Where the processes of the other province stand among those that run, in the order of PROCESSES."""
        names = [child.name for child in self._running]
        return [names.index(f"{self._peer.division} {what}") for what in PROCESSES]

    def _row(self, act: str, act_name: str) -> Row:
        return Row(
            at=datetime.now(CHINA).isoformat(timespec="milliseconds"),
            node=self._peer.division,
            node_name=self._peer.name,
            step=None,
            step_name=None,
            act=act,
            act_name=act_name,
            state="",
            by=BY,
        )
