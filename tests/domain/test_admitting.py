"""Admitting: who asks for a ticket at the wrong time, and who applies with none, too early, or with another's."""

from datetime import timedelta

import pytest

from server.domain.catalogue.peaks import Peaks
from server.domain.waiting.admitting import (
    JoiningNotBegun,
    NoSuchPeak,
    PeakOver,
    TicketMissing,
    TicketOfAnother,
    TicketUnfit,
    TurnNotCome,
    announced,
    check_fit,
    check_holder,
    check_joining,
    check_turn,
)
from server.domain.waiting.tickets import first_turn_at
from tests.domain.peaks import PEAK, lot, peak, ticket

SECOND = timedelta(seconds=1)


def test_a_turn_that_has_not_come_is_refused_with_the_seconds_until_it_does():
    held = ticket().settled(PEAK, 1000)
    with pytest.raises(TurnNotCome) as refused:
        check_turn(held, PEAK, PEAK.opens_at)
    assert refused.value.more == {"retry_after_seconds": 53}
    assert refused.value.detail == "预计 11月23日 12:00:53 轮到您。"
    check_turn(held, PEAK, first_turn_at(PEAK) + 50 * SECOND)
    with pytest.raises(TurnNotCome) as refused:
        check_turn(ticket(), PEAK, PEAK.opens_at)
    assert refused.value.more == {"retry_after_seconds": 3}


def test_after_the_peak_no_turn_is_waited_for():
    check_turn(ticket(0.9).settled(PEAK, 100_000_000), PEAK, PEAK.closes_at)


def test_tickets_are_given_while_the_peak_is_on():
    with pytest.raises(JoiningNotBegun) as refused:
        check_joining(PEAK, PEAK.joins_at - SECOND)
    assert refused.value.more == {"retry_after_seconds": 1}
    check_joining(PEAK, PEAK.joins_at)
    with pytest.raises(PeakOver):
        check_joining(PEAK, PEAK.closes_at)


def test_a_ticket_is_of_one_person():
    check_holder(ticket(0.5), lot(0.5))
    with pytest.raises(TicketOfAnother):
        check_holder(ticket(0.5), lot(0.25))


def test_an_application_needs_the_ticket_of_its_own_peak():
    other = peak(id="other", bundle="retirement")
    peaks = Peaks(peaks=(PEAK, other))
    newborn = {"bundle": "newborn", "division": "320102"}
    with pytest.raises(TicketMissing) as refused:
        check_fit(None, peaks, PEAK.opens_at, **newborn)
    assert refused.value.more["ticket_path"] == "/api/v1/peaks/enrolment-2026/ticket"
    check_fit(ticket(), peaks, PEAK.opens_at, **newborn)
    check_fit(None, peaks, PEAK.opens_at, bundle="school_enrolment", division="")
    check_fit(None, peaks, PEAK.closes_at, **newborn)
    check_fit(ticket(), peaks, PEAK.closes_at, **newborn)
    with pytest.raises(TicketUnfit):
        check_fit(ticket().model_copy(update={"peak": "other"}), peaks, PEAK.opens_at, **newborn)
    with pytest.raises(NoSuchPeak):
        check_fit(ticket(), Peaks(), PEAK.opens_at, **newborn)


def test_only_announced_peaks_are_there():
    assert announced(Peaks(peaks=(PEAK,)), PEAK.id) == PEAK
    with pytest.raises(NoSuchPeak):
        announced(Peaks(), PEAK.id)
