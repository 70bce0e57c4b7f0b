"""Supplementing (补正, 容缺补交): the decider asks once, the applicant is told and answers, or their time is over."""

from typing import Annotated

from pydantic import Field

from server.domain.case import acts, events
from server.domain.case.case import Case, Step, Supplement
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.terms import APPEAL, Gap
from server.domain.errors import Conflict, Invalid
from server.domain.rules.announcement import Announcement
from server.domain.rules.desk_forms import Decision, DeskForm
from server.domain.rules.move import LetterForm, Move, Rule
from server.domain.rules.moves.receiving import TooEarly
from server.domain.rules.moving import Moving, is_too_late
from server.domain.sentences import chinese_date, clause
from server.domain.values import WrittenKey, WrittenText

LATE_SUPPLEMENT = "逾期未按要求补正。"
LATE_MATERIAL = "逾期未补交容缺材料。"


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


class GapGiven(Gap):
    """One gap, as an officer names it."""

    code: WrittenKey
    reason: WrittenText


class SupplementDecision(Decision):
    """Everything that must be put right."""

    gaps: Annotated[tuple[GapGiven, ...], Field(max_length=100)]


def _ask(moving: Moving[acts.AskSupplement]) -> events.SupplementAsked:
    step, gaps = moving.step, moving.act.gaps
    if not moving.is_mirror:
        if step.supplement:
            raise SupplementAskedAlready("补正内容只能一次性告知，此前已经告知过。")
        if is_too_late(moving):
            raise NotifiedTooLate("收到材料已超过五个工作日，依法视为受理，不能再要求补正。")
        declared = {"field": set(step.plan.fields), "material": set(step.plan.materials)}
        if not gaps or any(gap.code not in declared[gap.kind] or not gap.reason.strip() for gap in gaps):
            raise NothingToPutRight("请逐项写明需要补正的内容和理由，且只能是该事项的表单项和材料。")
    return events.SupplementAsked(**moving.header, gaps=gaps)


def _asked(step: Step, event: events.SupplementAsked) -> Step:
    return step.model_copy(update={"supplement": Supplement(asked_at=event.moment, gaps=event.gaps)})


def _tell(moving: Moving[acts.Tell]) -> events.Told:
    return events.Told(**moving.header, due_on=moving.act.due_on)


def _told(step: Step, event: events.Told) -> Step:
    if step.supplement is None:
        return step
    return step.model_copy(update={"supplement": step.supplement.model_copy(update={"due_on": event.due_on})})


def _supply(moving: Moving[acts.Supply]) -> events.Supplied:
    if moving.is_mirror:  # the home knows what it has sent
        return events.Supplied(**moving.header)
    return events.Supplied(**moving.header, form=moving.act.form, materials=moving.act.materials)


def _supplied(step: Step, event: events.Supplied) -> Step:
    """Since when the decider has all of it; once the clock runs that is settled."""
    if step.state != "supplementing":
        return step
    return step.model_copy(update={"arrived_at": None if step.is_gathering else event.moment})


def _lapse(moving: Moving[acts.Lapse]) -> events.Declined | events.Withdrawn | events.Refused:
    if moving.step.state == "supplementing" and is_unanswered(moving):
        if moving.step.plan.terms.unanswered == "declined":
            return events.Declined(**moving.header, reason="unfixed", grounds=LATE_SUPPLEMENT, appeal=APPEAL)
        return events.Withdrawn(**moving.header, grounds=LATE_SUPPLEMENT)
    if moving.step.state == "accepted" and any(each.due_on < moving.today for each in moving.step.awaited):
        return events.Refused(**moving.header, grounds=LATE_MATERIAL, appeal=APPEAL)
    raise TooEarly("期限尚未届满，或者没有等待申请人答复的内容。")


def is_unanswered(moving: Moving[acts.StepAct]) -> bool:
    """Whether the applicant's time for the answer is over."""
    supplement = moving.step.supplement
    return bool(supplement and supplement.due_on and supplement.due_on < moving.today)


def _words_of_gaps(catalogue: Catalogue, _: Case, event: events.SupplementAsked) -> str:
    named = [f"{catalogue.name_of(gap.kind, gap.code)}（{clause(gap.reason)}）" for gap in event.gaps]
    return f"需要补正：{'；'.join(named)}。"


def _words_of_deadline(_: Catalogue, __: Case, event: events.Told) -> str:
    return f"请在{chinese_date(event.due_on)}前一次补齐。"


ASK_SUPPLEMENT = Move(
    act=acts.AskSupplement,
    judge=_ask,
    desk=DeskForm(
        "ask-supplement",
        "一次性告知补正内容",
        SupplementDecision,
        lambda header, said: acts.AskSupplement(**header, gaps=tuple(Gap(**dict(gap)) for gap in said.gaps)),
        role="handler",
    ),
    event=events.SupplementAsked,
    states={"received": "supplementing"},
    leaves=_asked,
    letter=LetterForm("step.notice", marks={"about": "supplement"}, says=("gaps",)),
    name="要求补正",
    words=_words_of_gaps,
)
TELL = Move(
    act=acts.Tell,
    judge=_tell,
    speaker="home",
    event=events.Told,
    states={"supplementing": "supplementing"},
    leaves=_told,
    letter=LetterForm("step.told", says=("due_on",), is_homes=True),
    name="告知补正",
    words=_words_of_deadline,
    notice=Announcement("supplement_asked", "待补正", "请按告知内容一次补齐材料"),
)
SUPPLY = Move(
    act=acts.Supply,
    judge=_supply,
    speaker="applicant",
    event=events.Supplied,
    states={"supplementing": "received", "accepted": "accepted", "suspended": "suspended"},
    leaves=_supplied,
    letter=LetterForm("step.notice", marks={"about": "supplied"}),
    name="收到补充内容",
)
LAPSE = Rule(act=acts.Lapse, judge=_lapse)
