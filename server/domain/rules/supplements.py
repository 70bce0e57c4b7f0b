"""Supplying (补正, 容缺补交): what the applicant may and must put right, no more and no less."""

from collections.abc import Mapping
from datetime import date

from server.domain.case import acts
from server.domain.errors import Conflict, FieldFault, Invalid
from server.domain.rules.moving import Moving
from server.domain.sentences import clause


class NothingAsked(Conflict):
    """The applicant is not asked for anything in this step."""

    code = "nothing_asked"
    title = "该事项没有需要补充的内容"


class SupplementOver(Conflict):
    """The last day for the answer is over."""

    code = "supplement_over"
    title = "补正期限已过"


class SupplementIncomplete(Invalid):
    """An answer holds everything that was asked, at once, and nothing else."""

    code = "supplement_incomplete"
    title = "请按补正通知补充"


def asked_of(moving: Moving[acts.StepAct]) -> Mapping[tuple[str, str], date | None]:
    """What the applicant may supply now, as (kind, code), and until which day."""
    step = moving.step
    if step.has_ended:
        return {}
    if step.state == "supplementing" and step.supplement and step.supplement.answered_at is None:
        return {(gap.kind, gap.code): step.supplement.due_on for gap in step.supplement.gaps}
    return {("material", deferral.material): deferral.due_on for deferral in step.awaited}


def check_supply(moving: Moving[acts.StepAct], act: acts.Supply) -> None:
    """Raises NothingAsked, SupplementOver, or SupplementIncomplete naming what is missing or not asked.

    Of deferred materials any may come alone; a supplement is answered at once. What comes by letter was in time when
    the home took it.
    """
    asked = asked_of(moving)
    if not asked:
        raise NothingAsked("该事项现在没有需要您补充的内容。")
    if act.by.part == "citizen" and any(due_on and due_on < moving.today for due_on in asked.values()):
        raise SupplementOver("补充材料的期限已过。")
    given = [("field", code) for code in act.form] + [("material", each.code) for each in act.materials]
    extra = [each for each in given if each not in asked]
    faults = [_fault(kind, code, rule="unknown", detail="没有要求补充这一项。") for kind, code in extra]
    is_whole = moving.step.state == "supplementing"
    missing = [each for each in asked if each not in given] if is_whole or not given else []
    faults += [_fault(kind, code, rule="required", detail="请补充这一项。") for kind, code in missing]
    if faults:
        raise SupplementIncomplete("请一次补齐通知中列明的内容。", errors=faults)


def _fault(kind: str, code: str, *, rule: str, detail: str) -> FieldFault:
    pointer = f"/form/{code}" if kind == "field" else "/materials"
    return FieldFault(pointer=pointer, code=rule, detail=detail if kind == "field" else f"{clause(detail)}（{code}）。")
