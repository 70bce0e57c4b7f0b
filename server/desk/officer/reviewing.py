"""Reviewing: what officers do to the steps in which an authority of theirs has a part."""

from server.desk.catalogues import case_of
from server.desk.materials import hand_in
from server.desk.officer.claiming import check_act
from server.desk.officer.meanwhile import perform_as_seen
from server.desk.officer.seeing import Seen, actor, noted, parts_of, seat_of, today
from server.desk.officer.transferring import receiver_of
from server.desk.performing import same
from server.desk.recording import note_act, of_case
from server.domain.case import acts
from server.domain.case.case import Offered, Step
from server.domain.catalogue.authorities import organisation_code
from server.domain.catalogue.forms import FormFaulty
from server.domain.effects.awarding import awarded
from server.domain.effects.records import CaseRecord
from server.domain.errors import FieldFault, Missing
from server.domain.materials import Upload
from server.domain.paperwork.leasing import check_terms
from server.domain.people.accounts import DeskEntry
from server.domain.people.persons import Officer
from server.domain.rules.desk_acts import ACTS
from server.domain.rules.desk_forms import AnyDeskForm, Decision, LicenceDecision, StepActHeader
from server.domain.rules.moves.transferring import TransferDecision
from server.domain.rules.responsible import responsible
from server.domain.rules.results import check_result
from server.domain.rules.right_places import check_place
from server.domain.rules.rights import may, work_of
from server.domain.values import Value
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


async def act_on(node: Node, entry: DeskEntry, request: ActRequest) -> CaseRecord:
    """Do one of the desk's ACTS to a step of a case.

    Raises NoSuchAct, NoSuchCase (also if the officer's posts let them see nothing of it), NoSuchStep, the refusals of
    `granted`, NotOurStep, StateForbids, StepChanged, ClaimedByAnother, FormFaulty, and what the act itself asks for
    (domain/rules/moves).
    """
    form, record = form_of(request.act), await case_of(node, request.case)
    if form.decision is TransferDecision and (done := _just_done(node, entry.officer, request, record=record)):
        return done
    seat = _seat(node, entry, request, record=record)
    asked = act_of(node, entry.officer, request, seat=seat)
    act = await _completed(node, asked, request.decision, record=record, officer=entry.officer)
    work = work_of(record.case, record.case.step(request.step), seat.mine, here=node.here)
    if not (isinstance(act, acts.Extend) and may(entry.posts, "reassign", work, on=today(node))):
        await check_act(node, entry.officer, act, record=record, at=seat.mine)  # a head extends whoever has it in hand
    await note_act(node, act, {**of_case(record.case), **noted(entry, [seat])})
    return await perform_as_seen(node, request.case, act, known=record)


async def hand_in_licence(node: Node, officer: Officer, content: bytes, *, name: str) -> Upload:
    """Keep the file of a licence for this officer; raises MaterialTooLarge and MaterialTypeUnknown."""
    return await hand_in(node, _uploader(node, officer), content, name=name)


def _seat(node: Node, entry: DeskEntry, request: ActRequest, *, record: CaseRecord) -> Seen:
    """The part that the act is done for, and the post that may do it; raises the refusals of `granted`.

    If nobody at this node has such a part it is the first that the officer sees: the rules of the case say why not.
    """
    case, wanted = record.case, form_of(request.act)
    seen, step = parts_of(node, entry, case), case.step(request.step)
    parts = [(step, each) for each in responsible(case, step, here=node.here) if each.part == wanted.part]
    return seat_of(node, entry, case, parts=parts, to=wanted.path) if parts else next(iter(seen.values()))


async def _completed(
    node: Node, act: acts.StepAct, decision: Decision, *, record: CaseRecord, officer: Officer
) -> acts.StepAct:
    """The act with what is looked up for it; what no case can judge by itself is checked here."""
    step = record.case.step(act.step)
    catalogue = node.catalogue_of(record.case.catalogue)
    if isinstance(decision, LicenceDecision) and decision.licence:
        offer = await _licence(node, officer, decision.licence, step=step)
        act = act.model_copy(update={"licence": offer})
    if isinstance(act, acts.Decline) and act.division:
        check_place(step, act.division, record.told, catalogue=catalogue, context=node.context())
    if isinstance(decision, TransferDecision):
        act = act.model_copy(update={"authority": receiver_of(node, record, step, division=decision.division)})
    if isinstance(act, acts.Approve):
        check_result(step, act.result, catalogue, on=today(node))
        check_terms(step, act.result, catalogue)
        issuer = organisation_code(node.published.authorities, step.authority.id) if step.authority else ""
        grant = awarded(record.case, act, catalogue, issuer=issuer, context=(node.here, today(node)))
        act = act.model_copy(update={"grant": grant})
    return act


async def _licence(node: Node, officer: Officer, id: str, *, step: Step) -> Offered:
    """The offer of the file that the officer handed in of what the step yields; raises FormFaulty."""
    uploads = await node.store.materials.uploads_of(_uploader(node, officer), [id])
    if id not in uploads:
        detail = "没有找到这份文件，请重新上传。"
        raise FormFaulty(
            "证照或文书的文件有误。", errors=[FieldFault(pointer="/licence", code="material_unknown", detail=detail)]
        )
    content = uploads[id].model_dump(include={"sha256", "size", "media_type"})
    return Offered(code=step.plan.yields, **content)


def _uploader(node: Node, officer: Officer) -> str:
    return node.keys.owner("officer", officer.name)


def _just_done(node: Node, officer: Officer, request: ActRequest, *, record: CaseRecord) -> CaseRecord | None:
    """The case, if this request was the last thing that happened to it: whoever transferred it sees nothing later.

    Raises IdempotencyKeyReused.
    """
    id, digest = _ids(node, officer, request)
    return same(record, record.events[-1].act_digest, digest) if record.events[-1].act_id == id else None


def _ids(node: Node, officer: Officer, request: ActRequest) -> tuple[str, str]:
    """The id of the act, and the digest of what is requested."""
    said = [request.step, request.act, request.decision.model_dump(mode="json")]
    return node.keys.request_digest([officer.name, request.case, request.key]), node.keys.request_digest(said)


def act_of(node: Node, officer: Officer, request: ActRequest, *, seat: Seen) -> acts.StepAct:
    """The act that the officer requests from this seat; raises NoSuchAct."""
    id, digest = _ids(node, officer, request)
    header: StepActHeader = {
        "id": id,
        "digest": digest,
        "by": actor(node, officer, authority=seat.mine.authority.id, post=seat.post),
        "step": request.step,
        "version": request.decision.version,
    }
    return form_of(request.act).act_of(header, request.decision)
