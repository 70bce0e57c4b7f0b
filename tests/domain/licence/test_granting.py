"""A licence is granted to those who may hold one, until the day that the catalogue or the decision says."""

import string
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from server.domain.catalogue.results import Result
from server.domain.catalogue.validity import Validity
from server.domain.errors import Refusal
from server.domain.licence.granting import NotALicence, WrongEnd, WrongHolders, grant_of, next_grant, serial_of
from server.domain.licence.identifier import NotAnIdentifier, VersionsUsedUp, parse
from server.domain.licence.licence import Grant, LicenceHolder, Origin
from tests.catalogue.shipped import CATALOGUE
from tests.domain.licence.issued import ISSUED_ON, LAST_DAY, PERMIT, SAID, award, holder, licence_after

ORGANISATION = LicenceHolder(kind="001", number="91320000MA00000000", name="示例公司")
ORGANISATION = ORGANISATION.model_copy(update={"number": "11100000000013127D"})
OTHER = holder("测试乙", sequence="002")
GIVEN = PERMIT.model_copy(update={"validity": Validity(is_given=True, years=5, **SAID)})


def refusal_of(result: Result, **change: Any) -> Refusal:
    """The refusal to grant such a licence."""
    with pytest.raises((NotALicence, WrongHolders, WrongEnd)) as refused:
        grant_of(result, award(**change), on=ISSUED_ON)
    return refused.value


def test_what_is_granted_says_who_holds_what_from_when_until_when():
    grant = grant_of(PERMIT, award(), on=ISSUED_ON)
    assert (grant.kind, grant.name, grant.issued_on) == ("permit", "示例许可证", ISSUED_ON)
    assert (grant.effective_on, grant.expires_on) == (ISSUED_ON, LAST_DAY)
    assert (grant.holders, grant.face, grant.trust) == ((holder(),), {"scope": "示例范围"}, "A")
    assert parse(grant.id).type_code == PERMIT.type_code
    assert grant.identifier.is_sample


def test_a_serial_number_follows_from_the_step_and_from_nothing_else():
    origin = Origin(case="320000/abc", step="one", act_id="a")
    serial = serial_of(origin)
    assert len(serial) == 20
    assert set(serial) <= set(string.digits + string.ascii_uppercase)
    assert serial_of(origin.model_copy(update={"act_id": "b"})) == serial
    others = [origin.model_copy(update={"step": "two"}), origin.model_copy(update={"case": "320000/abd"})]
    assert len({serial, *map(serial_of, others)}) == 3


def test_a_licence_that_moves_in_names_the_one_that_moved_out():
    before = "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U"
    grant = grant_of(PERMIT, award(previous=before), on=ISSUED_ON)
    assert (grant.previous, grant.identifier.version) == (before, 1)
    with pytest.raises(NotAnIdentifier):
        grant_of(PERMIT, award(previous=f"{before[:-1]}V"), on=ISSUED_ON)


def test_the_next_version_names_the_one_before():
    licence = licence_after()
    origin = Origin(case="320000/later", step="renewal", act_id="approve")
    grant = next_grant(licence, PERMIT, award(origin=origin), on=ISSUED_ON)
    assert grant.previous == licence.id
    assert grant.identifier == licence.identifier.next_version()
    assert grant.origin == origin
    last = licence.model_copy(update={"identifier": licence.identifier.model_copy(update={"version": 999})})
    with pytest.raises(VersionsUsedUp):
        next_grant(last, PERMIT, award(), on=ISSUED_ON)


@pytest.mark.parametrize("kind", ["paper", "text"])
def test_what_is_no_licence_is_not_granted_as_one(kind: Any):
    assert isinstance(refusal_of(Result(name="示例", kind=kind)), NotALicence)


@pytest.mark.parametrize("lacking", [{"type_code": ""}, {"validity": None}])
def test_a_licence_of_which_too_little_is_known_is_not_granted(lacking: dict[str, Any]):
    assert isinstance(refusal_of(PERMIT.model_copy(update=lacking)), NotALicence)


@pytest.mark.parametrize(
    ("holders", "who", "codes"),
    [
        ("organisation", holder(), ["holder_kind"]),
        ("person", ORGANISATION, ["holder_kind"]),
        ("", holder(), ["holder_kind"]),
        ("person", holder().model_copy(update={"number": "1" * 18}), ["id_number_birth_date"]),
        ("both", ORGANISATION.model_copy(update={"number": "11100000000013127E"}), ["uscc_check"]),
        ("both", ORGANISATION, []),
        ("both", holder(), []),
        ("person", holder(), []),
        ("organisation", ORGANISATION, []),
    ],
)
def test_a_licence_is_held_by_those_who_may(holders: Any, who: LicenceHolder, codes: list[str]):
    result = PERMIT.model_copy(update={"holders": holders})
    if codes:
        refusal = refusal_of(result, holders=(who,))
        assert isinstance(refusal, WrongHolders)
        assert [(fault.pointer, fault.code) for fault in refusal.errors] == [("/holders/0", code) for code in codes]
        assert who.number not in f"{refusal.detail}{refusal.errors}"
    else:
        assert grant_of(result, award(holders=(who,)), on=ISSUED_ON).holders == (who,)


def test_two_hold_one_licence_only_where_the_catalogue_says_so():
    wedding = CATALOGUE.results["wedding_certificate"]
    both = (holder(), OTHER)
    assert grant_of(wedding, award(holders=both), on=ISSUED_ON).numbers == {holder().number, OTHER.number}
    for result, holders in ((PERMIT, both), (wedding, ()), (wedding, (*both, ORGANISATION)), (wedding, both[:1] * 2)):
        assert isinstance(refusal_of(result, holders=holders), WrongHolders)


def test_the_decision_names_a_last_day_where_that_is_how_it_goes():
    for day in (ISSUED_ON, date(2030, 1, 1), LAST_DAY):
        assert grant_of(GIVEN, award(given_on=day), on=ISSUED_ON).expires_on == day
    for day in (date(2026, 11, 30), date(2031, 12, 2), None):
        assert isinstance(refusal_of(GIVEN, given_on=day), WrongEnd)
    assert isinstance(refusal_of(PERMIT, given_on=LAST_DAY), WrongEnd)
    free = PERMIT.model_copy(update={"validity": Validity(is_given=True, **SAID)})
    assert grant_of(free, award(), on=ISSUED_ON).expires_on is None
    assert grant_of(free, award(given_on=date(2090, 1, 1)), on=ISSUED_ON).expires_on == date(2090, 1, 1)


def test_an_identity_card_ends_by_the_age_of_its_holder():
    card = CATALOGUE.results["identity_card"]
    assert grant_of(card, award(), on=ISSUED_ON).expires_on == date(2046, 12, 1), "born in 1990"


@pytest.mark.parametrize("code", [code for code, result in CATALOGUE.results.items() if result.kind == "licence"])
def test_every_licence_of_the_catalogue_can_be_granted(code: str):
    result = CATALOGUE.results[code]
    assert result.validity is not None
    who = ORGANISATION if result.holders == "organisation" else holder()
    given_on = LAST_DAY if result.validity.is_given else None
    grant = grant_of(result, award(kind=code, holders=(who,), given_on=given_on), on=ISSUED_ON)
    assert parse(grant.id) == grant.identifier
    assert (grant.expires_on is None) == (result.validity.is_endless)


def test_a_licence_does_not_end_before_it_begins():
    said = grant_of(PERMIT, award(), on=ISSUED_ON).model_dump()
    with pytest.raises(ValidationError):
        Grant.model_validate(said | {"expires_on": date(2026, 11, 30)})
