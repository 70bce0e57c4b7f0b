"""A province may do otherwise than the nation, only more kindly, and everywhere else nothing changes."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.catalogue.bundles import Bundle, BundleStep, Question
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.items import (
    Competence,
    Condition,
    FieldNeed,
    Handling,
    Item,
    LevelRule,
    MaterialNeed,
    Part,
    SpecialStep,
)
from server.domain.catalogue.merging import items_of
from server.domain.catalogue.plan import make_plan
from server.domain.catalogue.variants import BundleVariant, ItemVariant
from server.domain.catalogue_checks.checking import catalogue_faults
from server.domain.catalogue_checks.standards import STANDARDS, item_breaches
from tests.catalogue.shipped import CATALOGUE
from tests.domain.invented import Made, cases, catalogues
from tests.domain.kindness import kinder
from tests.domain.places import CONTEXT, DECIDED

LOCAL = {"source": "本省公告", "status": "local"}
JIANGSU, ZHEJIANG, BEIJING = "320000", "330000", "110000"
YEAR = date(2026, 1, 1), date(2026, 12, 31)
FROM = {"source": "全国目录", "status": "sample"}


def part(department: str = "health", **change: Any) -> Part:
    """What the receiving place does itself, with these changes."""
    return Part(department=department, name="核对身份", certainty="stated", source="通知", **change)


NATION = Item(
    code="permit",
    name="许可",
    type="licence",
    department="health",
    jurisdiction="home",
    competence=DECIDED,
    conditions=(
        Condition(code="safe", text="符合安全要求"),
        Condition(code="trained", text="经过培训", is_mandatory=False),
    ),
    fields=(
        FieldNeed(code="c0"),
        FieldNeed(code="f0"),
        FieldNeed(code="f1", is_required=False),
        FieldNeed(code="f2", when={"c0": ("a", "b")}),
    ),
    materials=(
        MaterialNeed(code="photo", form="copy", copies=2, may_be_deferred=True),
        MaterialNeed(code="letter", is_required=False),
        MaterialNeed(code="register", origin="shared"),
        MaterialNeed(code="plan", is_core_safety=True),
    ),
    legal_days=20,
    promised_days=10,
    special_steps=(
        SpecialStep(name="现场核查", days=5, basis="办法第九条"),
        SpecialStep(name="公示", days=7, is_counted=True, basis="办法第十条"),
    ),
    fee_fen=1000,
    visits=1,
    handling=(
        Handling(mode="online", areas=(JIANGSU, ZHEJIANG), certainty="stated", source="通知"),
        Handling(mode="handover", part=part(), valid_from=YEAR[0], valid_to=YEAR[1], certainty="stated", source="通知"),
    ),
    **FROM,
)


def local(province: str = JIANGSU, **changes: Any) -> Item:
    """The item as this variant makes it."""
    return ItemVariant(item="permit", province=province, **changes, **LOCAL).of(NATION)


def test_a_variant_changes_what_it_names_and_leaves_everything_else() -> None:
    found = local(promised_days=4, visits=0, guidance="可以邮寄。")
    assert (found.promised_days, found.visits, found.guidance) == (4, 0, "可以邮寄。")
    assert found.model_copy(update={"promised_days": 10, "visits": 1, "guidance": ""} | origin(NATION)) == NATION


def test_a_variant_says_where_it_is_known_from() -> None:
    assert origin(local()) == LOCAL


def origin(item: Item) -> dict[str, str]:
    return {"source": item.source, "status": item.status}


def test_a_variant_may_name_nothing_at_all() -> None:
    assert [need.code for need in local(materials=()).materials] == []
    assert local(fee_fen=0).fee_fen == 0


@settings(max_examples=50)
@given(data=st.data())
def test_whatever_a_variant_names_is_so_in_that_province_and_nothing_else(data: st.DataObject) -> None:
    changes = data.draw(kinder(NATION))
    found = local(**changes)
    for name in Item.model_fields:
        expected = changes.get(name, LOCAL.get(name, getattr(NATION, name)))
        assert getattr(found, name) == expected


@settings(max_examples=60)
@given(data=st.data())
def test_no_kinder_variant_is_refused(data: st.DataObject) -> None:
    assert list(item_breaches(NATION, local(**data.draw(kinder(NATION))))) == []


Change = tuple[str, str, Callable[[Any], Any]]
LISTS = {"fields": "code", "materials": "code", "conditions": "code", "special_steps": "name", "handling": "mode"}


def more(by: int) -> Callable[[int], int]:
    return lambda number: number + by


def with_(**changes: Any) -> Callable[[Any], Any]:
    return lambda entry: entry.model_copy(update=changes)


def dropped(entry: object) -> None:
    return None


def new(entry: object) -> Callable[[object], object]:
    return lambda nothing: entry


# What is less kind: what is named, which entry of it, what becomes of the nation's; and the rule that it breaks.
UNKIND: dict[str, tuple[Change, str]] = {
    "more legal days": (("legal_days", "", more(1)), "standards_time"),
    "more promised days": (("promised_days", "", more(1)), "standards_time"),
    "more visits": (("visits", "", more(1)), "standards_visits"),
    "a higher fee": (("fee_fen", "", more(1)), "standards_fee"),
    "a field more": (("fields", "f9", new(FieldNeed(code="f9", is_required=False))), "standards_field"),
    "a field required": (("fields", "f1", with_(is_required=True)), "standards_field"),
    "a field required in some cases": (
        ("fields", "f1", with_(is_required=True, when={"c0": ("a",)})),
        "standards_field",
    ),
    "a field asked of everybody": (("fields", "f2", with_(when={})), "standards_field"),
    "a field asked in more cases": (("fields", "f2", with_(when={"c0": ("a", "c")})), "standards_field"),
    "a field asked in other cases": (("fields", "f2", with_(when={"c1": ("a",)})), "standards_field"),
    "a material more": (("materials", "new", new(MaterialNeed(code="new", is_required=False))), "standards_material"),
    "a material required": (("materials", "letter", with_(is_required=True)), "standards_material"),
    "one copy more": (("materials", "photo", with_(copies=3)), "standards_material"),
    "an original": (("materials", "photo", with_(form="original")), "standards_material"),
    "a copy on paper": (("materials", "letter", with_(form="copy")), "standards_material"),
    "a material shared no more": (("materials", "register", with_(origin="own")), "standards_material"),
    "a material deferred no more": (("materials", "photo", with_(may_be_deferred=False)), "standards_material"),
    "core safety no more": (
        ("materials", "plan", with_(is_core_safety=False, may_be_deferred=True)),
        "standards_material",
    ),
    "core safety left out": (("materials", "plan", dropped), "standards_material"),
    "core safety at will": (("materials", "plan", with_(is_required=False)), "standards_material"),
    "a mandatory condition dropped": (("conditions", "safe", dropped), "standards_condition"),
    "a mandatory condition in other words": (("conditions", "safe", with_(text="符合")), "standards_condition"),
    "a mandatory condition mandatory no more": (
        ("conditions", "safe", with_(is_mandatory=False)),
        "standards_condition",
    ),
    "a condition in other words": (("conditions", "trained", with_(text="经过考试")), "standards_condition"),
    "a condition more": (("conditions", "rich", new(Condition(code="rich", text="有房"))), "standards_condition"),
    "a special step dropped": (("special_steps", "现场核查", dropped), "standards_check"),
    "a special step that takes longer": (("special_steps", "现场核查", with_(days=6)), "standards_check"),
    "a special step counted no more": (("special_steps", "公示", with_(is_counted=False)), "standards_check"),
    "a special step more": (
        ("special_steps", "听证", new(SpecialStep(name="听证", days=1, is_counted=True, basis="办法"))),
        "standards_check",
    ),
    "a mode dropped": (("handling", "online", dropped), "standards_handling"),
    "a mode replaced": (("handling", "online", with_(mode="joint")), "standards_handling"),
    "a mode in fewer provinces": (("handling", "online", with_(areas=(JIANGSU,))), "standards_handling"),
    "a mode in some provinces only": (("handling", "handover", with_(areas=(JIANGSU,))), "standards_handling"),
    "a mode from a later day": (("handling", "handover", with_(valid_from=date(2026, 1, 2))), "standards_handling"),
    "a mode until an earlier day": (("handling", "handover", with_(valid_to=date(2026, 12, 30))), "standards_handling"),
    "a part dropped": (("handling", "handover", with_(part=None)), "standards_handling"),
    "a part of another department": (("handling", "handover", with_(part=part("police"))), "standards_handling"),
    "a part with originals": (("handling", "handover", with_(part=part(has_paper=True))), "standards_handling"),
    "a part more": (("handling", "online", with_(part=part())), "standards_handling"),
    "a mode for a time only": (("handling", "online", with_(valid_to=date(2099, 12, 31))), "standards_handling"),
}


def made_unkind(found: Item, change: Change) -> Item:
    """The province's item with one thing less kind than in the nation."""
    name, code, become = change
    if name not in LISTS:
        return found.model_copy(update={name: become(getattr(NATION, name))})
    key = LISTS[name]
    (entry,) = [each for each in getattr(NATION, name) if getattr(each, key) == code] or [None]
    others = [each for each in getattr(found, name) if getattr(each, key) != code]
    return found.model_copy(update={name: (*others, *([after] if (after := become(entry)) else []))})


