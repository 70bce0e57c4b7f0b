"""Merging asks for each thing once, in one order, and forgets nothing."""

from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.catalogue.answers import NO, YES
from server.domain.catalogue.bundles import Bundle, BundleStep
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.forms import form_faults, schema_of
from server.domain.catalogue.items import Field, FieldNeed, Item, Material, MaterialNeed, Need
from server.domain.catalogue.merging import MergedForm, merge
from server.domain.catalogue.plan import make_plan
from server.domain.catalogue.results import Result
from tests.catalogue.shipped import CATALOGUE, NEWBORN
from tests.domain.invented import PROVEN, TOLD, YIELDED, Made, cases
from tests.domain.kindness import CHOICE_FIELDS
from tests.domain.places import DECIDED, IN_COUNTY, TODAY

pytestmark = pytest.mark.no_cover  # hundreds of made-up catalogues
FROM = {"source": "made up", "status": "sample"}
FIELDS = tuple(
    Field(code=f"f{n}", name=f"问题{n}", type="text", group="组", sensitivity="ordinary", filled_from=filled, **FROM)
    for n, filled in enumerate(["name", "id_number", "", "", "", "", ""])
)
PAPER = Result(name="证明", kind="paper")
STRICTER = ("electronic", "copy", "original")
MATERIALS = tuple(Material(code=f"m{n}", name=f"材料{n}", **FROM) for n in range(5))


def needs(kind: type[Need], codes: list[str]) -> st.SearchStrategy[tuple[Need, ...]]:
    chosen = st.dictionaries(st.sampled_from(codes), st.booleans())
    return chosen.map(
        lambda found: tuple(kind(code=code, is_required=is_required) for code, is_required in found.items())
    )


@st.composite
def bundles(draw: st.DrawFn) -> tuple[Catalogue, Bundle]:
    """A bundle of up to six items with whatever needs and yields."""
    fields, materials = [field.code for field in FIELDS], [material.code for material in MATERIALS]
    items = tuple(
        Item(
            code=f"i{n}",
            name=f"事项{n}",
            type="service",
            department="health",
            jurisdiction="home",
            competence=DECIDED,
            fields=draw(needs(FieldNeed, fields)),
            materials=draw(needs(MaterialNeed, materials)),
            yields=draw(st.sampled_from(["", *materials])),
            yields_fields=draw(needs(Need, fields[-2:])),
            legal_days=2,
            promised_days=1,
            **FROM,
        )
        for n in range(draw(st.integers(1, 6)))
    )
    steps = tuple(BundleStep(item=item.code) for item in items)
    days = {"legal_days": 2, "promised_days": 1}
    bundle = Bundle(
        code="b", name="一件事", summary="b", subject="person", stage="s", lead="health", steps=steps, **days, **FROM
    )
    parts = {"fields": FIELDS, "materials": MATERIALS, "items": items, "bundles": (bundle,)}
    names = {"departments": {"health": "卫健"}, "results": dict.fromkeys(materials, PAPER)}
    return Catalogue(version="1", **names, **parts, **FROM), bundle


def merged(catalogue: Catalogue, bundle: Bundle) -> MergedForm:
    return merge(catalogue, bundle, make_plan(catalogue, bundle, {}, context=IN_COUNTY))


@settings(max_examples=30)
@given(made=bundles())
def test_everything_is_asked_once(made: tuple[Catalogue, Bundle]) -> None:
    form = merged(*made)
    fields = [each.field.code for each in (*form.fields, *form.filled)]
    materials = [each.material.code for each in form.materials]
    assert len(set(fields)) == len(fields)
    assert len(set(materials)) == len(materials)


@settings(max_examples=30)
@given(made=bundles())
def test_nothing_required_is_lost_and_nothing_optional_becomes_required(made: tuple[Catalogue, Bundle]) -> None:
    form, items = merged(*made), made[0].items
    yielded_fields = {need.code for item in items for need in item.yields_fields}
    yielded_licences = {item.yields for item in items}
    required = {need.code for item in items for need in item.fields if need.is_required}
    assert {each.field.code for each in (*form.fields, *form.filled) if each.is_required} == required - yielded_fields
    required = {need.code for item in items for need in item.materials if need.is_required}
    assert {each.material.code for each in form.materials if each.is_required} == required - yielded_licences


