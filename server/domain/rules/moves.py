"""The acts on one step: what each asks of the step, and the event that it comes to."""

from collections.abc import Callable, Mapping
from typing import Any

from server.domain.case import acts, events
from server.domain.case.fetches import offered
from server.domain.case.happening import Moved
from server.domain.catalogue.terms import Deferral, opinions_allow
from server.domain.errors import Conflict, Forbidden, Invalid
from server.domain.rules.moving import Moving, is_too_late
from server.domain.rules.parts import check, turn_back
from server.domain.time.clock import ExtendedAlready

Made = tuple[type[Moved], dict[str, Any]]
LATE_SUPPLEMENT = "逾期未按要求补正。"
LATE_MATERIAL = "逾期未补交容缺材料。"


class NotYielded(Conflict):
    """The result names a field that this item does not yield."""

    code = "not_yielded"
    title = "办理结果中有该事项不产生的内容"


class TooEarly(Conflict):
    """The time after which this may be done is not over."""

    code = "too_early"
    title = "期限尚未届满"


class NotifiedTooLate(Conflict):
    """The five working days for asking are over, so that the step counts as accepted."""

    code = "notified_too_late"
    title = "已超过一次性告知的期限"


class SupplementAskedAlready(Conflict):
    """A supplement may be asked only once, with all gaps at once."""

    code = "supplement_asked_already"
    title = "已经告知过补正内容"


class NothingToPutRight(Invalid):
    """A supplement names at least one gap, and only what the item declares."""

    code = "nothing_to_put_right"
    title = "补正内容有误"


class AgencyMissing(Invalid):
    """Declining a step for the wrong agency needs the name of the right one."""

    code = "agency_missing"
    title = "请写明应向哪个机关申请"


class ProcedureNotDeclared(Conflict):
    """Only a special procedure that the item declares may stop the clock."""

    code = "procedure_not_declared"
    title = "该事项没有这项特别程序"


class ApproverIsOfficer(Forbidden):
    """The officer who handles the step cannot extend its time; the head of the department can."""

    code = "approver_is_officer"
    title = "延长期限应由负责人批准"


class TooManyDays(Invalid):
    """The item does not allow for so many working days."""

    code = "too_many_days"
    title = "天数超过规定"


class NotHeard(Forbidden):
    """This department is not asked for its opinion, or has given it."""

    code = "not_heard"
    title = "没有征求本部门的意见"


class OpinionsOpen(Conflict):
    """The opinions that must be heard do not allow an approval (yet)."""

    code = "opinions_open"
    title = "会签意见尚不满足准予条件"


class DeferredMaterialMissing(Conflict):
    """Nothing is approved before the deferred materials have come."""

    code = "deferred_material_missing"
    title = "容缺材料尚未补齐"


class NothingToGather(Conflict):
    """Not all that was offered is kept here, or it has been noted already that it is."""

    code = "nothing_to_gather"
    title = "材料尚未到齐或者已经到齐"


class NothingToDeliver(Conflict):
    """The item yields no licence."""

    code = "nothing_to_deliver"
    title = "该事项没有需要送达的证照"


def _receive(_: Moving) -> Made:
    return events.Received, {}


def _ask_supplement(moving: Moving) -> Made:
    step, gaps = moving.step, moving.act.gaps
    if not moving.is_mirror:
        if step.supplement:
            raise SupplementAskedAlready("补正内容只能一次性告知，此前已经告知过。")
        if is_too_late(moving):
            raise NotifiedTooLate("收到材料已超过五个工作日，依法视为受理，不能再要求补正。")
        declared = {"field": set(step.plan.fields), "material": set(step.plan.materials)}
        if not gaps or any(gap.code not in declared[gap.kind] or not gap.reason.strip() for gap in gaps):
            raise NothingToPutRight("请逐项写明需要补正的内容和理由，且只能是该事项的表单项和材料。")
    return events.SupplementAsked, {"gaps": gaps}


