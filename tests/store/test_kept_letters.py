"""Letters in the store: each stands in one place of one state, marks may be repeated, and keys tell what is counted."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from server.crypto.keyring import make_keys
from server.domain.exchange.letters import Letter, letter_id
from server.domain.exchange.log import Position
from server.store.exchange.letters_in import LettersIn
from server.store.exchange.letters_out import LettersOut
from server.store.keys import keys_between
from server.store.latest import put_latest
from server.store.mongo import MongoDatabase
from server.store.queries import LETTERS_TO_LOG, under
from server.store.sealing import sealed_letter

HERE, PEER, THIRD = "320000", "330000", "440000"
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
RING = make_keys(HERE).fields
FIRST = Position(1, 1)


@pytest.fixture
def out(database: MongoDatabase) -> LettersOut:
    return LettersOut(database, RING)


@pytest.fixture
def came(database: MongoDatabase) -> LettersIn:
    return LettersIn(database, RING)


def letter(note: str, *, sender: str = HERE, to: str = PEER, after: int = 0, **more: Any) -> Letter:
    whole: dict[str, Any] = {"about": None, "kind": "letter.refused", "body": {"note": note}} | more
    id = letter_id(sender, to, note)
    at = NOW + timedelta(seconds=after)
    return Letter(id=id, sender=sender, to=to, after=None, at=at, salt="c2FsdHNhbHRzYWx0c2FsdA", **whole)


def sealed(one: Letter) -> dict[str, Any]:
    return sealed_letter(one, RING.new_key(one.id), context=one.id)


async def put(out: LettersOut, *notes: str, to: str = PEER) -> list[Letter]:
    letters = [letter(note, to=to, after=place) for place, note in enumerate(notes)]
    for each in letters:
        await out.answer(each)
    return letters


async def keep(came: LettersIn, *letters: Letter, position: Position = FIRST) -> list[Letter]:
    documents = [sealed(each) for each in letters]
    return await came.keep(documents, sender=PEER, at=NOW, position=position)


def theirs(note: str, **more: Any) -> Letter:
    return letter(note, sender=PEER, to=HERE, **more)


async def test_letters_to_log_come_oldest_first_and_for_one_destination(out: LettersOut) -> None:
    first, second = await put(out, "a", "b")
    await put(out, "c", to=THIRD)
    assert [each.id for each in await out.to_log(PEER, limit=10)] == [first.id, second.id]
    assert (await out.backlog(PEER, most=10), await out.backlog(PEER, most=1)) == (2, 1)
    assert await out.oldest_unlogged(PEER) == NOW
    assert await out.destinations() == [PEER, THIRD]


async def test_a_logged_letter_waits_no_more_however_often_it_is_marked(out: LettersOut) -> None:
    first, second = await put(out, "a", "b")
    for _ in range(2):
        await out.mark_logged(PEER, [first.id], FIRST)
    await out.mark_logged(PEER, [first.id], Position(1, 9))
    found = await out.letter(first.id)
    assert found is not None
    assert (found.state, found.position) == ("logged", FIRST)
    assert [each.id for each in await out.to_log(PEER, limit=10)] == [second.id]
    assert await out.oldest_unlogged(PEER) == second.at


async def test_a_letter_put_again_keeps_its_place(out: LettersOut) -> None:
    (one,) = await put(out, "a")
    await out.mark_logged(PEER, [one.id], FIRST)
    await put(out, "a")
    assert await out.to_log(PEER, limit=10) == []


async def test_in_a_new_stream_a_letter_waits_again_and_a_late_mark_of_the_old_one_fails(out: LettersOut) -> None:
    (one,) = await put(out, "a")
    await out.mark_logged(PEER, [one.id], Position(1, 4))
    for _ in range(2):
        await out.requeue([one.id], 2)
    await out.mark_logged(PEER, [one.id], Position(1, 4))
    assert [each.id for each in await out.to_log(PEER, limit=10)] == [one.id]
    await out.mark_logged(PEER, [one.id], Position(2, 1))
    await out.requeue([one.id], 2)
    found = await out.letter(one.id)
    assert found is not None
    assert (found.state, found.position) == ("logged", Position(2, 1))


async def test_a_letter_is_dead_until_it_is_judged_anew_and_annulled_for_good(out: LettersOut) -> None:
    (one,) = await put(out, "a")
    await out.mark_logged(PEER, [one.id], FIRST)
    assert not await out.mark_retried(one.id)
    assert not await out.mark_annulled(one.id)
    for _ in range(2):
        assert await out.mark_dead(one.id, reason="no_such_case", round=0)
    assert await out.count_dead(PEER, most=10) == 1
    assert await out.mark_retried(one.id)
    assert not await out.mark_retried(one.id)
    assert not await out.mark_dead(one.id, reason="no_such_case", round=0)
    assert await out.count_dead(PEER, most=10) == 0
    assert await out.mark_dead(one.id, reason="not_our_step", round=1)
    assert [(each.reason, each.round) for each in await out.dead(limit=10)] == [("not_our_step", 1)]
    assert await out.mark_annulled(one.id)
    assert not await out.mark_dead(one.id, reason="late", round=2)
    await out.mark_logged(PEER, [one.id], Position(1, 5))
    found = await out.letter(one.id)
    assert found is not None
    assert (found.state, found.position) == ("annulled", FIRST)


async def test_what_no_letter_has_as_id_is_none(out: LettersOut, came: LettersIn) -> None:
    assert await out.letter("2026-11-23") is None
    assert not await out.mark_dead("none", reason="x", round=0)
    assert await came.kept(["2026-11-23", "none", f"{PEER}:none"]) == {}


async def test_letters_are_due_in_the_order_of_the_log(came: LettersIn) -> None:
    later = [theirs("later")]
    letters = [theirs(f"l{place}") for place in range(3)]
    await keep(came, *later, position=Position(1, 2))
    await keep(came, *letters)
    due = await came.due(NOW, limit=10)
    assert [each.letter for each in due] == letters + later
    assert [(each.position, each.index) for each in due][-2:] == [(FIRST, 2), (Position(1, 2), 0)]
    assert await came.due(NOW - timedelta(seconds=1), limit=10) == []


async def test_a_postponed_letter_is_due_later_and_seen_all_the_time(came: LettersIn) -> None:
    await keep(came, theirs("a"))
    (one,) = await came.due(NOW, limit=1)
    await came.postpone(one, until=NOW + timedelta(minutes=1), reason="kind_unknown")
    assert await came.due(NOW, limit=1) == []
    (waiting,) = await came.listed("waiting", limit=1)
    assert (waiting.reason, waiting.letter) == ("kind_unknown", one.letter)
    (again,) = await came.due(NOW + timedelta(minutes=1), limit=1)
    assert again.tries == 1
    await came.postpone(one, until=NOW, reason="late")  # of a version that is gone
    assert await came.due(NOW, limit=1) == []


async def test_each_state_has_its_positions_and_one_sender_those_of_no_other(came: LettersIn) -> None:
    letters = [theirs(f"l{place}") for place in range(4)]
    await keep(came, *letters)
    await came.keep([sealed(letter("x", sender=THIRD, to=HERE))], sender=THIRD, at=NOW, position=Position(1, 7))
    settled, refused, annulled, _ = [each for each in await came.due(NOW, limit=9) if each.letter.sender == PEER]
    await came.mark_settled([settled])
    for each in (refused, annulled):
        await came.mark_attention(each, reason="no_such_case")
    (again,) = [each for each in await came.in_attention(limit=9) if each.id == annulled.id]
    await came.mark_annulled(again)
    states = ("waiting", "settled", "attention", "annulled")
    assert [await came.positions(state, PEER) for state in states] == [[FIRST]] * 4
    assert await came.positions("waiting", THIRD) == [Position(1, 7)]
    assert await came.released([each.unique_id for each in letters]) == {settled.id, annulled.id}
    assert [each.id for each in await came.in_attention(sender=THIRD, limit=9)] == []


async def test_a_retried_letter_waits_in_its_next_round(came: LettersIn) -> None:
    await keep(came, theirs("a"))
    (one,) = await came.due(NOW, limit=1)
    await came.mark_attention(one, reason="no_such_case")
    (one,) = await came.in_attention(limit=1)
    for _ in range(2):
        await came.retry(one, at=NOW)
    (again,) = await came.due(NOW, limit=1)
    assert (again.round, again.tries, again.reason) == (1, 0, "")


async def test_the_same_bytes_again_are_no_conflict_and_others_stand_beside(came: LettersIn) -> None:
    one, other = theirs("a"), theirs("a", body={"note": "other"})
    assert await keep(came, one) == []
    assert await keep(came, one, position=Position(2, 1)) == []
    assert await keep(came, other, position=Position(1, 3)) == [other]
    assert await keep(came, other, position=Position(1, 3)) == [other]
    assert await keep(came, theirs("a", after=5), position=Position(1, 4)) == []  # says the same, written anew
    assert (await came.kept([one.unique_id]))[one.unique_id].letter == one
    (beside,) = await came.in_attention(limit=9)
    assert (beside.letter, beside.reason, beside.position) == (other, "letter_conflict", Position(1, 3))


async def test_more_letters_than_keys_are_read_at_once_are_all_counted(database: MongoDatabase) -> None:
    keys = [f"unlogged|{PEER}|t|l{n:05d}" for n in range(31)]
    await database.insert_many("letters_out", [{"_id": key, "key": key} for key in keys])
    waiting = partial(keys_between, database, LETTERS_TO_LOG, under("unlogged", PEER), at_once=10)
    assert await waiting(most=50) == keys
    assert await waiting(most=15) == keys[:15]
    assert await LettersOut(database, RING).backlog(PEER, most=50) == len(keys)


async def test_many_documents_are_replaced_each_by_its_version(database: MongoDatabase) -> None:
    await database.insert_many("cases", [{"_id": f"c{n}", "version": 1, "said": "old"} for n in range(3)])
    new = [({"_id": f"c{n}", "version": 2, "said": "new"}, 1 if n != 1 else 7) for n in range(3)]
    assert await database.replace_many("cases", new) == 2
    found = await database.get_many("cases", ["c0", "c1", "c2"])
    assert [found[f"c{n}"]["said"] for n in range(3)] == ["new", "old", "new"]
    assert await database.replace_many("cases", new) == 0


async def test_of_many_projections_the_latest_event_stays_in_any_order(database: MongoDatabase) -> None:
    def of(event: int, id: str = "t") -> dict[str, Any]:
        return {"_id": id, "version": event, "said": event}

    await put_latest(database, "tasks", [of(2), of(5), of(3), of(1, "u")])
    await put_latest(database, "tasks", [of(4), of(7, "u")])
    await put_latest(database, "tasks", [])
    found = await database.get_many("tasks", ["t", "u"])
    assert {id: each["said"] for id, each in found.items()} == {"t": 5, "u": 7}
