"""A database server that tests end, hold and start again, while others use it."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from server.demo.database import server_command
from server.demo.processes import Child, start, stop
from tests.faults.provinces import HOST
from tests.nodes import reserved_port, until


class Database:
    """A database server of the test's own, on one folder and one port through all its lives."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        self._child: Child | None = None

    async def start(self) -> None:
        """Start it, and wait until it takes connections."""
        line = server_command(self._folder, self._port)
        self._child = await start("database", line, log=self._folder / "database-child.log")
        await until(self._answers, seconds=60)

    async def kill(self) -> None:
        """End it as a crash does."""
        self._child.kill()
        await self._child.process.wait()

    def hold(self) -> None:
        """Let it stand still, as a machine does that swaps or loses its disk for a while; nobody is told."""
        self._child.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on with all that has come meanwhile."""
        self._child.process.send_signal(signal.SIGCONT)

    async def stop(self) -> None:
        """End it in order."""
        await stop(self._child)

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(HOST, self._port)
        except ConnectionRefusedError:
            return False
        writer.close()
        await writer.wait_closed()
        return True


@asynccontextmanager
async def own_database(folder: Path) -> AsyncIterator[tuple[Database, str]]:
    """A database that runs, and its URI."""
    with reserved_port() as port:
        database = Database(folder, port)
        await database.start()
        try:
            yield database, f"mongodb://{HOST}:{port}"
        finally:
            await database.stop()
