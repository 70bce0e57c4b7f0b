"""The application of a process: some doors, and what they need of their process."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson
from tornado.web import Application

from handlers import ops
from handlers.admission import AdmissionControl
from handlers.base import Handler, NotFoundHandler
from handlers.in_flight import InFlight
from handlers.openapi import document
from handlers.response_cache import ResponseCache
from server.desk.citizen.pushing import Pushes
from server.desk.citizen.signing import SigningTools
from server.desk.relay import Relays
from server.domain.release import VERSION
from server.domain.remembering import Memory
from server.domain.time.clock_guard import ClockVerdict
from server.node import Node

MOST_TEXTS = 256  # guides as they are answered: each keeps the guide too, some 90 kB with its plan and form
FOR_OPERATORS: tuple[type[Handler], ...] = (ops.LiveHandler, ops.ReadyHandler, ops.MetricsHandler)


@dataclass(frozen=True)
class Surroundings:
    """What handlers need of their process: the response cache, which loops are overdue, what is known of its clock,
    what it lacks to make papers (None: it makes none), whether it is quiet, those who watch (of none it looks at
    nothing for them), and what people sign with (None: no service is set).
    """

    cache: ResponseCache = field(default_factory=ResponseCache)
    overdue: Callable[[], Sequence[str]] = tuple
    clock: Callable[[], ClockVerdict | None] = lambda: None
    lacking: Callable[[], Sequence[str]] | None = None
    is_quiet: bool = False
    pushes: Pushes | None = None
    signing: SigningTools | None = None


def application(
    node: Node,
    in_flight: InFlight,
    doors: tuple[type[Handler], ...],
    *,
    surroundings: Surroundings | None = None,
) -> Application:
    """The Tornado application with these doors."""
    around = surroundings or Surroundings()
    tools: dict[str, Any] = {"node": node, "in_flight": in_flight}
    pushes = around.pushes or Pushes(node)
    in_flight.lasting.append(pushes.audience.end)
    return Application(
        [(pattern(door.path), door, tools) for door in doors],
        default_handler_class=NotFoundHandler,
        default_handler_args=tools,
        compress_response=True,
        openapi=described(doors),
        cache=around.cache,
        paths=frozenset(door.path for door in doors),
        admission=AdmissionControl(node),
        texts=Memory(MOST_TEXTS),
        relays=Relays(node),
        pushes=pushes,
        overdue=around.overdue,
        clock=around.clock,
        lacking=around.lacking,
        is_quiet=around.is_quiet,
        signing=around.signing,
        log_function=lambda handler: None,
    )


@cache
def described(doors: tuple[type[Handler], ...]) -> bytes:
    """These doors as OpenAPI; made once, for every node of a process has the same."""
    return orjson.dumps(document(doors, VERSION))


def pattern(path: str) -> str:
    """The path as a regular expression: each `{name}` is one segment."""
    return re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path) + "$"
