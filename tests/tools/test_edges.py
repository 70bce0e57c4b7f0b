"""The clock and the chance of the machine keep their promises."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.domain.values import moment_of_key, moment_text
from server.tools import clock
from server.tools.clock import SystemChance, SystemClock


def test_the_present_moment_is_in_utc_and_survives_being_written() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    now = SystemClock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.utcoffset() == timedelta(0)
    assert moment_of_key("t" + moment_text(now)) == now


def test_the_clocks_of_one_machine_are_known_as_one() -> None:
    assert SystemClock().machine == SystemClock().machine
    kind, _, name = SystemClock().machine.partition(":")
    assert (kind in ("boot", "host"), bool(name)) == (True, True)


def test_a_machine_without_a_boot_id_is_known_by_its_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(clock, "BOOT_ID", tmp_path / "none")
    assert SystemClock().machine == f"host:{socket.gethostname()}"


def test_tokens_have_the_length_asked_for_and_differ() -> None:
    chance = SystemChance()
    assert len(chance.token(20)) == 20
    assert chance.token(16) != chance.token(16)
