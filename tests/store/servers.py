"""A database server of one test's own, which that test may stop, kill and start again."""

import asyncio
import signal
import socket
from asyncio.subprocess import DEVNULL, Process
from pathlib import Path
from typing import Self

from server.demo.database import HOST, server_command
from server.tools.children import child_command


class OwnServer:
    """One folder and one port for its whole life; the port stays reserved while the server is down."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: Process | None = None
        self._holder = socket.socket()
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._holder.bind((HOST, 0))
        self.port: int = self._holder.getsockname()[1]
        self.uri = f"mongodb://{HOST}:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()
        self._holder.close()

    async def start(self) -> None:
        command = child_command(server_command(self._folder, self.port))
        self._process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL)
        while self._process.returncode is None:
            if await answers(self.port):
                return
            await asyncio.sleep(0.02)
        raise AssertionError("the server ended at its start")

    def stop_answering(self) -> None:
        """The server keeps its connections and does nothing."""
        if self._process:
            self._process.send_signal(signal.SIGSTOP)

    def answer_again(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        if self._process:
            self._process.kill()
            await self._process.wait()
            self._process = None


async def answers(port: int) -> bool:
    """Whether somebody takes connections at this port."""
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except ConnectionRefusedError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
