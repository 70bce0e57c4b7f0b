"""Depths: how deep a place must be so that one authority decides there, and what is wrong with one that is not."""

from collections.abc import Iterable, Mapping

from server.domain.catalogue.answers import pointer
from server.domain.catalogue.authorities import DIGITS, LEVELS, PlaceTooBroad
from server.domain.catalogue.context import Context
from server.domain.catalogue.divisions import prefix, province_of
from server.domain.catalogue.items import HOME, Item, Level, Part
from server.domain.errors import FieldFault

Placed = tuple[Item, str]  # an item and the division that decides it; empty: not known yet


def deepest_levels(placed: Iterable[Placed], answers: Mapping[str, str], *, context: Context) -> Mapping[str, Level]:
    """The level of each jurisdiction that is deep enough, whatever else will be answered."""
    found: dict[str, Level] = {}
    for item, division in placed:
        for level in item.competence.levels_left(answers) if item.competence else ():
            wanted = context.authorities.level_at(level, item.department, division)
            found[item.jurisdiction] = deeper(found.get(item.jurisdiction, "province"), wanted)
    return found


def depth_faults(
    placed: Iterable[Placed], told: Mapping[str, str], *, context: Context, must_be_complete: bool
) -> list[FieldFault]:
    """One fault for each place that is broader than what is decided there needs it; `told` are answers and form.

    Unless all must be complete, a place inside the home may be named later.
    """
    found: dict[str, tuple[Level, Item]] = {}
    for item, division in placed:
        is_later = item.jurisdiction == HOME and not (context.division or must_be_complete)
        level = _level(item, told, division, context=context) if division and not is_later else None
        if level and len(prefix(division)) < DIGITS[level]:
            known, _ = found.get(item.jurisdiction, ("province", item))
            if DIGITS[level] > DIGITS[known]:
                found[item.jurisdiction] = level, item
    return [_fault(place, level, item) for place, (level, item) in found.items()]


def level_of_part(part: Part, context: Context) -> Level:
    """How deep the applicant's own place must be for one authority to check there what another node decides."""
    return context.authorities.level_at("county", part.department, context.division or context.home)


def part_faults(parts: Iterable[tuple[Item, Part]], context: Context) -> list[FieldFault]:
    """The fault of the applicant's own place, if it is too broad for what the home does itself before it sends on."""
    place = prefix(context.division or context.home)
    for item, part in parts:
        level = level_of_part(part, context)
        if len(place) < DIGITS[level]:
            return [_fault(HOME, level, item)]
    return []


def level_of_lead(department: str, context: Context) -> Level | None:
    """How deep the applicant's own place must be for one authority of the department to lead there; None: deep enough.

    None also where no level helps.
    """
    authorities, place = context.authorities, context.division or context.home
    naming = authorities.naming_of.get(department)
    if naming is None or authorities.holder_of(department, place, on=context.on):
        return None
    level: Level = "city" if naming.city else "county"
    return level if len(prefix(place)) < DIGITS[level] else None


def lead_fault(name: str, level: Level) -> FieldFault:
    """The fault of the applicant's own place, if it is too broad for anybody to lead there what has this name."""
    return _too_broad(HOME, f"“{name}”由{LEVELS[level]}一级牵头办理，请选择到{LEVELS[level]}。")


def deeper(one: Level, other: Level) -> Level:
    """The deeper of two levels; the first if they are equal."""
    return max(one, other, key=DIGITS.__getitem__)


def _level(item: Item, told: Mapping[str, str], division: str, *, context: Context) -> Level | None:
    """How deep the place must be; none: at any. The delegations of another province are not known here."""
    level = context.authorities.level_of(item, told, division)
    if level is None or province_of(division) != province_of(context.home):
        return level
    return deeper(level, context.authorities.level_after(item, level, division, on=context.on))


def pointer_of(jurisdiction: str) -> str:
    """Where an application names the place that an item hangs on."""
    return "/division" if jurisdiction == HOME else pointer("answers", jurisdiction)


def _fault(place: str, level: Level, item: Item) -> FieldFault:
    return _too_broad(place, f"“{item.name}”由{LEVELS[level]}一级办理，请选择到{LEVELS[level]}。")


def _too_broad(jurisdiction: str, detail: str) -> FieldFault:
    return FieldFault(pointer=pointer_of(jurisdiction), code=PlaceTooBroad.code, detail=detail)
