"""The decision (准予, 不予, 不予受理): what it needs, and what it leaves in the step."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from server.domain.case import acts, events
from server.domain.case.case import Case, Step
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.divisions import CodeOrNone
from server.domain.catalogue.terms import DeclineReason, opinions_allow
from server.domain.errors import Conflict, Invalid
from server.domain.rules.announcement import Announcement
from server.domain.rules.desk_forms import DeskForm, GroundsDecision, LicenceDecision, ShortText
from server.domain.rules.move import LetterForm, Move
from server.domain.rules.moves.proposing import check_proposed
from server.domain.rules.moves.receiving import TooEarly
from server.domain.rules.moves.supplementing import is_unanswered
from server.domain.rules.moving import Moving
from server.domain.rules.results import check_yielded, result_of
from server.domain.rules.right_places import check_sense
from server.domain.sentences import clause, sentences
from server.domain.values import WrittenKey, WrittenText


class AgencyMissing(Invalid):
    """Declining a step for the wrong agency needs the name of the right one."""

    code = "agency_missing"
    title = "请写明应向哪个机关申请"


class OpinionsOpen(Conflict):
    """The opinions that must be heard do not allow an approval (yet)."""

    code = "opinions_open"
    title = "会签意见尚不满足准予条件"


class DeferredMaterialMissing(Conflict):
    """Nothing is approved before the deferred materials have come."""

    code = "deferred_material_missing"
    title = "容缺材料尚未补齐"


class ApproveDecision(LicenceDecision):
    """What an approval yields, by the fields that the item declares, and the file of the document if there is one."""

    result: Annotated[Mapping[WrittenKey, WrittenText], Field(max_length=50)] = {}


class DeclineDecision(GroundsDecision):
    """Why a step is not taken up: the kind of reason, the reason in words, and the right agency if this is not it.

    `division` is where the right agency is, if that is another place; the applicant may then begin there again.
    """

    decline_as: DeclineReason
    agency: ShortText = ""
    division: CodeOrNone = ""


def _approve(moving: Moving[acts.Approve]) -> events.Approved:
    step, result = moving.step, moving.act.result
    check_proposed(moving)
    check_yielded(step, result, licence=moving.act.licence)
    if not moving.is_mirror:
        if step.awaited:
            raise DeferredMaterialMissing("容缺材料补齐以前不能作出准予决定。")
        if not opinions_allow(step.plan.terms.opinions, step.opinions, today=moving.today):
            raise OpinionsOpen("会签部门的意见尚未齐备，或者有部门不同意。")
    grant = None if moving.is_mirror else moving.act.grant
    return events.Approved(**moving.header, result=result, licence=moving.act.licence, grant=grant)


def _approved(step: Step, event: events.Approved) -> Step:
    electronic = event.grant.id if event.grant else ""
    return step.model_copy(update={"result": event.result, "decided_at": event.moment, "electronic": electronic})


def _refuse(moving: Moving[acts.Refuse]) -> events.Refused:
    check_proposed(moving)
    return events.Refused(**moving.header, grounds=moving.act.grounds, appeal=moving.act.appeal)


def _refused(step: Step, event: events.Refused) -> Step:
    return step.model_copy(update={"grounds": event.grounds, "appeal": event.appeal})


def _decline(moving: Moving[acts.Decline]) -> events.Declined:
    act = moving.act
    if not moving.is_mirror:
        if act.reason == "wrong_agency" and not act.agency.strip():
            raise AgencyMissing("不属于本机关职权的，应当告知申请人向哪个机关申请。")
        check_sense(moving.step, act.division, is_wrong_agency=act.reason == "wrong_agency")
        if moving.step.state == "supplementing" and not is_unanswered(moving):
            raise TooEarly("申请人补正的期限尚未届满。")
    return events.Declined(
        **moving.header,
        reason=act.reason,
        grounds=act.grounds,
        agency=act.agency,
        division=act.division,
        appeal=act.appeal,
    )


def _declined(step: Step, event: events.Declined) -> Step:
    told = {"grounds": event.grounds, "agency": event.agency, "appeal": event.appeal}
    return step.model_copy(update={**told, "right_division": event.division})


def _words_of_approved(catalogue: Catalogue, case: Case, event: events.Approved) -> str:
    plan = case.steps[event.step].plan
    result = result_of(catalogue, plan)
    if result is None:
        return ""
    next_step = "，另行送达" if plan.yields else "，内容见办理结果" if event.result else ""
    return f"结果是{result.name}{next_step}。"


def _words_of_refused(_: Catalogue, __: Case, event: events.Refused) -> str:
    return sentences(event.grounds, event.appeal)


def _words_of_declined(_: Catalogue, __: Case, event: events.Declined) -> str:
    elsewhere = f"请向{clause(event.agency)}申请" if event.agency else ""
    again = "可以用已填写的内容直接在那里重新申请" if event.division else ""
    return sentences(event.grounds, elsewhere, again, event.appeal)


APPROVE = Move(
    act=acts.Approve,
    judge=_approve,
    desk=DeskForm(
        "approve",
        "作出准予决定",
        ApproveDecision,
        lambda header, said: acts.Approve(**header, result=said.result),
        role="approver",
        needs_two=True,
    ),
    event=events.Approved,
    states={"accepted": "approved"},
    leaves=_approved,
    letter=LetterForm("step.decided", marks={"outcome": "approved"}, says=("result",), adds=("licence",)),
    name="准予",
    words=_words_of_approved,
    notice=Announcement("decided", "准予", "请查看办理结果"),
)
REFUSE = Move(
    act=acts.Refuse,
    judge=_refuse,
    desk=DeskForm(
        "refuse",
        "作出不予决定，并说明理由",
        GroundsDecision,
        lambda header, said: acts.Refuse(**header, grounds=said.grounds),
        role="approver",
        needs_two=True,
    ),
    event=events.Refused,
    states={"accepted": "refused"},
    leaves=_refused,
    letter=LetterForm("step.decided", marks={"outcome": "refused"}, says=("grounds", "appeal")),
    name="不予",
    words=_words_of_refused,
    notice=Announcement("decided", "不予", "请查看理由和救济途径"),
)
DECLINE = Move(
    act=acts.Decline,
    judge=_decline,
    desk=DeskForm(
        "decline",
        "作出不予受理决定，并说明理由",
        DeclineDecision,
        lambda header, said: acts.Decline(
            **header,
            reason=said.decline_as,
            grounds=said.grounds,
            agency=said.agency,
            division=said.division,
        ),
        role="approver",
    ),
    event=events.Declined,
    states={"received": "declined", "supplementing": "declined"},
    leaves=_declined,
    letter=LetterForm(
        "step.decided",
        marks={"outcome": "declined"},
        says=("reason", "grounds", "agency", "division", "appeal"),
    ),
    name="不予受理",
    words=_words_of_declined,
    notice=Announcement("decided", "不予受理", "请查看理由和下一步指引"),
)
