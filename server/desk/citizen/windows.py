"""Windows: where in a division one may hand in, which of them are open now, and which is nearest."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from server.desk.citizen.authorities import answers_of, check_ours
from server.desk.citizen.browsing import local
from server.domain.catalogue.authorities import HOTLINE, PlaceTooBroad, in_force
from server.domain.catalogue.divisions import prefix
from server.domain.catalogue.items import Status
from server.domain.catalogue.windows import Hours, Window, WindowKind, nearest_first
from server.domain.values import Value
from server.node import Node

MOST_WINDOWS = 100
CITY_DIGITS = 4
UNSURE = f"以现场公布为准，可拨 {HOTLINE}。"


class WindowsAsked(Value):
    """The windows of this division, for this item (empty: any) with these answers, and from where they are to be near.

    `answers` as of DecidersAsked: with others another authority may decide, which has other windows.
    """

    division: Annotated[str, StringConstraints(max_length=20)] = ""
    item: Annotated[str, StringConstraints(max_length=100)] = ""
    answers: Annotated[str, StringConstraints(max_length=1000)] = ""
    lat: Annotated[float | None, Field(ge=-90, le=90)] = None
    lon: Annotated[float | None, Field(ge=-180, le=180)] = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("lat and lon must stand together")
        return self


class WindowView(Value):
    """A window; `is_open` (null: not known) is by the clock of the node, `metres` (null: not known) from where one is.

    If nobody has seen its hours for a year they are left out, and `notice` says so in words. Without a telephone of
    its own it is the hotline.
    """

    id: str
    name: str
    kind: WindowKind
    division: str
    division_name: str
    address: str
    lat: float | None
    lon: float | None
    hours: tuple[Hours, ...]
    closed: tuple[date, ...]
    phones: tuple[str, ...]
    is_open: bool | None
    metres: int | None
    notice: str
    source: str
    status: Status
    seen_on: date


class WindowList(Value):
    """The windows of a division and of its towns; `left_out` of them are more than one answer tells."""

    division: str
    division_name: str
    item: str
    on: date
    windows: tuple[WindowView, ...]
    left_out: int


def windows(node: Node, asked: WindowsAsked) -> WindowList:
    """The windows of this division that receive for the item, the nearest first if one says where one is.

    Raises NoSuchDivision, NotOurDivision, DivisionNotInForce, PlaceTooBroad, NoSuchItem, the refusals of `answers_of`.
    """
    division, context = asked.division or node.here, node.context()
    check_ours(node, division)
    in_force(context.divisions, division, on=context.on)
    if len(prefix(division)) < CITY_DIGITS:
        raise PlaceTooBroad("请选择具体的市或者县（市、区）。", more={"level": "city"})
    found = context.windows.inside(division, on=context.on)
    if asked.item:
        item, answers = local(node).item(asked.item), answers_of(local(node), asked.answers)
        found = [each for each in found if context.receives(each, item, answers)]
    if asked.lat is not None and asked.lon is not None:
        found = nearest_first(found, lat=asked.lat, lon=asked.lon)
    return WindowList(
        division=division,
        division_name=context.divisions.name_in_full(division),
        item=asked.item,
        on=context.on,
        windows=tuple(_view(node, each, asked) for each in found[:MOST_WINDOWS]),
        left_out=max(0, len(found) - MOST_WINDOWS),
    )


def _view(node: Node, window: Window, asked: WindowsAsked) -> WindowView:
    at, on = node.clock.now(), node.context().on
    is_trusted = window.is_trusted(on)
    near = asked.lat is not None and asked.lon is not None
    shown = set(WindowView.model_fields) & set(Window.model_fields)
    return WindowView(
        **window.model_dump(include=shown - {"hours", "closed", "phones"}),
        division_name=node.published.divisions.name_in_full(window.county),
        hours=window.hours if is_trusted else (),
        closed=window.closed if is_trusted else (),
        phones=window.phones or (HOTLINE,),
        is_open=window.is_open(at, is_working=node.published.calendar.is_working(on)),
        metres=window.metres_from(asked.lat or 0.0, asked.lon or 0.0) if near else None,
        notice="" if is_trusted and window.hours else UNSURE,
    )