@pytest.mark.parametrize(("change", "rule"), UNKIND.values(), ids=UNKIND.keys())
@settings(max_examples=10)
@given(data=st.data())
def test_one_thing_less_kind_is_refused_however_kind_the_rest_is(
    change: Change, rule: str, data: st.DataObject
) -> None:
    found = made_unkind(local(**data.draw(kinder(NATION))), change)
    assert {broken for broken, _ in item_breaches(NATION, found)} == {rule}


def test_every_standard_is_broken_by_something() -> None:
    assert {rule for _, rule in UNKIND.values()} == STANDARDS.keys()


@pytest.mark.parametrize("days", [5, 100])
def test_a_special_step_named_twice_does_not_hide_the_longer_one(days: int) -> None:
    checked, published = NATION.special_steps
    found = local(special_steps=(checked.model_copy(update={"days": days}), checked, published))
    assert {rule for rule, _ in item_breaches(NATION, found)} == {"standards_check"}


def test_a_condition_named_twice_does_not_hide_the_stricter_one() -> None:
    stricter = NATION.conditions[0].model_copy(update={"text": "符合更高的要求"})
    found = local(conditions=(stricter, *NATION.conditions))
    assert {rule for rule, _ in item_breaches(NATION, found)} == {"standards_condition"}


@settings(max_examples=30)
@given(made=catalogues())
def test_a_catalogue_of_kinder_variants_has_no_fault(made: Made) -> None:
    assert catalogue_faults(made.catalogue) == ()


