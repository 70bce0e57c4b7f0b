"""Awarding: who holds the licence that an approval leads to, until when, and when there is none."""

from datetime import date
from typing import Any

import pytest

from server.domain.case import acts
from server.domain.case.case import Case, Step
from server.domain.catalogue.authorities import NamedAuthority, organisation_code
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.items import Field
from server.domain.catalogue.results import HeldBy, Result
from server.domain.catalogue.type_codes import is_sample
from server.domain.catalogue.validity import Validity
from server.domain.effects.awarding import awarded, holders_of
from server.domain.licence.granting import WrongEnd
from server.domain.licence.licence import Grant
from server.domain.values import china_day
from tests.world import CATALOGUE, JIANGSU, MONDAY, ZHEJIANG, officer, opened, person, pinned

TODAY = china_day(MONDAY)
ISSUER = "SAMPLE000000000001"
FIRST, SECOND = person("测试甲", sequence="001"), person("测试乙", sequence="003")
SAID: dict[str, Any] = {"source": "示例", "status": "sample"}
TYPES = {
    **dict.fromkeys(("a_name", "b_name"), "person_name"),
    **dict.fromkeys(("a_number", "b_number"), "id_number"),
    "firm_number": "uscc",
    "firm_name": "enterprise_name",
    "last_day": "date",
}
ONE = HeldBy(names=("a_name",), numbers=("a_number",))
BOTH = HeldBy(names=("a_name", "b_name"), numbers=("a_number", "b_number"))
FIRM = HeldBy(names=("firm_name",), numbers=("firm_number",))
NO_NUMBER = HeldBy(names=("a_name",))
FORM = {
    **{"a_name": FIRST.name, "a_number": FIRST.id_number, "b_name": SECOND.name, "b_number": SECOND.id_number},
    **{"firm_name": "测试有限公司", "firm_number": "91320000MA0000001X"},
}


def field(code: str, type: Any) -> Field:
    return Field(code=code, name=code, type=type, group="g", sensitivity="ordinary", **SAID)


def catalogue(**change: Any) -> Catalogue:
    """The catalogue of tests, in which the first step yields such a licence."""
    said: dict[str, Any] = {
        "name": "示例许可证",
        "kind": "licence",
        "type_code": "SAMPLE000000000000999",
        "holders": "person",
        "validity": Validity(years=5, **SAID),
    }
    result = Result(**(said | change))
    national = {name: getattr(CATALOGUE, name) for name in type(CATALOGUE).model_fields}
    fields = (*CATALOGUE.fields, *(field(code, type) for code, type in TYPES.items()))
    return Catalogue(**(national | {"results": {**CATALOGUE.results, "permit": result}, "fields": fields}))


def case_of(form: dict[str, str], *, yields: tuple[str, ...] = ()) -> tuple[Case, Step]:
    """A case whose first step asks for these fields, and may yield others."""
    case = opened()
    step = next(iter(case.steps.values()))
    plan = step.plan.model_copy(
        update={"fields": tuple(TYPES.keys() - set(yields)), "yields": "permit", "yields_fields": yields}
    )
    step = step.model_copy(update={"plan": plan, "authority": pinned("health", JIANGSU)})
    case = case.model_copy(update={"form": form, "steps": {**case.steps, plan.code: step}})
    return case, step


def grant_of(form: dict[str, str], result: dict[str, str] | None = None, **change: Any) -> Grant | None:
    case, step = case_of(form, yields=tuple(result or ()))
    act = acts.Approve(id="approve", by=officer(), step=step.plan.code, result=result or {})
    return awarded(case, act, catalogue(**change), issuer=ISSUER, context=(JIANGSU, TODAY))


@pytest.mark.parametrize(
    ("ways", "change", "numbers"),
    [
        ((ONE,), {}, [FIRST.id_number]),
        ((BOTH,), {"most_holders": 2}, [FIRST.id_number, SECOND.id_number]),
        ((NO_NUMBER, ONE), {}, []),
        ((FIRM,), {"holders": "both"}, []),  # the number does not fit its check character
        ((), {}, [opened().applicant.id_number]),  # type: ignore[union-attr] # at home there is one
    ],
    ids=["one", "two", "a number that is not known", "a wrong number", "the subject of the case"],
)
def test_holders_are_whom_the_first_way_that_is_filled_in_names(
    ways: tuple[HeldBy, ...], change: dict[str, Any], numbers: list[str]
):
    case, step = case_of(FORM)
    known = holders_of(case, step, {}, catalogue=catalogue(held_by=ways, **change), on=TODAY)
    assert [each.number for each in known] == numbers


