"""Desks: the places where cases lie, by id: an authority's, or that of an organisation that is no authority."""

from datetime import date

from server.domain.catalogue.authorities import Authorities, Authority
from server.domain.catalogue.divisions import province_of
from server.domain.catalogue.items import DecidedBy
from server.domain.catalogue.pinning import PREFIX, PinnedAuthority


def find_desk(authorities: Authorities, id: str, *, province: str, on: date) -> PinnedAuthority | None:
    """The desk of this id in a province (`320000`) on this day, if there is one.

    Such are `public_security/320102`, one that data names, and `provider/health/320102`.
    """
    for kind, prefix in PREFIX.items():
        if prefix and id.startswith(prefix):
            place = id.removeprefix(prefix)
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


def _other(authorities: Authorities, place: str, kind: DecidedBy, *, on: date) -> PinnedAuthority | None:
    department, _, code = place.partition("/")
    naming = authorities.naming_of.get(department)
    if naming is None or not naming.organisation or authorities.divisions.at(code, on) is None:
        return None
    name = naming.organisation.format(place=authorities.divisions.name_in_full(code))
    return PinnedAuthority(id=f"{PREFIX[kind]}{place}", name=name, decided_by=kind)
