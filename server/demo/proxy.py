"""A TCP proxy before one port, whose wire can be cut, slowed, left half open or reset while it runs."""

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

from server.demo.ports import HOST, reserved

CHUNK_BYTES = 65_536
NO_LINGER = struct.pack("ii", 1, 0)  # a close that sends RST


class Mode(StrEnum):
    """What the wire does to connections."""

    OPEN = "open"
    """Everything goes through."""
    CUT = "cut"
    """Connections are refused, and those that were there are broken."""
    SLOW = "slow"
    """An answer comes through only after so many seconds."""
    HALF_OPEN = "half_open"
    """Connections are taken, and nothing comes through in either direction."""
    RESET_REQUEST = "reset_request"
    """A connection is reset (RST, both sides) after so many bytes of what the caller sends."""
    RESET_ANSWER = "reset_answer"
    """A connection is reset (RST, both sides) after so many bytes of what the server answers."""


class Proxy:
    """Takes connections at `port` and passes them to `target_port`; use `proxied`, which starts and ends it."""

    def __init__(self, port: int, target_port: int) -> None:
        self.port = port
        self.mode = Mode.OPEN
        self.seconds = 0.0
        self.after_bytes = 0
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._lines: dict[asyncio.Task[None], _Line] = {}

    async def switch(self, mode: Mode, *, seconds: float = 0.0, after_bytes: int = 0) -> None:
        """Change what the wire does; `seconds` is for SLOW, `after_bytes` counts from now and is for the resets.

        Connections that lost bytes while the wire was half open are broken by the next change.
        """
        self.mode, self.seconds, self.after_bytes = mode, seconds, after_bytes
        if mode is Mode.CUT:
            self._stop_listening()
        elif self._server is None:
            self._server = await asyncio.start_server(self._take, HOST, self.port)
        for line in self._lines.values():
            line.passed = {True: 0, False: 0}
            if mode is Mode.CUT or line.has_lost:
                line.reset()

    async def close(self) -> None:
        """Take no more connections, and break those that are there."""
        self._stop_listening()
        tasks = tuple(self._lines)
        for task, line in self._lines.items():
            line.reset()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _stop_listening(self) -> None:
        server, self._server = self._server, None
        if server:
            server.close()

    def _take(self, reader: StreamReader, writer: StreamWriter) -> None:
        line = _Line(self, reader, writer)
        task = asyncio.get_running_loop().create_task(line.run(self._target_port))
        self._lines[task] = line
        task.add_done_callback(self._lines.pop)


class _Line:
    """One connection of a caller, and the one to the server that belongs to it."""

    def __init__(self, proxy: Proxy, reader: StreamReader, writer: StreamWriter) -> None:
        self._proxy = proxy
        self._reader = reader
        self._writers = [writer]
        self._is_asked = False
        self.passed = {True: 0, False: 0}  # bytes of answers (True) and of requests
        self.has_lost = False

    async def run(self, target_port: int) -> None:
        """Pass on what comes from both sides, until both have ended or one breaks."""
        caller = self._writers[0]
        try:
            answers, server = await asyncio.open_connection(HOST, target_port)
            self._writers.append(server)
            await asyncio.gather(
                self._pass(self._reader, server, is_answer=False), self._pass(answers, caller, is_answer=True)
            )
        except OSError:
            self.reset()
        finally:
            for writer in self._writers:
                writer.close()

    def reset(self) -> None:
        """Break it on both sides."""
        for writer in self._writers:
            if not writer.transport.is_closing():
                line: socket.socket = writer.get_extra_info("socket")
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
                writer.transport.abort()

    async def _pass(self, reader: StreamReader, writer: StreamWriter, *, is_answer: bool) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if is_answer and self._is_asked and self._proxy.mode is Mode.SLOW:
                await asyncio.sleep(self._proxy.seconds)
            self._is_asked = not is_answer
            if self._proxy.mode is Mode.HALF_OPEN:
                self.has_lost = True
                continue
            chunk, is_over = self._cut_off(chunk, is_answer=is_answer)
            writer.write(chunk)
            await writer.drain()
            if is_over:
                self.reset()
        if writer.can_write_eof() and not writer.transport.is_closing():
            writer.write_eof()
        else:
            self.reset()

    def _cut_off(self, chunk: bytes, *, is_answer: bool) -> tuple[bytes, bool]:
        """What of it still goes through, and whether the connection ends there."""
        if self._proxy.mode is not (Mode.RESET_ANSWER if is_answer else Mode.RESET_REQUEST):
            return chunk, False
        left = max(0, self._proxy.after_bytes - self.passed[is_answer])
        self.passed[is_answer] += len(chunk)
        return (chunk, False) if len(chunk) < left else (chunk[:left], True)


@asynccontextmanager
async def proxied(target_port: int) -> AsyncIterator[Proxy]:
    """A proxy before this port of this machine, open at first; it ends with the block."""
    with reserved() as port:  # held all the time: while the wire is cut nobody else is given it
        proxy = Proxy(port, target_port)
        await proxy.switch(Mode.OPEN)
        try:
            yield proxy
        finally:
            await proxy.close()
