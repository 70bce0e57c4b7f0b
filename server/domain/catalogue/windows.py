"""Windows (综合窗口): where applicants hand in for many authorities, when it is open, and how far away it is."""

import math
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from server.domain.catalogue.divisions import prefix
from server.domain.catalogue.items import Item, Sourced, Text
from server.domain.periods import Period
from server.domain.values import CHINA, Value, china_day

WindowKind = Literal["hall", "station", "town", "other"]
DayOfYear = Annotated[str, StringConstraints(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Span = Annotated[str, StringConstraints(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9])?$")]
Weekday = Annotated[int, Field(ge=1, le=7)]  # ISO 8601: Monday is 1
MONDAY, SATURDAY = 1, 6
TRUSTED = timedelta(days=365)  # how long hours may be relied on after they were seen
EARTH_METRES = 6_371_000


class Hours(Value):
    """When a window is open: on these weekdays of a season, in the morning, in the afternoon, or both.

    A season goes from day to day of every year (`05-01`), over the new year if it ends before it begins.
    """

    from_day: DayOfYear = "01-01"
    to_day: DayOfYear = "12-31"
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    am: Span = ""
    pm: Span = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        ends = [end for span in self.spans for end in span]
        if not ends or ends != sorted(set(ends)):
            raise ValueError("am and pm must name one time after the other, and at least one span")
        return self

    @property
    def spans(self) -> tuple[tuple[str, str], ...]:
        """Beginning and end of each part of the day: `("09:00", "12:00")`."""
        parts = (span.partition("-") for span in (self.am, self.pm) if span)
        return tuple((begin, end) for begin, _, end in parts)

    def is_season(self, day: str) -> bool:
        """Whether this day of the year (`11-23`) is in the season."""
        if self.from_day <= self.to_day:
            return self.from_day <= day <= self.to_day
        return day >= self.from_day or day <= self.to_day

    def overlaps(self, other: "Hours") -> bool:
        """Whether both tell of the same minute."""
        seasons = [(self, other.from_day), (other, self.from_day)]
        is_same_day = bool(set(self.days) & set(other.days)) and any(one.is_season(day) for one, day in seasons)
        return is_same_day and any(
            begin < their_end and their_begin < end
            for begin, end in self.spans
            for their_begin, their_end in other.spans
        )


class Window(Sourced, Period):
    """One window: a hall of a government (hall), a police or tax station (station), a town's (town), or another.

    `division` is its county, or its town of 9 or 12 digits. It receives what the departments, items and authorities
    say that are named; if none is, all items. Address, place and telephones are empty unless a source gives them;
    `seen_on` is the day on which somebody last compared it with what the window itself publishes.
    """

    id: Text
    name: Text
    kind: WindowKind
    division: Annotated[str, StringConstraints(pattern=r"^[1-9]([0-9]{5}|[0-9]{8}|[0-9]{11})$")]
    address: str = ""
    lat: Annotated[float | None, Field(ge=-90, le=90)] = None
    lon: Annotated[float | None, Field(ge=-180, le=180)] = None
    hours: tuple[Hours, ...] = ()
    closed: tuple[date, ...] = ()
    phones: tuple[Text, ...] = ()
    departments: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()
    seen_on: date

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("lat and lon must stand together")
        return self

    @property
    def county(self) -> str:
        """The division of six digits in which it is."""
        return self.division[:6]

    def receives(self, item: Item, *, authority: str) -> bool:
        """Whether one may hand in here for this item, which this authority (empty: none, or not known) decides."""
        if not (self.departments or self.items or self.authorities):
            return True
        return item.code in self.items or item.department in self.departments or authority in self.authorities

    def is_trusted(self, on: date) -> bool:
        """Whether its hours may still be told on this day; not so if nobody has seen them for a year."""
        return on <= self.seen_on + TRUSTED

    def is_open(self, at: datetime, *, is_working: bool) -> bool | None:
        """Whether it is open at this moment; None if that is not known. `is_working`: whether the day is worked.

        A weekend day that is worked (调休上班) has the hours of a Monday; on a holiday in the week it is closed.
        """
        on, minute = china_day(at), f"{at.astimezone(CHINA):%H:%M}"
        if not self.hours or not self.is_trusted(on):
            return None
        weekday = MONDAY if is_working and on.isoweekday() >= SATURDAY else on.isoweekday()
        if on in self.closed or not self.holds(on) or (weekday < SATURDAY and not is_working):
            return False
        today = (each for each in self.hours if weekday in each.days and each.is_season(f"{on:%m-%d}"))
        return any(begin <= minute < end for each in today for begin, end in each.spans)

    def metres_from(self, lat: float, lon: float) -> int | None:
        """How far it is from this place (degrees) on a sphere; None if its own place is not known."""
        if self.lat is None or self.lon is None:
            return None
        ours, theirs = math.radians(self.lat), math.radians(lat)
        north, east = (ours - theirs) / 2, math.radians(self.lon - lon) / 2
        part = math.sin(north) ** 2 + math.cos(ours) * math.cos(theirs) * math.sin(east) ** 2
        return round(2 * EARTH_METRES * math.asin(min(1.0, math.sqrt(part))))


class Windows(Value):
    """All windows that were ever known; the look-ups are kept once made."""

    windows: tuple[Window, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Window]:
        """All windows by id, those that are closed for good too."""
        return {window.id: window for window in self.windows}

    def find(self, id: str, *, on: date) -> Window | None:
        """The window of this id, if there is one on this day."""
        found = self.by_id.get(id)
        return found if found and found.holds(on) else None

    def inside(self, division: str, *, on: date) -> list[Window]:
        """The windows of this division and of what lies in it, on this day, ordered by place and id."""
        begin = prefix(division)
        found = (each for each in self.windows if each.division.startswith(begin) and each.holds(on))
        return sorted(found, key=lambda window: (window.division, window.id))


def nearest_first(windows: Iterable[Window], *, lat: float, lon: float) -> list[Window]:
    """The windows by their distance from this place, those whose place is not known last."""
    far = [(metres, window) for window in windows for metres in [window.metres_from(lat, lon)]]
    return [window for _, window in sorted(far, key=lambda pair: math.inf if pair[0] is None else pair[0])]
