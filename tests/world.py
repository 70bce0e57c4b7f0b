"""The small fixed world of the tests: three nodes, made-up persons, one bundle of three steps, and acts upon it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from server.domain.aggregate.actors import Actor
from server.domain.aggregate.acts import Act
from server.domain.aggregate.judging import Judgement
from server.domain.case import acts
from server.domain.case.acts import Facts
from server.domain.case.case import Application, Case, Commission, HandedIn, Offered
from server.domain.case.events import Event
from server.domain.catalogue.bundles import Bundle, BundleStep, Question
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.divisions import province_of
from server.domain.catalogue.items import (
    Field,
    FieldNeed,
    Handling,
    Item,
    Material,
    MaterialNeed,
    Need,
    OpinionRule,
    Part,
    SpecialStep,
    TransferRule,
)
from server.domain.catalogue.pinning import Competent, PinnedAuthority
from server.domain.catalogue.plan import PlannedStep
from server.domain.catalogue.terms import Gap, Terms
from server.domain.exchange.letters import About
from server.domain.materials import Upload
from server.domain.people.persons import Person, check_character
from server.domain.people.posts import PostRole
from server.domain.rules.decide import decide
from server.domain.rules.lifecycle import evolve
from server.domain.rules.opening import MaterialGiven, Submission, application_of
from server.tools.publications import load_calendar
from tests.domain.places import AUTHORITIES, CONTEXT, DECIDED, TODAY, directory_of

JIANGSU, ZHEJIANG, GUANGDONG = "320000", "330000", "440000"
NOWHERE = "510000"  # a division that no node of this world decides for
MONDAY = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
CALENDAR = load_calendar(Path(__file__).parents[1] / "config/regions")
DIRECTORY = directory_of({node: [node] for node in (JIANGSU, ZHEJIANG, GUANGDONG)})
CASE = f"{JIANGSU}/case1"
GRAPH = ("step0", "step1", "step2", "step3", "step4", "step5")  # items for graphs of one's own
ACTS_UNTIL = {"sent": 0, "received": 1, "accepted": 2, "approved": 3, "refused": 3}
SAMPLE: dict[str, Any] = {"source": "tests", "status": "sample"}


# Who does something, and what is known then.


def person(name: str = "测试甲", *, born: str = "19900101", sequence: str = "001") -> Person:
    """A fictitious person: the address code is that of a province."""
    first_17 = f"{JIANGSU}{born}{sequence}"
    return Person(key=f"key-of-{sequence}", name=name, id_number=first_17 + check_character(first_17))


def is_fictitious(id_number: str) -> bool:
    """Whether the address code is that of a province (`320000`); real numbers carry that of a county."""
    return id_number[2:6] == "0000"


def citizen(node: str = JIANGSU) -> Actor:
    """The applicant, at his home node."""
    return Actor(node=node, part="citizen")


def officer(
    department: str = "health", *, node: str = JIANGSU, name: str = "officer-1", role: PostRole = "approver"
) -> Actor:
    """An officer of the authority of one department for the whole of this node's province."""
    return Actor(node=node, part="officer", authority=f"{department}/{node}", name=name, role=role)


def peer(node: str = ZHEJIANG) -> Actor:
    """Another node, as its letters name it."""
    return Actor(node=node, part="node")


def facts(here: str = JIANGSU, *, at: datetime = MONDAY, **change: Any) -> Facts:
    """What a decision at this node knows of the world."""
    types = {field.code: field.type for field in CATALOGUE.fields}
    known = Facts(here=here, at=at, directory=DIRECTORY, calendar=CALENDAR, field_types=types, salt=bytes(16))
    return replace(known, **change)


# The bundle: first (here) -> second (decided where the answer `place` says) -> third (here), and a fourth if wished.


def _field(code: str, type: Any = "text", **more: Any) -> Field:
    return Field(code=code, name=code, type=type, group="g", sensitivity="ordinary", **more, **SAMPLE)


def _item(code: str, department: str, jurisdiction: str = "home", **more: Any) -> Item:
    for part, kind in (("fields", FieldNeed), ("materials", MaterialNeed), ("yields_fields", Need)):
        needs = more.get(part, ())
        more[part] = tuple(each if isinstance(each, Need) else need_of(each, kind) for each in needs)
    everywhere = Handling(mode="joint", certainty="inferred", source="tests")
    common = {"type": "service", "legal_days": 10, "promised_days": 5, "handling": (everywhere,), **SAMPLE}
    common |= {"competence": DECIDED}
    return Item(code=code, name=f"事项{code}", department=department, jurisdiction=jurisdiction, **common, **more)


def need_of(code: str, kind: type[Need] = Need) -> Need:
    """What an item declares: `photo?` is one that may be missing."""
    return kind(code=code.removesuffix("?"), is_required=not code.endswith("?"))


