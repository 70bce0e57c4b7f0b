"""The desk of an id: whoever decides anything somewhere is found by their id, and nobody else is."""

from datetime import date

import pytest

from server.domain.catalogue.authorities import NobodyDecides, PlaceTooBroad
from server.domain.catalogue.desks import find_authority, find_desk
from server.domain.catalogue.divisions import province_of
from server.tools.publications import load_authorities, load_divisions
from tests.catalogue.shipped import CATALOGUE, CONFIG

JIANGSU = "320000"
TODAY = date(2026, 11, 23)
DIVISIONS = load_divisions(CONFIG / "regions")
SHIPPED = load_authorities(CONFIG / "regions", DIVISIONS)


@pytest.mark.parametrize("division", ["320102", "320600", "320830", "330106", "440304", "441900", "110101"])
def test_whoever_decides_is_found_by_their_id(division: str) -> None:
    found = set()
    for item in CATALOGUE.items:
        try:
            decider = SHIPPED.decider_of(item, {}, division, on=TODAY)
        except (NobodyDecides, PlaceTooBroad):
            continue
        if decider.authority:
            assert find_authority(SHIPPED, decider.authority.id, on=TODAY) == decider.authority
            desk = find_desk(SHIPPED, decider.authority.id, province=province_of(division), on=TODAY)
            assert desk
            assert (desk.name, desk.decided_by) == (decider.authority.name, "authority")
            found.add(desk.id)
    assert found


@pytest.mark.parametrize("kind", ["provider", "chosen"])
def test_an_organisation_that_is_no_authority_has_a_desk_by_department_and_place(kind: str) -> None:
    desk = find_desk(SHIPPED, f"{kind}/health/320102", province=JIANGSU, on=TODAY)
    assert desk
    assert (desk.id, desk.decided_by) == (f"{kind}/health/320102", kind)
    assert "玄武区" in desk.name


def test_a_named_authority_is_found_while_it_holds() -> None:
    changed = SHIPPED.named[0].model_copy(update={"to_day": date(2026, 11, 22)})
    authorities = SHIPPED.model_copy(update={"named": (changed,)})
    assert find_desk(SHIPPED, changed.id, province=JIANGSU, on=TODAY)
    assert find_desk(authorities, changed.id, province=JIANGSU, on=date(2026, 11, 22))
    assert find_desk(authorities, changed.id, province=JIANGSU, on=TODAY) is None


def test_a_division_that_is_gone_has_no_desks() -> None:
    gone = next(each for each in DIVISIONS.divisions if each.kind == "county" and not each.is_valid(TODAY))
    for id in (f"public_security/{gone.code}", f"provider/health/{gone.code}"):
        assert find_desk(SHIPPED, id, province=province_of(gone.code), on=TODAY) is None


def test_another_province_has_none_of_our_desks() -> None:
    for id in ("public_security/320102", "provider/health/320102", "approval/320600"):
        assert find_desk(SHIPPED, id, province=JIANGSU, on=TODAY)
        assert find_desk(SHIPPED, id, province="330000", on=TODAY) is None


@pytest.mark.parametrize(
    "id",
    [
        *("", "/", "320102", "public_security", "public_security/", "magic/320102", "public_security/1", "approval/1"),
        *("provider/320102", "provider/magic/320102", "provider/health/1", "chosen//320102", "health/320102/more"),
    ],
)
def test_what_is_no_id_has_no_desk(id: str) -> None:
    assert find_desk(SHIPPED, id, province=JIANGSU, on=TODAY) is None
