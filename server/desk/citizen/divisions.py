"""Divisions: what lies right inside a division on a day, to be chosen from."""

from datetime import date

from server.domain.catalogue.divisions import Division, Divisions, Kind
from server.domain.errors import Malformed
from server.domain.values import Value
from server.node import Node


class DayUnreadable(Malformed):
    """A day must be written as year, month, day: 2026-11-23."""

    code = "day_unreadable"
    title = "日期格式不正确"


class DivisionLine(Value):
    """A division as it stands in the list; one that `is_routable` may be the answer to where something is decided."""

    code: str
    name: str
    full_name: str
    kind: Kind
    is_routable: bool
    has_children: bool
    valid_from: date | None
    valid_to: date | None
    successors: tuple[str, ...]


class DivisionList(Value):
    """What lies right inside `parent` on the day `on`; changes are known up to `known_to`."""

    parent: str
    on: date
    known_to: date
    source: str
    status: str
    divisions: tuple[DivisionLine, ...]


def divisions(node: Node, *, parent: str, on: str) -> DivisionList:
    """The divisions inside the parent (empty: the provinces) on this day (empty: today).

    Raises NoSuchDivision, DayUnreadable.
    """
    known = node.published.divisions
    day = _day(on) if on else node.context().on
    return DivisionList(
        parent=parent,
        on=day,
        known_to=known.known_to,
        source=known.source,
        status=known.status,
        divisions=tuple(_line(known, each, day) for each in known.children(parent, day)),
    )


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise DayUnreadable("请按 2026-11-23 的格式填写日期。")
    return day


def _line(known: Divisions, division: Division, on: date) -> DivisionLine:
    return DivisionLine(
        **division.model_dump(),
        full_name=known.name_in_full(division.code),
        is_routable=division.is_routable,
        has_children=bool(known.children(division.code, on)),
    )
