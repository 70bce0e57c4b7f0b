"""Deciders: which answers are missing to say who decides, and what a window receives by who decides."""

from datetime import date
from typing import Any

import pytest

from server.domain.catalogue.authorities import Authorities, NextLevel
from server.domain.catalogue.context import Context
from server.domain.catalogue.deciders import missing_answers
from server.domain.catalogue.items import Competence, Item, LevelRule
from server.domain.catalogue.naming import Naming
from server.domain.catalogue.windows import Window
from tests.domain.places import CONTEXT, DIVISIONS, TODAY

SAMPLE: dict[str, Any] = {"source": "tests", "status": "sample"}
MARKET = Naming(department="market", province="{place}市场局", city="{place}市场局", county="{place}市场局", **SAMPLE)
TO_THE_CITY = NextLevel(level="county", instead="city", divisions=("330100",), **SAMPLE)
KNOWN = Authorities(divisions=DIVISIONS, namings=(MARKET,), next_levels=(TO_THE_CITY,))
HERE = Context(home="320000", on=TODAY, authorities=KNOWN)
BY_SHARES = LevelRule(level="city", when={"kind": ("shares",), "size": ("large", "huge")})
BY_STATE = LevelRule(level="province", when={"owner": ("state",)})
COUNTY = LevelRule(level="county")


def an_item(*levels: LevelRule) -> Item:
    competence = Competence(levels=levels, **SAMPLE) if levels else None
    times = {"legal_days": 1, "promised_days": 1}
    said: dict[str, Any] = {"name": "某事项", "type": "service", "jurisdiction": "home", **times, **SAMPLE}
    return Item(code="item", department="market", competence=competence, **said)


def a_window(**change: Any) -> Window:
    usual = {"id": "w", "name": "窗口", "kind": "hall", "division": "320102", "seen_on": date(2026, 11, 1)}
    return Window.model_validate({**usual, **SAMPLE, **change})


@pytest.mark.parametrize(
    ("answers", "missing"),
    [
        ({}, ("kind", "size", "owner")),
        ({"kind": "shares"}, ("size", "owner")),
        ({"kind": "club"}, ("owner",)),
        ({"kind": "shares", "size": "huge"}, ()),  # the first rule holds, and none after it counts
        ({"kind": "club", "owner": "state"}, ()),
        ({"kind": "club", "owner": "nobody"}, ()),
        ({"owner": "state"}, ("kind", "size")),
    ],
)
def test_what_the_level_depends_on_is_missing_as_long_as_it_matters(
    answers: dict[str, str], missing: tuple[str, ...]
) -> None:
    item = an_item(BY_SHARES, BY_STATE, COUNTY)
    assert missing_answers(KNOWN, item, answers, division="320102") == missing


def test_nothing_is_missing_where_all_levels_come_to_the_same() -> None:
    item = an_item(BY_SHARES, COUNTY)
    assert missing_answers(KNOWN, item, {}, division="330106") == ()  # the city decides what counties do elsewhere
    assert missing_answers(KNOWN, item, {}, division="320102") == ("kind", "size")


@pytest.mark.parametrize("item", [an_item(), an_item(COUNTY)])
def test_nothing_is_missing_where_nothing_depends_on_answers(item: Item) -> None:
    assert missing_answers(KNOWN, item, {}, division="320102") == ()


def test_a_window_for_an_authority_receives_what_that_one_decides() -> None:
    item = an_item(BY_SHARES, COUNTY)
    of_county, of_city = (a_window(authorities=[f"market/{code}"]) for code in ("320102", "320100"))
    shares = {"kind": "shares", "size": "large"}
    assert [HERE.receives(each, item, {}) for each in (of_county, of_city)] == [True, False]
    assert [HERE.receives(each, item, shares) for each in (of_county, of_city)] == [False, True]


def test_where_nobody_is_known_to_decide_only_what_it_names_counts() -> None:
    item = an_item(COUNTY)
    assert not CONTEXT.receives(a_window(authorities=["market/320102"]), item, {})
    assert CONTEXT.receives(a_window(items=["item"]), item, {})
    assert CONTEXT.receives(a_window(), item, {})
