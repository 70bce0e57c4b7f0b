"""Plans and forms are made once for the same catalogue, bundle, answers, place and day, and anew for any other."""

from datetime import timedelta
from typing import Any

import pytest

from server.domain.catalogue.merging import merge
from server.domain.catalogue.plan import lay_out, make_plan
from tests.catalogue.shipped import CATALOGUE, NEWBORN
from tests.domain.places import IN_COUNTY

ANSWERS = {"household": "330106", "maternity_insurance": "yes"}
OTHERS: dict[str, dict[str, Any]] = {
    "another day": {"on": IN_COUNTY.on + timedelta(days=1)},
    "another place": {"division": "320104"},
    "other authorities": {"authorities": IN_COUNTY.authorities.model_copy()},
    "other windows": {"windows": IN_COUNTY.windows.model_copy()},
}


def test_the_same_is_made_once() -> None:
    first = lay_out(CATALOGUE, NEWBORN, ANSWERS, context=IN_COUNTY)
    assert lay_out(CATALOGUE, NEWBORN, dict(reversed(ANSWERS.items())), context=IN_COUNTY.model_copy()) is first
    assert merge(CATALOGUE, NEWBORN, first.steps) is merge(CATALOGUE, NEWBORN, tuple(first.steps))


@pytest.mark.parametrize("what", OTHERS)
def test_in_another_context_it_is_made_anew(what: str) -> None:
    first = lay_out(CATALOGUE, NEWBORN, ANSWERS, context=IN_COUNTY)
    assert lay_out(CATALOGUE, NEWBORN, ANSWERS, context=IN_COUNTY.model_copy(update=OTHERS[what])) is not first


def test_with_other_answers_or_of_another_catalogue_or_bundle_it_is_made_anew() -> None:
    first = lay_out(CATALOGUE, NEWBORN, ANSWERS, context=IN_COUNTY)
    fewer = dict(list(ANSWERS.items())[1:])
    again = CATALOGUE.model_validate({name: getattr(CATALOGUE, name) for name in type(CATALOGUE).model_fields})
    for catalogue, bundle, answers in (
        (CATALOGUE, NEWBORN, fewer),
        (again, NEWBORN, ANSWERS),
        (CATALOGUE, NEWBORN.model_copy(), ANSWERS),
    ):
        assert lay_out(catalogue, bundle, answers, context=IN_COUNTY) is not first


def test_a_form_is_of_its_steps() -> None:
    steps = lay_out(CATALOGUE, NEWBORN, ANSWERS, context=IN_COUNTY).steps
    later = (steps[0].model_copy(update={"promised_days": 99}), *steps[1:])
    assert merge(CATALOGUE, NEWBORN, steps).saved.days != merge(CATALOGUE, NEWBORN, later).saved.days
    assert len(merge(CATALOGUE, NEWBORN, steps[:1]).fields) < len(merge(CATALOGUE, NEWBORN, steps).fields)


def test_a_plan_with_who_decides_is_made_once_whatever_else_the_form_says() -> None:
    form = {"child_name": "测试宝宝"}
    first = make_plan(CATALOGUE, NEWBORN, ANSWERS, context=IN_COUNTY, form=form)
    assert make_plan(CATALOGUE, NEWBORN, ANSWERS, context=IN_COUNTY, form={"child_name": "测试二宝"}) is first
    later = IN_COUNTY.model_copy(update=OTHERS["another day"])
    assert make_plan(CATALOGUE, NEWBORN, ANSWERS, context=later, form=form) is not first


def test_what_a_level_depends_on_makes_another_plan() -> None:
    assert CATALOGUE.level_codes, "the shipped catalogue has an item whose level depends on the form"
    for code in CATALOGUE.level_codes:
        plain = make_plan(CATALOGUE, NEWBORN, ANSWERS, context=IN_COUNTY, form={})
        assert make_plan(CATALOGUE, NEWBORN, ANSWERS, context=IN_COUNTY, form={code: "anything"}) is not plain
