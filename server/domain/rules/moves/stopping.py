"""Stopping and stretching the clock: special procedures (特别程序), and the one extension (延长办理期限)."""

from server.domain.case import acts, events
from server.domain.case.case import Case, Step
from server.domain.catalogue.catalogue import Catalogue
from server.domain.errors import Conflict, Forbidden, Invalid
from server.domain.rules.announcement import Announcement
from server.domain.rules.desk_forms import DaysGiven, Decision, DeskForm, GroundsDecision, ShortText
from server.domain.rules.move import LetterForm, Move
from server.domain.rules.moving import Moving
from server.domain.sentences import because, sentences
from server.domain.time.clock import ExtendedAlready, Extension, extend, pause, resume


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


class SuspendDecision(GroundsDecision):
    """Which special procedure begins, what the written notice says (`grounds`), and how many working days it names."""

    procedure: ShortText
    days: DaysGiven


class ExtendDecision(GroundsDecision):
    """By how many working days, and why."""

    days: DaysGiven


def _suspend(moving: Moving[acts.Suspend]) -> events.Suspended:
    act, declared = moving.act, {each.name: each for each in moving.step.plan.terms.special_steps}
    if not moving.is_mirror:
        if act.procedure not in declared:
            raise ProcedureNotDeclared(f"该事项可以暂停计时的特别程序：{'、'.join(declared) or '无'}。")
        if not 1 <= act.days <= declared[act.procedure].days:
            raise TooManyDays(f"“{act.procedure}”所需时间为一至{declared[act.procedure].days}个工作日。")
    return events.Suspended(**moving.header, procedure=act.procedure, notice=act.notice, days=act.days)


def _suspended(step: Step, event: events.Suspended) -> Step:
    if step.clock is None:
        return step
    clock = pause(step.clock, event.moment, reason=event.procedure, notice=event.notice, days=event.days)
    return step.model_copy(update={"clock": clock})


def _resume(moving: Moving[acts.Resume]) -> events.Resumed:
    return events.Resumed(**moving.header)


def _resumed(step: Step, event: events.Resumed) -> Step:
    return step.model_copy(update={"clock": resume(step.clock, event.moment)}) if step.clock else step


def _extend(moving: Moving[acts.Extend]) -> events.Extended:
    act, step = moving.act, moving.step
    if not moving.is_mirror:
        if step.officer and step.officer in (act.by.name, act.by.stands_in_for):
            raise ApproverIsOfficer("延长办理期限应由承办人以外的人员批准。")
        if step.clock and step.clock.extension:
            raise ExtendedAlready("办理时限只能延长一次，此前已经延长过。")
        if not 1 <= act.days <= step.plan.terms.extension_days:
            raise TooManyDays(f"最多可以延长{step.plan.terms.extension_days}个工作日。")
    approver = act.by.name or act.approver or step.plan.department
    return events.Extended(**moving.header, days=act.days, approver=approver, reason=act.reason)


def _extended(step: Step, event: events.Extended) -> Step:
    if step.clock is None:
        return step
    extension = Extension(days=event.days, approver=event.approver, reason=event.reason)
    return step.model_copy(update={"clock": extend(step.clock, extension)})


def _words_of_suspended(_: Catalogue, __: Case, event: events.Suspended) -> str:
    return sentences(f"{event.procedure}需要{event.days}个工作日，期间不计入办理时限", event.notice)


def _words_of_extended(_: Catalogue, __: Case, event: events.Extended) -> str:
    return sentences(because(f"办理期限延长{event.days}个工作日", event.reason))


SUSPEND = Move(
    act=acts.Suspend,
    judge=_suspend,
    desk=DeskForm(
        "suspend",
        "启动特别程序，暂停计时",
        SuspendDecision,
        lambda header, said: acts.Suspend(**header, procedure=said.procedure, notice=said.grounds, days=said.days),
        role="handler",
    ),
    event=events.Suspended,
    states={"accepted": "suspended"},
    leaves=_suspended,
    letter=LetterForm("step.notice", marks={"about": "suspension"}, says=("procedure", "notice", "days")),
    name="启动特别程序",
    words=_words_of_suspended,
    notice=Announcement("time_changed", "特别程序", "所需时间不计入办理期限"),
)
RESUME = Move(
    act=acts.Resume,
    judge=_resume,
    desk=DeskForm(
        "resume", "结束特别程序，恢复计时", Decision, lambda header, _: acts.Resume(**header), role="handler"
    ),
    event=events.Resumed,
    states={"suspended": "accepted"},
    leaves=_resumed,
    letter=LetterForm("step.notice", marks={"about": "resumption"}),
    name="特别程序结束",
)
EXTEND = Move(
    act=acts.Extend,
    judge=_extend,
    desk=DeskForm(
        "extend",
        "批准延长办理期限",
        ExtendDecision,
        lambda header, said: acts.Extend(**header, days=said.days, reason=said.grounds),
        role="approver",
    ),
    event=events.Extended,
    states={"accepted": "accepted"},
    leaves=_extended,
    letter=LetterForm("step.notice", marks={"about": "extension"}, says=("days", "reason"), adds=("approver",)),
    name="延长期限",
    words=_words_of_extended,
    notice=Announcement("time_changed", "延长期限", "请查看延长的理由"),
)
