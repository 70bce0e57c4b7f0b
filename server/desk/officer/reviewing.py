"""Reviewing: what officers do to the steps of their department, and of those that ask for its opinion."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from server.desk.materials import hand_in
from server.desk.officer.claiming import check_act
from server.desk.officer.meanwhile import perform_as_seen
from server.domain.canonical import LARGEST_INTEGER
from server.domain.case import acts
from server.domain.case.case import Actor, Offered
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.forms import FormFaulty, form_faults
from server.domain.catalogue.items import Need
from server.domain.catalogue.merging import MergedField
from server.domain.catalogue.terms import DeclineReason, Delivery, Gap
from server.domain.effects.records import Record
from server.domain.errors import FieldFault, Missing
from server.domain.materials import Upload
from server.domain.people.persons import Officer
from server.domain.rules.move import DeskForm
from server.domain.rules.table import RULES
from server.domain.values import Value, WrittenKey, WrittenText, china_day
from server.node import Node


class NoSuchAct(Missing):
    """An officer's desk has no such act."""

    code = "no_such_act"
    title = "没有这个操作"


ShortText = Annotated[str, StringConstraints(max_length=100)]


class GapGiven(Gap):
    """One gap, as an officer names it."""

    code: WrittenKey
    reason: WrittenText


class DeliveryGiven(Delivery):
    """How a licence is delivered, as an officer says it."""

    number: ShortText = ""


class Decision(Value):
    """What an officer says with an act, and the version of the step the officer saw.

    `grounds` is whatever must be given as a reason, `licence` the id of an uploaded file of the licence. Which of the
    rest an act needs stands in ACTS.
    """

    version: Annotated[int, Field(ge=0, lt=LARGEST_INTEGER)] | None = None
    grounds: WrittenText = ""
    result: Annotated[Mapping[WrittenKey, WrittenText], Field(max_length=50)] = {}
    gaps: Annotated[tuple[GapGiven, ...], Field(max_length=100)] = ()
    decline_as: DeclineReason | None = None
    agency: ShortText = ""
    procedure: ShortText = ""
    days: Annotated[int, Field(ge=1, le=1000)] | None = None
    answer: Literal["agree", "object"] | None = None
    department: ShortText = ""
    delivery: DeliveryGiven | None = None
    licence: ShortText = ""
    courier: Annotated[str, StringConstraints(max_length=50)] = ""
    number: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{0,40}$")] = ""


class DecisionIncomplete(FormFaulty):
    """The act needs something that was not said; each fault names it."""

    code = "decision_incomplete"
    title = "请补充办理内容"


class ActRequest(Value):
    """One act of an officer on one step: case, step, act, Idempotency-Key, and what the officer says."""

    case: str
    step: str
    act: str
    key: str
    decision: Decision


# What officers do that is no move of a step; the moves say themselves how they are asked for.
_OWN: Mapping[type[acts.StepAct], DeskForm] = {
    acts.FollowUp: DeskForm("follow-up", needs={"grounds": "note"}),
    acts.PostPaper: DeskForm("post-paper", needs={"courier": "courier", "number": "number"}),
    acts.ConfirmPaper: DeskForm("confirm-paper"),
}
_MOVES: Mapping[type[acts.StepAct], DeskForm] = {kind: rule.desk for kind, rule in RULES.items() if rule.desk}
ACTS: Mapping[str, tuple[type[acts.StepAct], DeskForm]] = {
    form.path: (kind, form) for kind, form in {**_MOVES, **_OWN}.items()
}


async def act_on(node: Node, officer: Officer, request: ActRequest) -> Record:
    """Do one of the desk's ACTS to a step of a case.

    Raises NoSuchAct, NoSuchCase, NoSuchStep, NotOurStep, NotYourDepartment, StateForbids, StepChanged,
    ClaimedByAnother, FormFaulty, and what the act itself asks for (domain/rules/moves).
    """
    act, record = act_of(node, officer, request), await node.store.cases.case(request.case)
    if isinstance(act, acts.Approve | acts.Deliver) and request.decision.licence:
        offer = await _licence(node, officer, request, record=record)
        act = act.model_copy(update={"licence": offer})
    if isinstance(act, acts.Approve):
        catalogue = node.catalogue_of(record.case.catalogue)
        _check_result(catalogue, request.step, act.result, on=china_day(node.clock.now()))
    await check_act(node, officer, act, case=request.case)
    return await perform_as_seen(node, request.case, act, known=record)


async def hand_in_licence(node: Node, officer: Officer, content: bytes, *, name: str) -> Upload:
    """Keep the file of a licence for this officer; raises MaterialTooLarge and MaterialTypeUnknown."""
    return await hand_in(node, _uploader(node, officer), content, name=name)


async def _licence(node: Node, officer: Officer, request: ActRequest, *, record: Record) -> Offered:
    """The offer of the file that the officer handed in of what the step yields; raises FormFaulty."""
    id = request.decision.licence
    uploads = await node.store.materials.uploads_of(_uploader(node, officer), [id])
    if id not in uploads:
        detail = "没有找到这份证照文件，请重新上传。"
        raise FormFaulty(
            "证照文件有误。", errors=[FieldFault(pointer="/licence", code="material_unknown", detail=detail)]
        )
    content = uploads[id].model_dump(include={"sha256", "size", "media_type"})
    return Offered(code=record.case.step(request.step).plan.yields, **content)


def _uploader(node: Node, officer: Officer) -> str:
    return node.keys.owner("officer", officer.name)


def act_of(node: Node, officer: Officer, request: ActRequest) -> acts.StepAct:
    """The act that the officer requests; raises NoSuchAct, DecisionIncomplete."""
    if request.act not in ACTS:
        raise NoSuchAct("没有这个操作。")
    (kind, form), decision = ACTS[request.act], request.decision.model_dump(exclude_none=True)
    missing = [name for name in form.needs if not str(decision.get(name) or "").strip()]
    if missing:
        faults = [FieldFault(pointer=f"/{name}", code="required", detail="请填写这一项。") for name in missing]
        raise DecisionIncomplete("请补充办理这一操作所需的内容。", errors=faults)
    fields = {**form.needs, **form.takes}
    by = Actor(node=node.here, part="officer", department=officer.department, name=officer.name, rank=officer.rank)
    return kind.model_validate(
        {
            "id": node.keys.request_digest([officer.name, request.case, request.key]),
            "digest": node.keys.request_digest([request.step, request.act, request.decision.model_dump(mode="json")]),
            "by": by,
            "step": request.step,
            "version": request.decision.version,
            **{field: decision[name] for name, field in fields.items() if name in decision},
        }
    )


def _check_result(catalogue: Catalogue, step: str, result: Mapping[str, str], *, on: date) -> None:
    """The result must be what the item yields, each value of its field's type; raises FormFaulty."""
    item = catalogue.item_of.get(step)
    yields: tuple[Need, ...] = item.yields_fields if item else ()
    fields = [
        MergedField(field=catalogue.field_of[need.code], is_required=need.is_required, needed_by=(step,))
        for need in yields
    ]
    faults = form_faults(fields, result, on=on)
    if faults:
        moved = [fault.model_copy(update={"pointer": fault.pointer.replace("/form/", "/result/")}) for fault in faults]
        raise FormFaulty("办理结果填写有误。", errors=moved)
