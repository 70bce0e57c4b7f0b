"""Who decides: by department, level and division, with what data says otherwise, on the day."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.catalogue.authorities import (
    HOTLINE,
    Authorities,
    Decider,
    DivisionNotInForce,
    NamedAuthority,
    NextLevel,
    NobodyDecides,
    PlaceTooBroad,
)
from server.domain.catalogue.delegations import Delegation
from server.domain.catalogue.divisions import Division, Divisions, Kind, NoSuchDivision
from server.domain.catalogue.items import Competence, Item, Level, LevelRule
from server.domain.catalogue.naming import Naming
from server.domain.periods import Period
from server.domain.values import china_day

SAMPLE: dict[str, Any] = {"source": "tests", "status": "sample"}
TODAY = date(2026, 11, 23)
JULY = date(2026, 7, 1)
PLACES: tuple[tuple[str, str, Kind], ...] = (
    ("110000", "北京市", "province"),
    ("110100", "北京市", "city"),
    ("110101", "东城区", "county"),
    ("320000", "江苏省", "province"),
    ("320100", "南京市", "city"),
    ("320102", "玄武区", "county"),
    ("320112", "江北新区", "county"),
    ("320571", "苏州工业园区", "zone"),
    ("320500", "苏州市", "city"),
    ("320508", "姑苏区", "county"),
    ("320583", "昆山市", "county"),
    ("419000", "省直辖县", "grouping"),
    ("410000", "河南省", "province"),
    ("419001", "济源市", "county"),
    ("429021", "神农架林区", "county"),
    ("440000", "广东省", "province"),
    ("441500", "汕尾市", "city"),
    ("441502", "城区", "county"),
    ("441900", "东莞市", "city"),
    ("441901", "中堂镇", "town"),
    ("450000", "广西壮族自治区", "province"),
    ("450300", "桂林市", "city"),
    ("450332", "恭城瑶族自治县", "county"),
    ("500000", "重庆市", "province"),
    ("500100", "重庆市", "city"),
)
DIVISIONS = Divisions(
    known_to=date(2026, 6, 30),
    divisions=(
        *(Division(code=code, name=name, kind=kind) for code, name, kind in PLACES),
        Division(code="500109", name="北碚区", kind="county"),
        Division(
            code="500112", name="渝北区", kind="county", valid_to=date(2025, 11, 5), successors=("500157", "500109")
        ),
        Division(code="500157", name="两江新区", kind="county", valid_from=date(2025, 11, 6)),
    ),
    **SAMPLE,
)
POLICE = Naming(
    department="police",
    province="{place}公安厅",
    municipality="{place}公安局",
    city="{place}公安局",
    county="{place}公安局",
    district="{city}公安局{short}分局",
    **SAMPLE,
)
MARKET = Naming(department="market", province="{place}市场局", city="{place}市场局", county="{place}市场局", **SAMPLE)
FUND = Naming(department="fund", municipality="{place}公积金中心", city="{place}公积金中心", **SAMPLE)
MUNICIPALITIES = ("110000", "500000")
NEXT = (
    NextLevel(level="town", instead="county", **SAMPLE),
    NextLevel(level="city", instead="county", divisions=MUNICIPALITIES, **SAMPLE),
    NextLevel(level="city", instead="province", divisions=MUNICIPALITIES, departments=("fund",), **SAMPLE),
    NextLevel(level="city", instead="county", divisions=("419000",), **SAMPLE),
    NextLevel(level="county", instead="city", divisions=("441900",), **SAMPLE),
)
BY_RULE = Authorities(divisions=DIVISIONS, namings=(POLICE, MARKET, FUND), next_levels=NEXT)


def an_item(*levels: Level | LevelRule, department: str = "police", code: str = "item") -> Item:
    """An item that an authority of the department decides at these levels."""
    rules = tuple(each if isinstance(each, LevelRule) else LevelRule(level=each) for each in levels)
    return _item(Competence(levels=rules, **SAMPLE), department=department, code=code)


def _item(competence: Competence | None, *, department: str = "police", code: str = "item") -> Item:
    times = {"legal_days": 1, "promised_days": 1}
    said: dict[str, Any] = {"name": "某事项", "type": "service", "jurisdiction": "home", **times, **SAMPLE}
    return Item(code=code, department=department, competence=competence, **said)


def decided(
    item: Item,
    division: str,
    *,
    by: Authorities = BY_RULE,
    answers: Mapping[str, str] | None = None,
    on: date = TODAY,
) -> Decider:
    """Who decides it."""
    return by.decider_of(item, answers or {}, division, on=on)


def name(item: Item, division: str, **more: Any) -> str:
    """The name of the authority that decides it."""
    authority = decided(item, division, **more).authority
    assert authority is not None
    return authority.name


def a_delegation(**change: Any) -> Delegation:
    """The city's power over the item, in its districts and counties from July on, with these changes."""
    whole: dict[str, Any] = {
        "id": "d1",
        "kind": "devolved",
        "giver": "city",
        "receiver": "county",
        "items": ("item",),
        "divisions": ("320100",),
        "basis": "示例",
        "from_day": JULY,
        **SAMPLE,
    }
    return Delegation(**{**whole, **change})


