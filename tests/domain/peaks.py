"""A made-up peak for tests: one may join from eleven, it opens at noon on a Monday, and ends in the evening."""

from datetime import timedelta
from typing import Any

from server.domain.catalogue.peaks import Peak
from server.domain.waiting.lots import LOT_BITS
from server.domain.waiting.tickets import Ticket
from tests.world import MONDAY

PEAK = Peak(
    id="enrolment-2026",
    bundle="newborn",
    joins_at=MONDAY - timedelta(hours=1),
    opens_at=MONDAY,
    closes_at=MONDAY + timedelta(hours=8),
    per_second=10,
)


def peak(**change: Any) -> Peak:
    """The same peak, with these changes."""
    return Peak.model_validate({**PEAK.model_dump(), **change})


def lot(part: float) -> int:
    """The lot that stands at this part of all, from 0 to 1."""
    return int(part * 2**53) << (LOT_BITS - 53)


def ticket(part: float = 0.5, **more: Any) -> Ticket:
    """A ticket of the peak, of the person with this lot."""
    return Ticket(peak=PEAK.id, lot=lot(part), **more)
