"""Bells: the other processes on this machine hear at once, and whoever cannot hear holds up nobody."""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from server.tools.bells import FOLDER, LONGEST, Bells

HERE, ELSEWHERE = "boot:0123-4567", "boot:0123-4568"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a longer path than an address may have."""
    return tmp_path / ("deep" * 30)


async def soon(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def test_all_others_on_this_machine_hear_and_who_rings_does_not(folder: Path) -> None:
    ringing, one, other, far = Bells(folder, HERE), Bells(folder, HERE), Bells(folder, HERE), Bells(folder, ELSEWHERE)
    own: list[bytes] = []
    heard: list[tuple[str, bytes]] = []
    with (
        ringing.hung(own.append),
        one.hung(lambda message: heard.append(("one", message))),
        other.hung(lambda message: heard.append(("other", message))),
        far.hung(lambda message: heard.append(("far", message))),
    ):
        ringing.ring(b"moved")
        await soon(lambda: len(heard) == 2)
        assert sorted(heard) == [("one", b"moved"), ("other", b"moved")]
    assert own == []
    assert list((folder / FOLDER).iterdir()) == []


async def test_rings_that_come_close_together_are_one(folder: Path) -> None:
    ringing, hearing = Bells(folder, HERE), Bells(folder, HERE)
    heard: list[bytes] = []
    with hearing.hung(heard.append):
        for _ in range(50):
            ringing.ring_soon()
        await soon(lambda: heard)
        ringing.ring(b"last")
        await soon(lambda: heard[-1] == b"last")
    assert heard == [b"", b"last"]


def test_a_bell_whose_process_was_killed_is_taken_down(folder: Path) -> None:
    (folder / FOLDER).mkdir(parents=True)
    stale = folder / FOLDER / "boot01234567-work-1"
    opened = os.open(stale.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as killed:
        killed.bind(f"/proc/self/fd/{opened}/{stale.name}")
    os.close(opened)
    Bells(folder, HERE).ring()
    assert not stale.exists()


async def test_two_processes_of_a_kind_have_bells_of_their_own(folder: Path) -> None:
    heard: list[str] = []
    with (
        Bells(folder, HERE).hung(lambda _: heard.append("one")),
        Bells(folder, HERE).hung(lambda _: heard.append("two")),
    ):
        Bells(folder, HERE).ring()
        await soon(lambda: len(heard) == 2)
    assert sorted(heard) == ["one", "two"]


def test_where_no_bell_hangs_ringing_does_nothing(folder: Path) -> None:
    Bells(folder, HERE).ring()
    assert not folder.exists()


async def test_a_bell_that_is_full_is_passed_over(folder: Path) -> None:
    ringing, hearing = Bells(folder, HERE), Bells(folder, HERE)
    heard: list[bytes] = []
    with hearing.hung(heard.append):
        for _ in range(5000):
            ringing.ring(b"x" * 1000)
        await soon(lambda: heard)
    assert 0 < len(heard) < 5000


def test_a_message_has_a_bound(folder: Path) -> None:
    with pytest.raises(ValueError, match="a bell takes"):
        Bells(folder, HERE).ring(b"x" * (LONGEST + 1))