def _gather(moving: Moving) -> Made:
    kept = set(moving.act.kept)
    if not moving.step.is_gathering or any(each.sha256 not in kept for each in offered(moving.case, moving.step)):
        raise NothingToGather("材料尚未到齐，或者已经到齐。")
    return events.Gathered, {}


def _tell(moving: Moving) -> Made:
    return events.Told, {"due_on": moving.act.due_on}


def _accept(moving: Moving) -> Made:
    if not moving.is_mirror and is_too_late(moving):
        return _deem(moving)
    since = moving.act.since if moving.is_mirror else moving.step.arrived_at
    return events.Accepted, {"since": since, **_taken_up(moving)}


def _deem(moving: Moving) -> Made:
    if moving.is_mirror:
        return events.Deemed, {"since": moving.act.since or moving.moment, **_taken_up(moving)}
    if not is_too_late(moving):
        raise TooEarly("收到材料后五个工作日尚未届满。")
    return events.Deemed, {"since": moving.step.arrived_at or moving.step.since, **_taken_up(moving)}


def _taken_up(moving: Moving) -> dict[str, Any]:
    if moving.is_mirror:
        told = {name: getattr(moving.act, name) for name in ("legal_days", "promised_days", "deferrals")}
        return {**told, "forwarding_days": moving.forwarding_days}
    plan = moving.step.plan
    due_on = moving.days_later(min(plan.terms.deferral_days, plan.terms.legal_days))
    deferred = [code for code in moving.case.deferred if code in plan.terms.deferrable]
    rule = plan.terms.opinions
    return {
        "deferrals": tuple(Deferral(material=code, due_on=due_on) for code in deferred),
        "opinions_due_on": moving.days_later(rule.days) if rule else None,
    }


def _decline(moving: Moving) -> Made:
    act = moving.act
    if not moving.is_mirror:
        if act.reason == "wrong_agency" and not act.agency.strip():
            raise AgencyMissing("不属于本机关职权的，应当告知申请人向哪个机关申请。")
        if moving.step.state == "supplementing" and not _is_unanswered(moving):
            raise TooEarly("申请人补正的期限尚未届满。")
    return events.Declined, {name: getattr(act, name) for name in ("reason", "grounds", "agency", "appeal")}


def _lapse(moving: Moving) -> Made:
    if moving.step.state == "supplementing" and _is_unanswered(moving):
        if moving.step.plan.terms.unanswered == "declined":
            return events.Declined, {"reason": "unfixed", "grounds": LATE_SUPPLEMENT}
        return events.Withdrawn, {"grounds": LATE_SUPPLEMENT}
    if moving.step.state == "accepted" and any(each.due_on < moving.today for each in moving.step.awaited):
        return events.Refused, {"grounds": LATE_MATERIAL}
    raise TooEarly("期限尚未届满，或者没有等待申请人答复的内容。")


def _is_unanswered(moving: Moving) -> bool:
    supplement = moving.step.supplement
    return bool(supplement and supplement.due_on and supplement.due_on < moving.today)


def _suspend(moving: Moving) -> Made:
    act, declared = moving.act, {each.name: each for each in moving.step.plan.terms.special_steps}
    if not moving.is_mirror:
        if act.procedure not in declared:
            raise ProcedureNotDeclared(f"该事项可以暂停计时的特别程序：{'、'.join(declared) or '无'}。")
        if not 1 <= act.days <= declared[act.procedure].days:
            raise TooManyDays(f"“{act.procedure}”所需时间为一至{declared[act.procedure].days}个工作日。")
    return events.Suspended, {"procedure": act.procedure, "notice": act.notice, "days": act.days}


def _resume(_: Moving) -> Made:
    return events.Resumed, {}


