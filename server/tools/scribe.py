"""Formats and writes log lines and never raises, so that a failing log does not stop the code that logs."""

import json
import logging
import re
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from server.tools.floods import Floods
from server.tools.outlet import Outlet

UNBOUNDED = frozenset({"debug", "info"})
VARYING = re.compile("0x[0-9a-fA-F]+|[0-9]+")
TEMPLATE_CHARACTERS = 100


class Scribe:
    """Writes our lines, from `warning` on only so many of one event, and those of libraries, so many of one template.

    A line that cannot be made or written is counted as lost, and the count is written as soon as writing works again.
    """

    def __init__(self, processors: Sequence[Processor], outlet: Outlet, *, floods: Floods | None = None) -> None:
        self._processors = processors
        self._floods = floods or Floods()
        self._lock = threading.RLock()  # the garbage collector runs anywhere, and what it finds may log
        self._untold = 0
        self.outlet = outlet
        self.lost = 0

    @property
    def suppressed(self) -> int:
        """How many lines were not written because there were too many of their kind."""
        return self._floods.suppressed

    def line(self, logger: WrappedLogger, method: str, event: EventDict) -> bytes:
        """A line of ours, as structlog's only processor; raises DropEvent if it is not to be or cannot be written."""
        try:
            self._tell_suppressed()
            if method in UNBOUNDED or self._takes(event["event"]):
                return self._made(logger, method, event)
        except Exception:  # noqa: BLE001 # a value whose text cannot be made, or anything else
            self._lose()
        raise structlog.DropEvent

    def note(self, record: logging.LogRecord) -> None:
        """Write the line of a library."""
        try:
            self._tell_suppressed()
            if self._takes(_template_of(record)):
                about = {"exc_info": record.exc_info, "stack": record.stack_info}
                event = {name: value for name, value in about.items() if value}
                event["event"] = record.getMessage()
                self.write(self._made(None, record.levelname.lower(), event))
        except Exception:  # noqa: BLE001 # arguments that do not fit the template, or anything else
            self._lose()

    def write(self, line: bytes) -> None:
        """Write a finished line, after the number of those that were lost before it."""
        with self._lock:
            if not (self._has_told_lost() and self.outlet.put(line)):
                self._lose()

    debug = info = warning = error = critical = write  # structlog calls it by the level

    def catch_up(self, *, is_last: bool = False) -> None:
        """Say what was suppressed and lost, though nothing is logged; at last also of the window that is not over."""
        with self._lock:
            self._tell_suppressed(is_last=is_last)
            self._has_told_lost()

    def _takes(self, message: str) -> bool:
        with self._lock:
            return self._floods.takes(message)

    def _made(self, logger: WrappedLogger, method: str, event: EventDict) -> bytes:
        made: Any = event
        for processor in self._processors:
            made = processor(logger, method, made)
        return _rendered(made)

    def _lose(self) -> None:
        with self._lock:
            self.lost += 1
            self._untold += 1

    def _has_told_lost(self) -> bool:
        if self._untold and not self.outlet.put(_own_line("log.lost", lines=self._untold)):
            return False
        self._untold = 0
        return True

    def _tell_suppressed(self, *, is_last: bool = False) -> None:
        if not (is_last or self._floods.is_over()):
            return
        with self._lock:
            for message, lines in self._floods.end().items():
                self.write(_own_line("log.suppressed", message=message, lines=lines))


class OfLibraries(logging.Handler):
    """Hands what libraries log to the scribe."""

    def __init__(self, scribe: Scribe) -> None:
        super().__init__()
        self._scribe = scribe

    def createLock(self) -> None:  # noqa: N802 # its name in logging
        """The scribe has the only lock: with two, a thread could wait for the other one's for ever."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        self._scribe.note(record)


def _rendered(event: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)
    except TypeError:  # half a character, or a number of more than 64 bits
        return json.dumps(event).encode() + b"\n"


def _own_line(event: str, **about: object) -> bytes:
    at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return _rendered({"event": event, "level": "warning", "at": at, **about})


def _template_of(record: logging.LogRecord) -> str:
    """What lines of one kind have in common: some libraries put addresses and numbers into the template itself."""
    first, _, _ = str(record.msg)[: 2 * TEMPLATE_CHARACTERS].partition("\n")
    fault = record.exc_info[0] if record.exc_info else None
    kind = f" ({fault.__name__})" if fault else ""
    return f"{record.name}: {VARYING.sub('#', first)[:TEMPLATE_CHARACTERS]}{kind}"
