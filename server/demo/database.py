"""The database server of a demo: a given one, else `mongod` from PATH, else the embedded one, as a child process.

`mongod` runs as a plain server, not as a replica set of one: nothing in the portable subset needs a replica set,
and there is nothing to initiate. (It could not be installed where this was written: that choice is untried.)
"""

import asyncio
import contextlib
import fcntl
import shutil
import signal
import sys
from asyncio.subprocess import STDOUT, Process
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from server.demo.ports import HOST, reserved, reserved_lasting
from server.tools.children import child_command

LOCK_FILE = "database.lock"
LOG_FILE = "database.log"
PORT_FILE = "database.port"  # nodes know their database by its address, at each start
START_SECONDS = 30.0
STOP_TRIES = 10
STOP_TRY_SECONDS = 1.0
POLL_SECONDS = 0.02
CONNECT_SECONDS = 3.0
MONGODB_PORT = 27017


class DataFolderInUse(ValueError):
    """Another process has its database in this folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"The data folder {folder} is in use by another process.")


class DatabaseDidNotStart(RuntimeError):
    """The database server ended, or did not answer in time."""

    def __init__(self, log: Path) -> None:
        super().__init__(f"The database server did not start; its log is {log}.")


class DatabaseNotReachable(ValueError):
    """No server of the given address takes connections."""


async def check_reachable(uri: str) -> None:
    """Whether a server of the URI takes connections: asked first, for it is known sooner than from a driver.

    The names of `mongodb+srv` and paths of sockets are left to the driver. Raises DatabaseNotReachable, without
    what of the URI is secret.
    """
    if not uri.startswith(("mongodb://", "mongodb+srv://")):
        raise DatabaseNotReachable("MONGODB_URI must begin with mongodb:// or mongodb+srv://.")
    places = uri.partition("://")[2].partition("/")[0].rpartition("@")[2]
    if uri.startswith("mongodb+srv://") or "%2f" in places.lower():
        return
    for place in places.split(","):
        address = urlsplit(f"//{place}")
        with contextlib.suppress(OSError):
            async with asyncio.timeout(CONNECT_SECONDS):
                _, writer = await asyncio.open_connection(address.hostname, address.port or MONGODB_PORT)
            writer.close()
            return
    raise DatabaseNotReachable(f"No database answers at {places}, the address in MONGODB_URI.")


@contextlib.asynccontextmanager
async def database_server(folder: Path, uri: str | None) -> AsyncIterator[str]:
    """The URI of a database server: the one given, else that of a server on this folder that ends with the block.

    Raises DataFolderInUse and DatabaseDidNotStart.
    """
    if uri:
        yield uri
        return
    with locked(folder) as lock:  # the child inherits the lock: it holds until both have ended
        async with _running(folder, lock) as port:
            yield f"mongodb://{HOST}:{port}"


def server_command(folder: Path, port: int) -> list[str]:
    """The command that serves the data in this folder, which nobody else serves, at this port.

    Each kind of server has a subfolder of its own. Both kinds keep what they acknowledged when they are killed.
    """
    mongod = shutil.which("mongod")
    data = folder / ("mongod" if mongod else "embedded")
    data.mkdir(parents=True, exist_ok=True)
    if mongod:
        return [mongod, "--dbpath", str(data), "--bind_ip", HOST, "--port", str(port)]
    pid_file = folder / "database.pid"
    pid_file.unlink(missing_ok=True)  # one left by a kill may name a process of today, and the server would not start
    files = ["--pid-file", str(pid_file), "--log-file", str(folder / LOG_FILE)]
    program = [sys.executable, "-P", str(Path(__file__).with_name("embedded.py"))]  # the names of this room hide others
    return [*program, "--data-dir", str(data), "--host", HOST, "--port", str(port), *files]


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Hold the folder for this process; answers the lock's descriptor, for a child that is to hold it too.

    Raises DataFolderInUse.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_FILE).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataFolderInUse(folder) from None
        yield file.fileno()


@contextlib.asynccontextmanager
async def _running(folder: Path, lock: int) -> AsyncIterator[int]:
    log = folder / LOG_FILE
    with contextlib.ExitStack() as holding, log.open("ab") as out:
        port = _reserved_port(folder, holding)
        command = child_command(server_command(folder, port), signal.SIGKILL)
        child = await asyncio.create_subprocess_exec(
            *command, stdout=out, stderr=STDOUT, pass_fds=[lock], process_group=0
        )
        try:
            if not await _answers(child, port):
                raise DatabaseDidNotStart(log)
            holding.close()
            yield port
        finally:
            await _stop(child)


def _reserved_port(folder: Path, holding: contextlib.ExitStack) -> int:
    """The port of the database in this folder, the same at each start; raises PortInUse."""
    kept = folder / PORT_FILE
    if kept.exists():
        return holding.enter_context(reserved(int(kept.read_text())))
    port = holding.enter_context(reserved_lasting())
    kept.write_text(str(port))
    return port


async def _answers(child: Process, port: int) -> bool:
    """Wait until the child takes connections; False if it ended or took too long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            while child.returncode is None:
                with contextlib.suppress(ConnectionRefusedError):
                    _, writer = await asyncio.open_connection(HOST, port)
                    writer.close()
                    await writer.wait_closed()
                    return True
                await asyncio.sleep(POLL_SECONDS)
    return False


async def _stop(child: Process) -> None:
    """Ask the child to end, and kill it if it does not.

    It is asked more than once: the embedded server turns the signal into an exception, which Python ignores
    when it falls into a finalizer.
    """
    for _ in range(STOP_TRIES):
        if child.returncode is not None:
            return
        child.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_TRY_SECONDS):
                await child.wait()
    if child.returncode is None:
        child.kill()
        await child.wait()
