"""Beginning again: what is filled in anew of a case, by today's catalogue, and why it may not be."""

from collections.abc import Mapping
from typing import Any

import pytest

from server.domain.case.case import Case
from server.domain.catalogue.answers import AnswersIncomplete
from server.domain.catalogue.bundles import Bundle
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.items import Item
from server.domain.exchange.directory import Directory
from server.domain.exchange.routing import NoNodeFor
from server.domain.rules.again import (
    Again,
    Before,
    BeginThere,
    NoLongerOffered,
    NoPlaceNamed,
    NotDeclined,
    OnlyTogether,
    again_of,
)
from tests.domain.places import CONTEXT, directory_of
from tests.world import CATALOGUE, DIRECTORY, FORM, GIVEN, UPLOADS, application, opened

RIGHT, NOWHERE, ABOLISHED = "330106", "500109", "500112"
GRANTED: Mapping[str, Any] = {"state": "approved", "result": {"birth_number": "B1"}}


def published(*, bundle: Mapping[str, Any] | None = None, **second: Any) -> Catalogue:
    """The catalogue of another day: the bundle, and the item of the second step, with these changes."""
    items = [each.model_copy(update=second) if each.code == "second" else each for each in CATALOGUE.items]
    bundles = [each.model_copy(update=bundle or {}) for each in CATALOGUE.bundles]
    own = {name: getattr(CATALOGUE, name) for name in Catalogue.model_fields}
    return Catalogue(**own | {"items": tuple[Item, ...](items), "bundles": tuple[Bundle, ...](bundles)})


def case_with(first: Mapping[str, Any] | None = None, **second: Any) -> Case:
    """A case whose second step was declined as another place's, with these changes of its steps."""
    case = opened(application().steps)
    declined = {"state": "declined", "right_division": RIGHT, **second}
    changes = {"first": first or GRANTED, "second": declined, "third": {"state": "skipped"}}
    steps = {code: step.model_copy(update=changes[code]) for code, step in case.steps.items()}
    return case.model_copy(update={"steps": steps})


def begun(case: Case, catalogue: Catalogue = CATALOGUE, *, kept: Any = UPLOADS, nodes: Directory = DIRECTORY) -> Again:
    before = Before(case, case.steps["second"], application(), kept)
    return again_of(before, catalogue=catalogue, directory=nodes, context=CONTEXT)


ALONE = published(is_alone=True)
EVERYWHERE = directory_of({node: [node] for node in ("320000", "330000", "500000")})


@pytest.mark.parametrize("state", ["waiting", "received", "accepted", "refused", "approved", "withdrawn"])
def test_what_was_not_declined_is_not_begun_again(state: str):
    with pytest.raises(NotDeclined):
        begun(case_with(state=state), ALONE)


@pytest.mark.parametrize("division", ["", "999999"])
def test_without_a_place_that_is_known_it_is_not_begun_again(division: str):
    with pytest.raises(NoPlaceNamed):
        begun(case_with(right_division=division), ALONE)


@pytest.mark.parametrize("state", ["sent", "accepted", "approved", "delivered", "refused", "declined"])
def test_a_bundle_of_which_something_has_come_is_not_begun_again_as_a_whole(state: str):
    with pytest.raises(OnlyTogether):
        begun(case_with({"state": state}))
    assert begun(case_with({"state": state}), ALONE).wish.bundle == "second"


@pytest.mark.parametrize(
    "first", [{"state": "withdrawn"}, {"state": "skipped"}, {"state": "declined", "right_division": RIGHT}]
)
def test_a_bundle_of_which_nothing_has_come_is_begun_again_as_a_whole(first: Mapping[str, Any]):
    again = begun(case_with(first), ALONE)
    assert (again.wish.bundle, again.left_out) == ("arrival", ())
    assert again.wish.answers == {"place": RIGHT, "extra": "no"}
    assert (again.wish.form, again.wish.materials) == (FORM, GIVEN)


def test_an_item_alone_takes_what_it_asks_and_what_the_other_steps_have_yielded():
    again = begun(case_with(), ALONE)
    assert again.wish.form == {"subject_name": FORM["subject_name"], "birth_number": "B1"}
    assert [(each.code, each.id) for each in again.wish.materials] == [("proof", "up-proof"), ("photo", "up-photo")]
    assert [each.code for each in again.needed] == ["proof"]
    assert again.left_out == ("事项first", "事项third")


def test_a_material_that_is_not_kept_is_left_out():
    assert [each.code for each in begun(case_with(), ALONE, kept=("up-photo",)).wish.materials] == ["photo"]


def test_an_item_that_is_gone_from_the_catalogue_is_not_begun_again():
    without = tuple(each for each in CATALOGUE.bundles[0].steps if each.item == "first")
    with pytest.raises(NoLongerOffered):
        begun(case_with(), published(bundle={"steps": without}))


def test_an_item_that_today_does_not_apply_with_these_answers_is_not_begun_again():
    steps = CATALOGUE.bundles[0].steps
    wanted = tuple(each.model_copy(update={"when": {"extra": ("yes",)}}) for each in steps)
    with pytest.raises(NoLongerOffered):
        begun(case_with({"state": "withdrawn"}), published(bundle={"steps": wanted}))


def test_an_answer_that_today_is_not_among_the_choices_is_left_out():
    place, extra = CATALOGUE.bundles[0].questions
    questions = (place, extra.model_copy(update={"choices": {"yes": "是", "never": "否"}}))
    again = begun(case_with({"state": "withdrawn"}), published(bundle={"questions": questions}))
    assert again.wish.answers == {"place": RIGHT}


def test_a_place_that_does_not_take_the_item_from_here_is_named():
    with pytest.raises(BeginThere) as refusal:
        begun(case_with(), published(is_alone=True, handling=()))
    assert refusal.value.more["division"] == RIGHT
    assert refusal.value.more["node"] == "330000"
    with pytest.raises(BeginThere) as refusal:
        begun(case_with(right_division=NOWHERE), published(is_alone=True, handling=()))
    assert (refusal.value.more["node"], refusal.value.more["origin"]) == ("", "")


def test_a_place_without_a_node_is_refused_as_in_any_application():
    with pytest.raises(NoNodeFor):
        begun(case_with(right_division=NOWHERE), ALONE)


def test_a_place_that_was_abolished_since_is_refused_by_its_pointer():
    with pytest.raises(AnswersIncomplete) as refusal:
        begun(case_with(right_division=ABOLISHED), ALONE, nodes=EVERYWHERE)
    assert [(fault.pointer, fault.code) for fault in refusal.value.errors] == [("/answers/place", "division_not_valid")]
