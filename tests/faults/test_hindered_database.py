"""The receiver's database stands still, and its disk is full: nothing is acknowledged that is not stored."""

import asyncio
import errno
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path

import pytest

from server.domain.exchange.log import Outbound
from tests.faults.databases import Database, own_database
from tests.faults.ground import Ground, ground
from tests.faults.nursery import Nursery
from tests.nodes import until

DISK = "32m"
STILL_SECONDS, FULL_SECONDS = 10.0, 2.0
FILLER, PIECE = "filler", bytes(65_536)


@contextmanager
def small_disk(folder: Path) -> Iterator[str]:
    """Make the folder a disk of its own, if that may be done; answers the reason if not."""
    folder.mkdir()
    if not (mount := shutil.which("mount")):
        yield "there is no `mount` on this machine, so no disk of its own that could be full"
        return
    command = [mount, "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, check=False)
    if mounted.returncode:
        yield f"no disk of its own may be mounted that could be full: {mounted.stderr.decode().strip()}"
        return
    try:
        yield ""
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.soak
async def test_a_receiver_acknowledges_only_what_it_has_stored_though_its_database_is_held_and_its_disk_full(
    tmp_path: Path, forks: Nursery, database_uri: str, database_name: str
):
    with small_disk(tmp_path / "disk") as why_not:
        async with own_database(tmp_path / "disk") as (database, uri):
            choices = {"peer_database_uri": uri, "database": database_name, "database_timeout_seconds": 3.0}
            async with ground(tmp_path, database_uri, launch=forks.start, a_second=4, **choices) as field:
                await field.goes_on(seconds=60)
                await stand_still(field, database)
                if not why_not:
                    await run_full(field, tmp_path / "disk")
                books = await field.end(seconds=100)
                assert books.is_clean, books
    if why_not:
        pytest.skip(f"all but a full disk was tried: {why_not}")


async def stand_still(field: Ground, database: Database) -> None:
    """Stop the database in the middle of its work, so that the outcome of writes is unknown, and let it go on."""
    database.hold()
    await asyncio.sleep(STILL_SECONDS)
    home, peer = field.nodes
    state = await home.store.peers.outbound(peer.here)
    assert state.failures > 0, state
    database.go_on()
    await field.goes_on(seconds=60)


async def run_full(field: Ground, disk: Path) -> None:
    """Fill the disk, see the receiver refuse what it cannot store, and make room again."""
    home, peer = field.nodes

    async def is_refused() -> Outbound | None:
        fill(disk)  # also what a checkpoint has given back
        state = await home.store.peers.outbound(peer.here)
        return state if state.failures > 1 and state.reason.startswith("unsigned_503") else None

    await until(is_refused, seconds=60)
    await asyncio.sleep(FULL_SECONDS)
    state = await until(is_refused, seconds=60)
    assert state.acknowledged.number <= kept(field)
    assert any((await field.waiting()).values())
    (disk / FILLER).unlink()
    await field.goes_on(seconds=100)


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
