"""The measurement of sizes plants what the store itself would have written, and refuses sizes without an end."""

import argparse
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from loadtests.sizes import case_copy, ratios_of, sizes_from, table_of, task_copy
from server.store.database import Document
from server.store.effects.tasks import Tasks
from server.store.queries import under

OPENED, DUE = "2026-10-01T08:00:00.000Z", date(2026, 10, 20)
TOLD = {"_id": "c1:birth", "case": "c1", "step": "birth", "event": 2, "authority": "health/320102", "state": "sent"}
TASK = {
    **TOLD,
    "window": "",
    "is_open": True,
    "opened_at": "2026-11-23T05:45:00.123Z",
    "since": "2026-11-23T05:45:00.123Z",
}
SMALL = {"worklist": {"serve": 1000, "database": 1000}, "my cases": {"serve": 500, "database": 0}}
LARGE = {"worklist": {"serve": 1000, "database": 3000}, "my cases": {"serve": 450, "database": 0}}


class Written:
    """A database that keeps what was put last."""

    document: Document

    async def put_newer(self, _collection: str, documents: Sequence[Document]) -> frozenset[int]:
        (self.document,) = documents
        return frozenset()


async def written(task: Document) -> Document:
    """The document that the store writes for a task."""
    database: Any = Written()
    await Tasks(database).put(task)
    return database.document


@pytest.mark.parametrize("due", ["2026-11-30", ""])
async def test_a_planted_task_is_what_the_store_would_have_written(due: str) -> None:
    copy = task_copy(await written(TASK | {"due_on": due}), "c2", opened=OPENED, due=DUE)
    again = {"_id": "c2:birth", "case": "c2", "opened_at": OPENED, "since": OPENED, "due_on": "2026-10-20"}
    assert copy == await written(TASK | again)


def test_a_planted_case_is_another_persons() -> None:
    case = {"_id": "c1", "owner_key": "me|t2026-11-23T05:45:00.123Z|c1", "request": "wish", "events": [1]}
    copy = case_copy(case, "c2", owner="you", opened=OPENED)
    low, high = under("you")
    assert low <= copy["owner_key"] < high
    assert copy["owner_key"] == f"you|t{OPENED}|c2"
    assert (copy["_id"], copy["events"]) == ("c2", [1])
    assert case["_id"] == "c1"


def test_ratios_compare_all_that_a_request_costs() -> None:
    assert ratios_of(SMALL, LARGE) == {"worklist": 2.0, "my cases": 0.9}


def test_the_table_tells_the_ratio_with_the_last_size_only() -> None:
    sizes = [{"cases": 1000, "doors": SMALL}, {"cases": 9000, "doors": LARGE}]
    lines = table_of({"sizes": sizes, "ratios": ratios_of(SMALL, LARGE)})
    assert [line.split()[-1] for line in lines] == ["ratio", "1000", "0", "2.00", "0.90"]


def test_sizes_grow_within_bounds() -> None:
    assert sizes_from("100,1000,200000") == (100, 1000, 200_000)


@pytest.mark.parametrize("text", ["1000", "2000,1000", "1000,1000", "99,1000", "1000,200001", "-1,1000", "1000,x", ""])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        sizes_from(text)
