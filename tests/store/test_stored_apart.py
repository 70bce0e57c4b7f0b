"""What is set apart in the store: out of its queue without being lost, back into it, and ended undone."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from regions.apart import AGAIN
from server.domain.apart import Kind, NotDroppable, SetApart, failed, over
from server.domain.values import moment_key
from server.store.apart import QUEUES, Apart
from server.store.database import Database
from server.store.reading import read_each

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
AT = moment_key(NOW)
LOOKED_AT_AGAIN = {"letter_out", "draft", "stored"}  # loops meet them in every round, or people who ask for them

# A document of each queue as it waits, the key while it is held, and the key after it was released at NOW.
WAITING: dict[Kind, tuple[dict[str, Any], str, str]] = {
    "letter": (
        {"key": "waiting|t2026-11-20|000001-000000000007-0000|330000|thing", "state": "waiting"},
        "waiting|u|000001-000000000007-0000|330000|thing",
        f"waiting|{AT}|000001-000000000007-0000|330000|thing",
    ),
    "notice": ({"key": "waiting|t2026-11-20|thing", "at": "2026-11-20"}, "waiting|u|thing", f"waiting|{AT}|thing"),
    "alarm": ({"alarm": "t2026-11-20|thing"}, "u|thing", f"{AT}|thing"),
    "rung": ({"key": "claimed|t2026-11-20|thing"}, "claimed|u|thing", f"claimed|{AT}|thing"),
    "fetch": ({"key": "due|330000|t2026-11-20|thing"}, "due|330000|u|thing", f"due|330000|{AT}|thing"),
    "paper": ({"key": "due|t2026-11-20|thing"}, "due|u|thing", f"due|{AT}|thing"),
    "effects": ({"relay": "t2026-11-20"}, "st2026-11-20", "t2026-11-20"),
}
ENDED: dict[Kind, dict[str, Any]] = {
    "letter": {"key": "settled|330000|000001-000000000007-0000|thing"},
    "notice": {"key": "sending|t2026-11-20|thing"},
    "alarm": {"alarm": "done"},
    "rung": {"key": "done"},
    "fetch": {"key": "ended"},
    "paper": {"key": "ended"},
    "effects": {"relay": "done"},
}
DROPPED: dict[Kind, dict[str, Any]] = {
    "letter": {"key": "attention|330000|000001-000000000007-0000|thing", "state": "attention", "reason": "dropped"},
    "notice": {"key": "refused|u|thing", "state": "refused", "reason": "dropped"},
    "alarm": {"alarm": "done"},
    "rung": {"key": "done", "outcome": "dropped"},
    "fetch": {"key": "ended", "outcome": "dropped"},
    "paper": {"key": "ended", "outcome": "dropped"},
}


@pytest.fixture
def apart(database: Database) -> Apart:
    return Apart(database)


def row(thing: str = "thing", *, kind: Kind = "letter", at: datetime = NOW) -> SetApart:
    return failed(None, kind, thing, fault=("ValueError", "here"), at=at)


async def put(database: Database, kind: Kind, document: dict[str, Any]) -> None:
    await database.insert(QUEUES[kind].place("thing")[0], {"_id": "thing", "version": 3, **document})


async def key_of(database: Database, kind: Kind) -> str:
    document = await database.get(*QUEUES[kind].place("thing"))
    assert document is not None
    assert document["version"] == 3, "whoever handles it at this moment may go on"
    return str(document[QUEUES[kind].field])


def test_each_kind_has_a_queue_or_a_way_to_be_done_again_or_is_met_in_each_round():
    assert set(QUEUES) | set(AGAIN) | LOOKED_AT_AGAIN == set(get_args(Kind))
    assert not set(QUEUES) & set(AGAIN)
    assert set(WAITING) == set(ENDED) == set(QUEUES)
    assert set(DROPPED) == {kind for kind, queue in QUEUES.items() if queue.dropped}


@pytest.mark.parametrize("kind", QUEUES)
async def test_what_is_held_is_never_due_and_what_is_released_is_due_at_once(
    apart: Apart, database: Database, kind: Kind
) -> None:
    document, held, released = WAITING[kind]
    await put(database, kind, document)
    for _ in range(2):
        await apart.hold(kind, "thing")
        assert await key_of(database, kind) == held
    for _ in range(2):
        await apart.release(kind, "thing", at=NOW)
        assert await key_of(database, kind) == released


@pytest.mark.parametrize("kind", QUEUES)
async def test_what_stands_in_no_queue_any_more_is_left_alone(apart: Apart, database: Database, kind: Kind) -> None:
    await put(database, kind, ENDED[kind])
    await apart.hold(kind, "thing")
    await apart.release(kind, "thing", at=NOW)
    assert await key_of(database, kind) == ENDED[kind][QUEUES[kind].field]


@pytest.mark.parametrize("kind", get_args(Kind))
async def test_what_is_not_there_is_neither_held_nor_released(apart: Apart, kind: Kind) -> None:
    await apart.hold(kind, "thing")
    await apart.release(kind, "thing", at=NOW)
    assert await apart.open(limit=9) == []


@pytest.mark.parametrize("kind", DROPPED)
async def test_what_is_dropped_ends_undone_and_only_while_it_is_held(
    apart: Apart, database: Database, kind: Kind
) -> None:
    await put(database, kind, WAITING[kind][0])
    assert await apart.held(kind, "thing") is None
    await apart.hold(kind, "thing")
    document = await apart.held(kind, "thing")
    assert document is not None
    assert await apart.drop(kind, "thing", document)
    found = await database.get(*QUEUES[kind].place("thing"))
    assert found is not None
    assert {name: found[name] for name in DROPPED[kind]} == DROPPED[kind]
    assert await apart.held(kind, "thing") is None


@pytest.mark.parametrize("kind", sorted(set(get_args(Kind)) - set(DROPPED)))
async def test_what_others_were_promised_is_not_dropped(apart: Apart, kind: Kind) -> None:
    with pytest.raises(NotDroppable):
        await apart.held(kind, "thing")
    with pytest.raises(NotDroppable):
        await apart.drop(kind, "thing", {"_id": "thing", "version": 1})


async def test_a_row_is_written_over_the_version_before_it_only(apart: Apart) -> None:
    assert await apart.put(row())
    assert not await apart.put(row())
    assert await apart.put(over(row(), at=NOW))
    assert not await apart.put(over(row(), at=NOW))
    assert await apart.find("letter:thing") == over(row(), at=NOW)
    assert await apart.find("letter:other") is None
    assert await apart.find("2026-11-23") is None


async def test_what_is_set_apart_is_listed_before_what_is_tried_again_and_what_is_over_not_at_all(apart: Apart) -> None:
    standing = row("standing", at=NOW).model_copy(update={"state": "apart"})
    pending, done = row("pending", kind="notice"), over(row("done"), at=NOW)
    for each in (pending, standing, done):
        await apart.put(each.model_copy(update={"version": 1}))
    assert [each.thing for each in await apart.open(limit=9)] == ["standing", "pending"]
    assert [each.thing for each in await apart.open(limit=1)] == ["standing"]
    assert await apart.due(NOW, limit=9) == []
    assert [each.thing for each in await apart.due(NOW + timedelta(seconds=1), limit=9)] == ["pending"]
    assert await apart.has_open("notice", "pend")
    assert not await apart.has_open("notice", "other")
    assert not await apart.has_open("batch", "pend")


def test_a_document_that_does_not_open_stops_no_other():
    documents = [{"_id": str(number), "value": number} for number in range(4)]
    found = read_each(documents, lambda document: 6 // document["value"])
    assert (found, found.seen) == ([6, 3, 2], 4)
    assert [(id, type(fault)) for id, fault in found.unreadable.items()] == [("0", ZeroDivisionError)]
