"""Child processes of a demo: started with their own log, stopped in order, and gone when the parent is."""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from server.tools.children import child_command

ROOT = Path(__file__).parents[2]
SETTINGS_PREFIX = "TONGBAN_"
READY_SECONDS = 180.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.05
TAIL_BYTES = 4096


@dataclass
class Child:
    """A running child process: its name, its process, and the file that it logs to."""

    name: str
    process: Process
    log: Path

    def kill(self) -> None:
        """End it at once, as a crash would (SIGKILL)."""
        self.process.send_signal(signal.SIGKILL)


class ChildFailed(RuntimeError):
    """A child process failed, ended by itself, or did not become ready; `output` is what it printed, if known."""

    def __init__(self, child: Child, what: str, *, output: bytes = b"") -> None:
        last = _last_line(child.log)
        super().__init__(f"`{child.name}` {what}{': ' if last else '.'}{last}")
        self.output = output


async def start(name: str, command: Sequence[str], *, log: Path, environ: Mapping[str, str] | None = None) -> Child:
    """Start a child in the project's folder, its output going to `log`.

    Of this process's environment it gets all but the settings of a node: those are in `environ` only.
    """
    with log.open("ab") as out:
        return Child(name, await _spawn(command, environ, stdout=out, stderr=out), log)


async def output_of(
    name: str, command: Sequence[str], *, log: Path, environ: Mapping[str, str] | None = None, given: bytes = b""
) -> bytes:
    """What a command prints that is started like a child, given this on its input, and ends by itself.

    Raises ChildFailed if its exit code is not 0.
    """
    with log.open("ab") as err:
        child = Child(name, await _spawn(command, environ, stdin=PIPE, stdout=PIPE, stderr=err), log)
    try:
        output, _ = await child.process.communicate(given)
    finally:
        await stop(child)
    if child.process.returncode:
        raise ChildFailed(child, "failed", output=output)
    return output


async def stop(child: Child) -> int:
    """Ask the child to end (SIGTERM), kill it if it does not; answers its exit code."""
    if child.process.returncode is None:
        child.process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await child.process.wait()
        except TimeoutError:
            child.kill()
    return await child.process.wait()


async def ready(child: Child, url: str) -> None:
    """Wait until the child answers 200 at this address; raises ChildFailed."""
    async with aiohttp.ClientSession() as http:
        try:
            async with asyncio.timeout(READY_SECONDS):
                while child.process.returncode is None:
                    if await _answers(http, url):
                        return
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise ChildFailed(child, f"was not ready after {READY_SECONDS:.0f} seconds") from None
    raise ChildFailed(child, "ended before it was ready")


@asynccontextmanager
async def children() -> AsyncIterator[list[Child]]:
    """A list for children; those that were put there are stopped at the end, all at the same time."""
    running: list[Child] = []
    try:
        yield running
    finally:
        await together(*(stop(child) for child in running))


async def together(*works: Coroutine[Any, Any, Any]) -> list[Any]:
    """What these answer, done at the same time; the first failure ends the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


async def first_to_end(running: Sequence[Child]) -> None:
    """Wait until one of the children has ended, which none should; raises ChildFailed."""
    waits = {asyncio.create_task(child.process.wait()): child for child in running}
    try:
        ended, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    child = waits[ended.pop()]
    raise ChildFailed(child, "ended by itself")


async def _spawn(command: Sequence[str], environ: Mapping[str, str] | None, **streams: Any) -> Process:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS_PREFIX)}
    return await asyncio.create_subprocess_exec(
        *child_command(command), **streams, env={**ours, **(environ or {})}, cwd=ROOT, process_group=0
    )


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


def _last_line(log: Path) -> str:
    """The last line of a log, which says why a process ended."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        lines = file.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
