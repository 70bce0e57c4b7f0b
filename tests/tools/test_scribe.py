"""Logging never fails and never floods: what could not be written is counted, and said once that is possible again."""

import errno
import json
import logging
import os
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from server.tools import logs
from server.tools.floods import OTHERS, Floods
from server.tools.logs import SCRIBE, log
from server.tools.outlet import Outlet
from server.tools.scribe import Scribe

CROWD, EACH = 8, 200
PIPE_BYTES = 65_536


class Moment:
    """In place of the machine's clock."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Pipe:
    """A pipe that is read when the test likes, instead of stderr; a write into a full one fails."""

    reading: int
    writing: int

    def fill(self, *, leave: int = 0) -> None:
        """Leave room for so many bytes, in whole pages."""
        written = 0
        try:
            while True:
                written += os.write(self.writing, b" " * 4096)
        except BlockingIOError:
            os.read(self.reading, leave)

    def read(self) -> bytes:
        """All that is in it."""
        try:
            return os.read(self.reading, 16 * PIPE_BYTES)
        except BlockingIOError:
            return b""

    def lines(self) -> list[dict[str, Any]]:
        """The lines in it."""
        return [json.loads(line) for line in self.read().splitlines() if line.strip()]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    yield Pipe(reading, writing)
    os.close(reading)
    os.close(writing)


@pytest.fixture(autouse=True)
def _afterwards() -> Iterator[None]:
    yield
    logs.clear()
    structlog.reset_defaults()
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)


def scribe_to(descriptor: int | None, floods: Floods | None = None) -> Scribe:
    """A scribe that everything is logged to, and that writes there."""
    scribe = Scribe(logs.PROCESSORS, Outlet(), floods=floods)
    logs.configure("info", scribe=scribe)
    scribe.outlet.descriptor = descriptor
    return scribe


class Unspeakable(Exception):
    """A failure that cannot even be written down."""

    def __str__(self) -> str:
        raise ValueError("no words")

    __repr__ = __str__


def nobody_reads() -> int:
    """A pipe that was closed at its other end."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def closed() -> int:
    """A number that stands for no open file."""
    reading, writing = os.pipe()
    os.close(reading)
    os.close(writing)
    return writing