@settings(max_examples=30)
@given(made=bundles())
def test_each_item_finds_all_it_declares_in_form_session_or_results(made: tuple[Catalogue, Bundle]) -> None:
    form = merged(*made)
    for item in made[0].items:
        fields = {each.field.code for each in (*form.fields, *form.filled) if item.code in each.needed_by}
        materials = {each.material.code for each in form.materials if item.code in each.needed_by}
        assert {need.code for need in item.fields} - set(form.yielded) == fields
        assert {need.code for need in item.materials} - set(form.yielded) == materials


@settings(max_examples=30)
@given(case=cases())
def test_what_a_step_yields_is_never_asked(case: tuple[Made, dict[str, str]]) -> None:
    made, answers = case
    steps = made.plan(answers).steps
    items = [made.item(step) for step in steps]
    form = merge(made.catalogue, made.bundle, steps)
    issued = {step.yields for step in steps if step.yields}
    assert not yielded_by(items) & schema_of(form.fields)["properties"].keys()
    assert not issued & {each.material.code for each in form.materials}
    assert set(form.yielded) == yielded_by(items) | issued


@settings(max_examples=40)
@given(case=cases(), chance=st.randoms(use_true_random=False))
def test_neither_the_order_of_the_steps_nor_their_repetition_changes_anything(
    case: tuple[Made, dict[str, str]], chance: Random
) -> None:
    made, answers = case
    steps = made.plan(answers).steps
    form = merge(made.catalogue, made.bundle, steps)
    shuffled = chance.sample(steps, len(steps))
    assert merge(made.catalogue, made.bundle, shuffled) == form
    assert merge(made.catalogue, made.bundle, shuffled + list(steps)) == form


# Forms as whatever citizen fills them in: each choice, none, or one that is not offered; all other fields, or none.
FILLED = [
    {code: value for code, value in zip(CHOICE_FIELDS, chosen, strict=True) if value} | texts
    for chosen in product(*([*offered, "other", ""] for offered in CHOICE_FIELDS.values()))
    for texts in ({}, dict.fromkeys((*TOLD, *YIELDED), "x"))
]


def told(form: MergedForm, values: dict[str, str], rule: str) -> set[str]:
    """The fields of which the filled form is told this."""
    faults = form_faults(form.fields, values, on=TODAY)
    return {fault.pointer.removeprefix("/form/") for fault in faults if fault.code == rule}


def asking(item: Item, values: dict[str, str]) -> list[FieldNeed]:
    """What one item asks of whoever fills in this, known from nothing but the item."""
    return [need for need in item.fields if all(values.get(code) in allowed for code, allowed in need.when.items())]


def yielded_by(items: list[Item]) -> set[str]:
    return {need.code for item in items for need in item.yields_fields}


@settings(max_examples=40)
@given(case=cases())
def test_the_one_form_demands_of_everybody_what_some_item_demands_and_nothing_else(
    case: tuple[Made, dict[str, str]],
) -> None:
    made, answers = case
    steps = made.plan(answers).steps
    items = [made.item(step) for step in steps]
    form = merge(made.catalogue, made.bundle, steps)
    not_told = {PROVEN} | yielded_by(items)
    known = {need.code for item in items for need in item.fields} - not_told
    for values in FILLED:
        asked = {need.code for item in items for need in asking(item, values)} - not_told
        demanded = {need.code for item in items for need in asking(item, values) if need.is_required} - not_told
        assert told(form, values, "required") == demanded - values.keys()
        assert told(form, values, "not_asked") == (known - asked) & values.keys()
        assert told(form, values, "unknown") == values.keys() - known


@settings(max_examples=40)
@given(case=cases(), values=st.sampled_from(FILLED))
def test_whatever_the_form_of_one_item_alone_demands_the_one_form_demands_too(
    case: tuple[Made, dict[str, str]], values: dict[str, str]
) -> None:
    made, answers = case
    steps = made.plan(answers).steps
    together = told(merge(made.catalogue, made.bundle, steps), values, "required")
    for step in steps:
        alone = told(merge(made.catalogue, made.bundle, [step]), values, "required")
        assert alone - yielded_by([made.item(each) for each in steps]) <= together


