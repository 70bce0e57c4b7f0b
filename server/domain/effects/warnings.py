"""Warnings (督办提醒): what a checkpoint of a case tells the officers and heads of an authority; no personal data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from server.domain.case.case import Case
from server.domain.catalogue.pinning import PinnedAuthority
from server.domain.effects.deadlines import CheckpointName, KeptCheckpoint
from server.domain.effects.effects import Task

WarningReader = Literal["officer", "head"]
WarningName = CheckpointName | Literal["designation"]
DESIGNATION = "原机关所在区划已撤销，有多个承继地，请指定办理机关。"
Above = Callable[[str], PinnedAuthority | None]
OF_OPINIONS: frozenset[CheckpointName] = frozenset(("opinion_overdue",))
TEXTS: Mapping[CheckpointName, str] = {
    "half": "承诺时限已用去一半。",
    "four_fifths": "承诺时限已用去五分之四，请抓紧办理。",
    "overdue": "已超过承诺时限。",
    "overdue_long": "超过承诺时限已逾五个工作日。",
    "legally_overdue": "已超过法定时限。",
    "notify_soon": "今天是一次性告知的最后一个工作日，逾期不告知即视为受理。",
    "deem": "五个工作日内没有告知，已依法视为受理。",
    "lapse_blocked": "申请人答复期限已过，但系统不能确认其没有答复，请人工核实后处理。",
    "opinion_overdue": "会签意见逾期未答复。",
    "deliver_overdue": "证照或文书逾期未送达。",
}


@dataclass(frozen=True, kw_only=True)
class DeskWarning:
    """A warning about one step to those who have a post at an authority, or to its heads alone.

    It goes to the authority that has the step, or to the one above it: `about` names the former. `is_confirmed` is
    false if the calendar of working days up to then is not sure.
    """

    id: str
    case: str
    step: str
    authority: str
    authority_name: str
    about: str
    reader: WarningReader
    rung: WarningName
    text: str
    item_name: str
    bundle_name: str
    due_on: date
    is_confirmed: bool
    at: datetime


def warning_of(case: Case, kept: KeptCheckpoint, *, above: Above, at: datetime) -> DeskWarning | None:
    """The warning of a passed checkpoint, if an authority is known to have the step; ValueError for one of no desk.

    `above` answers the authority above one. What goes to those above goes to the authority's own heads if nobody is.
    """
    checkpoint = kept.checkpoint
    if checkpoint.to == "citizen" or checkpoint.to == "node":
        raise ValueError(f"no desk is told of {checkpoint.name}")
    step = case.step(checkpoint.step)
    own = step.plan.competent.heard.get(checkpoint.department) if checkpoint.name in OF_OPINIONS else step.authority
    if own is None:
        return None
    told = (above(own.id) or own) if checkpoint.to == "leader" else own
    return DeskWarning(
        id=kept.id,
        case=kept.case,
        step=checkpoint.step,
        authority=told.id,
        authority_name=told.name,
        about=own.name,
        reader="officer" if checkpoint.to == "officer" else "head",
        rung=checkpoint.name,
        text=TEXTS[checkpoint.name],
        item_name=step.plan.name,
        bundle_name=case.bundle_name,
        due_on=checkpoint.due_on,
        is_confirmed=checkpoint.is_confirmed,
        at=at,
    )


def designation_wanted(task: Task, superior: PinnedAuthority, *, last_day: date, at: datetime) -> DeskWarning:
    """What the heads above are told once of a step that an abolished division leaves to several: they choose."""
    return DeskWarning(
        id=f"designation:{task.id}:{task.authority}",
        case=task.case,
        step=task.step,
        authority=superior.id,
        authority_name=superior.name,
        about=task.authority_name,
        reader="head",
        rung="designation",
        text=DESIGNATION,
        item_name=task.item_name,
        bundle_name=task.bundle_name,
        due_on=last_day,
        is_confirmed=True,
        at=at,
    )
