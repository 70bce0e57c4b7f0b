"""Structured logs: one JSON object per line on stderr, named `noun.verb`, without personal data."""

import logging
import re
import sys
from collections.abc import Mapping
from datetime import date
from enum import Enum
from pathlib import PurePath
from typing import Any

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from server.tools.clock import Chance
from server.tools.outlet import Outlet
from server.tools.scribe import OfLibraries, Scribe

ALNUM = "[0-9A-Za-z]"
PERSONAL = re.compile(rf"(?<!{ALNUM})(?:[0-9]{{17}}[0-9Xx]|(?:\+?86)?1[3-9][0-9]{{9}})(?!{ALNUM})")
ENOUGH_DIGITS = re.compile("[0-9]{11}")  # no personal number without them; much quicker to look for
MASK = "***"
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")

log: Any = structlog.get_logger()


def bind(**fields: str) -> None:
    """Put fields (request_id, case, traceparent ...) on every later line of this task and its children."""
    structlog.contextvars.bind_contextvars(**fields)


def clear() -> None:
    """Forget the bound fields: the first thing a request does on a connection that served another one."""
    structlog.contextvars.clear_contextvars()


def without_personal_data(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask ID numbers and mobile numbers wherever they stand, and write unknown objects by type name only.

    The second line of defence: the first is never to log such a thing.
    """
    return {_clean_text(key): _clean(value) for key, value in event.items()}


PROCESSORS: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    structlog.processors.format_exc_info,
    without_personal_data,
)
SCRIBE = Scribe(PROCESSORS, Outlet())  # of this process


def configure(level: str = "info", *, scribe: Scribe = SCRIBE) -> None:
    """Send our lines, and those of the libraries, to stderr from `level` (debug, info, warning, error) on."""
    scribe.outlet.descriptor = _stderr()
    structlog.configure(
        processors=[scribe.line],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_names: scribe,
    )
    logging.basicConfig(handlers=[OfLibraries(scribe)], level=max(LEVELS[level], logging.WARNING), force=True)


async def catch_up() -> None:
    """Say which lines were suppressed or lost when nothing else is logged; a loop of each process."""
    SCRIBE.catch_up()


def new_traceparent(chance: Chance) -> str:
    """The start of a trace (W3C Trace Context, section 3.2), sampled."""
    return f"00-{chance.token(16).hex()}-{chance.token(8).hex()}-01"


def child_traceparent(parent: str | None, chance: Chance) -> str:
    """The next step of the parent's trace; the start of a new one if the parent is absent or invalid."""
    match = TRACEPARENT.fullmatch(parent or "")
    if match is None:
        return new_traceparent(chance)
    version, trace, span, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest) or not int(trace, 16) or not int(span, 16):
        return new_traceparent(chance)
    return f"00-{trace}-{chance.token(8).hex()}-{int(flags, 16) & 1:02x}"


def _stderr() -> int | None:
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):  # closed when the process was started
        return None


def _clean_text(value: Any) -> str:
    text = str(value)
    return PERSONAL.sub(MASK, text) if ENOUGH_DIGITS.search(text) else text


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _clean_text(value)
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return MASK if PERSONAL.fullmatch(str(value)) else value
    if isinstance(value, (date, PurePath, BaseException)):
        return _clean_text(value)
    if isinstance(value, Enum):
        return _clean(value.value)
    if isinstance(value, Mapping):
        return {_clean_text(key): _clean(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(inner) for inner in value]
    return f"<{type(value).__name__}>"
