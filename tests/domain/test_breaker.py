"""The breaker of one destination: one courier of all probes a broken way, and nobody else ends his time."""

from datetime import datetime, timedelta

from server.domain.breaker import failed, is_another_probing, probing, sign_of_life
from server.domain.exchange import Outbound

NOW = datetime.fromisoformat("2026-11-23T06:00:00Z")
BROKEN = failed(Outbound(), "timed_out", at=NOW, wait=30.0)
A_PROBE = timedelta(seconds=20)


def test_what_comes_of_an_old_attempt_does_not_end_the_probe_of_another():
    began_when_whole, theirs = Outbound(), probing(BROKEN, until=NOW + A_PROBE)
    assert is_another_probing(theirs, began_when_whole, now=NOW)
    assert is_another_probing(theirs, probing(BROKEN, until=NOW), now=NOW)


def test_whoever_probes_ends_his_own_time():
    ours = probing(BROKEN, until=NOW + A_PROBE)
    assert not is_another_probing(ours, ours, now=NOW)


def test_a_probe_that_was_never_heard_of_again_holds_nobody_up():
    theirs = probing(BROKEN, until=NOW + A_PROBE)
    assert not is_another_probing(theirs, Outbound(), now=NOW + A_PROBE)


def test_an_attempt_that_was_only_brought_forward_is_nobodys_yet():
    brought_forward = sign_of_life(BROKEN, at=NOW)
    assert brought_forward.probe == "early"
    assert not is_another_probing(brought_forward, Outbound(), now=NOW)
    assert not is_another_probing(BROKEN, Outbound(), now=NOW)
