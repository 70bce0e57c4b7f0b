"""The supervisor of `serve --processes N`: binds the sockets, keeps a process at each, and never serves itself.

A slot is one place in the group of sockets that share the port, and the process that serves there. Its sockets stay
bound as long as the supervisor lives, so a process that is replaced leaves them to its successor, which listens before
it is told to stop: no connection is reset, neither those that were taken nor those that wait. Of a slot whose process
died no socket listens, until the next one does: the kernel then gives all connections to the others.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import SystemRandom

from server.tools.children import child_command
from server.tools.inheritance import READY, Inheritance
from server.tools.logs import log
from server.tools.ports import alone, bound
from server.tools.restarts import Restarts
from server.tools.settings import PREFIX, Settings

READY_SECONDS = 180.0
LATE_SECONDS = 5.0  # how much longer than `drain_seconds` a process may take to end
FAILED = 1
OF_SIGNALS = 128  # what a shell adds to the number of the signal that a process died of
COMMAND = (sys.executable, "-m", "server", "serve")


class NotStarted(RuntimeError):
    """The first process ended before it was ready, so none can start; `code` is its exit code, as a shell tells it."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the first process ended before it was ready (exit code {code}); it said above why")
        self.code = code if code > 0 else OF_SIGNALS - code


@dataclass(frozen=True)
class _Served:
    """A process that serves, when it was ready by the monotonic clock, and whether another has taken over."""

    process: Process
    ready_at: float
    replaced: asyncio.Event

    async def over(self) -> None:
        """Wait until it has ended, or another has taken over."""
        waits = [asyncio.create_task(each) for each in (self.process.wait(), self.replaced.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()


class _Slot:
    """One slot: sockets, and the process that serves at them, if it is not about to be started again."""

    def __init__(self, number: int, sockets: Sequence[socket.socket], *, flags: Sequence[str], settings: Settings):
        self._number = number
        self._sockets = sockets
        self._command = (*COMMAND, *flags)
        self._end_seconds = settings.drain_seconds + LATE_SECONDS
        at = {
            "HOST": settings.host,
            "PORT": str(sockets[0].getsockname()[1]),
        }  # they stay, whatever the file says later
        self._environ = {**os.environ, **{PREFIX + key: value for key, value in at.items()}}
        self._serves: _Served | None = None
        self._changing = asyncio.Lock()
        self._alive: set[Process] = set()
        self._restarts = Restarts()

    async def begin(self) -> int:
        """Start a process that takes over once it is ready; answers 0, or with which code it ended before that."""
        try:
            process, reading = await self._spawned()
        except OSError as fault:
            log.error("child.failed", slot=self._number, reason=str(fault))
            return FAILED
        log.info("child.started", slot=self._number, pid=process.pid)
        if await _is_ready(reading):
            self._serves = _Served(process, time.monotonic(), asyncio.Event())
            log.info("child.ready", slot=self._number, pid=process.pid)
            return 0
        code = await self._end(process)
        log.error("child.failed", slot=self._number, pid=process.pid, code=code)
        return code or FAILED

    async def keep(self) -> None:
        """Start a process whenever there is none, until it is cancelled."""
        while True:
            served = self._serves
            if served is not None:
                await served.over()
            async with self._changing:
                if served is self._serves:
                    self._lost(served)
            while served is self._serves:
                await asyncio.sleep(self._restarts.pause_seconds(SystemRandom().random()))
                async with self._changing:
                    if served is self._serves and await self.begin():
                        self._restarts = self._restarts.after(0.0)

    async def renew(self) -> bool:
        """Replace the process by a new one; False, and the old one goes on, if the new one does not become ready."""
        async with self._changing:
            before = self._serves
            if await self.begin():
                return False
        if before is not None:
            before.replaced.set()
            code = await self._end(before.process)
            log.info("child.ended", slot=self._number, pid=before.process.pid, code=code)
        return True

    async def end(self) -> None:
        """End all processes of the slot, and let go of its sockets."""
        for each in self._sockets:
            each.close()
        await asyncio.gather(*map(self._end, self._alive))

    def _lost(self, served: _Served | None) -> None:
        """A process ended by itself: let no connection wait here for the next one."""
        if served is None:
            return
        self._alive.discard(served.process)
        up_seconds = time.monotonic() - served.ready_at
        self._restarts = self._restarts.after(up_seconds)
        for each in self._sockets:
            with contextlib.suppress(OSError):  # nobody listened
                each.shutdown(socket.SHUT_RD)
        about = {"pid": served.process.pid, "code": served.process.returncode, "up_seconds": round(up_seconds, 1)}
        log.error("child.ended", slot=self._number, **about)

    async def _spawned(self) -> tuple[Process, int]:
        """A new process, and the end of the pipe by which it says that it is ready."""
        reading, writing = os.pipe()
        inherited = Inheritance(self._number, tuple(each.fileno() for each in self._sockets), writing)
        try:
            process = await asyncio.create_subprocess_exec(
                *child_command([*self._command, "--inherited", str(inherited)]),
                env=self._environ,
                stdin=DEVNULL,
                pass_fds=(*inherited.sockets, writing),
                process_group=0,  # Ctrl-C is for the supervisor
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self._alive.add(process)
        return process, reading

    async def _end(self, process: Process) -> int:
        """Ask it to end (SIGTERM), kill it if it does not; its exit code, negative after a signal."""
        if process.returncode is None:
            _signal(process, signal.SIGTERM)
            try:
                async with asyncio.timeout(self._end_seconds):
                    await process.wait()
            except TimeoutError:
                log.warning("child.killed", slot=self._number, pid=process.pid, after_seconds=self._end_seconds)
                _signal(process, signal.SIGKILL)
        code = await process.wait()
        self._alive.discard(process)
        return code


async def supervise(settings: Settings, processes: int, *, flags: Sequence[str] = ()) -> None:
    """Keep so many processes of `serve` with these flags, until SIGTERM or SIGINT; SIGHUP replaces one after the other.

    Raises PortTaken, and NotStarted.
    """
    stop, renew = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number, told in ((signal.SIGTERM, stop), (signal.SIGINT, stop), (signal.SIGHUP, renew)):
        loop.add_signal_handler(number, told.set)
    with alone(settings.host, settings.port):
        slots = _slots(settings, processes, flags=flags)
        try:
            await _keep_until(stop, slots, renew)
            log.info("supervisor.stopping", processes=processes)
        finally:
            await asyncio.gather(*(slot.end() for slot in slots))


def _slots(settings: Settings, processes: int, *, flags: Sequence[str]) -> list[_Slot]:
    """All slots, at one port."""
    slots, port = list[_Slot](), settings.port
    for number in range(processes):
        sockets = bound(settings.host, port)
        port = sockets[0].getsockname()[1]
        slots.append(_Slot(number, sockets, flags=flags, settings=settings))
    log.info("supervisor.started", port=port, processes=processes)
    return slots


async def _keep_until(stop: asyncio.Event, slots: Sequence[_Slot], renew: asyncio.Event) -> None:
    """Keep a process in each slot until told to stop."""
    stopped, kept = asyncio.create_task(stop.wait()), asyncio.create_task(_keep(slots, renew))
    await asyncio.wait((stopped, kept), return_when=asyncio.FIRST_COMPLETED)
    for each in (stopped, kept):
        each.cancel()
    await asyncio.wait((stopped, kept))
    if not kept.cancelled():
        kept.result()


async def _keep(slots: Sequence[_Slot], renew: asyncio.Event) -> None:
    """Keep a process in each slot until it is cancelled. The first one tells whether any can start."""
    if code := await slots[0].begin():
        raise NotStarted(code)
    async with asyncio.TaskGroup() as group:
        for slot in slots:
            group.create_task(slot.keep())
        group.create_task(_renew(slots, renew))


async def _renew(slots: Sequence[_Slot], told: asyncio.Event) -> None:
    """Replace the processes one after the other whenever told to, until it is cancelled."""
    while True:
        await told.wait()
        told.clear()
        log.info("restart.started")
        for number, slot in enumerate(slots):
            if not await slot.renew():
                log.error("restart.stopped", slot=number, reason="the new process did not become ready; old ones go on")
                break
        else:
            log.info("restart.finished")


async def _is_ready(reading: int) -> bool:
    """Whether the process says so; False if it ends before, or takes too long."""
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, pipe)
        try:
            async with asyncio.timeout(READY_SECONDS):
                return await reader.read(1) == READY
        except TimeoutError:
            return False
        finally:
            transport.close()


def _signal(process: Process, number: signal.Signals) -> None:
    """Send it a signal, past the library: that would look whether it has ended, and then its exit code is lost."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, number)