def _graph_item(code: str, department: str = "health", **more: Any) -> Item:
    """An item with all that a procedure may have, but for what these say besides."""
    return _item(
        code,
        department,
        fields=("subject_name", "mobile?"),
        materials=(MaterialNeed(code="photo", may_be_deferred=True), "proof?"),
        yields="birth_licence",
        yields_fields=(f"{code}_number",),
        special_steps=(HEARING,),
        **more,
    )


PART = Part(department="health", name="核对申请表和身份", has_paper=True, certainty="inferred", source="tests")
HEARING = SpecialStep(name="听证", days=10, basis="行政许可法第四十五条")
FROM_FIRST = TransferRule(days_from="first_receipt", **SAMPLE)
FROM_SECOND = TransferRule(days_from="second_receipt", **SAMPLE)
HEARD = OpinionRule(rule="all", departments=("police", "insurance"), days=3)
CATALOGUE = Catalogue(
    version="2026.1",
    departments={"health": "卫生健康", "police": "公安", "insurance": "医保"},
    results={
        "birth_licence": {"name": "出生医学证明", "kind": "licence"},
        "record_paper": {"name": "登记凭证", "kind": "paper"},
        "answer": {"name": "查询结果", "kind": "text"},
    },
    fields=(
        _field("subject_name"),
        _field("applicant_name", filled_from="name"),
        _field("applicant_id", "id_number", filled_from="id_number"),
        _field("mobile", "mobile"),
        _field("birth_number"),
        _field("household_number"),
        *(_field(f"{code}_number") for code in GRAPH),
    ),
    materials=tuple(Material(code=code, name=f"材料{code}", **SAMPLE) for code in ("proof", "photo", "bank_card")),
    items=(
        _item(
            "first",
            "health",
            fields=("subject_name", "applicant_name", "mobile?"),
            materials=("proof",),
            yields="birth_licence",
            yields_fields=("birth_number",),
        ),
        _item(
            "second",
            "police",
            "place",
            fields=("subject_name", "applicant_id", "birth_number"),
            materials=("proof", "photo?"),
            yields_fields=("household_number",),
        ),
        _item(
            "third",
            "insurance",
            fields=("subject_name", "household_number"),
            materials=("bank_card",),
            yields="answer",
        ),
        _item("fourth", "health", fields=("mobile",)),
        *(_graph_item(code, opinions=HEARD, transfer=FROM_FIRST) for code in GRAPH[::3]),
        *(_graph_item(code, unanswered="declined", transfer=FROM_SECOND) for code in GRAPH[1::3]),
        *(_graph_item(code, "insurance") for code in GRAPH[2::3]),
    ),
    bundles=(
        Bundle(
            code="arrival",
            name="新生儿出生",
            summary="tests",
            subject="person",
            stage="birth",
            lead="health",
            questions=(
                Question(code="place", name="户口所在地", type="division"),
                Question(code="extra", name="是否加办", type="choice", choices={"yes": "是", "no": "否"}),
            ),
            steps=(
                BundleStep(item="third", needs=("second",)),
                BundleStep(item="second", needs=("first",)),
                BundleStep(item="first"),
                BundleStep(item="fourth", when={"extra": ("yes",)}),
            ),
            legal_days=30,
            promised_days=10,
            **SAMPLE,
        ),
    ),
    **SAMPLE,
)
FACTS = facts()


# What a citizen hands in.


def uploaded(id: str) -> Upload:
    """A file that the applicant has uploaded."""
    sha256 = hashlib.sha256(id.encode()).hexdigest()
    return Upload(id=id, name=f"{id} of the family.pdf", size=1000, media_type="application/pdf", sha256=sha256)


UPLOADS = {id: uploaded(id) for id in ("up-proof", "up-photo", "up-card")}
FORM = {"subject_name": "测试宝", "mobile": "13800000000"}
GIVEN = tuple(
    MaterialGiven(code=code, id=id)
    for code, id in (("proof", "up-proof"), ("photo", "up-photo"), ("bank_card", "up-card"))
)


def submission(**change: Any) -> Submission:
    """A faultless wish for the three steps, the second decided in Zhejiang, with these changes."""
    answers = {"place": "330102", "extra": "no"}
    whole = Submission(bundle="arrival", answers=answers, form=FORM, materials=GIVEN)
    return whole.model_copy(update=change)


def application(steps: Sequence[PlannedStep] | None = None) -> Application:
    """What the submission makes, or the same for other steps."""
    made = application_of(CATALOGUE, submission(), applicant=person(), uploads=UPLOADS, context=CONTEXT)
    return made.model_copy(update={"steps": tuple(steps)}) if steps is not None else made


def planned(code: str, *, needs: Sequence[str] = (), division: str = JIANGSU, **change: Any) -> PlannedStep:
    """A step for a graph of one's own, with these changes."""
    whole = PlannedStep(
        code=code,
        name=f"事项{code}",
        department="health",
        division=division,
        needs=tuple(needs),
        fields=("subject_name",),
        materials=(),
        yields="",
        yields_fields=(f"{code}_number",),
        promised_days=5,
        terms=Terms(legal_days=10),
    )
    step = whole.model_copy(update=change)
    return step if "competent" in change else step.model_copy(update={"competent": competent_of(step)})


