"""Whether a clock is trusted: what each source may do about it, and what none may do alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.time.clock_guard import SOURCES, ClockReading, ClockVerdict, Finding, Source, judge, span
from tests.world import MONDAY

LONG_AGO = float("inf")
DAY = 86_400


def told(source: Source, ahead: float, name: str = "", *, least: float = 0.0, most: float = 0.0) -> ClockReading:
    """That our clock is so many seconds ahead of this source, give or take how long ago it told its time."""
    return ClockReading(source, name, MONDAY - timedelta(seconds=ahead), least, most)


def stored(ahead: float) -> ClockReading:
    """That the newest moment stored is so many seconds before our time."""
    return replace(told("stored", ahead, most=LONG_AGO), is_independent=False)


def peers(*ahead: float) -> list[ClockReading]:
    """What each of some peers told."""
    return [told("peer", each, f"{number}") for number, each in enumerate(ahead)]


@pytest.mark.parametrize(
    ("readings", "state"),
    [
        pytest.param([], "unproven", id="nothing to ask"),
        pytest.param([told("database", 0)], "agrees", id="the database agrees"),
        pytest.param([told("database", 60)], "agrees", id="a minute is no difference"),
        pytest.param([told("database", 61)], "held", id="ahead of the database"),
        pytest.param([told("database", 10 * DAY)], "held", id="ten days ahead of the database"),
        pytest.param([told("database", -10 * DAY)], "agrees", id="behind the database is only said"),
        pytest.param([replace(told("database", 0), is_independent=False)], "unproven", id="a database with our clock"),
        pytest.param([replace(told("database", 61), is_independent=False)], "held", id="our own clock says otherwise"),
        pytest.param([told("database", 62, least=0, most=2)], "agrees", id="the answer may have taken two seconds"),
        pytest.param([told("database", 63, least=0, most=2)], "held", id="it cannot have taken three"),
        pytest.param([told("machine", 61, "a")], "held", id="ahead of another machine"),
        pytest.param([told("machine", -61, "a")], "agrees", id="another machine is ahead of us"),
        pytest.param([told("machine", 0, "a"), told("machine", 61, "b")], "held", id="ahead of one of two machines"),
        pytest.param([replace(told("machine", 61, "a"), is_confirmed=False)], "waits", id="a machine that may be gone"),
        pytest.param(
            [replace(told("machine", 0, "a"), is_confirmed=False)], "unproven", id="what stood there is no proof"
        ),
        pytest.param(
            [replace(told("machine", 61, "a"), is_confirmed=False), told("database", 61)],
            "held",
            id="held outdoes waits",
        ),
        pytest.param([stored(5)], "unproven", id="what is stored proves no clock"),
        pytest.param([stored(-60)], "unproven", id="stored a minute ahead of us"),
        pytest.param([stored(-61)], "held", id="behind what is stored"),
        pytest.param([stored(-61), told("database", 0)], "held", id="behind what is stored, whatever else agrees"),
        pytest.param([stored(10 * DAY), told("database", 0)], "agrees", id="a quiet week"),
        pytest.param(peers(61), "agrees", id="one peer of one"),
        pytest.param(peers(10 * DAY, 0), "agrees", id="one peer of two"),
        pytest.param(peers(90, 95), "held", id="two of two"),
        pytest.param(peers(90, 95, 0), "held", id="two of three"),
        pytest.param(peers(90, 95, 0, 0), "agrees", id="two of four are no majority"),
        pytest.param(peers(90, 10 * DAY, -DAY), "agrees", id="two of three that do not agree with each other"),
        pytest.param(peers(-90, -95, -93), "agrees", id="all peers say that we are behind"),
        pytest.param([*peers(90, 95), told("database", 0)], "held", id="two peers against our database"),
        pytest.param(
            [*peers(90, 95), told("database", 0), told("machine", 0, "a")], "held", id="most of the peers, not of all"
        ),
        pytest.param(peers(70, 130), "held", id="two that are a minute apart agree"),
        pytest.param(peers(70, 131), "agrees", id="two that are a second more apart do not"),
        pytest.param(
            [replace(told("machine", 60, "a"), is_confirmed=False)], "unproven", id="a minute is not waited for"
        ),
    ],
)
def test_what_follows(readings: Sequence[ClockReading], state: str) -> None:
    verdict = judge(MONDAY, readings)
    assert verdict.state == state
    assert verdict.may_act == (state in ("agrees", "unproven"))
    assert (state == "held") == any(each.holds for each in verdict.findings)


@pytest.mark.parametrize(
    ("passed", "least", "most", "ahead"),
    [
        pytest.param(100, 20, 30, 70, id="ahead of the latest moment that it may be there"),
        pytest.param(30, 20, 30, 0, id="as long ago as it may be"),
        pytest.param(20, 20, 30, 0, id="as long ago as it must be"),
        pytest.param(15, 20, 30, -5, id="behind the earliest"),
        pytest.param(-80, 20, LONG_AGO, -100, id="what was told at any time before shows no clock that is ahead"),
    ],
)
def test_how_far_we_are_off_for_sure(passed: float, least: float, most: float, ahead: float) -> None:
    assert ClockReading("machine", "", MONDAY - timedelta(seconds=passed), least, most).ahead_seconds(MONDAY) == ahead


def test_each_difference_is_told_in_words_and_those_that_hold_come_first() -> None:
    readings = [told("machine", -7200, "1f2e3d4c"), *peers(0, 90), told("database", 10 * DAY + 5), stored(-119)]
    verdict = judge(MONDAY, readings)
    assert verdict.findings == (
        Finding("database", "", 10 * DAY + 5, holds=True),
        Finding("stored", "", -119, holds=True),
        Finding("machine", "1f2e3d4c", -7200),
        Finding("peer", "1", 90),
    )
    assert verdict.text == (
        "本机时钟比数据库快10天。本机时钟比已存的最新记录慢119秒。本机时钟比另一台主机（1f2e3d4c）慢2小时。"
        "本机时钟比其他省节点（1）快90秒。到期处理已暂停。"
    )


def test_every_state_has_words_of_its_own() -> None:
    said = {state: ClockVerdict(state).text for state in ("agrees", "unproven", "waits", "held")}
    assert said == {
        "agrees": "",
        "unproven": "没有其他时钟可供核对。",
        "waits": "正在等待其他主机的时钟。",
        "held": "到期处理已暂停。",
    }


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0秒"),
        (1, "1秒"),
        (61, "61秒"),
        (119, "119秒"),
        (120, "2分钟"),
        (7199, "119分钟"),
        (7200, "2小时"),
        (172_799, "47小时"),
        (172_800, "2天"),
    ],
)
def test_a_length_of_time_is_told_in_the_largest_unit_that_it_holds_twice(seconds: int, words: str) -> None:
    assert span(seconds) == words


SPANS = st.floats(-20 * DAY, 20 * DAY)
READINGS = st.lists(
    st.builds(
        lambda source, ahead, ago, more, sure: ClockReading(
            source, "", MONDAY - timedelta(seconds=ahead), ago, ago + more, is_confirmed=sure
        ),
        st.sampled_from(SOURCES),
        SPANS,
        st.floats(0, 900),
        st.floats(0, 120) | st.just(LONG_AGO),
        st.booleans(),
    ),
    max_size=8,
)


@given(READINGS, st.integers(-400, 400))
def test_only_differences_count_and_not_the_date(readings: list[ClockReading], days: int) -> None:
    shift = timedelta(days=days)
    moved = [replace(each, at=each.at + shift) for each in readings]
    assert judge(MONDAY + shift, moved) == judge(MONDAY, readings)


@given(READINGS, st.randoms())
def test_the_order_of_the_answers_changes_nothing(readings: list[ClockReading], chance: object) -> None:
    mixed = list(readings)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert judge(MONDAY, mixed).state == judge(MONDAY, readings).state


@given(st.lists(SPANS, max_size=6), SPANS)
def test_no_peer_alone_stops_a_clock_that_all_others_agree_with(offs: list[float], bad: float) -> None:
    small = [min(max(off, -60.0), 60.0) for off in offs]
    assert judge(MONDAY, peers(bad, *small)).may_act


@given(READINGS, st.floats(60.001, 20 * DAY))
def test_whatever_else_is_told_a_clock_ahead_of_the_database_is_held(
    readings: list[ClockReading], ahead: float
) -> None:
    assert judge(MONDAY, [*readings, told("database", ahead)]).state == "held"


@given(st.integers(-20 * DAY, 20 * DAY), st.integers(0, 900), st.integers(0, 120), st.integers(0, 120))
def test_a_difference_is_never_more_than_the_true_one(off: int, least: int, truly: int, more: int) -> None:
    """The source told its time at some moment within the bounds; what we are surely off is no more than we are."""
    at = MONDAY - timedelta(seconds=off + least + truly)
    found = ClockReading("machine", "", at, least, least + truly + more).ahead_seconds(MONDAY)
    assert abs(found) <= abs(off)
    assert found * off >= 0