def an_authority(**change: Any) -> NamedAuthority:
    """An approval bureau in 昆山 that has the power of the market department, with these changes."""
    whole: dict[str, Any] = {
        "id": "approval/320583",
        "name": "昆山市行政审批局",
        "departments": ("market",),
        "level": "county",
        "divisions": ("320583",),
        **SAMPLE,
    }
    return NamedAuthority(**{**whole, **change})


def with_these(*exceptions: Delegation | NamedAuthority) -> Authorities:
    """The rules and these exceptions."""
    named = tuple(each for each in exceptions if isinstance(each, NamedAuthority))
    delegations = tuple(each for each in exceptions if isinstance(each, Delegation))
    return BY_RULE.model_copy(update={"named": named, "delegations": delegations})


# By rule.


@pytest.mark.parametrize(
    ("level", "division", "expected"),
    [
        ("county", "320102", "南京市公安局玄武分局"),
        ("county", "320112", "南京市公安局江北新区分局"),
        ("county", "441502", "汕尾市公安局城区分局"),
        ("county", "320583", "昆山市公安局"),
        ("county", "450332", "恭城瑶族自治县公安局"),
        ("county", "110101", "北京市公安局东城分局"),
        ("town", "320102", "南京市公安局玄武分局"),
        ("city", "320102", "南京市公安局"),
        ("city", "320100", "南京市公安局"),
        ("province", "320102", "江苏省公安厅"),
        ("province", "320000", "江苏省公安厅"),
        ("province", "450332", "广西壮族自治区公安厅"),
        ("province", "110101", "北京市公安局"),
    ],
)
def test_the_level_and_the_division_name_the_authority(level: Level, division: str, *, expected: str) -> None:
    assert name(an_item(level), division) == expected


@pytest.mark.parametrize(
    ("level", "division", "expected"),
    [
        ("city", "110101", "北京市公安局东城分局"),
        ("city", "419001", "济源市公安局"),
        ("county", "441900", "东莞市公安局"),
        ("town", "441900", "东莞市公安局"),
    ],
)
def test_where_a_level_is_missing_the_data_says_which_one_decides(
    level: Level, division: str, *, expected: str
) -> None:
    assert name(an_item(level), division) == expected


def test_the_next_level_may_be_another_one_for_one_department() -> None:
    fund = an_item("city", department="fund")
    assert [name(fund, each) for each in ("110101", "110000", "320102")] == [
        *["北京市公积金中心"] * 2,
        "南京市公积金中心",
    ]


def test_a_forest_district_is_a_county_of_another_name() -> None:
    shennongjia = DIVISIONS.by_code["429021"]
    assert MARKET.name(shennongjia, DIVISIONS.by_code["320100"]) == "神农架林区市场局"


def test_an_authority_says_what_it_is() -> None:
    authority = decided(an_item("county"), "320102").authority
    assert authority is not None
    assert (authority.id, authority.level, authority.divisions) == ("police/320102", "county", ("320102",))
    assert (authority.departments, authority.status) == (("police",), "sample")
    assert (authority.address, authority.telephone, authority.hours) == ("", HOTLINE, "")


