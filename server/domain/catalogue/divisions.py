"""Administrative divisions (行政区划): six-digit codes in which a province contains its cities and counties."""

import re
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from typing import Annotated, Literal

from pydantic import StringConstraints

from server.domain.errors import Missing
from server.domain.values import Value

CODE = re.compile(r"^[1-9][0-9]{5}$")
CodeOrNone = Annotated[str, StringConstraints(pattern=r"^([1-9][0-9]{5})?$")]  # empty: none is named
Kind = Literal["province", "city", "county", "zone", "town", "grouping"]


class NoSuchDivision(Missing):
    """No division ever had this code."""

    code = "no_such_division"
    title = "没有这个行政区划"


class Division(Value):
    """One division: its code (GB/T 2260), its zh-CN name, the first and last day it was valid, and who came after it.

    An abolished one stays known, so that an old case still says where it was decided. `successors` are told to people;
    nothing is mapped by itself, for a part may have gone to each of them.
    """

    code: str
    name: str
    kind: Kind
    valid_from: date | None = None
    valid_to: date | None = None
    successors: tuple[str, ...] = ()

    @property
    def is_routable(self) -> bool:
        """Whether something may be decided there: not by a development zone, a town, or what is no place."""
        return self.kind in ("province", "city", "county")

    def is_valid(self, on: date) -> bool:
        """Whether it existed on this day."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)


class Divisions(Value):
    """All divisions that were ever known, up to the day `known_to`; the look-ups are kept once made."""

    known_to: date
    source: str
    status: str
    divisions: tuple[Division, ...]

    @cached_property
    def by_code(self) -> dict[str, Division]:
        """All divisions by code."""
        return {division.code: division for division in self.divisions}

    @cached_property
    def by_parent(self) -> dict[str, tuple[Division, ...]]:
        """All divisions by what is right around them."""
        found: dict[str, list[Division]] = {}
        for division in self.divisions:
            found.setdefault(parent_of(division.code), []).append(division)
        return {parent: tuple(inside) for parent, inside in found.items()}

    def find(self, code: str) -> Division | None:
        """The division of this code, abolished or not."""
        return self.by_code.get(code)

    def at(self, code: str, day: date) -> Division | None:
        """The division of this code, if it was valid on that day."""
        found = self.find(code)
        return found if found and found.is_valid(day) else None

    def children(self, parent: str, on: date) -> tuple[Division, ...]:
        """The divisions right inside the parent (empty: the provinces) on this day; raises NoSuchDivision.

        Two digits tell them apart, so there are never more than 99.
        """
        if parent and parent not in self.by_code:
            raise NoSuchDivision("没有这个行政区划代码，请核对后重试。")
        return tuple(division for division in self.by_parent.get(parent, ()) if division.is_valid(on))

    def name_in_full(self, code: str) -> str:
        """省、市、县 in one: `浙江省杭州市西湖区`; a name that says nothing new is left out. Raises NoSuchDivision."""
        if code not in self.by_code:
            raise NoSuchDivision("没有这个行政区划代码，请核对后重试。")
        names = [each.name for each in self._upwards(code) if each.kind != "grouping" or each.code == code]
        return "".join(dict.fromkeys(reversed(names)))

    def _upwards(self, code: str) -> Iterator[Division]:
        while code in self.by_code:
            yield self.by_code[code]
            code = parent_of(code)


def prefix(code: str) -> str:
    """What all codes inside this division begin with: `320000` -> `32`, `320100` -> `3201`, `320102` -> itself."""
    for length in (2, 4):
        if code[length:] == "0" * (6 - length):
            return code[:length]
    return code


def province_of(code: str) -> str:
    """The province that this division lies in: `330106` -> `330000`."""
    return code[:2] + "0000"


def parent_of(code: str) -> str:
    """The division right around this one; empty for a province."""
    inner = prefix(code)
    return inner[:-2].ljust(6, "0") if len(inner) > 2 else ""
