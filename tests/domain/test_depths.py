"""A place is as deep as the level of what hangs on it, or refused by its pointer with the level to choose."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.catalogue.answers import AnswersIncomplete
from server.domain.catalogue.authorities import Authorities, NobodyDecides, PlaceTooBroad
from server.domain.catalogue.bundles import Bundle, BundleStep, Question
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.context import Context
from server.domain.catalogue.depths import depth_faults
from server.domain.catalogue.items import Handling, Item, Level, LevelRule
from server.domain.catalogue.plan import lay_out, make_plan
from tests.domain.test_authorities import BY_RULE, DIVISIONS, SAMPLE, TODAY, a_delegation, an_item, with_these

HOME = "320000"
DOWN = a_delegation()
JOINT = LevelRule(level="city", when={"kind": ("joint",)})
PLACE, KIND = "/answers/place", {"joint": "股份公司", "other": "其他"}
HANDLING = (Handling(mode="online", certainty="inferred", source="made up"),)


def asked_of(item: Item, code: str) -> Item:
    """The item with another code, where the answer about the place decides, from everywhere."""
    return item.model_copy(update={"code": code, "name": code, "jurisdiction": "place", "handling": HANDLING})


def catalogue_of(*items: Item, kinds: Mapping[str, tuple[str, ...]] | None = None) -> Catalogue:
    """The items and one bundle of them all; those of `kinds` apply with these answers only."""
    whens = [{"kind": (kinds or {}).get(each.code, tuple(KIND))} for each in items]
    steps = tuple(BundleStep(item=each.code, when=when) for each, when in zip(items, whens, strict=True))
    questions = (
        Question(code="kind", name="哪一类", type="choice", choices=KIND),
        Question(code="place", name="在哪里", type="division", is_required=False),
    )
    bundle = Bundle(
        code="b",
        name="一件事",
        summary="tests",
        subject="person",
        stage="birth",
        lead="police",
        questions=questions,
        steps=steps,
        **SAMPLE,
    )
    departments = {"police": "公安", "market": "市场"}
    return Catalogue(
        version="1",
        departments=departments,
        results={},
        fields=(),
        materials=(),
        items=items,
        bundles=(bundle,),
        **SAMPLE,
    )


def faults(
    catalogue: Catalogue,
    *,
    division: str = "",
    by: Authorities = BY_RULE,
    form: Mapping[str, str] | None = None,
    **answers: str,
) -> dict[str, str]:
    """What is wrong with the places, by pointer, in words."""
    context = Context(home=HOME, on=TODAY, authorities=by, division=division)
    try:
        make_plan(catalogue, catalogue.bundle("b"), {"kind": "other", **answers}, context=context, form=form)
    except AnswersIncomplete as refused:
        return {each.pointer: each.detail for each in refused.errors if each.code == "place_too_broad"}
    return {}


def levels(catalogue: Catalogue, **answers: str) -> Mapping[str, Level]:
    """How deep the guide says that places must be."""
    context = Context(home=HOME, on=TODAY, authorities=BY_RULE)
    return lay_out(catalogue, catalogue.bundle("b"), answers, context=context).levels


@pytest.mark.parametrize(
    ("level", "place", "wanted"),
    [
        ("province", "320000", ""),
        ("city", "320000", "设区的市"),
        ("city", "320100", ""),
        ("county", "320100", "县（市、区）"),
        ("county", "320102", ""),
        ("town", "320100", "县（市、区）"),
        ("town", "320102", ""),
        ("county", "441900", ""),
        ("county", "440000", "县（市、区）"),
        ("city", "110000", "县（市、区）"),
        ("city", "419001", ""),
    ],
)
def test_a_place_is_as_deep_as_the_level_or_the_next_one_where_that_has_no_authority(
    level: Level, place: str, wanted: str
) -> None:
    told = faults(catalogue_of(asked_of(an_item(level), "a")), place=place)
    assert told == ({PLACE: f"“a”由{wanted}一级办理，请选择到{wanted}。"} if wanted else {})


def test_the_deepest_level_counts_of_all_that_hangs_on_a_place() -> None:
    items = (asked_of(an_item("city"), "a"), asked_of(an_item("county"), "b1"), asked_of(an_item("province"), "c"))
    assert "“b1”由县（市、区）" in faults(catalogue_of(*items), place="320000")[PLACE]
    assert levels(catalogue_of(*items)) == {"place": "county"}


def test_what_does_not_apply_asks_for_nothing() -> None:
    items = (asked_of(an_item("city"), "a"), asked_of(an_item("county"), "b1"))
    made = catalogue_of(*items, kinds={"b1": ("joint",)})
    assert faults(made, place="320100") == {}
    assert faults(made, kind="joint", place="320100").keys() == {PLACE}
    assert [levels(made)["place"], levels(made, kind="other")["place"]] == ["county", "city"]


def test_the_form_may_take_an_item_to_another_level() -> None:
    made = catalogue_of(asked_of(an_item(LevelRule(level="county", when={"size": ("small",)}), "city"), "a"))
    assert faults(made, place="320100") == {}
    assert faults(made, place="320100", form={"size": "small"}).keys() == {PLACE}
    assert levels(made)["place"] == "county"


def test_an_answer_settles_the_level_that_the_guide_names() -> None:
    made = catalogue_of(asked_of(an_item(JOINT, "county"), "a"))
    assert [levels(made)["place"], levels(made, kind="joint")["place"]] == ["county", "city"]
    assert faults(made, kind="joint", place="320100") == {}
    assert faults(made, kind="other", place="320100").keys() == {PLACE}


def test_what_is_decided_at_home_wants_a_place_inside_the_home() -> None:
    made = catalogue_of(an_item("county"))
    assert [faults(made, division=each).keys() for each in ("", "320100")] == [{"/division"}] * 2
    assert faults(made, division="320102") == {}
    assert levels(made) == {"home": "county"}


def test_as_long_as_not_all_is_answered_the_place_at_home_may_be_left_out_but_not_be_too_broad() -> None:
    item = an_item("county")
    for division, expected in (("", []), ("320100", ["/division"]), ("320102", [])):
        context = Context(home=HOME, on=TODAY, authorities=BY_RULE, division=division)
        found = depth_faults([(item, division or HOME)], {}, context=context, must_be_complete=False)
        assert [each.pointer for each in found] == expected


def test_a_delegation_at_home_wants_a_deeper_place_and_one_elsewhere_is_not_known() -> None:
    made = catalogue_of(asked_of(an_item("city", code="item"), "item"))
    elsewhere = a_delegation(divisions=("441500",))
    assert faults(made, place="320100", by=with_these(DOWN)).keys() == {PLACE}
    assert faults(made, place="441500", by=with_these(elsewhere)) == {}


def test_where_no_authority_decides_any_place_will_do() -> None:
    nothing = an_item("county").model_copy(update={"competence": None})
    assert faults(catalogue_of(nothing)) == {}
    assert levels(catalogue_of(nothing)) == {}


@given(
    levels=st.lists(st.sampled_from(["province", "city", "county", "town"]), min_size=1, max_size=3),
    place=st.sampled_from([each.code for each in DIVISIONS.divisions if each.is_routable and each.is_valid(TODAY)]),
)
def test_a_place_is_too_broad_if_and_only_if_nobody_could_be_said_to_decide_there(
    levels: list[Level], place: str
) -> None:
    items = [asked_of(an_item(level), f"i{number}") for number, level in enumerate(levels)]
    context = Context(home=HOME, on=TODAY, authorities=BY_RULE)
    found = depth_faults([(each, place) for each in items], {}, context=context, must_be_complete=True)
    assert bool(found) == any(is_too_broad(each, place) for each in items)


def is_too_broad(item: Item, place: str) -> bool:
    """Whether who decides cannot be told there for that reason."""
    try:
        BY_RULE.decider_of(item, {}, place, on=TODAY)
    except PlaceTooBroad:
        return True
    except NobodyDecides:
        pass
    return False
