"""All doors of a node, in one table."""

import inspect
from collections.abc import Iterator

from handlers import (
    accounts,
    audit,
    cases,
    catalogue,
    checks,
    colleagues,
    desk,
    drafts,
    licence_use,
    licences,
    mandates,
    materials,
    officers,
    ops,
    peaks,
    peers,
    push,
    searches,
    sessions,
    showing,
    signings,
    standing_in,
    system,
    warnings,
    worklist,
)
from handlers.application import FOR_OPERATORS
from handlers.base import Handler
from handlers.problems import STATUS
from server.domain.errors import Refusal

DOORS: tuple[type[Handler], ...] = (
    sessions.SessionsHandler,
    sessions.SessionHandler,
    sessions.SessionRefreshHandler,
    sessions.IdentityHandler,
    catalogue.BundlesHandler,
    catalogue.BundleHandler,
    catalogue.BundleGuideHandler,
    licence_use.CoverageHandler,
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
    cases.CasePaperHandler,
    signings.SigningsHandler,
    signings.SigningHandler,
    signings.SigningFileHandler,
    cases.UndertakingsHandler,
    checks.TypedCheckHandler,
    checks.PaperCheckHandler,
    licences.LicencesHandler,
    showing.ShowCodesHandler,
    licences.LicenceHandler,
    licence_use.LicenceUsesHandler,
    showing.LicenceRequestsHandler,
    showing.LicenceConfirmHandler,
    showing.LicenceDeclineHandler,
    push.PushHandler,
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
    licences.LicenceSearchesHandler,
    licences.DeskLicenceHandler,
    licences.LicenceActHandler,
    licences.LicenceChecksHandler,
    showing.DeskCodesHandler,
    showing.DeskRequestHandler,
    searches.DeedsHandler,
    desk.DeskCaseHandler,
    desk.DeskMaterialHandler,
    licence_use.DeskCoveredHandler,
    desk.DeskPaperHandler,
    desk.DeskVisitsHandler,
    desk.DesignationsHandler,
    materials.LicenceFilesHandler,
    desk.StepActHandler,
    peers.PeerLogHandler,
    peers.PeerContentHandler,
    peers.PeerLicenceHandler,
    licence_use.PeerCopyHandler,
    showing.PeerCodeHandler,
    showing.PeerRequestHandler,
    peers.PeerHeadsHandler,
    peers.PeerDirectoryHandler,
    *FOR_OPERATORS,
    ops.OpenApiHandler,
)


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
