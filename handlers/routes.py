"""All doors of a node, in one table."""

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson
from tornado.web import Application

from handlers import (
    accounts,
    audit,
    cases,
    catalogue,
    colleagues,
    desk,
    drafts,
    mandates,
    materials,
    officers,
    ops,
    peaks,
    peers,
    searches,
    sessions,
    standing_in,
    system,
    warnings,
    worklist,
)
from handlers.admission import AdmissionControl
from handlers.base import Handler, NotFoundHandler
from handlers.in_flight import InFlight
from handlers.openapi import document
from handlers.problems import STATUS
from handlers.response_cache import ResponseCache
from server.desk.relay import Relays
from server.domain.errors import Refusal
from server.domain.release import VERSION
from server.domain.time.clock_guard import ClockVerdict
from server.node import Node

FOR_OPERATORS: tuple[type[Handler], ...] = (ops.LiveHandler, ops.ReadyHandler, ops.MetricsHandler)
DOORS: tuple[type[Handler], ...] = (
    sessions.SessionsHandler,
    sessions.SessionHandler,
    sessions.SessionRefreshHandler,
    sessions.IdentityHandler,
    catalogue.BundlesHandler,
    catalogue.BundleHandler,
    catalogue.BundleGuideHandler,
    catalogue.ItemHandler,
    catalogue.SearchHandler,
    catalogue.YearlyListHandler,
    catalogue.DivisionsHandler,
    catalogue.AuthoritiesHandler,
    catalogue.WindowsHandler,
    materials.MaterialsHandler,
    cases.CasesHandler,
    cases.CaseHandler,
    cases.CaseTimelineHandler,
    cases.CaseWithdrawalHandler,
    cases.CaseSupplementsHandler,
    cases.StepUrgingsHandler,
    cases.StepAgainHandler,
    cases.CaseLicenceHandler,
    cases.CaseLicenceFileHandler,
    cases.UndertakingsHandler,
    drafts.DraftsHandler,
    drafts.DraftHandler,
    peaks.PeaksHandler,
    peaks.PeakTicketHandler,
    mandates.MandatesHandler,
    mandates.MandateHandler,
    accounts.DeskSessionsHandler,
    accounts.DeskSessionHandler,
    accounts.PasswordHandler,
    accounts.ReauthenticationHandler,
    accounts.TotpHandler,
    accounts.TotpConfirmationHandler,
    officers.OfficersHandler,
    officers.OfficerHandler,
    officers.OfficerEndHandler,
    officers.OfficerResetHandler,
    officers.OfficerPostsHandler,
    officers.OfficerPostHandler,
    audit.AuditHandler,
    system.SystemHandler,
    system.ApartHandler,
    system.ApartRetryHandler,
    standing_in.MyPostsHandler,
    standing_in.SubstitutionsHandler,
    standing_in.SubstitutionHandler,
    standing_in.DelegationsHandler,
    worklist.TasksHandler,
    worklist.TaskClaimHandler,
    worklist.TaskHeartbeatHandler,
    worklist.TaskHandOverHandler,
    colleagues.ColleaguesHandler,
    colleagues.AssignmentsHandler,
    worklist.CountsHandler,
    worklist.BatchHandler,
    warnings.WarningsHandler,
    searches.SearchesHandler,
    searches.DeedsHandler,
    desk.DeskCaseHandler,
    desk.DeskMaterialHandler,
    desk.DeskVisitsHandler,
    desk.DesignationsHandler,
    materials.LicenceFilesHandler,
    desk.StepActHandler,
    peers.PeerLogHandler,
    peers.PeerContentHandler,
    peers.PeerHeadsHandler,
    peers.PeerDirectoryHandler,
    *FOR_OPERATORS,
    ops.OpenApiHandler,
)


@dataclass(frozen=True)
class Surroundings:
    """What handlers need of their process: the response cache, which loops are overdue, what is known of its clock, and
    whether it is quiet.
    """

    cache: ResponseCache = field(default_factory=ResponseCache)
    overdue: Callable[[], Sequence[str]] = tuple
    clock: Callable[[], ClockVerdict | None] = lambda: None
    is_quiet: bool = False


def application(
    node: Node,
    in_flight: InFlight,
    doors: tuple[type[Handler], ...] = DOORS,
    *,
    surroundings: Surroundings | None = None,
) -> Application:
    """The Tornado application with these doors."""
    around = surroundings or Surroundings()
    tools: dict[str, Any] = {"node": node, "in_flight": in_flight}
    return Application(
        [(pattern(door.path), door, tools) for door in doors],
        default_handler_class=NotFoundHandler,
        default_handler_args=tools,
        compress_response=True,
        openapi=described(doors),
        cache=around.cache,
        admission=AdmissionControl(node),
        relays=Relays(node),
        overdue=around.overdue,
        clock=around.clock,
        is_quiet=around.is_quiet,
        log_function=lambda handler: None,
    )


@cache
def described(doors: tuple[type[Handler], ...]) -> bytes:
    """These doors as OpenAPI; made once, for every node of a process has the same."""
    return orjson.dumps(document(doors, VERSION))


def pattern(path: str) -> str:
    """The path as a regular expression: each `{name}` is one segment."""
    return re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path) + "$"


def rows(doors: tuple[type[Handler], ...] = DOORS) -> Iterator[dict[str, str]]:
    """One row for each operation: who comes in, the handler, the function that does it, and what it does (zh-CN)."""
    for door in doors:
        for method, operation in door.operations.items():
            function = operation.function
            for path, declared in operation.by_path(door.path).items():
                yield {
                    "method": method,
                    "path": path,
                    "who": door.role.name.lower(),
                    "handler": f"{door.__module__}.{door.__name__}",
                    "does": f"{function.__module__}.{function.__name__}",
                    "summary": declared.summary,
                }


def refusals() -> Iterator[dict[str, str]]:
    """One row for each refusal that is loaded: its code, the HTTP status, the zh-CN title, the English meaning."""
    rows = [
        {
            "code": refusal.code,
            "status": str(next(STATUS[kind] for kind in refusal.__mro__ if kind in STATUS)),
            "title": refusal.title,
            "meaning": " ".join(inspect.cleandoc(refusal.__doc__ or "").partition("\n\n")[0].split()),
        }
        for refusal in set(_below(Refusal))
    ]
    yield from sorted(rows, key=lambda row: (row["status"], row["code"]))


def _below(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for refusal in kind.__subclasses__():
        yield refusal
        yield from _below(refusal)
