"""Succession: the desks of abolished divisions, and the division that took the place of each, if it is a single one."""

from collections.abc import Iterator
from datetime import date

from server.domain.catalogue.authorities import Authorities
from server.domain.catalogue.divisions import Division, Divisions, province_of
from server.domain.catalogue.pinning import PREFIX
from server.domain.values import Value


class Succession(Value):
    """The id of a desk that is gone with its division, that division, and the code of the one after it.

    `heir` is empty if there are several, or none: then an authority above chooses.
    """

    desk: str
    division: Division
    heir: str


def successions(authorities: Authorities, province: str, *, on: date) -> Iterator[Succession]:
    """All desks of a province whose division is abolished on this day.

    Where a division goes on and only its boundaries change, nothing moves.
    """
    for division in authorities.divisions.divisions:
        is_abolished = division.valid_to is not None and division.valid_to < on
        if is_abolished and province_of(division.code) == province:
            heir = heir_of(authorities.divisions, division, on=on)
            heir = heir if heir and province_of(heir) == province else ""
            for desk in _desks_of(authorities, division.code):
                yield Succession(desk=desk, division=division, heir=heir)


def heir_of(divisions: Divisions, division: Division, *, on: date) -> str:
    """The code of the one division that is there on this day in the place of an abolished one; empty if none is."""
    seen = {division.code}
    while not division.is_valid(on):
        found = divisions.find(division.successors[0]) if len(division.successors) == 1 else None
        if found is None or found.code in seen:
            return ""
        seen.add(found.code)
        division = found
    return division.code


def _desks_of(authorities: Authorities, code: str) -> Iterator[str]:
    """The ids of all desks that a division had: by rule, and those that data named for it alone."""
    for department in authorities.naming_of:
        yield from (f"{start}{department}/{code}" for start in PREFIX.values())
    yield from (named.id for named in authorities.named if named.divisions == (code,))
