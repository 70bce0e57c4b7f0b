"""Merging asks for each thing once, in one order, and forgets nothing."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.catalogue import Bundle, BundleStep, Catalogue, Field, Item, Material, Need
from server.domain.merging import MergedForm, merge
from server.domain.plan import make_plan
from tests.catalogue.shipped import CATALOGUE, NEWBORN

FROM = {"source": "made up", "status": "sample"}
FIELDS = tuple(
    Field(code=f"f{n}", name=f"问题{n}", type="text", group="组", is_sensitive=False, filled_from=filled, **FROM)
    for n, filled in enumerate(["name", "id_number", "", "", "", "", ""])
)
MATERIALS = tuple(Material(code=f"m{n}", name=f"材料{n}", **FROM) for n in range(5))


def needs(codes: list[str]) -> st.SearchStrategy[tuple[Need, ...]]:
    chosen = st.dictionaries(st.sampled_from(codes), st.booleans())
    return chosen.map(
        lambda found: tuple(Need(code=code, is_required=is_required) for code, is_required in found.items())
    )


@st.composite
def bundles(draw: st.DrawFn) -> tuple[Catalogue, Bundle]:
    """A bundle of up to six items with whatever needs and yields."""
    fields, materials = [field.code for field in FIELDS], [material.code for material in MATERIALS]
    items = tuple(
        Item(
            code=f"i{n}",
            name=f"事项{n}",
            department="health",
            jurisdiction="home",
            fields=draw(needs(fields)),
            materials=draw(needs(materials)),
            yields=draw(st.sampled_from(["", *materials])),
            yields_fields=draw(needs(fields[-2:])),
            legal_days=2,
            promised_days=1,
            **FROM,
        )
        for n in range(draw(st.integers(1, 6)))
    )
    steps = tuple(BundleStep(item=item.code) for item in items)
    days = {"legal_days": 2, "promised_days": 1}
    bundle = Bundle(code="b", name="一件事", summary="", stage="", lead="health", steps=steps, **days, **FROM)
    parts = {"fields": FIELDS, "materials": MATERIALS, "items": items, "bundles": (bundle,)}
    names = {"departments": {"health": "卫健"}, "licences": {code: code for code in materials}}
    return Catalogue(version="1", **names, **parts, **FROM), bundle


def merged(catalogue: Catalogue, bundle: Bundle) -> MergedForm:
    return merge(catalogue, bundle, make_plan(catalogue, bundle, {}, home="320000"))


@given(made=bundles())
def test_everything_is_asked_once(made: tuple[Catalogue, Bundle]) -> None:
    form = merged(*made)
    fields = [each.field.code for each in (*form.fields, *form.filled)]
    materials = [each.material.code for each in form.materials]
    assert len(set(fields)) == len(fields)
    assert len(set(materials)) == len(materials)


@given(made=bundles())
def test_nothing_required_is_lost_and_nothing_optional_becomes_required(made: tuple[Catalogue, Bundle]) -> None:
    form, items = merged(*made), made[0].items
    yielded_fields = {need.code for item in items for need in item.yields_fields}
    yielded_licences = {item.yields for item in items}
    required = {need.code for item in items for need in item.fields if need.is_required}
    assert {each.field.code for each in (*form.fields, *form.filled) if each.is_required} == required - yielded_fields
    required = {need.code for item in items for need in item.materials if need.is_required}
    assert {each.material.code for each in form.materials if each.is_required} == required - yielded_licences


@given(made=bundles())
def test_each_item_finds_all_it_declares_in_form_session_or_results(made: tuple[Catalogue, Bundle]) -> None:
    form = merged(*made)
    for item in made[0].items:
        fields = {each.field.code for each in (*form.fields, *form.filled) if item.code in each.needed_by}
        materials = {each.material.code for each in form.materials if item.code in each.needed_by}
        assert {need.code for need in item.fields} - set(form.yielded) == fields
        assert {need.code for need in item.materials} - set(form.yielded) == materials


@given(made=bundles())
def test_what_a_step_yields_is_never_asked(made: tuple[Catalogue, Bundle]) -> None:
    form = merged(*made)
    asked = {each.field.code for each in (*form.fields, *form.filled)} | {each.material.code for each in form.materials}
    assert not asked & set(form.yielded)


@given(made=bundles(), chance=st.randoms(use_true_random=False))
def test_the_order_of_the_steps_changes_nothing(made: tuple[Catalogue, Bundle], chance: Random) -> None:
    catalogue, bundle = made
    steps = list(make_plan(catalogue, bundle, {}, home="320000"))
    form = merge(catalogue, bundle, steps)
    chance.shuffle(steps)
    assert merge(catalogue, bundle, steps) == form


@given(made=bundles())
def test_merging_the_same_steps_again_changes_nothing(made: tuple[Catalogue, Bundle]) -> None:
    catalogue, bundle = made
    steps = make_plan(catalogue, bundle, {}, home="320000")
    assert merge(catalogue, bundle, steps + steps) == merge(catalogue, bundle, steps)


@given(made=bundles())
def test_what_is_saved_is_what_single_applications_would_ask_beyond_the_form(made: tuple[Catalogue, Bundle]) -> None:
    form, items = merged(*made), made[0].items
    assert form.saved.fields == sum(len(item.fields) for item in items) - len(form.fields)
    assert form.saved.materials == sum(len(item.materials) for item in items) - len(form.materials)
    assert form.saved.visits == len(items)


def test_a_field_with_the_code_of_a_yielded_licence_is_still_asked() -> None:
    need, names = (Need(code="same"),), {"departments": {}, "licences": {"same": "证照"}}
    days = {"legal_days": 2, "promised_days": 1}
    item = Item(code="i", name="事项", department="d", jurisdiction="home", fields=need, yields="same", **days, **FROM)
    steps = (BundleStep(item="i"),)
    bundle = Bundle(code="b", name="一件事", summary="", stage="", lead="d", steps=steps, **days, **FROM)
    field = Field(code="same", name="问题", type="text", group="组", is_sensitive=False, **FROM)
    parts = {"fields": (field,), "materials": (), "items": (item,), "bundles": (bundle,)}
    form = merged(Catalogue(version="1", **names, **parts, **FROM), bundle)
    assert [each.field.code for each in form.fields] == ["same"]


@settings(max_examples=30)
@given(codes=st.sets(st.sampled_from([item.code for item in CATALOGUE.items]), min_size=1))
def test_the_shipped_items_merge_to_the_order_of_the_dictionary(codes: set[str]) -> None:
    plan = make_plan(CATALOGUE, NEWBORN, {"household": "330100", "maternity_insurance": "yes"}, home="320000")
    form = merge(CATALOGUE, NEWBORN, [step for step in plan if step.code in codes])
    order = [field.code for field in CATALOGUE.fields]
    found = [each.field.code for each in form.fields]
    assert found == sorted(found, key=order.index)
    assert all(set(each.needed_by) <= codes for each in form.fields)
