"""What a licence counts as on a day, in words that citizens read and in codes that authorities tell each other."""

from datetime import date, timedelta
from itertools import product
from typing import get_args

import pytest

from server.domain.licence import acts
from server.domain.licence.decide import decide
from server.domain.licence.licence import LicenceState, ReplacedBy, RevokedBy
from server.domain.licence.standing import STANDINGS, StateCode, is_good_on, standing_on, state_code_on, words_on
from tests.domain.licence.issued import ISSUED_ON, LAST_DAY, WAY_TO, WHY, every_act, facts_on, licence_after

SECOND = LAST_DAY + timedelta(days=1)
BEFORE = ISSUED_ON - timedelta(days=1)


@pytest.mark.parametrize(
    ("state", "day", "standing"),
    [
        ("valid", BEFORE, "pending"),
        ("valid", ISSUED_ON, "valid"),
        ("valid", LAST_DAY, "valid"),
        ("valid", SECOND, "expired"),
        ("suspended", BEFORE, "suspended"),
        ("suspended", LAST_DAY, "suspended"),
        ("suspended", SECOND, "expired"),
        ("moved_out", LAST_DAY, "moved_out"),
        ("moved_out", SECOND, "expired"),
        ("revoked", SECOND, "revoked"),
        ("withdrawn", SECOND, "withdrawn"),
        ("annulled", SECOND, "annulled"),
        ("replaced", SECOND, "replaced"),
        ("expired", SECOND, "expired"),
    ],
)
def test_what_a_licence_counts_as_on_a_day(state: LicenceState, day: date, standing: str):
    licence = licence_after(WAY_TO[state])
    assert standing_on(licence, day) == standing
    assert is_good_on(licence, day) == (standing == "valid")


def test_what_has_no_end_is_good_for_ever():
    assert is_good_on(licence_after().model_copy(update={"expires_on": None}), date.max)


def test_each_state_has_its_word_and_its_code():
    found = {state: state_code_on(licence_after(way), ISSUED_ON) for state, way in WAY_TO.items()}
    assert found == {
        "valid": StateCode("01", ""),
        "suspended": StateCode("02", ""),
        "revoked": StateCode("03", ""),
        "withdrawn": StateCode("99", "已撤回"),
        "annulled": StateCode("04", ""),
        "expired": StateCode("05", ""),
        "moved_out": StateCode("06", ""),
        "replaced": StateCode("99", "已被替换"),
    }
    assert state_code_on(licence_after(), BEFORE) == StateCode("99", "未生效")
    assert state_code_on(licence_after(), SECOND) == StateCode("05", "")


def test_a_penalty_is_told_from_a_grant_that_was_wrong():
    licence = licence_after()
    said = {"rescinded": ("已撤销", "03"), "penalised": ("已吊销", "07")}
    for cause, (words, code) in said.items():
        act = acts.RevokeLicence(id="r", cause=cause, **WHY)
        revoked = decide(licence, act, facts_on(ISSUED_ON)).values[-1]
        assert (words_on(revoked, ISSUED_ON), state_code_on(revoked, ISSUED_ON).code) == (words, code)
        struck = decide(revoked, every_act(revoked)["annul"], facts_on(ISSUED_ON)).values[-1]
        assert words_on(struck, ISSUED_ON) == "已注销"


@pytest.mark.parametrize(
    ("name", "words"),
    [("renew", "已被替换"), ("change", "已被替换"), ("reissue", "已作废"), ("correct", "已更正")],
)
def test_a_replaced_licence_says_why(name: str, words: str):
    assert words_on(licence_after((name,)), SECOND) == words


def test_there_is_a_word_for_each_state_and_cause_that_can_be():
    causes: dict[str, tuple[str, ...]] = {"revoked": get_args(RevokedBy), "replaced": get_args(ReplacedBy)}
    expected = {("pending", "")}
    for state in get_args(LicenceState):
        expected |= set(product((state,), causes.get(state, ("",))))
    assert set(STANDINGS) == expected
    assert {code for _, code in STANDINGS.values()} == {f"0{digit}" for digit in range(1, 8)} | {"99"}
