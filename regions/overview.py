"""What the system administrator sees of a node: its versions, its peers, its clocks, and what is set apart."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Literal

from regions import apart, clocks, standing
from regions.clocks import ClockShown
from regions.standing import Standing
from server.desk.officer.administering import Reason
from server.desk.steps import LocalMoment
from server.domain.apart import ApartState, Kind, SetApart
from server.domain.audit import Doer
from server.domain.people.accounts import TotpMode
from server.domain.release import VERSION
from server.domain.values import Value
from server.node import Node

MOST_APART = 1000


class ApartCount(Value):
    """How much of a kind is set apart until somebody decides, and how much is tried again by itself."""

    kind: Kind
    apart: int
    again: int


class CalendarShown(Value):
    """The calendar of working days in force, sure up to `known_to`; `is_projected`: all dates follow it."""

    version: str
    known_to: date
    is_projected: bool


class SettingsShown(Value):
    """What an operator has chosen for the desks and sessions; each is explained in config/node.toml."""

    desk_totp: TotpMode
    desk_session_seconds: int
    desk_idle_seconds: int
    weighty_acts: str
    proof_seconds: int
    password_characters: int
    access_token_seconds: int
    refresh_token_seconds: int
    claim_seconds: int
    draft_days: int
    log_level: Literal["debug", "info", "warning", "error"]


class NodeOverview(Value):
    """The state of a node in one view: no case, no personal data and no secret. Things set apart count up to 1,000."""

    division: str
    version: str
    data_format: int
    catalogue_version: str
    directory_version: int
    calendar: CalendarShown
    peers: tuple[Standing, ...]
    apart: tuple[ApartCount, ...]
    clocks: tuple[ClockShown, ...]
    settings: SettingsShown


class ApartLine(Value):
    """One thing that could not be handled, by its kind and id; `fault` is the class of the exception it raised."""

    id: str
    kind: Kind
    state: ApartState
    fault: str
    place: str
    tries: int
    first_at: LocalMoment
    next_at: LocalMoment


class ApartList(Value):
    """What is set apart, the longest first, and then what is tried again by itself: at most 1,000."""

    apart: tuple[ApartLine, ...]


class Retrying(Value):
    """Why a thing is to be handled anew."""

    reason: Reason


async def overview(node: Node) -> NodeOverview:
    """How this node stands."""
    return NodeOverview(
        division=node.here,
        version=VERSION,
        data_format=node.store.data_format,
        catalogue_version=node.catalogue.version,
        directory_version=node.directory.version,
        calendar=await _calendar(node),
        peers=tuple(await standing.standings(node)),
        apart=_counts(await apart.listed(node, limit=MOST_APART)),
        clocks=await clocks.listed(node),
        settings=SettingsShown(**{name: getattr(node.settings, name) for name in SettingsShown.model_fields}),
    )


async def listed(node: Node) -> ApartList:
    """What is set apart or being tried again."""
    return ApartList(apart=tuple(_line(row) for row in await apart.listed(node, limit=MOST_APART)))


async def retry(node: Node, id: str, retrying: Retrying, *, by: Doer) -> ApartLine:
    """Let the thing be handled anew, which is audited; raises NothingApart and StaleVersion."""
    return _line(await apart.retry(node, id, by=by, reason=retrying.reason))


async def _calendar(node: Node) -> CalendarShown:
    calendar, projection = node.published.calendar, await node.store.calendar.projection()
    return CalendarShown(
        version=calendar.version, known_to=calendar.known_to, is_projected=projection.follows(calendar)
    )


def _counts(rows: Sequence[SetApart]) -> tuple[ApartCount, ...]:
    counted = Counter((row.kind, row.state == "apart") for row in rows)
    kinds = sorted({row.kind for row in rows})
    return tuple(ApartCount(kind=kind, apart=counted[kind, True], again=counted[kind, False]) for kind in kinds)


def _line(row: SetApart) -> ApartLine:
    return ApartLine(**{name: getattr(row, name) for name in ApartLine.model_fields})
