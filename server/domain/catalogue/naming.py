"""Names of authorities (实施主体) by rule: how the organs of one department are called at each level."""

import re
from typing import Self

from pydantic import model_validator

from server.domain.catalogue.divisions import Division
from server.domain.catalogue.items import Sourced

PLACEHOLDERS = frozenset({"place", "short", "city"})
BY_ITSELF = 2  # characters: a district of so short a name (城区, 矿区) keeps it whole


class Naming(Sourced):
    """The patterns of one department's names; none of a level: the department has no organ there by rule.

    `{place}` is the division's name, `{short}` that of a district without 区, `{city}` the city's around it. Without
    a pattern of their own, municipalities (直辖市) take that of provinces, districts (市辖区) that of counties.
    A county that no city is around (省直辖县) takes that of cities.

    `organisation` is what those are called together that do the department's work without being an authority: the
    hospitals of a place. There `{place}` is the division's name in full.
    """

    department: str
    province: str = ""
    municipality: str = ""
    city: str = ""
    county: str = ""
    district: str = ""
    organisation: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for pattern in (self.province, self.municipality, self.city, self.county, self.district, self.organisation):
            if unknown := set(re.findall(r"[{}]+([^{}]*)[{}]+", pattern)) - PLACEHOLDERS:
                raise ValueError(f"a pattern names {sorted(unknown)}, which it may not")
        return self

    def name(self, division: Division, around: Division | None) -> str:
        """What the department's organ of this division is called; `around` is what it lies in. Empty: there is none."""
        pattern = self._pattern(division, around)
        city = around.name if around else ""
        return pattern.format(place=division.name, short=_short(division.name), city=city)

    def _pattern(self, division: Division, around: Division | None) -> str:
        if division.kind == "province":
            return (self.municipality if is_municipality(division) else "") or self.province
        if division.kind == "city":
            return self.city
        if division.kind != "county":
            return ""
        if around is None or around.kind != "city":
            return self.city
        return (self.district if is_district(division) else "") or self.county


def is_municipality(division: Division) -> bool:
    """Whether it is one of the four cities that are provinces (直辖市)."""
    return division.kind == "province" and division.name.endswith("市")


def is_district(division: Division) -> bool:
    """Whether it is a district of a city (市辖区); 林区 and 特区 are counties of another name."""
    return division.kind == "county" and division.name.endswith("区") and division.name[-2:] not in ("林区", "特区")


def _short(name: str) -> str:
    return name.removesuffix("区") if len(name) > BY_ITSELF and not name.endswith("新区") else name