def _extend(moving: Moving) -> Made:
    act, step = moving.act, moving.step
    if not moving.is_mirror:
        if act.by.rank not in ("head", "leader") or act.by.name == step.officer:
            raise ApproverIsOfficer("延长办理期限应由承办人以外的负责人批准。")
        if step.clock and step.clock.extension:
            raise ExtendedAlready("办理时限只能延长一次，此前已经延长过。")
        if not 1 <= act.days <= step.plan.terms.extension_days:
            raise TooManyDays(f"最多可以延长{step.plan.terms.extension_days}个工作日。")
    approver = act.by.name or act.approver or step.plan.department
    return events.Extended, {"days": act.days, "approver": approver, "reason": act.reason}


def _opine(moving: Moving) -> Made:
    opinion = moving.step.opinions.get(moving.act.by.department)
    if opinion is None or opinion.answer:
        raise NotHeard("该事项没有征求本部门的意见，或者本部门已经答复。")
    department = moving.act.by.department
    return events.OpinionGiven, {"department": department, "answer": moving.act.answer, "reason": moving.act.reason}


def _return_opinion(moving: Moving) -> Made:
    act, rule = moving.act, moving.step.plan.terms.opinions
    opinion = moving.step.opinions.get(act.department)
    if rule is None or opinion is None or not opinion.answer:
        raise NotHeard("该部门没有给出可以退回的意见。")
    returned = {"department": act.department, "reason": act.reason, "due_on": moving.days_later(rule.days)}
    return events.OpinionReturned, returned


def _approve(moving: Moving) -> Made:
    step, result = moving.step, moving.act.result
    if not set(result) <= set(step.plan.yields_fields):
        raise NotYielded("办理结果中有该事项不产生的内容。")
    _check_licence(moving)
    if not moving.is_mirror:
        if step.awaited:
            raise DeferredMaterialMissing("容缺材料补齐以前不能作出准予决定。")
        if not opinions_allow(step.plan.terms.opinions, step.opinions, today=moving.today):
            raise OpinionsOpen("会签部门的意见尚未齐备，或者有部门不同意。")
    return events.Approved, {"result": result, "licence": moving.act.licence}


def _check_licence(moving: Moving) -> None:
    licence, yields = moving.act.licence, moving.step.plan.yields
    if licence and (not yields or licence.code != yields):
        raise NotYielded("办理结果中有该事项不产生的内容。")


def _refuse(moving: Moving) -> Made:
    return events.Refused, {"grounds": moving.act.grounds, "appeal": moving.act.appeal}


def _deliver(moving: Moving) -> Made:
    if not moving.step.plan.yields:
        raise NothingToDeliver("该事项不产生证照，决定已在办理进度中告知。")
    _check_licence(moving)
    return events.Delivered, {"delivery": moving.act.delivery, "licence": moving.act.licence}


def _let_go(moving: Moving) -> Made:
    return events.Withdrawn, {"grounds": moving.act.grounds}


def _supply(moving: Moving) -> Made:
    if moving.is_mirror:  # the home knows what it has sent
        return events.Supplied, {}
    return events.Supplied, {"form": moving.act.form, "materials": moving.act.materials}


_MOVES: Mapping[type[acts.StepAct], Callable[[Moving], Made]] = {
    acts.Receive: _receive,
    acts.AskSupplement: _ask_supplement,
    acts.Tell: _tell,
    acts.Supply: _supply,
    acts.Gather: _gather,
    acts.Accept: _accept,
    acts.Deem: _deem,
    acts.Decline: _decline,
    acts.Lapse: _lapse,
    acts.Suspend: _suspend,
    acts.Resume: _resume,
    acts.Extend: _extend,
    acts.Opine: _opine,
    acts.ReturnOpinion: _return_opinion,
    acts.Approve: _approve,
    acts.Refuse: _refuse,
    acts.Deliver: _deliver,
    acts.LetGo: _let_go,
    acts.Check: check,
    acts.TurnBack: turn_back,
}


def event_of(moving: Moving) -> Made:
    """The kind of the event that this act comes to, and what it says; raises the refusals of this module."""
    return _MOVES[type(moving.act)](moving)
