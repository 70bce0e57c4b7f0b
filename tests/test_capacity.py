"""The arithmetic of what a province needs, and the tables that it starts from."""

import json

import pytest

from loadtests import capacity
from loadtests.capacity import Left, Load, PageUnreadable, cores, costs_of, figures_of, footprint_of, kept_bytes, shards
from server.store.numbered import entry_id
from server.store.queries import QUERIES
from server.store.trust import TRUST
from tests import footprint
from tests.sharding import ASKED, COLLECTIONS, collection_row, query_row

REQUESTS = ("submission", "act", "case at the desk", "one case", "my cases")
COSTS = {(name, process): 10.0 for name in REQUESTS for process in ("serve", "database")}
LEFT = [Left("cases", 1, 10_000, 100), Left("audit", 30, 30_000, 3000), Left("nonces", 2, 500, 50)]
SMALL = Load(people=3_600_000, days=100, busiest_hour=0.1, surge=1.0, looks=1, lists=1, years=1.0)
COSTS_PAGE = "".join(
    (
        "| request | process | before | now |\n|---|---|---|---|\n",
        *(f"| {name} | `serve` | 9.0 | 2.5 |\n" for name in REQUESTS),
    )
)


def figure(name: str, load: Load = SMALL) -> float:
    (found,) = [line.figure for line in figures_of(load, COSTS, LEFT) if line.what == name]
    return found


def test_cases_come_in_the_busiest_hour_of_a_busy_day() -> None:
    assert SMALL.cases_a_second == pytest.approx(1.0)
    assert Load(people=3_600_000, days=100, busiest_hour=0.1, surge=2.5).cases_a_second == pytest.approx(2.5)


def test_cores_are_what_all_requests_of_a_case_cost() -> None:
    asked = 1 + 18 + 18 + 1 + (1 + 18)
    assert figure("requests a second") == pytest.approx(asked)
    assert cores(SMALL, COSTS, "serve") == pytest.approx(asked * 10 / 1000)
    assert cores(SMALL, COSTS, "work") == 0


def test_the_audit_is_kept_for_its_days_only_and_what_passes_not_at_all() -> None:
    year = Load(years=1.0, audit_days=73)
    assert kept_bytes(year, LEFT, is_keys=False) == pytest.approx(10_000 + 30_000 * 0.2)
    assert kept_bytes(year, LEFT, is_keys=True) == pytest.approx(100 + 3000 * 0.2)
    assert kept_bytes(Load(years=0.1, audit_days=184), LEFT, is_keys=False) == 40_000


def test_shards_are_counted_by_what_there_is_too_little_of() -> None:
    load = Load(people=100_000_000, years=10.0, audit_days=365, shard_tb=1.0, cache_gib=1.0, warm_days=365)
    found = shards(load, COSTS, LEFT)
    one = kept_bytes(load, LEFT, is_keys=False) + kept_bytes(load, LEFT, is_keys=True)
    assert found["bytes"] == -(-1e9 * one // 1e12)
    assert found["memory"] == -(-1e8 * one // 2**30)
    (members,) = [each.figure for each in figures_of(load, COSTS, LEFT) if each.what == "members of replica sets"]
    assert members == 3 * max(found.values())


def test_costs_are_those_of_today() -> None:
    assert costs_of(COSTS_PAGE)["act", "serve"] == 2.5
    with pytest.raises(PageUnreadable, match="my cases"):
        costs_of(COSTS_PAGE.replace("my cases", "others"))


def test_what_a_case_leaves_is_read_as_it_was_printed() -> None:
    measured = {"home": {"cases": footprint.Footprint(1.0, 22_766.4, 5, 212)}, "abroad": {}}
    assert footprint_of(footprint.table_of(measured)) == [Left("cases", 1.0, 22_766.0, 212.0)]
    with pytest.raises(PageUnreadable):
        footprint_of("| what | figure |\n")


def test_every_assumption_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert capacity.main(["--json", "--people", "1000"]) == 0
    (first, *_) = json.loads(capsys.readouterr().out)
    assert (first["what"], first["figure"]) == ("cases a year", 1000)
    assert set(capacity.HELP) == set(Load.__dataclass_fields__)
    with pytest.raises(SystemExit):
        capacity.main(["--busy", "0"])


def test_of_every_collection_and_every_query_it_is_said_what_it_would_be_on_many_shards() -> None:
    assert set(COLLECTIONS) == set(TRUST)
    assert set(ASKED) == {query.name for query in QUERIES}
    assert {name for name, growth in COLLECTIONS.items() if growth.ids == "numbered"} == {
        *("audit_chain", "ends", "head_chain", "log", "number_blocks")
    }
    assert entry_id("audit", 9) < entry_id("audit", 10), "by ranges of `_id` each is behind the last"


def test_a_query_asks_all_shards_where_its_collection_is_dealt_out() -> None:
    reach = {query.name: query_row(query).split(" | ")[-1] for query in QUERIES}
    assert reach["tasks_of_authority"] == "all shards |\n"
    assert reach["posts_of_officer"] == "one shard |\n"
    assert "the last of each log" in collection_row("log")
