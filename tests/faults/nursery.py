"""A process that has loaded the program once, and forks off `serve` and `work`: what is killed is back in a moment.

Each line of its input asks for a process; each line of its output tells that one has started or ended.
"""

import asyncio
import ctypes
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType

from server import cli
from server.demo.processes import ROOT, Child
from server.tools.children import PR_SET_PDEATHSIG, child_command


class Forked:
    """A process of the nursery; it is asked and waited for like any other child."""

    def __init__(self, pid: int, code: "asyncio.Future[int]") -> None:
        self.pid = pid
        self._code = code

    @property
    def returncode(self) -> int | None:
        """The exit code, negative after a signal; None while it runs."""
        return self._code.result() if self._code.done() else None

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        return await asyncio.shield(self._code)


class Nursery:
    """The running nursery, as the tests see it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._started: asyncio.Queue[int] = asyncio.Queue()
        self._codes: dict[int, asyncio.Future[int]] = {}
        self._asking = asyncio.Lock()

    async def start(self, name: str, *, log: Path, environ: Mapping[str, str]) -> Child:
        """Fork off the command of this name."""
        async with self._asking:
            asked = {"command": name, "log": str(log), "environ": dict(environ)}
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            pid = await self._started.get()
        return Child(name, Forked(pid, self._codes[pid]), log)

    async def listen(self) -> None:
        """Take down who has started and who has ended; it ends with the nursery."""
        async for line in self._process.stdout:
            told = json.loads(line)
            if "code" in told:
                self._codes[told["pid"]].set_result(told["code"])
            else:
                self._codes[told["pid"]] = asyncio.get_running_loop().create_future()
                self._started.put_nowait(told["pid"])


@asynccontextmanager
async def nursery(log: Path, environ: Mapping[str, str]) -> AsyncIterator[Nursery]:
    """A nursery that ends with the block, and all its children with it."""
    command = child_command([sys.executable, "-m", "tests.faults.nursery"])
    with log.open("ab") as err:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=err, env={**os.environ, **environ}, cwd=ROOT
        )
    running = Nursery(process)
    listening = asyncio.create_task(running.listen())
    try:
        yield running
    finally:
        process.stdin.close()
        await process.wait()
        await listening


def main() -> None:
    """Fork a child for each line of the input, until that ends."""
    signal.signal(signal.SIGCHLD, _reap)
    for line in sys.stdin:
        asked = json.loads(line)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        if (pid := os.fork()) == 0:
            os._exit(_grow_up(**asked))
        _tell(pid=pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])


def _reap(_number: int, _frame: FrameType | None) -> None:
    try:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            _tell(pid=ended[0], code=os.waitstatus_to_exitcode(ended[1]))
    except ChildProcessError:
        return


def _tell(**what: int) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def _grow_up(command: str, log: str, environ: Mapping[str, str]) -> int:
    """Be the process that was asked for; its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ.update(environ)
    return cli.run([command])


if __name__ == "__main__":
    main()