@pytest.mark.parametrize(
    "form",
    [
        {**FORM, "a_number": ""},
        {**FORM, "a_number": FIRST.id_number[:-1]},
        {**FORM, "a_number": f"{FIRST.id_number[:-1]}{(int(FIRST.id_number[-1].replace('X', '9')) + 1) % 10}"},
    ],
    ids=["empty", "short", "wrong"],
)
def test_nobody_takes_the_place_of_a_holder_whose_number_is_not_known(form: dict[str, str]):
    second = HeldBy(names=("b_name",), numbers=("b_number",))
    assert grant_of(form, held_by=(ONE, second)) is None


def test_whose_name_is_not_filled_in_is_not_meant():
    second = HeldBy(names=("b_name",), numbers=("b_number",))
    granted = grant_of({**FORM, "a_name": ""}, held_by=(ONE, second))
    assert granted
    assert granted.numbers == {SECOND.id_number}


def test_one_person_is_not_two_holders():
    assert grant_of({**FORM, "b_number": FIRST.id_number}, held_by=(BOTH,), most_holders=2) is None


def test_a_licence_names_its_step_its_authority_and_its_applicant_at_home():
    granted = grant_of(FORM, held_by=(ONE,))
    assert granted
    assert granted.origin
    assert (granted.origin.case, granted.origin.act_id) == (opened().name, "approve")
    assert granted.origin.applicant == opened().applicant.key  # type: ignore[union-attr]
    assert (granted.authority.id, granted.identifier.issuer) == ("health/320000", ISSUER)
    assert granted.expires_on == date(2031, 11, 23)


def test_another_node_knows_no_applicant():
    case, step = case_of(FORM)
    act = acts.Approve(id="approve", by=officer(), step=step.plan.code)
    granted = awarded(case, act, catalogue(held_by=(ONE,)), issuer=ISSUER, context=(ZHEJIANG, TODAY))
    assert granted
    assert granted.origin
    assert granted.origin.applicant == ""


def test_a_decision_names_the_last_day_where_it_may_and_else_it_is_the_longest():
    given = {"validity": Validity(is_given=True, years=5, **SAID), "held_by": (ONE,), "ends_in": "last_day"}
    for said, last in (({"last_day": "2028-01-01"}, date(2028, 1, 1)), ({}, date(2031, 11, 23))):
        granted = grant_of(FORM, said, **given)
        assert granted
        assert granted.expires_on == last
    with pytest.raises(WrongEnd):
        grant_of(FORM, {"last_day": "2040-01-01"}, **given)
    with pytest.raises(WrongEnd, match="过远"):
        grant_of(FORM, {"last_day": "9999-12-31"}, **{**given, "validity": Validity(is_given=True, **SAID)})
    endless = grant_of(FORM, **{**given, "validity": Validity(is_given=True, **SAID)})
    assert endless
    assert endless.expires_on is None


@pytest.mark.parametrize("change", [{"kind": "paper"}, {"type_code": ""}, {"validity": None}], ids=str)
def test_what_is_no_kind_of_licence_leads_to_none(change: dict[str, Any]):
    assert grant_of(FORM, held_by=(ONE,), **change) is None


def test_an_authority_has_the_code_that_data_gives_it_or_a_sample():
    from_data = NamedAuthority(
        id="health/320000",
        name="江苏省示例机关",
        departments=("health",),
        level="province",
        divisions=("320000",),
        uscc="11100000000013127D",
        **SAID,
    )
    authorities: Any = type("Named", (), {"named": (from_data,)})()
    assert organisation_code(authorities, "health/320000") == "11100000000013127D"
    assert is_sample(organisation_code(authorities, "health/320102"))
    with pytest.raises(ValueError, match="uscc must be the code"):
        NamedAuthority.model_validate({**from_data.model_dump(), "uscc": "1"})