@settings(max_examples=30)
@given(made=catalogues())
def test_a_province_finds_its_own_variants_and_the_nation_everywhere_else(made: Made) -> None:
    catalogue = made.catalogue
    varied = {each.code: each for each in catalogue.item_variants}
    for province in (JIANGSU, ZHEJIANG, BEIJING):
        for item in catalogue.items:
            variant = varied.get(f"{province}/{item.code}")
            assert catalogue.of(province).item(item.code) == (variant.of(item) if variant else item)
    assert catalogue.of(BEIJING) is catalogue
    assert catalogue.of("") is catalogue


@settings(max_examples=30)
@given(case=cases())
def test_each_step_is_asked_and_promised_as_where_it_is_decided(case: tuple[Made, dict[str, str]]) -> None:
    made, answers = case
    steps = made.plan(answers).steps
    for step in steps:
        item = made.item(step)
        assert step.promised_days == item.promised_days
        assert step.fields == tuple(need.code for need in item.fields)
        assert items_of(made.catalogue, [step]) == (item,)


def catalogue(*variants: BundleVariant, of_items: tuple[ItemVariant, ...] = ()) -> Catalogue:
    """A nation of one bundle of two steps, and an item that stands alone."""
    plain = {"type": "service", "department": "health", "jurisdiction": "home", "legal_days": 2, "promised_days": 1}
    plain |= {"competence": DECIDED, "yields": "told"}
    codes = {"first": {}, "second": {}, "third": {"is_alone": True, "guidance": "单独办理"}}
    bundle = {"name": "一件事", "summary": "一", "subject": "person", "stage": "s", "lead": "health", "visits": 1}
    return Catalogue(
        version="1",
        departments={"health": "卫健", "police": "公安"},
        results={"told": {"name": "答复", "kind": "text"}},
        fields=(),
        materials=(),
        items=[{"code": code, "name": code, **plain, **others, **FROM} for code, others in codes.items()],
        bundles=[{"code": "b", "steps": [{"item": "first"}, {"item": "second"}], **bundle, **FROM}],
        bundle_variants=variants,
        item_variants=of_items,
        **FROM,
    )


