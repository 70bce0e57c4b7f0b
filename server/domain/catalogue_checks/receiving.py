"""Checking windows: that they are where something is, and receive what there is."""

from collections.abc import Iterator
from itertools import combinations

from server.domain.catalogue.authorities import Authorities
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.windows import Window, Windows
from server.domain.catalogue_checks.faults import Fault, Place, doubles, fault, reference_faults


def window_faults(windows: Windows, authorities: Authorities) -> tuple[Fault, ...]:
    """What is wrong with windows, whatever the catalogue: ids, divisions, hours that tell of the same minute."""
    found = [
        fault(("window", id), "duplicate", reason=f"the id {id} stands there more than once")
        for id in doubles(each.id for each in windows.windows)
    ]
    for window in windows.windows:
        found += [*_places(window, authorities), *_hours(window)]
    return tuple(found)


def receiving_faults(catalogue: Catalogue, authorities: Authorities, windows: Windows) -> tuple[Fault, ...]:
    """Departments, items and authorities for which a window receives, and which there are not."""
    return tuple(each for window in windows.windows for each in _unknown(catalogue, authorities, window))


def _places(window: Window, authorities: Authorities) -> Iterator[Fault]:
    """It stands in a division, and does not outlive it."""
    known = authorities.divisions.by_code
    yield from reference_faults(_place(window), "division", codes=[window.county], known=known)
    last = known[window.county].valid_to if window.county in known else None
    if last and (window.to_day is None or window.to_day > last):
        yield fault(_place(window), "gone", reason=f"the last day of {window.county} is {last}")


def _hours(window: Window) -> Iterator[Fault]:
    for one, other in combinations(window.hours, 2):
        if one.overlaps(other):
            yield fault(_place(window), "overlap", reason=f"it is open twice at once from {other.from_day}")


def _unknown(catalogue: Catalogue, authorities: Authorities, window: Window) -> Iterator[Fault]:
    place, departments = _place(window), catalogue.departments
    yield from reference_faults(place, "department", codes=window.departments, known=departments)
    yield from reference_faults(place, "item", codes=window.items, known=catalogue.item_of)
    named = {each.id for each in authorities.named}
    by_rule = {each.department for each in authorities.namings}
    for id in window.authorities:
        department, _, code = id.partition("/")
        if id not in named and not (department in by_rule and code in authorities.divisions.by_code):
            yield fault(place, "unknown_reference", reason=f"there is no authority {id!r}")


def _place(window: Window) -> Place:
    return "window", window.id