def test_the_level_is_a_function_of_the_answers() -> None:
    by_kind = an_item(LevelRule(level="city", when={"kind": ("joint_stock", "state")}), "county", department="market")
    answers = [{"kind": "joint_stock"}, {"kind": "state"}, {"kind": "limited"}, {}]
    assert [name(by_kind, "320583", answers=each) for each in answers] == [
        *["苏州市市场局"] * 2,
        *["昆山市市场局"] * 2,
    ]


@pytest.mark.parametrize("by", ["provider", "chosen"])
def test_who_is_no_authority_is_none_at_any_place(by: Any) -> None:
    item = _item(Competence(decided_by=by, **SAMPLE))
    assert [decided(item, each) for each in ("320000", "320102", "320571")] == [Decider(decided_by=by)] * 3


# Refusals.


@pytest.mark.parametrize(
    ("level", "division", "wanted"),
    [
        ("county", "320000", "county"),
        ("county", "320100", "county"),
        ("town", "320100", "county"),
        ("city", "320000", "city"),
        ("city", "110000", "county"),
        ("county", "440000", "county"),
    ],
)
def test_a_place_that_is_too_broad_is_refused_with_the_level_that_is_wanted(
    level: Level, division: str, *, wanted: str
) -> None:
    with pytest.raises(PlaceTooBroad) as refused:
        decided(an_item(level), division)
    assert refused.value.more == {"level": wanted}


def test_a_division_that_is_gone_names_its_successors() -> None:
    with pytest.raises(DivisionNotInForce, match="重庆市两江新区、重庆市北碚区") as refused:
        decided(an_item("county"), "500112")
    assert refused.value.more == {"successors": ["500157", "500109"]}


def test_a_division_decides_on_its_last_day_and_its_successor_from_the_next_on() -> None:
    last, first = date(2025, 11, 5), date(2025, 11, 6)
    assert name(an_item("county"), "500112", on=last) == "重庆市公安局渝北分局"
    assert name(an_item("county"), "500157", on=first) == "重庆市公安局两江新区分局"
    for code, day in (("500112", first), ("500157", last)):
        with pytest.raises(DivisionNotInForce):
            decided(an_item("county"), code, on=day)


def test_a_division_that_never_was_is_refused() -> None:
    with pytest.raises(NoSuchDivision):
        decided(an_item("county"), "990000")


@pytest.mark.parametrize(
    ("item", "division"),
    [
        (an_item("county"), "320571"),
        (an_item("county"), "441901"),
        (an_item("county"), "419000"),
        (an_item("county", department="fund"), "320102"),
        (an_item("county", department="nobody"), "320102"),
        (_item(None), "320102"),
    ],
    ids=["zone", "town", "grouping", "no organ of that level", "no organ of that department", "nothing said"],
)
def test_what_nobody_decides_is_refused(item: Item, division: str) -> None:
    with pytest.raises(NobodyDecides):
        decided(item, division)


# Authorities of another name.


def test_an_approval_bureau_decides_for_another_department_in_its_own_name_and_nowhere_else() -> None:
    by = with_these(an_authority(items=("item",)))
    market = an_item("county", department="market")
    found = decided(market, "320583", by=by)
    assert found.authority == found.signs_as == by.named[0]
    assert name(market, "320508", by=by) == "姑苏区市场局"
    assert name(an_item("county", department="market", code="other"), "320583", by=by) == "昆山市市场局"
    assert name(an_item("county"), "320583", by=by) == "昆山市公安局"


def test_a_bureau_that_was_merged_from_two_decides_for_both_from_its_first_day_on() -> None:
    both = an_authority(departments=("market", "police"), from_day=JULY)
    for department, before in (("market", "昆山市市场局"), ("police", "昆山市公安局")):
        item = an_item("county", department=department)
        assert name(item, "320583", by=with_these(both), on=date(2026, 6, 30)) == before
        assert decided(item, "320583", by=with_these(both), on=JULY).authority == both


def test_a_district_of_its_own_may_be_several_divisions() -> None:
    customs = an_authority(id="customs/suzhou", level="city", departments=("customs",), divisions=("320500", "320100"))
    item = an_item("city", department="customs")
    assert [decided(item, each, by=with_these(customs)).authority for each in ("320583", "320102")] == [customs] * 2