def competent_of(step: PlannedStep, *, home: str = JIANGSU) -> Competent:
    """Who does what in a step: the authorities of the whole province, as far as this home knows them."""
    is_here, heard = province_of(step.division) == home, step.terms.opinions
    return Competent(
        authority=pinned(step.department, step.division) if is_here else None,
        heard={code: pinned(code, step.division) for code in (heard.departments if heard and is_here else ())},
        checker=pinned(step.part.department, home) if step.part else None,
    )


def pinned(department: str, division: str) -> PinnedAuthority:
    """The authority of a department for the whole province; of one that is not among the places of tests by its id."""
    province = province_of(division)
    found = AUTHORITIES.holder_of(department, province, on=TODAY)
    return PinnedAuthority(id=f"{department}/{province}", name=found.name if found else department)


def of_graph(code: str, *, needs: Sequence[str] = (), division: str = JIANGSU, **change: Any) -> PlannedStep:
    """A step of one of the items of GRAPH, as the catalogue has it, with these changes."""
    item = CATALOGUE.item_of[code]
    declared = {part: tuple(need.code for need in getattr(item, part)) for part in ("fields", "materials")}
    own = {"department": item.department, "yields": item.yields, "terms": Terms.of(item)}
    return planned(code, needs=needs, division=division, **own, **declared, **change)


def about_step(case: str = CASE, step: str | None = "second") -> About:
    """What a letter about a step of a case is about."""
    return About(kind="case", name=case, part=step)


def commission(step: PlannedStep | None = None, **change: Any) -> Commission:
    """What Jiangsu sends to the decider of a step, of the second one if none is named."""
    step = step or next(each for each in application().steps if each.code == "second")
    whole = Commission(
        bundle="arrival",
        bundle_name="新生儿出生",
        catalogue="2026.1",
        step=step.model_copy(update={"needs": (), "competent": competent_of(step, home=province_of(step.division))}),
        directory_version=1,
        form={"subject_name": "测试宝"},
        materials=(Offered(code="proof", sha256="ab" * 32, size=1000, media_type="application/pdf"),),
    )
    return whole.model_copy(update=change)


# Acts, and the case after them.


def opening(steps: Sequence[PlannedStep] | None = None, **change: Any) -> acts.Open:
    """The act that opens the case `320000/case1`, with these changes of its application."""
    wish = application(steps).model_copy(update=change)
    return acts.Open(id="open", by=citizen(), number="case1", application=wish)


def request(wish: Commission | None = None, *, id: str = "request", by: Actor | None = None) -> acts.Request:
    """The act of the letter by which Jiangsu asks for a step."""
    return acts.Request(id=id, by=by or peer(JIANGSU), case=CASE, commission=wish or commission())


def after(case: Case | None, *wishes: Act, facts: Facts = FACTS) -> Case:
    """The case after these acts, each done at this node; a refusal is raised."""
    for wish in wishes:
        decision = decide(case, wish, facts)
        case = decision.values[-1] if decision.values else case
    if case is None:
        raise ValueError("no acts, no case")
    return case


def told_again(happened: Iterable[Event]) -> Judgement[Case, Event]:
    """The decision that these events, from the first of a case on, come from: with the case after each."""
    case: Case | None = None
    cases = []
    told = tuple(happened)
    for event in told:
        case = evolve(case, event)
        cases.append(case)
    return Judgement(told, tuple(cases))


def opened(steps: Sequence[PlannedStep] | None = None, *, facts: Facts = FACTS, **change: Any) -> Case:
    """The case at home, just opened."""
    return after(None, opening(steps, **change), facts=facts)


def worked(step: str, by: Actor, *, until: str = "approved", result: Mapping[str, str] | None = None) -> list[Act]:
    """The acts that bring a step from `sent` to this state, all by one actor; ids are made of step and act."""
    if until == "refused":
        last: Act = acts.Refuse(id=f"{step}-refuse", by=by, step=step, grounds="材料不实")
    else:
        last = acts.Approve(id=f"{step}-approve", by=by, step=step, result=result or {})
    receive = acts.Receive(id=f"{step}-receive", by=by, step=step)
    accept = acts.Accept(id=f"{step}-accept", by=by, step=step)
    return [receive, accept, last][: ACTS_UNTIL[until]]


def lacking(code: str, *, kind: Literal["field", "material"] = "field") -> Gap:
    """A gap: this field or material must be put right."""
    return Gap(kind=kind, code=code, reason="与证件不一致")


def offered(code: str, content: str = "new") -> Offered:
    """A material as a letter offers it."""
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    return Offered(code=code, sha256=sha256, size=1000, media_type="application/pdf")


def handed_in(code: str, content: str = "new") -> HandedIn:
    """The same as the citizen hands it in at home."""
    return HandedIn(**offered(code, content).model_dump(), id=f"up-{content}", name=f"{content} of the family.pdf")


def later(**span: float) -> datetime:
    """So much after Monday."""
    return MONDAY + timedelta(**span)
