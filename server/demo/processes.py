"""Child processes of a demo: started with their own log, stopped in order, and gone when the parent is."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from server.tools.children import child_command

READY_SECONDS = 30.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.05


class ChildFailed(RuntimeError):
    """A child process ended by itself, or did not become ready."""


@dataclass
class Child:
    """A running child process: its name, its process, and the file that it logs to."""

    name: str
    process: Process
    log: Path

    def kill(self) -> None:
        """End it at once, as a crash would (SIGKILL)."""
        self.process.send_signal(signal.SIGKILL)


async def start(name: str, command: Sequence[str], *, log: Path, environ: Mapping[str, str] | None = None) -> Child:
    """Start a child whose output goes to `log`; it gets this process's environment and what `environ` adds."""
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            *child_command(command), stdout=out, stderr=out, env={**os.environ, **(environ or {})}, process_group=0
        )
    return Child(name, process, log)


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
            raise ChildFailed(f"{child.name} did not become ready; its log is {child.log}") from None
    raise ChildFailed(f"{child.name} ended before it was ready; its log is {child.log}")


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