def test_a_zone_or_a_town_decides_what_data_gives_its_authority_and_nothing_else() -> None:
    zone = an_authority(id="approval/320571", divisions=("320571",), items=("item",))
    town = an_authority(id="town/441901", divisions=("441901",), level="town")
    by = with_these(zone, town)
    market = an_item("county", department="market")
    assert decided(market, "320571", by=by).authority == zone
    assert decided(market, "441901", by=by).authority == town
    with pytest.raises(NobodyDecides, match="请选择所属的"):
        decided(an_item("county", department="market", code="other"), "320571", by=by)


# Delegations.


def test_a_delegation_begins_and_ends_at_midnight_in_china() -> None:
    by = with_these(a_delegation(to_day=date(2026, 12, 31)))
    moments = {
        datetime(2026, 6, 30, 15, 59, 59, tzinfo=UTC): "南京市公安局",
        datetime(2026, 6, 30, 16, 0, tzinfo=UTC): "南京市公安局玄武分局",
        datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC): "南京市公安局玄武分局",
        datetime(2026, 12, 31, 16, 0, tzinfo=UTC): "南京市公安局",
    }
    assert {at: name(an_item("city"), "320102", by=by, on=china_day(at)) for at in moments} == moments


def test_a_delegation_holds_for_its_items_its_level_and_its_divisions_only() -> None:
    by = with_these(a_delegation())
    assert decided(an_item("city"), "320102", by=by).delegation == "d1"
    assert name(an_item("city"), "320583", by=by) == "苏州市公安局"
    assert name(an_item("city", code="other"), "320102", by=by) == "南京市公安局"
    assert decided(an_item("county"), "320102", by=by).delegation == ""


def test_power_that_went_down_wants_a_deeper_place() -> None:
    assert name(an_item("city"), "320100", by=with_these(a_delegation()), on=date(2026, 6, 30)) == "南京市公安局"
    with pytest.raises(PlaceTooBroad):
        decided(an_item("city"), "320100", by=with_these(a_delegation()))


def test_power_that_was_taken_back_goes_up() -> None:
    by = with_these(a_delegation(kind="recalled", giver="county", receiver="province", divisions=("320000",)))
    assert name(an_item("county"), "320583", by=by) == "江苏省公安厅"


@pytest.mark.parametrize(
    ("kind", "signs"),
    [("entrusted", "南京市公安局"), ("devolved", "南京市公安局玄武分局"), ("authorised", "南京市公安局玄武分局")],
)
def test_who_is_only_entrusted_signs_for_the_giver(kind: str, signs: str) -> None:
    found = decided(an_item("city"), "320102", by=with_these(a_delegation(kind=kind)))
    assert found.authority is not None
    assert found.signs_as is not None
    assert (found.authority.name, found.level, found.signs_as.name) == ("南京市公安局玄武分局", "county", signs)


def test_who_may_only_receive_or_examine_does_not_decide() -> None:
    by = with_these(a_delegation(kind="entrusted", stages=("receive", "examine")))
    assert decided(an_item("city"), "320102", by=by) == decided(an_item("city"), "320102")


def test_a_zone_may_be_given_power_that_it_signs_for_the_city() -> None:
    zone = an_authority(id="zone/320571", departments=("nobody",), divisions=("320571",), level="county")
    given = a_delegation(kind="entrusted", receiver=zone.id, divisions=("320571",))
    found = decided(an_item("city"), "320571", by=with_these(zone, given))
    assert found.authority == zone
    assert found.signs_as is not None
    assert found.signs_as.name == "苏州市公安局"


days = st.dates(date(2026, 1, 1), date(2026, 1, 9))
periods = st.builds(Period, from_day=st.none() | days, to_day=st.none() | days)


@given(periods, periods)
def test_two_periods_meet_if_and_only_if_some_day_lies_in_both(one: Period, other: Period) -> None:
    every = [date(2025, 12, 31), *(date(2026, 1, day) for day in range(1, 11))]
    is_met = any(one.holds(day) and other.holds(day) for day in every)
    if all(each.from_day is None or each.to_day is None or each.from_day <= each.to_day for each in (one, other)):
        assert one.meets(other) == is_met