@pytest.mark.parametrize("broken", [lambda: os.open("/dev/full", os.O_WRONLY), nobody_reads, closed, lambda: None])
def test_a_line_that_cannot_be_written_is_counted_and_harms_nobody(
    broken: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    scribe = scribe_to(broken())
    log.info("case.moved", case="C1")
    log.error("loop.failed", exc_info=OSError(errno.ENOSPC, "no room"))
    logging.getLogger("asyncio").error("accept failed: %s", "no room", exc_info=OSError())
    scribe.catch_up()
    assert scribe.lost == 3
    assert capfd.readouterr() == ("", "")


def test_a_process_that_was_started_without_stderr_writes_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    scribe = Scribe(logs.PROCESSORS, Outlet())
    logs.configure("info", scribe=scribe)
    log.info("case.moved", case="C1")
    logging.getLogger("asyncio").error("accept failed")
    assert scribe.lost == 2


def test_lost_lines_are_told_once_when_writing_works_again(pipe: Pipe) -> None:
    scribe = scribe_to(pipe.writing)
    pipe.fill()
    for _ in range(3):
        log.warning("peer.silent")
    pipe.read()
    log.info("case.moved")
    log.info("case.moved")
    told, *after = pipe.lines()
    assert (told["event"], told["level"], told["lines"]) == ("log.lost", "warning", 3)
    assert [line["event"] for line in after] == ["case.moved"] * 2
    assert scribe.lost == 3


def test_lost_lines_are_told_though_nobody_logs_any_more(pipe: Pipe) -> None:
    scribe = scribe_to(pipe.writing)
    pipe.fill()
    log.warning("peer.silent")
    scribe.catch_up()
    pipe.read()
    scribe.catch_up()
    scribe.catch_up()
    assert [(line["event"], line["lines"]) for line in pipe.lines()] == [("log.lost", 1)]


def test_a_line_that_was_cut_does_not_spoil_the_next_one(pipe: Pipe) -> None:
    scribe = scribe_to(pipe.writing)
    pipe.fill(leave=8192)
    log.info("case.moved", long="x" * 10_000)
    log.info("case.moved", case="C1")
    pipe.read()
    log.info("case.moved", case="C2")
    told, line = pipe.lines()
    assert (told["lines"], line["case"], scribe.lost) == (2, "C2", 2)


@pytest.mark.parametrize("value", [{"x": Unspeakable()}, [Unspeakable()], {Unspeakable(): 1}])
def test_a_line_that_cannot_be_made_is_lost_and_harms_nobody(pipe: Pipe, value: object) -> None:
    scribe = scribe_to(pipe.writing)
    log.error("letter.refused", about=value)
    log.info("case.moved")
    assert [line["event"] for line in pipe.lines()] == ["log.lost", "case.moved"]
    assert scribe.lost == 1


def test_a_value_without_end_and_a_template_that_does_not_fit_are_lost_too(pipe: Pipe) -> None:
    scribe, endless = scribe_to(pipe.writing), []
    endless.append(endless)
    log.error("letter.refused", about=endless)
    logging.getLogger("pymongo").warning("%d of %d", "one")
    assert (scribe.lost, pipe.lines()) == (2, [])


def test_a_failure_without_words_is_written_all_the_same(pipe: Pipe) -> None:
    scribe_to(pipe.writing)
    log.error("loop.failed", loop="relay", exc_info=Unspeakable())
    (line,) = pipe.lines()
    assert (line["loop"], "Unspeakable" in line["exception"]) == ("relay", True)


def test_half_a_character_and_a_huge_number_are_written(pipe: Pipe) -> None:
    scribe_to(pipe.writing)
    log.warning("letter.refused", reason="\ud800", days=2**70)
    (line,) = pipe.lines()
    assert (line["reason"], line["days"]) == ("\ud800", 2**70)


def test_a_flood_is_cut_and_counted_once_a_window(pipe: Pipe) -> None:
    now = Moment()
    scribe = scribe_to(pipe.writing, Floods(lines=5, seconds=10, now=now))
    for _ in range(100):
        log.error("request.failed", door="/ready")
        log.warning("peer.silent")
    log.error("letter.refused")
    assert Counter(line["event"] for line in pipe.lines()) == {
        "request.failed": 5,
        "peer.silent": 5,
        "letter.refused": 1,
    }
    now.seconds += 10
    log.info("case.moved")
    log.error("request.failed")
    lines = pipe.lines()
    assert [(line["event"], line.get("message"), line.get("lines")) for line in lines] == [
        ("log.suppressed", "request.failed", 95),
        ("log.suppressed", "peer.silent", 95),
        ("case.moved", None, None),
        ("request.failed", None, None),
    ]
    now.seconds += 10
    scribe.catch_up()
    assert pipe.lines() == []
    assert (scribe.suppressed, scribe.lost) == (190, 0)


def test_at_the_end_of_the_process_the_last_window_is_told_too(pipe: Pipe) -> None:
    scribe = scribe_to(pipe.writing, Floods(lines=1))
    log.error("request.failed")
    log.error("request.failed")
    scribe.catch_up()
    scribe.catch_up(is_last=True)
    assert [(line["event"], line.get("lines")) for line in pipe.lines()] == [
        ("request.failed", None),
        ("log.suppressed", 1),
    ]


def test_what_is_normal_is_never_cut(pipe: Pipe) -> None:
    scribe = scribe_to(pipe.writing, Floods(lines=5))
    for _ in range(200):
        log.info("case.moved")
    assert len(pipe.lines()) == 200
    assert scribe.suppressed == 0


def test_a_flood_of_a_library_is_cut_though_each_line_has_other_numbers(pipe: Pipe) -> None:
    now = Moment()
    scribe = scribe_to(pipe.writing, Floods(lines=5, seconds=10, now=now))
    for number in range(100):
        composed = f"Exception in accept(<socket fd={number}, at 0x7f{number:x}>)\nhandle: {number}"
        logging.getLogger("asyncio").error(composed, exc_info=OSError(errno.EMFILE, "too many"))
        logging.getLogger("pymongo").warning("server %s left", f"host-{number}")
    assert len(pipe.lines()) == 10
    now.seconds += 10
    scribe.catch_up()
    assert {line["message"]: line["lines"] for line in pipe.lines()} == {
        "asyncio: Exception in accept(<socket fd=#, at #>) (OSError)": 95,
        "pymongo: server %s left": 95,
    }


def test_many_messages_are_bounded_together(pipe: Pipe) -> None:
    now = Moment()
    scribe = scribe_to(pipe.writing, Floods(lines=2, messages=3, seconds=10, now=now))
    for number in range(500):
        log.error(f"{number}.failed")
    assert len(pipe.lines()) == 3 + 2
    now.seconds += 10
    scribe.catch_up()
    assert [(line["message"], line["lines"]) for line in pipe.lines()] == [(OTHERS, 495)]


def test_a_suppressed_line_is_not_even_made(pipe: Pipe) -> None:
    scribe = scribe_to(pipe.writing, Floods(lines=1))
    log.error("loop.failed")
    log.error("loop.failed", about=[Unspeakable()])
    assert (scribe.suppressed, scribe.lost) == (1, 0)


def test_threads_that_log_at_once_write_whole_lines_and_are_all_counted(pipe: Pipe) -> None:
    scribe = scribe_to(pipe.writing, Floods(lines=EACH))
    chunks: list[bytes] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            chunks.append(pipe.read())

    def write() -> None:
        for _ in range(EACH):
            log.info("case.moved")
            log.warning("peer.silent")
            logging.getLogger("pymongo").warning("left")

    os.set_blocking(pipe.writing, True)
    reader = threading.Thread(target=read)
    reader.start()
    writers = [threading.Thread(target=write) for _ in range(CROWD)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    is_over.set()
    reader.join()
    lines = [json.loads(line) for line in b"".join([*chunks, pipe.read()]).splitlines()]
    assert Counter(line["event"] for line in lines) == {"case.moved": CROWD * EACH, "peer.silent": EACH, "left": EACH}
    assert (scribe.suppressed, scribe.lost) == (2 * (CROWD - 1) * EACH, 0)


def test_tests_see_the_events_as_they_were_logged() -> None:
    scribe_to(None)
    with capture_logs() as entries:
        log.info("case.moved", case="C1")
    assert entries == [{"event": "case.moved", "case": "C1", "log_level": "info"}]


async def test_the_loop_of_a_process_lets_its_own_scribe_catch_up(
    capfd: pytest.CaptureFixture[str], pipe: Pipe
) -> None:
    logs.configure("info")
    lost = SCRIBE.lost
    SCRIBE.outlet.descriptor = closed()
    log.info("case.moved")
    assert SCRIBE.lost == lost + 1
    logs.configure("info")
    await logs.catch_up()
    (line,) = capfd.readouterr().err.splitlines()
    assert (json.loads(line)["event"], json.loads(line)["lines"]) == ("log.lost", 1)
