"""Checkpoints (督办节点) of a case: when its deadlines warn an officer or the citizen, escalate, or take effect by law.

They are computed from the case as it stands, so a stop of the clock, an extension or a changed calendar moves them. A
day is one of China and begins at 00:00 there; only a citizen is not written to in the night.

While a calendar is unconfirmed nothing happens by law: neither `deem` nor `lapse` is among the checkpoints. A warning
uses what is known, and says by `is_confirmed` that its date is not sure.

While a special procedure (特别程序) runs nothing is decided, so that a deferral (容缺) that ends meanwhile lapses on
the day of the resumption. The applicant's own days run on: what stops is the department's time (行政许可法第四十五条).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from math import ceil
from typing import Literal

from server.domain.case.case import Case, Step
from server.domain.catalogue.terms import DELIVERY_DAYS, NOTIFY_DAYS
from server.domain.time.calendar import DAY, Calendar, add_working_days
from server.domain.time.clock import Ledger, due
from server.domain.values import CHINA, Reckoned, Value, china_day

CheckpointName = Literal[
    "half",
    "four_fifths",
    "overdue",
    "overdue_long",
    "legally_overdue",
    "notify_soon",
    "deem",
    "remind",
    "lapse",
    "lapse_blocked",
    "vouch",
    "opinion_overdue",
    "deliver_overdue",
]
Reader = Literal["citizen", "officer", "head", "leader", "node"]

READERS: Mapping[CheckpointName, Reader] = {
    "half": "officer",
    "four_fifths": "officer",
    "overdue": "officer",
    "overdue_long": "leader",
    "legally_overdue": "leader",
    "notify_soon": "officer",
    "deem": "head",
    "remind": "citizen",
    "lapse": "node",
    "lapse_blocked": "officer",
    "vouch": "node",
    "opinion_overdue": "head",
    "deliver_overdue": "officer",
}
BY_LAW: frozenset[CheckpointName] = frozenset(("deem", "lapse"))
BY_SEVERITY: tuple[CheckpointName, ...] = ("half", "four_fifths", "overdue", "overdue_long", "legally_overdue")
LONG_OVERDUE_DAYS = 6  # working days after the due day: five after the one on which it is overdue
REMIND_DAYS = 3
REMIND_TIME = time(9)
BLOCKED_DAYS = 3


class Checkpoint(Value):
    """One such moment of one step; `due_on` is the last day of the deadline that it is about.

    `to` is who gets the warning: the officers of the authority with the department's power, its heads, or those of the
    authority above it (`leader`); `node` means that no person gets one and the node acts.

    half, four_fifths: so much of the promised budget is used up at the end of the day before `at` (at the latest when
    the due day begins, as a later warning is useless). overdue, overdue_long: the working day after the promised due
    day, and the fifth after that. legally_overdue: the working day after the legal one. notify_soon: the last of the
    five working days for telling begins. deem: they are over. remind: to the citizen, three days before. lapse: the
    citizen's time is over. lapse_blocked: three working days later that could not take effect, so an officer decides.
    vouch: the citizen's last day begins at the home, whose watermark the decider needs before the step may lapse.
    opinion_overdue, deliver_overdue: the working day after the last day for an opinion and for the delivery.
    """

    step: str
    name: CheckpointName
    at: Reckoned
    to: Reader
    department: str
    due_on: date
    is_confirmed: bool = True

    @property
    def key(self) -> str:
        """What identifies it; a checkpoint that moves to another day is a new one."""
        return f"{self.step}:{self.name}:{self.department}:{china_day(self.at):%Y%m%d}"


@dataclass(frozen=True)
class KeptCheckpoint:
    """A checkpoint that a worker has claimed and not yet finished; `case` is the id at this node."""

    id: str
    case: str
    checkpoint: Checkpoint
    version: int


def checkpoints_of(case: Case, *, here: str, calendar: Calendar) -> tuple[Checkpoint, ...]:
    """All checkpoints of the case as it stands, past and to come, in order of time.

    The checkpoints of a step belong to its decider. Only the home knows the citizen, so the home reminds them and sends
    the watermark that proves their silence.
    """
    checkpoints: list[Checkpoint] = []
    for step in case.steps.values():
        if step.node == here:
            checkpoints += _of_decider(case, step, calendar, here=here)
        if case.home == here and case.applicant:
            checkpoints += _of_home(step, here=here)
    return tuple(sorted(checkpoints, key=lambda checkpoint: (checkpoint.at, checkpoint.key)))


def next_at(case: Case, *, here: str, calendar: Calendar, after: datetime | None = None) -> datetime | None:
    """The moment of the first checkpoint of all, or of the first later than `after`; None if there is none."""
    checkpoints = checkpoints_of(case, here=here, calendar=calendar)
    return next((checkpoint.at for checkpoint in checkpoints if after is None or checkpoint.at > after), None)


def is_superseded(checkpoint: Checkpoint, passed: Iterable[Checkpoint]) -> bool:
    """Whether a higher checkpoint of the same step has been passed as well, and the same reader is told of that one.

    Nor is anybody told that five days are about to end when they are over.
    """
    higher: tuple[CheckpointName, ...] = ("deem",) if checkpoint.name == "notify_soon" else ()
    if checkpoint.name in BY_SEVERITY:
        above = BY_SEVERITY[BY_SEVERITY.index(checkpoint.name) + 1 :]
        higher = tuple(name for name in above if READERS[name] == checkpoint.to)
    return any(other.step == checkpoint.step and other.name in higher for other in passed)


def day_begins(day: date) -> datetime:
    """The moment at which this day begins in China."""
    return datetime.combine(day, time(), CHINA)


def _of_decider(case: Case, step: Step, calendar: Calendar, *, here: str) -> Iterator[Checkpoint]:
    if step.state in ("sent", "received"):
        yield from _notifying(step, calendar)
    elif step.state in ("supplementing", "accepted", "suspended"):
        if step.state != "suspended":
            yield from _lapsing(step, calendar, is_ours=case.home == here)
        if step.state == "accepted" and step.clock:
            yield from _running(step, step.clock, calendar)
        yield from _opinions(step, calendar)
    elif step.state == "approved" and step.plan.yields:
        yield from _delivering(step, calendar)


def _notifying(step: Step, calendar: Calendar) -> Iterator[Checkpoint]:
    if step.notify_from is None:
        return
    arrived_on = china_day(step.notify_from)
    last = add_working_days(arrived_on, NOTIFY_DAYS, calendar)
    is_confirmed = calendar.are_confirmed(arrived_on, last)
    yield _checkpoint(step, "notify_soon", last, due_on=last, is_confirmed=is_confirmed)
    if is_confirmed:
        yield _checkpoint(step, "deem", last + DAY, due_on=last)


def _running(step: Step, clock: Ledger, calendar: Calendar) -> Iterator[Checkpoint]:
    promised = due(clock, calendar, "promised")
    legal = due(clock, calendar, "legal")
    if promised.on is None or legal.on is None:
        return
    days = clock.days("promised")
    parts: tuple[tuple[CheckpointName, int], ...] = (("half", ceil(days / 2)), ("four_fifths", ceil(days * 4 / 5)))
    for name, used in parts:
        part = due(clock.model_copy(update={"promised_days": used, "extension": None}), calendar, "promised")
        at = min(part.on + DAY, promised.on) if part.on else promised.on
        yield _checkpoint(step, name, at, due_on=promised.on, is_confirmed=promised.is_confirmed)
    yield _after(step, "overdue", promised.on, calendar=calendar)
    yield _after(step, "overdue_long", promised.on, calendar=calendar)
    yield _after(step, "legally_overdue", legal.on, calendar=calendar)


def _lapsing(step: Step, calendar: Calendar, *, is_ours: bool) -> Iterator[Checkpoint]:
    for asked_on, due_on in _awaited(step):
        is_sure = calendar.are_confirmed(asked_on, due_on)
        resumed_on = _resumed_on(step)
        if is_sure:
            yield _checkpoint(step, "lapse", max(due_on + DAY, resumed_on), due_on=due_on)
        if not (is_ours and is_sure):
            blocked_on = add_working_days(max(due_on, resumed_on), BLOCKED_DAYS, calendar) + DAY
            yield _checkpoint(step, "lapse_blocked", blocked_on, due_on=due_on, is_confirmed=is_sure)


def _opinions(step: Step, calendar: Calendar) -> Iterator[Checkpoint]:
    for department, opinion in step.opinions.items():
        if not opinion.answer:
            checkpoint = _after(step, "opinion_overdue", opinion.due_on, calendar=calendar)
            yield checkpoint.model_copy(update={"department": department})


def _delivering(step: Step, calendar: Calendar) -> Iterator[Checkpoint]:
    last = add_working_days(china_day(step.since), DELIVERY_DAYS, calendar)
    yield _after(step, "deliver_overdue", last, calendar=calendar)


def _of_home(step: Step, *, here: str) -> Iterator[Checkpoint]:
    for asked_on, due_on in _awaited(step):
        day = min(max(due_on - DAY * REMIND_DAYS, asked_on + DAY), due_on)
        checkpoint = _checkpoint(step, "remind", day, due_on=due_on)
        yield checkpoint.model_copy(update={"at": datetime.combine(day, REMIND_TIME, CHINA)})
        if step.node != here:
            yield _checkpoint(step, "vouch", due_on, due_on=due_on)


def _awaited(step: Step) -> Iterator[tuple[date, date]]:
    """For each request to the applicant that is still open: the day it was made, and its last day."""
    supplement = step.supplement
    if step.state == "supplementing" and supplement and supplement.due_on and supplement.answered_at is None:
        yield china_day(supplement.asked_at), supplement.due_on
    if step.state in ("accepted", "suspended") and step.clock:
        for due_on in sorted({deferral.due_on for deferral in step.awaited}):
            yield step.clock.accepted_on, due_on


def _resumed_on(step: Step) -> date:
    """The day on which the last special procedure ended; the first of all days if there was none."""
    turns = (stop.resumed_at for stop in step.clock.stops) if step.clock else ()
    return max((china_day(at) for at in turns if at), default=date.min)


def _after(step: Step, name: CheckpointName, due_on: date, *, calendar: Calendar) -> Checkpoint:
    """The checkpoint on the working day after a last day, or on a later one."""
    days = LONG_OVERDUE_DAYS if name == "overdue_long" else 1
    on = add_working_days(due_on, days, calendar)
    return _checkpoint(step, name, on, due_on=due_on, is_confirmed=calendar.is_confirmed(on))


def _checkpoint(step: Step, name: CheckpointName, on: date, *, due_on: date, is_confirmed: bool = True) -> Checkpoint:
    return Checkpoint(
        step=step.plan.code,
        name=name,
        at=day_begins(on),
        to=READERS[name],
        department=step.plan.department,
        due_on=due_on,
        is_confirmed=is_confirmed,
    )
