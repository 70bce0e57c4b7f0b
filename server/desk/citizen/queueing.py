"""Queueing (排队): a citizen takes a ticket in an announced peak, asks when it is their turn, and applies with it.

Who asks again costs no command to the database, and who is refused for the ticket costs none either: all that is needed
is known to the process, or stands in the ticket.
"""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from server.desk.steps import LocalMoment
from server.domain.catalogue.peaks import Peak
from server.domain.rules.drafts import NamedDraft
from server.domain.rules.opening import Submission
from server.domain.values import Value
from server.domain.waiting.admitting import (
    TicketUnfit,
    announced,
    check_fit,
    check_holder,
    check_joining,
    check_turn,
)
from server.domain.waiting.tickets import State, Ticket, arrivals_passed, outlook
from server.node import Node

TELLING = timedelta(seconds=2)  # after the hour: so long processes tell whom they have met, each about every second


class PeakView(Value):
    """An announced peak; with `divisions` only applications there fall under it."""

    id: str
    bundle: str
    bundle_name: str
    divisions: tuple[str, ...]
    joins_at: LocalMoment
    opens_at: LocalMoment
    closes_at: LocalMoment


class PeakList(Value):
    """The peaks that are not over, the next one first."""

    peaks: tuple[PeakView, ...]


class TicketRequest(Value):
    """The ticket that one has already (empty: none)."""

    ticket: Annotated[str, Field(max_length=1024)] = ""


class TicketView(Value):
    """A ticket, and when to ask again with it; it takes the place of the one before.

    `place` counts from one and is null until all lots are drawn. `turn_at` is until then what may be expected.
    """

    ticket: str
    state: State
    place: int | None
    opens_at: LocalMoment
    turn_at: LocalMoment
    expected_wait_seconds: int
    poll_after_seconds: int


def peaks(node: Node) -> PeakList:
    """The peaks that are announced and not over."""
    now = node.clock.now()
    coming = sorted(
        (each for each in node.published.peaks.peaks if now < each.closes_at), key=lambda peak: peak.opens_at
    )
    return PeakList(peaks=tuple(_view(node, each) for each in coming))


async def take_ticket(node: Node, owner: str, id: str, *, request: TicketRequest) -> TicketView:
    """The ticket of this person in this peak: their own with what is known by now, or a new one.

    Raises NoSuchPeak, JoiningNotBegun, PeakOver, TicketInvalid, TicketOfAnother and TicketUnfit, and Unavailable for
    who comes after the hour.
    """
    peak, at = announced(node.published.peaks, id), node.clock.now()
    check_joining(peak, at)
    room, lot = node.store.waiting.of(id), node.keys.lot(owner, id)
    if at < peak.opens_at:
        room.draw(lot)
    if request.ticket:
        ticket = _read(node, owner, request.ticket)
        if ticket.peak != id:
            raise TicketUnfit("这个排队号不是这次排队的排队号。")
    elif at < peak.opens_at:
        ticket = Ticket(peak=id, lot=lot)
    else:
        number = await room.arrive(owner, at_least=arrivals_passed(peak, room.people, at))
        ticket = Ticket(peak=id, lot=lot, arrival=number)
    if not request.ticket:
        node.metrics.waiting_tickets_issued.labels(id).inc()
    return _told(node, peak, ticket.settled(peak, room.people))


def presented(node: Node, owner: str, text: str) -> Ticket | None:
    """The ticket that came with an application, None without one; raises what keeps its holder from applying now.

    That is TicketInvalid, TicketOfAnother, NoSuchPeak and TurnNotCome.
    """
    if not text:
        return None
    ticket = _read(node, owner, text)
    peak = announced(node.published.peaks, ticket.peak)
    check_turn(ticket.settled(peak, node.store.waiting.of(peak.id).people), peak, node.clock.now())
    return ticket


def check_crowded(node: Node, ticket: Ticket | None, submission: Submission | NamedDraft) -> None:
    """Refuse at once, without asking the database for anything, who needs a ticket after the hour and has none of it.

    Before the hour there is time to see whether they repeat what they have handed in already; what a draft is about is
    not known before it is read. Raises TicketMissing.
    """
    if isinstance(submission, NamedDraft) or ticket is not None:
        return
    peak = node.published.peaks.on_for(submission.bundle, submission.division, at=node.clock.now())
    if peak is not None and node.clock.now() >= peak.opens_at:
        check_ticket(node, ticket, submission)


def check_ticket(node: Node, ticket: Ticket | None, submission: Submission) -> None:
    """Whether an application comes with the ticket that it needs; raises TicketMissing, TicketUnfit and NoSuchPeak."""
    at = node.clock.now()
    check_fit(ticket, node.published.peaks, at, bundle=submission.bundle, division=submission.division)


async def tell(node: Node) -> None:
    """Tell other processes whom this one has met in each peak that is on, and learn whom they have met."""
    at = node.clock.now()
    for peak in node.published.peaks.peaks:
        if peak.is_on(at):
            await node.store.waiting.of(peak.id).tell(is_over=at >= peak.opens_at + TELLING)


def _read(node: Node, owner: str, text: str) -> Ticket:
    ticket = node.keys.tickets.read(text)
    check_holder(ticket, node.keys.lot(owner, ticket.peak))
    return ticket


def _told(node: Node, peak: Peak, ticket: Ticket) -> TicketView:
    told = outlook(ticket, peak, people=node.store.waiting.of(peak.id).people_so_far, at=node.clock.now())
    return TicketView(
        ticket=node.keys.tickets.signed(ticket),
        state=told.state,
        place=None if told.in_front is None else told.in_front + 1,
        opens_at=peak.opens_at,
        turn_at=told.turn_at,
        expected_wait_seconds=told.expected_wait_seconds,
        poll_after_seconds=told.poll_after_seconds,
    )


def _view(node: Node, peak: Peak) -> PeakView:
    return PeakView(
        id=peak.id,
        bundle=peak.bundle,
        bundle_name=node.catalogue.bundle(peak.bundle).name,
        divisions=peak.divisions,
        joins_at=peak.joins_at,
        opens_at=peak.opens_at,
        closes_at=peak.closes_at,
    )
