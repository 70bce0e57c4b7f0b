"""The measurement of sizes grows a node by its own command, judges ratios, and refuses sizes without end."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from loadtests.bench.carrying import Carrying, NotCarried
from loadtests.growing import at_level, filled, rates_of
from loadtests.sizes import a_second, cost_of, has_passed, ratios_of, sizes_from, table_of

ROOT = Path(__file__).parents[1]
SMALL = {"worklist": {"serve": 1000, "database": 1000}, "my cases": {"serve": 500, "database": 0}}
LARGE = {"worklist": {"serve": 1000, "database": 3000}, "my cases": {"serve": 450, "database": 0}}
SEEDED = {"cases": 500, "people": 100, "seconds": 5.0, "first_a_second": None, "last_a_second": None}


def size_of(cases: int, ratio: float) -> dict[str, Any]:
    return {"cases": cases, "ratios": {"worklist": ratio, "my cases": 1.0}}


def test_ratios_compare_all_that_a_request_costs() -> None:
    assert ratios_of(SMALL, LARGE) == {"worklist": 2.0, "my cases": 0.9}


def test_what_is_used_at_rest_is_no_cost_of_a_request() -> None:
    rounds = [{"serve": used, "database": 0.5, "passed": 2.0} for used in (0.9, 0.3, 0.2)]
    assert cost_of(rounds, {"serve": 0.1, "database": 0.25}, requests=100) == {"serve": 1000, "database": 0}


def test_seconds_of_cpu_time_are_told_for_each_second_that_passed() -> None:
    assert a_second({"serve": 0.5, "work": 1.0, "passed": 2.0}) == {"serve": 0.25, "work": 0.5}


def test_the_table_tells_the_ratio_of_every_size_after_the_first() -> None:
    about = {"stored": 1, "folder_mb": 2.5, "seeded": SEEDED}
    sizes = [{"cases": 1000, "doors": SMALL, **about}]
    sizes += [{"cases": cases, "doors": LARGE, "ratios": ratios_of(SMALL, LARGE), **about} for cases in (9000, 90_000)]
    lines = table_of({"sizes": sizes})
    assert [line.split()[-1] for line in lines[:7]] == ["ratio", "1000", "0", "2.00", "0.90", "2.00", "0.90"]
    assert lines[7] == "500 cases of 100 people seeded in 5.0 s; then 1 stored, 2.5 MB of database"


def test_the_largest_size_up_to_a_hundred_thousand_is_judged_and_a_larger_one_only_told() -> None:
    sizes = [{"cases": 1000}, size_of(9000, 1.9), size_of(100_000, 1.3), size_of(1_000_000, 4.0)]
    assert has_passed(sizes, most_ratio=1.3)
    assert not has_passed(sizes, most_ratio=1.29)
    assert has_passed([{"cases": 1000}, size_of(1_000_000, 4.0)], most_ratio=1.3)


def test_rates_are_those_of_the_first_and_the_last_tenth() -> None:
    marks = [(10.0 * place, 1000 * place) for place in range(20)]
    slower = [(marks[-1][0] + 40.0 * place, 19_000 + 1000 * place) for place in (1, 2)]
    assert rates_of([*marks, *slower]) == (100, 25)
    assert rates_of(marks[:2]) == (None, None)


def test_a_form_is_filled_with_what_is_required_and_with_what_that_requires() -> None:
    schema = {
        "properties": {"a": {"enum": ["yes", "no"]}, "b": {"examples": ["two"]}, "c": {"examples": ["three"]}},
        "required": ["a"],
        "if": {"properties": {"a": {"const": "yes"}}, "required": ["a"]},
        "then": {"required": ["b"]},
    }
    assert filled(schema) == {"a": "yes", "b": "two"}


def test_a_place_is_told_at_the_level_that_is_asked_for() -> None:
    assert [at_level("320102", level) for level in ("province", "city", "county", "")] == [
        *("320000", "320100", "320102", "320102")
    ]


class Waiting:
    """A database in which so much waits, a little less at each look."""

    def __init__(self, **waiting: int) -> None:
        self.waiting = waiting

    def get_collection(self, name: str) -> Any:
        def find(_query: Any, _members: Any, *, limit: int) -> Any:
            self.waiting[name] = max(self.waiting.get(name, 0) - 1, 0)
            return WaitingDocuments([{"_id": "a"}] * min(self.waiting[name], limit))

        return type("WaitingCollection", (), {"find": staticmethod(find)})


class WaitingDocuments(list[dict[str, str]]):
    """What was found."""

    async def to_list(self) -> list[dict[str, str]]:
        return self


@pytest.mark.parametrize("waiting", ["cases", "heads", "audit"])
async def test_a_node_is_not_at_rest_while_anything_waits(waiting: str) -> None:
    with pytest.raises(NotCarried):
        await Carrying(Waiting(**{waiting: 10**9}), ()).rest((), within_seconds=0.2)


async def test_a_node_is_at_rest_once_nothing_waits_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtests.bench.carrying.LETTERS_SECONDS", 0.1)
    database = Waiting(cases=1, audit=2)
    await Carrying(database, ()).rest((), within_seconds=10)
    assert database.waiting == {"cases": 0, "heads": 0, "audit": 0}


def test_sizes_grow_within_bounds() -> None:
    assert sizes_from("400,1000,1000000") == (400, 1000, 1_000_000)


@pytest.mark.parametrize(
    "text", ["1000", "2000,1000", "1000,1000", "399,1000", "1000,1000001", "-1,1000", "1000,x", ""]
)
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        sizes_from(text)


@pytest.mark.soak
@pytest.mark.timeout(600)  # two and a half minutes where nothing else runs
async def test_sizes_are_measured_of_a_node_that_its_own_command_grows() -> None:
    command = [sys.executable, "-m", "loadtests.sizes", "--cases=400,700", "--rounds=1", "--most-ratio=100", "--json"]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    small, large = json.loads(output)["sizes"]
    assert 400 - 25 <= small["stored"] <= 400  # the citizen who reads has been given a few of them already
    assert 700 - 25 <= large["stored"] <= 700
    assert large["folder_mb"] > small["folder_mb"] > 0
    assert small["stored"] < large["stored"] - large["seeded"]["cases"]  # submissions that were measured lie between
    assert set(large["ratios"]) == {"worklist", "worklist of one desk", "my cases", "one case", "submission"}
    assert all(size["doors"]["submission"]["database"] > 0 for size in (small, large))
