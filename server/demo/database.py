"""The database server of a demo: a given one, else `mongod` from PATH, else the embedded one, as a child process.

`mongod` runs as a plain server, not as a replica set of one: nothing in the portable subset needs a replica set,
and there is nothing to initiate. (It could not be installed where this was written: that choice is untried.)
"""

import asyncio
import contextlib
import fcntl
import shutil
import socket
import sys
from asyncio.subprocess import STDOUT, Process
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from server.tools.children import child_command

HOST = "127.0.0.1"
LOCK_FILE = "database.lock"
LOG_FILE = "database.log"
START_SECONDS = 30.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.02


class DataFolderInUse(ValueError):
    """Another process has its database in this folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"The data folder {folder} is in use by another process.")


class DatabaseDidNotStart(RuntimeError):
    """The database server ended, or did not answer in time."""

    def __init__(self, log: Path) -> None:
        super().__init__(f"The database server did not start; its log is {log}.")


@contextlib.asynccontextmanager
async def database_server(folder: Path, uri: str | None) -> AsyncIterator[str]:
    """The URI of a database server: the one given, else that of a server on this folder that ends with the block.

    Raises DataFolderInUse and DatabaseDidNotStart.
    """
    if uri:
        yield uri
        return
    with _locked(folder) as lock:
        async with _running(folder, lock) as port:
            yield f"mongodb://{HOST}:{port}"


def server_command(folder: Path, port: int) -> list[str]:
    """The command that serves the data in this folder at this port; each kind of server has its own subfolder."""
    mongod = shutil.which("mongod")
    data = folder / ("mongod" if mongod else "embedded")
    data.mkdir(parents=True, exist_ok=True)
    if mongod:
        return [mongod, "--dbpath", str(data), "--bind_ip", HOST, "--port", str(port)]
    files = ["--pid-file", str(folder / "database.pid"), "--log-file", str(folder / LOG_FILE)]
    script = Path(sys.executable).with_name("nx-27017")
    return [str(script), "--data-dir", str(data), "--host", HOST, "--port", str(port), *files]


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """The child inherits the lock: it holds until both have ended."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_FILE).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataFolderInUse(folder) from None
        yield file.fileno()


@contextlib.contextmanager
def _reserved_port() -> Iterator[int]:
    """A free port that nobody else is given while the server starts: it may bind it too, as we never listen."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((HOST, 0))
        yield holder.getsockname()[1]


@contextlib.asynccontextmanager
async def _running(folder: Path, lock: int) -> AsyncIterator[int]:
    log = folder / LOG_FILE
    with contextlib.ExitStack() as reserved, log.open("ab") as out:
        port = reserved.enter_context(_reserved_port())
        command = child_command(server_command(folder, port))
        child = await asyncio.create_subprocess_exec(*command, stdout=out, stderr=STDOUT, pass_fds=[lock])
        try:
            await _answer(child, port, log)
            reserved.close()
            yield port
        finally:
            await _stop(child)


async def _answer(child: Process, port: int, log: Path) -> None:
    """Wait until the child takes connections."""
    try:
        async with asyncio.timeout(START_SECONDS):
            while child.returncode is None:
                with contextlib.suppress(ConnectionRefusedError):
                    _, writer = await asyncio.open_connection(HOST, port)
                    writer.close()
                    await writer.wait_closed()
                    return
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise DatabaseDidNotStart(log) from None
    raise DatabaseDidNotStart(log)


async def _stop(child: Process) -> None:
    """End the child: it is asked first, and killed if it does not follow."""
    if child.returncode is not None:
        return
    child.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()
