"""Checking who decides: that somebody does, that nobody does beside them, and that they are still there."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import combinations

from server.domain.catalogue.authorities import LEVELS, Authorities, NamedAuthority, NobodyDecides, PlaceTooBroad
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.delegations import Delegation
from server.domain.catalogue.divisions import province_of
from server.domain.catalogue.items import Item
from server.domain.catalogue_checks.faults import Fault, doubles, fault, reference_faults

Exceptional = NamedAuthority | Delegation
MOST_PLACES = 3  # that one fault names


def authority_faults(authorities: Authorities) -> tuple[Fault, ...]:
    """What contradicts itself in who decides, whatever the catalogue."""
    found = [*_references(authorities), *_endless(authorities), *_gone(authorities)]
    return (*found, *_overlaps(authorities))


def decider_faults(catalogue: Catalogue, authorities: Authorities, provinces: Collection[str]) -> tuple[Fault, ...]:
    """What does not fit the catalogue; if nothing, then what nobody decides in some division of these provinces."""
    found = (*_unknown(catalogue, authorities), *_nameless(catalogue, authorities))
    return found or tuple(_undecided(catalogue, authorities, provinces))


def days_of_change(authorities: Authorities) -> tuple[date, ...]:
    """The last day up to which divisions are known, and the days around the first and the last of each exception."""
    periods = _exceptions(authorities)
    first = [each.from_day for each in periods if each.from_day]
    after = [each.to_day + timedelta(days=1) for each in periods if each.to_day]
    days = {authorities.divisions.known_to, *first, *after}
    return tuple(sorted(days | {day - timedelta(days=1) for day in (*first, *after)}))


def _references(authorities: Authorities) -> Iterator[Fault]:
    known, named = authorities.divisions.by_code, {each.id for each in authorities.named}
    for each in authorities.next_levels:
        yield from reference_faults(("next_level", each.level), "division", codes=each.divisions, known=known)
    for entry in _exceptions(authorities):
        place = (_table(entry), entry.id)
        yield from reference_faults(place, "division", codes=entry.divisions, known=known)
        receivers = [entry.receiver] if isinstance(entry, Delegation) else []
        yield from reference_faults(place, "level or authority", codes=receivers, known={*LEVELS, *named})
    for department in doubles(naming.department for naming in authorities.namings):
        yield fault(("naming", department), "duplicate", reason=f"{department} has more than one naming")
    for id in doubles(each.id for each in _exceptions(authorities)):
        yield fault(("authority", id), "duplicate", reason=f"the id {id} stands there more than once")


def _unknown(catalogue: Catalogue, authorities: Authorities) -> Iterator[Fault]:
    """Departments and items that the catalogue does not have."""
    for naming in authorities.namings:
        place, codes = ("naming", naming.department), [naming.department]
        yield from reference_faults(place, "department", codes=codes, known=catalogue.departments)
    for each in authorities.next_levels:
        place, codes = ("next_level", each.level), list(each.departments)
        yield from reference_faults(place, "department", codes=codes, known=catalogue.departments)
    for entry in _exceptions(authorities):
        place = (_table(entry), entry.id)
        departments = entry.departments if isinstance(entry, NamedAuthority) else ()
        yield from reference_faults(place, "department", codes=departments, known=catalogue.departments)
        yield from reference_faults(place, "item", codes=entry.items, known=catalogue.item_of)


def _nameless(catalogue: Catalogue, authorities: Authorities) -> Iterator[Fault]:
    """Who decides without being an authority has a name, too."""
    named = {each.department for each in authorities.namings if each.organisation}
    without = (each for each in catalogue.items if each.competence and each.competence.decided_by != "authority")
    for department in sorted({item.department for item in without} - named):
        yield fault(("naming", department), "nameless", reason=f"{department} has no name for its organisations")


def _endless(authorities: Authorities) -> Iterator[Fault]:
    """A level that decides for another has its own authorities, or one that decides for it, and so on to an end."""
    for each in authorities.next_levels:
        for division in each.divisions or [""]:
            for department in each.departments or [""]:
                last = authorities.level_at(each.level, department, division)
                if authorities.level_at(last, department, division) != last or last == each.level:
                    yield fault(("next_level", each.level), "endless", reason=f"{each.level} leads in a circle")


def _gone(authorities: Authorities) -> Iterator[Fault]:
    """No exception outlives a division of its own."""
    for entry in _exceptions(authorities):
        for code in entry.divisions:
            division = authorities.divisions.find(code)
            last = division.valid_to if division else None
            if last and (entry.to_day is None or entry.to_day > last):
                yield fault((_table(entry), entry.id), "gone", reason=f"the last day of {code} is {last}")


def _overlaps(authorities: Authorities) -> Iterator[Fault]:
    """Nothing is decided by two exceptions at once."""
    for first, second in combinations(authorities.delegations, 2):
        if first.overlaps(second):
            yield fault(("delegation", second.id), "overlap", reason=f"{first.id} moves the same on some day")
    for one, other in combinations(authorities.named, 2):
        if one.overlaps(other):
            yield fault(("authority", other.id), "overlap", reason=f"{one.id} decides the same on some day")


def _undecided(catalogue: Catalogue, authorities: Authorities, provinces: Collection[str]) -> Iterator[Fault]:
    days = days_of_change(authorities)
    for item, answers, is_changing in _kinds(catalogue, authorities):
        for day in days if is_changing else [authorities.divisions.known_to]:
            places = _without(authorities, item, answers, day=day, provinces=provinces)
            if places:
                reason = f"nobody decides {item.code} on {day} in {', '.join(places[:MOST_PLACES])}"
                more = f" and {len(places) - MOST_PLACES} more divisions" if len(places) > MOST_PLACES else ""
                yield fault(("naming", item.department), "undecided", reason=reason + more)


def _kinds(catalogue: Catalogue, authorities: Authorities) -> Iterator[tuple[Item, Mapping[str, str], bool]]:
    """One item, with answers, of each kind that is decided alike, and whether that may change with the day."""
    items = {code for each in _exceptions(authorities) for code in each.items}
    departments = {code for each in authorities.named if not each.items for code in each.departments}
    seen = set()
    for item in catalogue.items:
        is_changing = item.code in items or item.department in departments
        for rule in item.competence.levels if item.competence else ():
            kind = (item.department, rule.level, item.code if item.code in items else "")
            if kind not in seen:
                seen.add(kind)
                yield item, {code: allowed[0] for code, allowed in rule.when.items()}, is_changing
        if item.competence is None:
            yield item, {}, is_changing


def _without(
    authorities: Authorities, item: Item, answers: Mapping[str, str], *, day: date, provinces: Collection[str]
) -> Sequence[str]:
    """The divisions of these provinces, of those where anything may be decided, in which nobody decides the item."""
    found = []
    for division in authorities.divisions.divisions:
        if division.is_routable and division.is_valid(day) and province_of(division.code) in provinces:
            try:
                authorities.decider_of(item, answers, division.code, on=day)
            except NobodyDecides:
                found.append(division.code)
            except PlaceTooBroad:
                inside = authorities.divisions.children(division.code, day)
                if not any(each.is_routable or each.kind == "grouping" for each in inside):
                    found.append(division.code)
    return found


def _exceptions(authorities: Authorities) -> list[Exceptional]:
    return [*authorities.named, *authorities.delegations]


def _table(entry: Exceptional) -> str:
    return "authority" if isinstance(entry, NamedAuthority) else "delegation"
