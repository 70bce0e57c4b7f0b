"""The disk of a province is full: it acknowledges nothing that it has not stored, and it all arrives in the end."""

import asyncio
import errno
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path

import pytest

from server.domain.exchange import Outbound
from tests.faults.databases import own_database
from tests.faults.ground import Ground, ground
from tests.faults.nursery import Nursery
from tests.nodes import until

DISK = "32m"
FULL_SECONDS = 2.0
FILLER, PIECE = "filler", bytes(65_536)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of its own; skips the test where none may be mounted."""
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None:
        pytest.skip("there is no `mount` on this machine, so no disk of its own that could be full")
    mounted = subprocess.run([mount, "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"this user may not mount a disk of its own that could be full: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path) -> None:
    """Take all the room there is."""
    with (disk / FILLER).open("ab", buffering=0) as file:
        while has_room(file):
            continue


def has_room(file: RawIOBase) -> bool:
    """Whether some more could be written."""
    try:
        return bool(file.write(PIECE))
    except OSError as fault:
        if fault.errno != errno.ENOSPC:
            raise
        return False


def kept(field: Ground) -> int:
    """How many batches of the first province the second has stored."""
    home, peer = field.nodes
    log = field.client[peer.settings.database]["log"].find({}, {"_id": 1})
    return sum(entry["_id"].startswith(f"in|{home.here}|") for entry in log)


async def test_a_receiver_with_a_full_disk_acknowledges_nothing_that_is_not_stored(
    tmp_path: Path, forks: Nursery, database_uri: str, database_name: str
):
    with small_disk(tmp_path / "disk") as disk:
        async with own_database(disk) as (_, uri):
            choices = {"peer_database_uri": uri, "database": database_name, "a_second": 2.0}
            async with ground(tmp_path, database_uri, launch=forks.start, **choices) as field:
                await field.goes_on(seconds=60)
                home, peer = field.nodes

                async def is_refused() -> Outbound | None:
                    fill(disk)  # also what a checkpoint has given back
                    state = await home.store.peers.outbound(peer.here)
                    return state if state.failures > 1 and state.reason.startswith("unsigned_503") else None

                await until(is_refused, seconds=60)
                await asyncio.sleep(FULL_SECONDS)
                state = await until(is_refused, seconds=60)
                assert state.acknowledged <= kept(field)
                assert any((await field.waiting()).values())
                (disk / FILLER).unlink()
                await field.goes_on(seconds=100)
                books = await field.end(seconds=100)
                assert books.is_clean, books
