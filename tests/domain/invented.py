"""Invented catalogues, sound by construction: one bundle with choices, wishes, conditions, yields and variants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from server.domain.catalogue.answers import YES, open_questions
from server.domain.catalogue.bundles import Bundle, BundleStep, Question
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.context import Context
from server.domain.catalogue.divisions import province_of
from server.domain.catalogue.items import Field, FieldNeed, Handling, Item, Material, MaterialNeed, Need, Part
from server.domain.catalogue.plan import Plan, PlannedStep, lay_out
from server.domain.catalogue.results import Result
from server.domain.catalogue.validity import Validity
from server.domain.catalogue.variants import BundleVariant, ItemVariant
from tests.domain.kindness import CHOICE_FIELDS, kinder, some
from tests.domain.places import AUTHORITIES, DECIDED, TODAY

FROM = {"source": "tests", "status": "sample"}
CONTEXT = Context(home="320000", on=TODAY, authorities=AUTHORITIES, division="320102")
PLACES = ("320100", "320000", "330106", "500109")
LICENCES = ("l0", "l1")
ENDLESS = Validity(is_endless=True, source="x", status="sample")
RESULTS = {
    "l0": Result(name="证照零", kind="licence", type_code=f"SAMPLE{0:012}001", holders="both", validity=ENDLESS),
    "l1": Result(name="证明一", kind="paper"),
    "t0": Result(name="答复零", kind="text"),
}
# Fields that steps may yield, those that only citizens know, and one that the session has proven.
YIELDED = ("y0", "y1")
TOLD = ("f0", "f1")
PROVEN = "me"

_SORT = {"group": "组", "sensitivity": "ordinary", **FROM}
FIELDS = (
    Field(code=PROVEN, name="我", type="person_name", filled_from="name", **_SORT),
    *(
        Field(code=code, name=code, type="choice", choices={each: each for each in offered}, **_SORT)
        for code, offered in CHOICE_FIELDS.items()
    ),
    *(Field(code=code, name=code, type="text", **_SORT) for code in (*TOLD, *YIELDED)),
)
MATERIALS = tuple(Material(code=code, name=code, **FROM) for code in ("m0", "m1", "m2", *LICENCES))
KINDS, SUBKINDS = ("small", "large", "huge"), ("one", "two")


@dataclass(frozen=True)
class Made:
    """A catalogue and its bundle as it is at home."""

    catalogue: Catalogue
    bundle: Bundle

    def plan(self, answers: Mapping[str, str]) -> Plan:
        """What it comes to with these answers."""
        return lay_out(self.catalogue, self.bundle, answers, context=CONTEXT)

    def open(self, answers: Mapping[str, str]) -> tuple[Question, ...]:
        """What is to be asked next."""
        return open_questions(self.catalogue, self.bundle, answers)

    def item(self, step: PlannedStep) -> Item:
        """The item of a step, as it is where it is decided."""
        return self.catalogue.of(province_of(step.division or "000000")).item_of[step.code]


def answers_to(question: Question) -> st.SearchStrategy[str]:
    """An answer that is among those offered, rather one by which more is to be done."""
    if question.type == "division":
        return st.sampled_from(PLACES)
    likely = ["large"] if "large" in question.choices else [YES, YES] if YES in question.choices else []
    return st.sampled_from([*likely, *sorted(question.choices)])


def walk(draw: st.DrawFn, made: Made, *, always: Mapping[str, str] | None = None) -> dict[str, str]:
    """Answers to all questions, asked in any order; those of `always` are given where they are asked."""
    answers: dict[str, str] = {}
    while found := made.open(answers):
        question = draw(st.sampled_from(found))
        answers[question.code] = (always or {}).get(question.code) or draw(answers_to(question))
    return answers


@st.composite
def cases(draw: st.DrawFn) -> tuple[Made, dict[str, str]]:
    """A catalogue, and an answer to each of its questions."""
    made = draw(catalogues())
    return made, walk(draw, made)


@st.composite
def catalogues(draw: st.DrawFn) -> Made:
    """A catalogue of up to five items and one that stands alone, and what two provinces do otherwise."""
    count = draw(st.integers(3, 5))
    steps = _placed(draw, count)
    outputs = [_outputs(draw) for _ in range(count)]
    items, needs = [], []
    for n in range(count):
        certain = _usable(outputs, n)
        usable = {code: certain[code] for code in draw(some(tuple(certain), least=0))}
        before = {f"i{m}" for m in range(n) if usable.keys() & outputs[m].keys()}
        needs.append(sorted(before.union(draw(some(tuple(f"i{m}" for m in range(n)), least=0)))))
        items.append(_item(draw, n, output=outputs[n], usable=usable, place=_place(draw, steps[n])))
    placed = [BundleStep(item=f"i{n}", needs=needs[n], **steps[n]) for n in range(count)]
    bundle = _bundle(draw, draw(st.permutations(placed)), items)
    alone = Item(code="alone", name="单独", jurisdiction="home", is_alone=True, **_alone())
    catalogue = Catalogue(
        version="1",
        departments={"health": "卫健"},
        results=RESULTS,
        fields=FIELDS,
        materials=MATERIALS,
        items=(*items, alone),
        bundles=(bundle,),
        item_variants=_item_variants(draw, items),
        bundle_variants=_bundle_variants(draw, bundle),
        **FROM,
    )
    return Made(catalogue, catalogue.of(CONTEXT.home).bundle("b"))


def _alone() -> dict[str, Any]:
    return {"fields": [{"code": "f0"}], "yields": "t0", **_plain()}


def _plain() -> dict[str, Any]:
    days = {"legal_days": 5, "promised_days": 3}
    return {"type": "service", "department": "health", "competence": DECIDED, **days, **FROM}


def _placed(draw: st.DrawFn, count: int) -> list[dict[str, Any]]:
    """Under what each step applies: one at least is optional, and two or more may be there to choose from."""
    optional = {draw(st.integers(0, count - 1)), draw(st.integers(0, count - 1))}
    others = tuple(set(range(count)) - optional)
    chosen = draw(some(others, least=2)) if len(others) > 1 and draw(st.booleans()) else ()
    found = []
    for n in range(count):
        when = {}
        for code, offered in (("kind", KINDS), ("sub", SUBKINDS)):
            if draw(st.integers(0, 4)) == 4:
                when[code] = draw(some(offered))
        found.append({"when": when, "is_optional": n in optional, "one_of": "which" if n in chosen else ""})
    return found


def _place(draw: st.DrawFn, step: Mapping[str, Any]) -> str:
    """Who decides: `elsewhere` is asked of the large only."""
    return draw(
        st.sampled_from(["home", "home", "place", *(["elsewhere"] if step["when"].get("kind") == ("large",) else [])])
    )


def _outputs(draw: st.DrawFn) -> dict[str, bool]:
    """What an item yields, and whether it always does: at most one licence, and fields."""
    licence = draw(st.sampled_from(["", *LICENCES]))
    fields = {code: draw(st.booleans()) for code in draw(st.sampled_from([(), *zip(YIELDED)]))}
    return fields | ({licence: True} if licence else {})


def _usable(outputs: Sequence[Mapping[str, bool]], n: int) -> dict[str, bool]:
    """What the item may ask for although others yield it, since all of them come before; whether it is certain."""
    found = {}
    for code in (*YIELDED, *LICENCES):
        yielding = [m for m, output in enumerate(outputs) if code in output]
        if all(m < n for m in yielding):
            found[code] = all(outputs[m][code] for m in yielding)
    return found


def _item(draw: st.DrawFn, n: int, *, output: Mapping[str, bool], usable: Mapping[str, bool], place: str) -> Item:
    bases = draw(some(tuple(CHOICE_FIELDS)))
    asked = [code for code in draw(some((PROVEN, *TOLD, *CHOICE_FIELDS), least=2)) if code not in bases]
    handed = [code for code in usable if code in YIELDED]
    fields = [FieldNeed(code=code) for code in bases]
    fields += [_field_need(draw, code, bases, may_be_required=usable.get(code, True)) for code in (*asked, *handed)]
    return Item(
        code=f"i{n}",
        name=f"事项{n}",
        type="service",
        department="health",
        jurisdiction=place,
        competence=DECIDED,
        conditions=({"code": "held", "text": "必须"}, {"code": "may", "text": "可以", "is_mandatory": False}),
        fields=tuple(draw(st.permutations(fields))),
        materials=tuple(
            _material_need(draw, code) for code in sorted(draw(st.sets(st.sampled_from(["m0", "m1", "m2"]))))
        )
        + tuple(MaterialNeed(code=code, origin="step") for code in usable if code in LICENCES),
        yields=next((code for code in output if code in LICENCES), "t0"),
        yields_fields=tuple(Need(code=code, is_required=sure) for code, sure in output.items() if code in YIELDED),
        legal_days=20,
        promised_days=draw(st.integers(1, 20)),
        visits=draw(st.integers(0, 2)),
        handling=draw(st.lists(HANDLING, max_size=2)),
        **FROM,
    )


def _field_need(draw: st.DrawFn, code: str, bases: Sequence[str], *, may_be_required: bool) -> FieldNeed:
    when = {base: draw(some(CHOICE_FIELDS[base])) for base in draw(some(tuple(bases), least=0))}
    return FieldNeed(code=code, is_required=may_be_required and draw(st.booleans()), when=when)


def _material_need(draw: st.DrawFn, code: str) -> MaterialNeed:
    is_core_safety = draw(st.booleans())
    return MaterialNeed(
        code=code,
        is_required=draw(st.booleans()),
        form=draw(st.sampled_from(["electronic", "copy", "original"])),
        copies=draw(st.integers(1, 3)),
        origin=draw(st.sampled_from(["own", "own", "shared"])),
        is_core_safety=is_core_safety,
        may_be_deferred=not is_core_safety and draw(st.booleans()),
    )


WHERE = {
    "areas": st.sampled_from([(), ("320000",), ("330000", "440000")]),
    "valid_to": st.sampled_from([None, TODAY, TODAY - timedelta(days=1)]),
    "certainty": st.just("stated"),
    "source": st.just("tests"),
}
PARTS = st.builds(
    Part,
    department=st.just("health"),
    name=st.just("核对身份"),
    has_paper=st.booleans(),
    certainty=st.just("stated"),
    source=st.just("tests"),
)
MODES = [("online", st.none()), ("handover", PARTS), ("joint", st.none() | PARTS)]
HANDLING = st.one_of([st.builds(Handling, mode=st.just(mode), part=part, **WHERE) for mode, part in MODES])


def _bundle(draw: st.DrawFn, steps: Sequence[BundleStep], items: Sequence[Item]) -> Bundle:
    """The bundle, with those questions that decide something."""
    may = draw(st.booleans())
    chosen = {"kind": draw(some(KINDS))} if draw(st.integers(0, 3)) == 3 else {}
    asked = [
        Question(code="kind", name="哪一类", type="choice", choices={each: each for each in KINDS}, is_required=may),
        Question(code="place", name="在哪里", type="division"),
        Question(code="elsewhere", name="另在哪里", type="division", when={"kind": ("large",)}),
        Question(
            code="sub",
            name="哪一种",
            type="choice",
            choices={each: each for each in SUBKINDS},
            when={"kind": draw(some(KINDS))} if draw(st.booleans()) else {},
            is_required=draw(st.booleans()),
        ),
        Question(code="which", name="选哪项", type="one_of", when=chosen, is_required=draw(st.booleans())),
    ]
    used = {code for step in steps for code in (*step.when, step.one_of)} | {item.jurisdiction for item in items}
    used |= {code for question in asked if question.code in used for code in question.when}
    return Bundle(
        code="b",
        name="一件事",
        summary="b",
        subject="person",
        stage="s",
        lead="health",
        questions=tuple(question for question in asked if question.code in used),
        steps=tuple(steps),
        promised_days=draw(st.sampled_from([None, 1, 10])),
        visits=draw(st.integers(0, 2)),
        **FROM,
    )


def _item_variants(draw: st.DrawFn, items: Sequence[Item]) -> tuple[ItemVariant, ...]:
    chosen = [(each, province) for province in ("320000", "330000") for each in items if draw(st.integers(0, 2)) == 2]
    return tuple(
        ItemVariant(item=each.code, province=province, **draw(kinder(each)), **FROM) for each, province in chosen
    )


def _bundle_variants(draw: st.DrawFn, bundle: Bundle) -> tuple[BundleVariant, ...]:
    """At home one may wish for the item that stands alone too, or nothing is otherwise."""
    if draw(st.booleans()):
        return ()
    step = BundleStep(item="alone", needs=(bundle.steps[0].item,), is_optional=True)
    return (BundleVariant(bundle="b", province=CONTEXT.home, steps=(step,), visits=0, **FROM),)
