"""Admitting (放行): whether a ticket may be had now, and whether an application comes with the one that it needs."""

import math
from datetime import datetime, timedelta

from server.domain.catalogue.peaks import Peak, Peaks
from server.domain.errors import Conflict, Forbidden, Missing, TooMany
from server.domain.values import CHINA
from server.domain.waiting.tickets import Ticket, first_turn_at


class JoiningNotBegun(Conflict):
    """It is too early to ask for a ticket; `retry_after_seconds` tells when one may."""

    code = "joining_not_begun"
    title = "尚未开始取号"


class PeakOver(Conflict):
    """The peak is over: one applies without a ticket."""

    code = "peak_over"
    title = "排队已结束"


class TicketMissing(Conflict):
    """In this peak one applies with a ticket of the waiting room only; `ticket_path` tells where to get one."""

    code = "waiting_ticket_missing"
    title = "请先取号排队"


class TicketInvalid(Forbidden):
    """The ticket is none that this node has given."""

    code = "waiting_ticket_invalid"
    title = "排队号无效"


class TicketOfAnother(Forbidden):
    """The ticket is another person's."""

    code = "waiting_ticket_not_yours"
    title = "排队号仅限本人使用"


class TicketUnfit(Conflict):
    """The ticket is one of another peak than the one that this application falls under."""

    code = "waiting_ticket_unfit"
    title = "排队号与申请事项不符"


class TurnNotCome(TooMany):
    """The turn of the ticket has not come yet; `retry_after_seconds` tells when it does."""

    code = "waiting_turn_not_come"
    title = "还没有轮到，请稍候"


class TicketRedeemed(Conflict):
    """The person has handed in another application in this peak already: `case` is its number."""

    code = "waiting_ticket_redeemed"
    title = "排队号已使用"


class NoSuchPeak(Missing):
    """No peak of this id is announced."""

    code = "no_such_peak"
    title = "没有这个排队活动"


def announced(peaks: Peaks, id: str) -> Peak:
    """The peak of this id; raises NoSuchPeak."""
    found = peaks.by_id.get(id)
    if found is None:
        raise NoSuchPeak("没有这个排队活动，请从事项页面重新进入。")
    return found


def check_joining(peak: Peak, at: datetime) -> None:
    """Whether tickets are given at this moment; raises JoiningNotBegun and PeakOver."""
    if at < peak.joins_at:
        raise JoiningNotBegun(f"{_told(peak.joins_at)} 开始取号。", more=_after(peak.joins_at - at))
    if at >= peak.closes_at:
        raise PeakOver("排队已经结束，可以直接提交申请。")


def check_holder(ticket: Ticket, lot: int) -> None:
    """Whether the ticket is of the person who has this lot in its peak; raises TicketOfAnother."""
    if ticket.lot != lot:
        raise TicketOfAnother("排队号只能由取号人本人使用，请用自己的排队号。")


def check_turn(ticket: Ticket, peak: Peak, at: datetime) -> None:
    """Whether it is the turn of this settled ticket, or the peak is over; raises TurnNotCome."""
    if at >= peak.closes_at:
        return
    if ticket.turn_at is None:
        raise TurnNotCome("正在排定先后，请稍候。", more=_after(max(first_turn_at(peak) - at, timedelta(seconds=1))))
    if at < ticket.turn_at:
        raise TurnNotCome(f"预计 {_told(ticket.turn_at)} 轮到您。", more=_after(ticket.turn_at - at))


def check_fit(ticket: Ticket | None, peaks: Peaks, at: datetime, *, bundle: str, division: str) -> None:
    """Whether an application for this bundle in this division comes with the ticket that it needs, and with no other.

    Raises TicketMissing, TicketUnfit, and NoSuchPeak for a ticket of a peak that is no longer announced. A ticket fits
    after its peak as well.
    """
    if ticket is None:
        peak = peaks.on_for(bundle, division, at=at)
        if peak is not None:
            path = f"/api/v1/peaks/{peak.id}/ticket"
            raise TicketMissing("本事项正在排队办理，请先取号。", more={"peak": peak.id, "ticket_path": path})
    elif not announced(peaks, ticket.peak).is_about(bundle, division):
        raise TicketUnfit("这个排队号不是本事项的排队号。")


def _after(span: timedelta) -> dict[str, int]:
    return {"retry_after_seconds": max(1, math.ceil(span.total_seconds()))}


def _told(at: datetime) -> str:
    return f"{at.astimezone(CHINA):%m月%d日 %H:%M:%S}"