def bundle_variant(**changes: Any) -> BundleVariant:
    return BundleVariant(bundle="b", province=JIANGSU, **changes, **LOCAL)


def test_a_province_may_add_a_step_and_the_question_for_it() -> None:
    asked = Question(code="more", name="还办吗", type="choice", choices={"yes": "办", "no": "不办"})
    added = BundleStep(item="third", needs=("first",), when={"more": ("yes",)})
    made = catalogue(bundle_variant(steps=(added,), questions=(asked,), cooperating=("police",)))
    assert catalogue_faults(made) == ()
    here = made.of(JIANGSU).bundle("b")
    assert [step.item for step in here.steps] == ["first", "second", "third"]
    assert (here.questions, here.cooperating, here.source) == ((asked,), ("police",), "本省公告")
    assert [step.code for step in make_plan(made, here, {"more": "yes"}, context=CONTEXT)][-1] == "third"
    assert made.of(ZHEJIANG).bundle("b") == made.bundle("b")
    assert [step.item for step in made.bundle("b").steps] == ["first", "second"]


def test_a_province_may_do_without_a_step_or_put_it_elsewhere_in_the_graph() -> None:
    assert [step.item for step in bundle_of(without=("first",)).steps] == ["second"]
    other = BundleStep(item="first", needs=("second",))
    assert bundle_of(steps=(other,)).steps == (other, BundleStep(item="second"))


def bundle_of(**changes: Any) -> Bundle:
    return catalogue(bundle_variant(**changes)).of(JIANGSU).bundle("b")


def test_a_province_may_spare_visits_and_promise_what_nobody_promised() -> None:
    made = catalogue(bundle_variant(visits=0, promised_days=1))
    assert catalogue_faults(made) == ()
    assert (made.of(JIANGSU).bundle("b").visits, made.of(JIANGSU).bundle("b").promised_days) == (0, 1)


def test_a_province_may_not_ask_for_more_visits() -> None:
    (found,) = catalogue_faults(catalogue(bundle_variant(visits=2)))
    assert (found.table, found.entry, found.rule) == ("bundle_variant", "320000/b", "standards_visits")


def test_an_item_alone_is_told_as_in_the_province() -> None:
    varied = ItemVariant(item="third", province=JIANGSU, promised_days=1, guidance="邮寄办理", **LOCAL)
    made = catalogue(of_items=(varied,))
    assert made.of(JIANGSU).bundle("third").summary == "邮寄办理"
    assert made.bundle("third").summary == "单独办理"


def test_an_unkind_variant_is_a_fault_of_the_catalogue_at_its_own_place() -> None:
    longer = ItemVariant(item="third", province=JIANGSU, promised_days=2, **LOCAL)
    (found,) = catalogue_faults(catalogue(of_items=(longer,)))
    assert (found.table, found.entry, found.rule) == ("item_variant", "320000/third", "standards_time")
    assert found.what_to_do == STANDARDS["standards_time"]


def test_what_a_province_drops_from_a_bundle_is_looked_at_too():
    """The level at which the item is decided there depends on a question that nobody asks for it any more."""
    told = {name: getattr(CATALOGUE, name) for name in Catalogue.model_fields}
    asked = LevelRule(level="city", when={"maternity_insurance": ("yes",)})
    levels = (asked, LevelRule(level="county"))
    card = CATALOGUE.item_of["vaccination_card"]
    chosen = card.model_copy(update={"competence": Competence(levels=levels, **LOCAL)})
    told["items"] = tuple(chosen if item is card else item for item in CATALOGUE.items)
    assert not catalogue_faults(Catalogue(**told))
    dropped = BundleVariant(bundle="newborn", province=BEIJING, without=("vaccination_card",), **LOCAL)
    told["bundle_variants"] = (*CATALOGUE.bundle_variants, dropped)
    found = catalogue_faults(Catalogue(**told))
    assert [(fault.table, fault.entry, fault.rule) for fault in found] == [
        ("item_variant", f"{BEIJING}/vaccination_card", "condition")
    ]
