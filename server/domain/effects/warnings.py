"""Warnings (督办提醒): what a checkpoint of a case tells officers, heads and leaders; without personal data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from server.domain.case.case import Case
from server.domain.effects.deadlines import CheckpointName, KeptCheckpoint
from server.domain.people.persons import Rank

READS: Mapping[Rank, tuple[Rank, ...]] = {
    "officer": ("officer",),
    "head": ("officer", "head"),
    "leader": ("officer", "head", "leader"),
}
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
    """A warning about one step to one department: `rank` is the lowest that reads it; those above read it too.

    `is_confirmed` is false if the calendar of working days up to then is not sure.
    """

    id: str
    case: str
    step: str
    department: str
    rank: Rank
    rung: CheckpointName
    text: str
    item_name: str
    bundle_name: str
    due_on: date
    is_confirmed: bool
    at: datetime


def warning_of(case: Case, kept: KeptCheckpoint, *, at: datetime) -> DeskWarning:
    """The warning of a passed checkpoint; ValueError for one of which no desk is told."""
    checkpoint = kept.checkpoint
    if checkpoint.to == "citizen" or checkpoint.to == "node":
        raise ValueError(f"no desk is told of {checkpoint.name}")
    return DeskWarning(
        id=kept.id,
        case=kept.case,
        step=checkpoint.step,
        department=checkpoint.department,
        rank=checkpoint.to,
        rung=checkpoint.name,
        text=TEXTS[checkpoint.name],
        item_name=case.step(checkpoint.step).plan.name,
        bundle_name=case.bundle_name,
        due_on=checkpoint.due_on,
        is_confirmed=checkpoint.is_confirmed,
        at=at,
    )