@settings(max_examples=40)
@given(case=cases())
def test_a_material_is_handed_in_once_as_the_strictest_item_wants_it(case: tuple[Made, dict[str, str]]) -> None:
    made, answers = case
    steps = made.plan(answers).steps
    items = [made.item(step) for step in steps]
    form = merge(made.catalogue, made.bundle, steps)
    issued = {item.yields for item in items}
    wanted: dict[str, list[MaterialNeed]] = {}
    for need in (need for item in items for need in item.materials):
        if need.origin != "shared" and need.code not in issued:
            wanted.setdefault(need.code, []).append(need)
    assert {each.material.code for each in form.materials} == wanted.keys()
    for each in form.materials:
        needs = wanted[each.material.code]
        assert each.is_required == any(need.is_required for need in needs)
        assert each.copies == max(need.copies for need in needs)
        assert each.form in {need.form for need in needs}
        assert all(STRICTER.index(need.form) <= STRICTER.index(each.form) for need in needs)
        assert each.may_be_deferred == all(need.may_be_deferred for need in needs)
    shared = {need.code for item in items for need in item.materials if need.origin == "shared"}
    assert set(form.shared) == shared - wanted.keys()


@settings(max_examples=40)
@given(case=cases(), values=st.sampled_from(FILLED))
def test_what_is_done_besides_takes_no_question_away_but_what_it_yields(
    case: tuple[Made, dict[str, str]], values: dict[str, str]
) -> None:
    made, answers = case
    for wish in (step.item for step in made.bundle.steps if step.is_optional and step.item in answers):
        without = made.plan({**answers, wish: NO}).steps
        besides = made.plan({**answers, wish: YES}).steps
        before, after = (merge(made.catalogue, made.bundle, steps) for steps in (without, besides))
        added = [made.item(step) for step in besides if step.code == wish]
        yielded = yielded_by(added) | {item.yields for item in added}
        assert asked_by(before) - asked_by(after) <= yielded
        assert told(before, values, "required") - told(after, values, "required") <= yielded
        assert told(after, values, "not_asked") <= told(before, values, "not_asked") | of(added)


def asked_by(form: MergedForm) -> set[str]:
    return {each.field.code for each in form.fields} | {each.material.code for each in form.materials}


def of(items: list[Item]) -> set[str]:
    return {need.code for item in items for need in item.fields}


@settings(max_examples=30)
@given(made=bundles())
def test_what_is_saved_is_what_single_applications_would_ask_beyond_the_form(made: tuple[Catalogue, Bundle]) -> None:
    form, items = merged(*made), made[0].items
    assert form.saved.fields == sum(len(item.fields) for item in items) - len(form.fields)
    assert form.saved.materials == sum(len(item.materials) for item in items) - len(form.materials)
    assert form.saved.visits == len(items)


def test_a_field_with_the_code_of_a_yielded_licence_is_still_asked() -> None:
    need, names = (FieldNeed(code="same"),), {"departments": {}, "results": {"same": PAPER}}
    days = {"legal_days": 2, "promised_days": 1}
    what = {"code": "i", "name": "事项", "type": "service", "department": "health", "jurisdiction": "home"}
    item = Item(fields=need, yields="same", competence=DECIDED, **what, **days, **FROM)
    steps = (BundleStep(item="i"),)
    bundle = Bundle(
        code="b", name="一件事", summary="b", subject="person", stage="s", lead="health", steps=steps, **days, **FROM
    )
    field = Field(code="same", name="问题", type="text", group="组", sensitivity="ordinary", **FROM)
    parts = {"fields": (field,), "materials": (), "items": (item,), "bundles": (bundle,)}
    form = merged(Catalogue(version="1", **names, **parts, **FROM), bundle)
    assert [each.field.code for each in form.fields] == ["same"]


@settings(max_examples=30)
@given(codes=st.sets(st.sampled_from([item.code for item in CATALOGUE.items]), min_size=1))
def test_the_shipped_items_merge_to_the_order_of_the_dictionary(codes: set[str]) -> None:
    plan = make_plan(CATALOGUE, NEWBORN, {"household": "330106", "maternity_insurance": "yes"}, context=IN_COUNTY)
    form = merge(CATALOGUE, NEWBORN, [step for step in plan if step.code in codes])
    order = [field.code for field in CATALOGUE.fields]
    found = [each.field.code for each in form.fields]
    assert found == sorted(found, key=order.index)
    assert all(set(each.needed_by) <= codes for each in form.fields)
