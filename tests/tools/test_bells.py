"""Bells: the other processes on this machine hear at once, and whoever cannot hear or ring holds up nobody."""

import asyncio
import os
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from server.tools.bells import FOLDER, Bells

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
    heard: list[str] = []
    with (
        ringing.hung(partial(heard.append, "own")),
        one.hung(partial(heard.append, "one")),
        other.hung(partial(heard.append, "other")),
        far.hung(partial(heard.append, "far")),
    ):
        ringing.ring()
        await soon(lambda: len(heard) == 2)
        assert sorted(heard) == ["one", "other"]
    assert list((folder / FOLDER).iterdir()) == []


async def test_rings_that_come_close_together_are_heard_once(folder: Path) -> None:
    ringing, hearing = Bells(folder, HERE), Bells(folder, HERE)
    heard: list[int] = []
    with hearing.hung(lambda: heard.append(len(heard))):
        for _ in range(50):
            ringing.ring_soon()
        await soon(lambda: heard)
        for _ in range(5):
            ringing.ring()
        await soon(lambda: len(heard) == 2)
        await asyncio.sleep(0.05)
    assert heard == [0, 1]


def test_a_bell_whose_process_was_killed_is_taken_down(folder: Path) -> None:
    (folder / FOLDER).mkdir(parents=True)
    stale = folder / FOLDER / "boot01234567-killed"
    opened = os.open(stale.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as killed:
        killed.bind(f"/proc/self/fd/{opened}/{stale.name}")
    os.close(opened)
    Bells(folder, HERE).ring()
    assert not stale.exists()


async def test_processes_of_a_kind_have_bells_of_their_own(folder: Path) -> None:
    heard: list[str] = []
    with (
        Bells(folder, HERE).hung(partial(heard.append, "one")),
        Bells(folder, HERE).hung(partial(heard.append, "two")),
    ):
        Bells(folder, HERE).ring()
        await soon(lambda: len(heard) == 2)
    assert sorted(heard) == ["one", "two"]


def test_where_no_bell_hangs_ringing_does_nothing(folder: Path) -> None:
    Bells(folder, HERE).ring()
    assert not folder.exists()


async def test_a_bell_that_is_full_is_passed_over(folder: Path) -> None:
    ringing, hearing = Bells(folder, HERE), Bells(folder, HERE)
    heard: list[int] = []
    with hearing.hung(lambda: heard.append(1)):
        for _ in range(5000):
            ringing.ring()
        await soon(lambda: heard)
    assert 0 < len(heard) < 5000


@pytest.fixture
def unfit(folder: Path) -> Path:
    """One in which no folder of bells can be made, as on a disk that may only be read."""
    folder.mkdir()
    (folder / FOLDER).touch()
    return folder


async def test_in_a_folder_that_takes_no_bell_a_process_goes_on_and_hears_nothing(unfit: Path) -> None:
    heard: list[int] = []
    with capture_logs() as logged, Bells(unfit, HERE).hung(lambda: heard.append(1)):
        Bells(unfit, HERE).ring()
        await asyncio.sleep(0.02)
    assert heard == []
    assert [entry["event"] for entry in logged] == ["bell.unhung"]


def test_without_a_file_descriptor_left_ringing_hinders_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / FOLDER).mkdir(parents=True)
    (folder / FOLDER / "boot01234567-other").touch()

    refused: list[object] = []

    def refuse(path: object, *_: object) -> int:
        refused.append(path)
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "open", refuse)
    Bells(folder, HERE).ring()
    assert refused == [folder / FOLDER]
