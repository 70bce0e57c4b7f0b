"""Reviewing: what officers do to the steps of their department, and of those that ask for its opinion."""

from server.desk.materials import hand_in
from server.desk.officer.claiming import check_act
from server.desk.officer.meanwhile import perform_as_seen
from server.domain.case import acts
from server.domain.case.case import Actor, Offered, Step
from server.domain.catalogue.forms import FormFaulty
from server.domain.effects.records import Record
from server.domain.errors import FieldFault, Missing
from server.domain.materials import Upload
from server.domain.people.persons import Officer
from server.domain.rules.desk_acts import ACTS
from server.domain.rules.desk_forms import AnyDeskForm, Decision, LicenceDecision, StepActHeader
from server.domain.rules.results import check_result
from server.domain.rules.right_places import check_place
from server.domain.values import Value, china_day
from server.node import Node


class NoSuchAct(Missing):
    """An officer's desk has no such act."""

    code = "no_such_act"
    title = "没有这个操作"


class DecisionIncomplete(FormFaulty):
    """The act needs something that was not said; each fault names it."""

    code = "decision_incomplete"
    title = "请补充办理内容"


class ActRequest(Value):
    """One act of an officer on one step: case, step, act (a key of ACTS), Idempotency-Key, and its decision."""

    case: str
    step: str
    act: str
    key: str
    decision: Decision


def form_of(act: str) -> AnyDeskForm[acts.StepAct]:
    """How this act is requested; raises NoSuchAct."""
    if act not in ACTS:
        raise NoSuchAct("没有这个操作。")
    return ACTS[act]


async def act_on(node: Node, officer: Officer, request: ActRequest) -> Record:
    """Do one of the desk's ACTS to a step of a case.

    Raises NoSuchAct, NoSuchCase, NoSuchStep, NotOurStep, NotYourDepartment, StateForbids, StepChanged,
    ClaimedByAnother, FormFaulty, and what the act itself asks for (domain/rules/moves).
    """
    act, record = act_of(node, officer, request), await node.store.cases.case(request.case)
    decision = request.decision
    if isinstance(decision, LicenceDecision) and decision.licence:
        offer = await _licence(node, officer, decision.licence, step=record.case.step(request.step))
        act = act.model_copy(update={"licence": offer})
    catalogue = node.catalogue_of(record.case.catalogue)
    if isinstance(act, acts.Decline) and act.division:
        step, told = record.case.step(request.step), record.told
        check_place(step, act.division, told, catalogue=catalogue, context=node.context())
    if isinstance(act, acts.Approve):
        check_result(record.case.step(request.step), act.result, catalogue, on=china_day(node.clock.now()))
    await check_act(node, officer, act, case=request.case, part=form_of(request.act).part)
    return await perform_as_seen(node, request.case, act, known=record)


async def hand_in_licence(node: Node, officer: Officer, content: bytes, *, name: str) -> Upload:
    """Keep the file of a licence for this officer; raises MaterialTooLarge and MaterialTypeUnknown."""
    return await hand_in(node, _uploader(node, officer), content, name=name)


async def _licence(node: Node, officer: Officer, id: str, *, step: Step) -> Offered:
    """The offer of the file that the officer handed in of what the step yields; raises FormFaulty."""
    uploads = await node.store.materials.uploads_of(_uploader(node, officer), [id])
    if id not in uploads:
        detail = "没有找到这份证照文件，请重新上传。"
        raise FormFaulty(
            "证照文件有误。", errors=[FieldFault(pointer="/licence", code="material_unknown", detail=detail)]
        )
    content = uploads[id].model_dump(include={"sha256", "size", "media_type"})
    return Offered(code=step.plan.yields, **content)


def _uploader(node: Node, officer: Officer) -> str:
    return node.keys.owner("officer", officer.name)


def act_of(node: Node, officer: Officer, request: ActRequest) -> acts.StepAct:
    """The act that the officer requests; raises NoSuchAct."""
    said = [request.step, request.act, request.decision.model_dump(mode="json")]
    header: StepActHeader = {
        "id": node.keys.request_digest([officer.name, request.case, request.key]),
        "digest": node.keys.request_digest(said),
        "by": Actor(
            node=node.here, part="officer", department=officer.department, name=officer.name, rank=officer.rank
        ),
        "step": request.step,
        "version": request.decision.version,
    }
    return form_of(request.act).act_of(header, request.decision)
