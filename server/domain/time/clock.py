"""The clock of a step: a budget of working days and a ledger of its stops, from which every date is projected.

A working day is counted if the clock ran as the day began in China. So the day of acceptance (受理) is not counted
(民法典第二百零一条: 按照年、月、日计算期间的，开始的当日不计入，自下一日开始计算), nor is that on which the clock goes
on after a stop; the day on which it is stopped is.
"""

from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import islice
from typing import Literal

from server.domain.catalogue.items import Text
from server.domain.errors import Conflict
from server.domain.time.calendar import DAY, Calendar, add_working_days, days_after
from server.domain.values import CHINA, Days, Moment, Value, china_day, in_milliseconds

Budget = Literal["legal", "promised"]  # 法定时限, 承诺时限


class ClockNotRunning(Conflict):
    """The clock cannot be stopped at a moment at which it does not run."""

    code = "clock_not_running"
    title = "办理时限此时不在计算中"


class ClockNotStopped(Conflict):
    """The clock cannot go on at a moment at which it is not stopped."""

    code = "clock_not_stopped"
    title = "办理时限此时没有暂停"


class ExtendedAlready(Conflict):
    """The time may be extended only once."""

    code = "extended_already"
    title = "办理时限已经延长过一次"


class Stop(Value):
    """A special procedure (特别程序) whose time does not count (行政许可法第四十五条).

    `reason` is its name (听证, 检验, 鉴定 ...), `notice` what the applicant was told in writing, and `days` the working
    days that the notice says it needs.
    """

    reason: Text
    notice: Text
    days: Days
    stopped_at: Moment
    resumed_at: Moment | None = None

    def covers(self, at: datetime) -> bool:
        """Whether the clock was stopped by it up to this moment."""
        return self.stopped_at < at and (self.resumed_at is None or at <= self.resumed_at)


class Extension(Value):
    """The one extension (延长办理期限, 行政许可法第四十二条): how many working days, who approved it, and why."""

    days: Days
    approver: Text
    reason: Text


class Ledger(Value):
    """What one clock is about: it runs from acceptance (受理) on, except in its stops.

    `is_deemed`: nobody accepted it, the law did, dated back (`deemed_accepted`).
    """

    accepted_at: Moment
    is_deemed: bool = False
    legal_days: Days
    promised_days: Days
    stops: tuple[Stop, ...] = ()
    extension: Extension | None = None

    @property
    def accepted_on(self) -> date:
        """The day of acceptance, the last one before those that may count."""
        return china_day(self.accepted_at)

    @property
    def open_stop(self) -> Stop | None:
        """The stop that has not ended."""
        return next((stop for stop in self.stops if stop.resumed_at is None), None)

    def days(self, budget: Budget) -> int:
        """How many working days there are; the extension adds to the legal and to the promised ones."""
        own = self.legal_days if budget == "legal" else self.promised_days
        return own + (self.extension.days if self.extension else 0)

    def is_stopped(self, day: date) -> bool:
        """Whether the clock stood still as this day began."""
        began_at = datetime.combine(day, time(), CHINA)
        return any(stop.covers(began_at) for stop in self.stops)


class Due(Value):
    """The last day of a budget, as far as can be said.

    While the clock is stopped there is no day (`on` is None): `reason` names the special procedure, and `earliest_on`
    is the day if that takes as long as its notice says. `is_confirmed`: every day up to the one told is sure.
    """

    on: date | None
    is_confirmed: bool
    earliest_on: date | None = None
    reason: str = ""


def deemed_accepted(received_at: datetime, *, legal_days: int, promised_days: int) -> Ledger:
    """The clock of what nobody answered in time: accepted when its material came, so that days are used up already.

    行政许可法第三十二条第一款第四项: 逾期不告知的，自收到申请材料之日起即为受理.
    """
    return Ledger(accepted_at=received_at, is_deemed=True, legal_days=legal_days, promised_days=promised_days)


def pause(ledger: Ledger, at: datetime, *, reason: str, notice: str, days: int) -> Ledger:
    """Stop the clock for a special procedure; raises ClockNotRunning, also for a moment before its last turn."""
    turns = [stop.resumed_at for stop in ledger.stops if stop.resumed_at]
    if ledger.open_stop or at < max((ledger.accepted_at, *turns)):
        raise ClockNotRunning("办理时限此时不在计算中，不能因特别程序暂停。")
    stop = Stop(reason=reason, notice=notice, days=days, stopped_at=at)
    return ledger.model_copy(update={"stops": (*ledger.stops, stop)})


def resume(ledger: Ledger, at: datetime) -> Ledger:
    """Let the clock go on; raises ClockNotStopped, also for a moment before the stop."""
    stop = ledger.open_stop
    if stop is None or at < stop.stopped_at:
        raise ClockNotStopped("办理时限此时没有暂停，不需要恢复计算。")
    ended = stop.model_copy(update={"resumed_at": in_milliseconds(at)})
    return ledger.model_copy(update={"stops": tuple(ended if each is stop else each for each in ledger.stops)})


def extend(ledger: Ledger, extension: Extension) -> Ledger:
    """Give it more days; raises ExtendedAlready."""
    if ledger.extension:
        raise ExtendedAlready("办理时限只能延长一次，此前已经延长过。")
    return ledger.model_copy(update={"extension": extension})


def consumed(ledger: Ledger, calendar: Calendar, at: date) -> int:
    """How many working days are used up at the end of this day."""
    return sum(1 for _ in _consumed_days(ledger, calendar, last=at))


def due(ledger: Ledger, calendar: Calendar, budget: Budget) -> Due:
    """The first day on which the budget is used up; on it, the step is still in time."""
    stop, days = ledger.open_stop, ledger.days(budget)
    if stop:
        stopped_on = china_day(stop.stopped_at)
        if consumed(ledger, calendar, stopped_on) < days:
            needed_to = add_working_days(stopped_on, stop.days, calendar)
            later = due(resume(ledger, datetime.combine(needed_to, time(), CHINA)), calendar, budget)
            return Due(on=None, is_confirmed=later.is_confirmed, earliest_on=later.on, reason=stop.reason)
    on = next(islice(_consumed_days(ledger, calendar, last=date.max), days - 1, None))
    return Due(on=on, is_confirmed=calendar.are_confirmed(ledger.accepted_on + DAY, on))


def _consumed_days(ledger: Ledger, calendar: Calendar, *, last: date) -> Iterator[date]:
    days = days_after(ledger.accepted_on, last)
    return (day for day in days if calendar.is_working(day) and not ledger.is_stopped(day))
