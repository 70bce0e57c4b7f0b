"""Tickets (排队号): what place a person has in a peak, when their turn comes, and when they are to ask again.

Before the hour a ticket says only that its person has drawn. Once it is known how many have, all lots are spread over
as many places in their order; who came after the hour follows behind them, by a number of arrival. A place that a
ticket names is kept.
"""

import math
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from server.domain.catalogue.peaks import Peak
from server.domain.values import Reckoned, Value, in_milliseconds
from server.domain.waiting.lots import LOT_BITS

SETTLING = timedelta(seconds=3)  # after the hour: until all processes have told whom they have met
POLLS_FOR_EACH = 4  # how many may ask for their place while one is let in
NEWS_SECONDS = 300  # how close the hour is when all are told when to ask for their place
SOON_SECONDS = 30  # who waits no longer is told to come when it is their turn
LONGEST_PAUSE_SECONDS = 1800
LATEST_ARRIVAL = 2**31
State = Literal["drawing", "waiting", "open"]


class Ticket(Value):
    """What a person holds: their lot, and the number of their arrival if they came after the hour.

    `in_front` is how many come before them and `turn_at` when it is their turn, both none until all have drawn.
    """

    peak: str
    lot: Annotated[int, Field(ge=0, lt=1 << LOT_BITS)]
    arrival: Annotated[int, Field(ge=0, le=LATEST_ARRIVAL)] | None = None
    in_front: Annotated[int, Field(ge=0)] | None = None
    turn_at: Reckoned | None = None

    def settled(self, peak: Peak, people: int | None) -> "Ticket":
        """The ticket with its place, if so many people have drawn (none: not known yet); a place it has is kept."""
        if people is None or self.turn_at is not None:
            return self
        in_front = self.expected_in_front(people)
        return self.model_copy(update={"in_front": in_front, "turn_at": turn_at(peak, in_front)})

    def expected_in_front(self, people: int) -> int:
        """How many come before this one if so many people have drawn."""
        return (self.lot * people) >> LOT_BITS if self.arrival is None else people + self.arrival


class Outlook(Value):
    """What is told to who holds a ticket: the state, when it will be their turn, and after how many seconds to ask.

    `in_front` is none until all have drawn; before that `turn_at` is what may be expected by now.
    """

    state: State
    in_front: int | None
    turn_at: Reckoned
    expected_wait_seconds: int
    poll_after_seconds: int


def turn_at(peak: Peak, in_front: int) -> datetime:
    """When it is the turn of who has so many in front: so many are let in each second, from the first one on."""
    return in_milliseconds(first_turn_at(peak) + timedelta(seconds=in_front / peak.per_second))


def first_turn_at(peak: Peak) -> datetime:
    """When the first one is let in: a little after the hour, when it is known how many have drawn."""
    return peak.opens_at + SETTLING


def arrivals_passed(peak: Peak, people: int | None, at: datetime) -> int:
    """How many numbers of arrival are behind the time: their turn would have come already, and nobody had them.

    Whoever comes in a quiet hour gets the number whose turn is now, so that a second rush is let in no faster.
    """
    if people is None:
        return 0
    turns = math.floor((at - first_turn_at(peak)).total_seconds() * peak.per_second)
    return min(max(0, turns - people), LATEST_ARRIVAL)


def outlook(ticket: Ticket, peak: Peak, *, people: int, at: datetime) -> Outlook:
    """What may be told of this ticket at this moment, when so many people have drawn as far as is known."""
    turn = ticket.turn_at or turn_at(peak, ticket.expected_in_front(people))
    wait_seconds = max(0.0, (turn - at).total_seconds())
    is_settled = ticket.turn_at is not None
    state: State = "drawing" if not is_settled else "waiting" if wait_seconds else "open"
    poll_seconds = (
        _until_turn(ticket, wait_seconds) if is_settled else _until_settled(ticket, peak, people=people, at=at)
    )
    return Outlook(
        state=state,
        in_front=ticket.in_front,
        turn_at=turn,
        expected_wait_seconds=math.ceil(wait_seconds),
        poll_after_seconds=math.ceil(poll_seconds),
    )


def _until_settled(ticket: Ticket, peak: Peak, *, people: int, at: datetime) -> float:
    """Seconds until this one asks for its place: those whose turn comes first ask first, a few for each turn."""
    until = (first_turn_at(peak) - at).total_seconds()
    if until <= 0:  # a process that has not heard of it yet
        return 1 + 2 * _chance(ticket)
    if until > NEWS_SECONDS:
        return max(NEWS_SECONDS, until / 4) * (1 - _chance(ticket) / 4)
    return until + ticket.expected_in_front(people) / (POLLS_FOR_EACH * peak.per_second)


def _until_turn(ticket: Ticket, wait_seconds: float) -> float:
    """Seconds until this one asks again: when it is its turn, and before that now and then."""
    if wait_seconds <= SOON_SECONDS:
        return wait_seconds
    return min(wait_seconds / 2, LONGEST_PAUSE_SECONDS) * (1 - _chance(ticket) / 4)


def _chance(ticket: Ticket) -> float:
    """A number from 0 to 1 by which people who drew differ, whatever their place is."""
    return (ticket.lot & 0xFFFF) / 0x10000
