"""Desks: the places where cases lie, by id: an authority's, or that of an organisation that is no authority."""

from datetime import date

from server.domain.catalogue.authorities import Authorities, Authority
from server.domain.catalogue.divisions import parent_of, prefix, province_of
from server.domain.catalogue.items import DecidedBy
from server.domain.catalogue.pinning import PREFIX, PinnedAuthority, organisation


def find_desk(authorities: Authorities, id: str, *, province: str, on: date) -> PinnedAuthority | None:
    """The desk of this id in a province (`320000`) on this day, if there is one.

    Such are `public_security/320102`, one that data names, and `provider/health/320102`.
    """
    for kind, start in PREFIX.items():
        if start and id.startswith(start):
            place = id.removeprefix(start)
            is_there = province_of(place.rpartition("/")[2]) == province
            return _other(authorities, place, kind, on=on) if is_there else None
    found = find_authority(authorities, id, on=on)
    is_there = found is not None and province_of(found.divisions[0]) == province
    return PinnedAuthority(id=found.id, name=found.name) if found and is_there else None


def find_authority(authorities: Authorities, id: str, *, on: date) -> Authority | None:
    """The authority of this id, named or by rule, if there is one on this day."""
    for named in authorities.named:
        if named.id == id:
            return named if named.holds(on) else None
    department, _, code = id.partition("/")
    is_known = department in authorities.naming_of and authorities.divisions.at(code, on) is not None
    return authorities.by_rule(department, code) if is_known else None


def above(authorities: Authorities, id: str, *, on: date) -> PinnedAuthority | None:
    """The authority right above one on this day: of its department, in a division around its own.

    Above an organisation that is no authority stands that of the department where it is.
    """
    department, code, is_authority = _power_of(authorities, id)
    around = parent_of(code) if is_authority else code
    found = authorities.holder_of(department, around, on=on) if around else None
    return PinnedAuthority(id=found.id, name=found.name) if found and found.id != id else None


def all_above(authorities: Authorities, id: str, *, on: date) -> tuple[str, ...]:
    """The ids of all authorities above one on this day, the nearest first."""
    found: list[str] = []
    while (next_one := above(authorities, id, on=on)) and next_one.id not in found:
        found.append(id := next_one.id)
    return tuple(found)


def all_below(authorities: Authorities, id: str, *, on: date) -> tuple[str, ...]:
    """The ids of all desks below an authority on this day: of its department, in the divisions inside its own.

    Those of organisations that are no authorities are below the one of the same division.
    """
    department, code, is_authority = _power_of(authorities, id)
    if not is_authority:
        return ()
    divisions = authorities.divisions.divisions
    inside = [each.code for each in divisions if each.is_valid(on) and _is_inside(each.code, code)]
    found = [below.id for each in inside if (below := authorities.by_rule(department, each))]
    found += [
        each.id
        for each in authorities.named
        if each.holds(on) and department in each.departments and any(_is_inside(own, code) for own in each.divisions)
    ]
    naming = authorities.naming_of.get(department)
    if naming and naming.organisation:
        found += [f"{start}{department}/{each}" for start in PREFIX.values() if start for each in (code, *inside)]
    return tuple(dict.fromkeys(below for below in found if below != id))


def _is_inside(code: str, around: str) -> bool:
    return code != around and code.startswith(prefix(around))


def _power_of(authorities: Authorities, id: str) -> tuple[str, str, bool]:
    """The department and the division of the desk of this id, and whether it is an authority's; empty: nobody's."""
    for kind, start in PREFIX.items():
        if start and id.startswith(start):
            department, _, code = id.removeprefix(start).partition("/")
            return department, code, kind == "authority"
    for named in authorities.named:
        if named.id == id:
            return named.departments[0], named.divisions[0], True
    department, _, code = id.partition("/")
    return department, code, True


def _other(authorities: Authorities, place: str, kind: DecidedBy, *, on: date) -> PinnedAuthority | None:
    department, _, code = place.partition("/")
    is_there = authorities.divisions.at(code, on) is not None
    return organisation(authorities, department, code, decided_by=kind) if is_there else None
