"""A code is redeemed once within its minute, answered once, and seen by one officer for a while."""

from datetime import timedelta

import pytest

from server.domain.licence.showing import (
    LIVES,
    OPEN,
    WAITS,
    LicenceNotOffered,
    LicenceRequestAnswered,
    LicenceRequestDeclined,
    LicenceRequestOver,
    NoSuchLicenceRequest,
    Redeemer,
    ShowCodeUnknown,
    ShowCodeUsed,
    Showing,
    code_of,
    node_of,
)
from tests.world import JIANGSU, MONDAY, ZHEJIANG

SECOND = timedelta(seconds=1)
SHOWING = Showing(id="x", owner="mother", offered=("one", "two"), made_at=MONDAY)


def by(request: str = "request-1", officer: str = "anna", node: str = ZHEJIANG) -> Redeemer:
    """Who redeems a code."""
    same = {
        "authority": "health/330106",
        "authority_name": "卫生健康局",
        "item": "x",
        "item_name": "x",
        "purpose": "核验",
    }
    return Redeemer(request=request, officer=officer, node=node, **same)


def test_a_code_names_its_node_and_is_sixteen_digits():
    assert code_of(JIANGSU, 10**30 + 7) == f"{JIANGSU}0000000007"
    assert node_of(code_of(JIANGSU, 12)) == JIANGSU
    for text in ("", "320000", f"{JIANGSU}000000000", f"{JIANGSU}00000000071", "x" * 16, f"0{JIANGSU}000000007"):
        with pytest.raises(ShowCodeUnknown):
            node_of(text)


def test_it_is_redeemed_within_its_minute_and_by_one_request():
    last = MONDAY + LIVES - SECOND
    redeemed = SHOWING.redeemed(by(), last)
    assert (SHOWING.state(last), redeemed.state(last), redeemed.version) == ("open", "waiting", 2)
    with pytest.raises(ShowCodeUnknown):
        SHOWING.redeemed(by(), MONDAY + LIVES)
    with pytest.raises(ShowCodeUsed):
        redeemed.redeemed(by("request-2"), last)
    with pytest.raises(ShowCodeUnknown):
        redeemed.redeemed(by("request-2"), MONDAY + LIVES)
    assert redeemed.redeemed(by(), MONDAY + LIVES) is redeemed, "the same request is told the same, also later"


def test_it_is_answered_once_and_in_time_with_what_was_offered():
    with pytest.raises(NoSuchLicenceRequest):
        SHOWING.answered(("one",), MONDAY)
    redeemed = SHOWING.redeemed(by(), MONDAY)
    with pytest.raises(LicenceNotOffered):
        redeemed.answered(("one", "three"), MONDAY)
    with pytest.raises(LicenceRequestOver):
        redeemed.answered(("one",), MONDAY + WAITS)
    confirmed = redeemed.answered(("two",), MONDAY + WAITS - SECOND)
    assert confirmed.answered(("two",), MONDAY + WAITS) is confirmed
    for other in ((), ("one",), ("one", "two")):
        with pytest.raises(LicenceRequestAnswered):
            confirmed.answered(other, MONDAY)


def test_only_the_officer_who_asked_sees_what_was_confirmed_and_for_ten_minutes():
    redeemed = SHOWING.redeemed(by(), MONDAY)
    assert redeemed.seen_by("anna", ZHEJIANG, MONDAY) == ()
    with pytest.raises(LicenceRequestOver):
        redeemed.seen_by("anna", ZHEJIANG, MONDAY + WAITS)
    confirmed = redeemed.answered(("two",), MONDAY)
    assert confirmed.seen_by("anna", ZHEJIANG, MONDAY + OPEN - SECOND) == ("two",)
    with pytest.raises(LicenceRequestOver):
        confirmed.seen_by("anna", ZHEJIANG, MONDAY + OPEN)
    with pytest.raises(LicenceRequestDeclined):
        redeemed.answered((), MONDAY).seen_by("anna", ZHEJIANG, MONDAY)
    for officer, node in (("berta", ZHEJIANG), ("anna", JIANGSU)):
        with pytest.raises(NoSuchLicenceRequest):
            confirmed.seen_by(officer, node, MONDAY)
    with pytest.raises(NoSuchLicenceRequest):
        SHOWING.seen_by("anna", ZHEJIANG, MONDAY)
