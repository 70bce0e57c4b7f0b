"""Notices are kept once for each cause, claimed by one worker, and ended for good; openids are sealed at rest."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from server.crypto.keyring import make_keys
from server.domain.effects.notices import KeptNotice, Notice, draft_notice
from server.domain.people.persons import NoSuchSession, Person, Session
from server.domain.values import moment_key
from server.store.effects.notices import NOTICES, Notices
from server.store.ends import Ends
from server.store.mongo import MongoDatabase
from server.store.people.people import PERSONS, SESSIONS, People

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
PERSON = Person(key="key-of-somebody", name="测试甲", id_number="320000199001010015")


@pytest.fixture
def notices(database: MongoDatabase) -> Notices:
    return Notices(database)


@pytest.fixture
def people(database: MongoDatabase, tmp_path: Path) -> People:
    return People(database, make_keys("320000").fields, Ends(database, tmp_path))


def notice(draft: str = "d1", *, at: datetime = NOW) -> Notice:
    return draft_notice(draft, PERSON.key, bundle_name="新生儿出生", due_on=date(2026, 12, 1), at=at)


async def put(notices: Notices, *told: Notice) -> None:
    for each in told:
        await notices.put(each.model_dump(mode="json"))


async def the_due(notices: Notices, *, at: datetime = NOW) -> KeptNotice:
    (kept,) = await notices.due(at, limit=10)
    return kept


async def claimed(notices: Notices) -> KeptNotice:
    kept = await notices.claim(await the_due(notices), at=NOW)
    assert kept is not None
    return kept


async def test_a_notice_comes_back_as_it_was_put(notices: Notices) -> None:
    await put(notices, notice())
    assert await the_due(notices) == KeptNotice(notice(), "waiting", attempts=0, errcode=0, reason="", version=1)


async def test_a_notice_put_again_changes_nothing_whatever_became_of_it(notices: Notices) -> None:
    await put(notices, notice(), notice())
    kept = await claimed(notices)
    await put(notices, notice())
    assert await notices.due(NOW, limit=10) == []
    await notices.end(kept, "sent", at=NOW)
    await put(notices, notice())
    found = await notices.notices([notice().id])
    assert [(each.state, each.attempts) for each in found.values()] == [("sent", 1)]


async def test_what_is_due_comes_oldest_first_and_nothing_else(notices: Notices) -> None:
    times = {"d1": NOW, "d2": NOW - timedelta(seconds=2), "d3": NOW + timedelta(milliseconds=1)}
    await put(notices, *(notice(draft, at=at) for draft, at in times.items()))
    due = await notices.due(NOW, limit=10)
    assert [each.notice.page.partition("=")[2] for each in due] == ["d2", "d1"]
    assert len(await notices.due(NOW, limit=1)) == 1


async def test_of_many_workers_one_gets_the_notice(notices: Notices) -> None:
    await put(notices, notice())
    kept = await the_due(notices)
    claims = await asyncio.gather(*(notices.claim(kept, at=NOW) for _ in range(20)))
    (winner,) = [claim for claim in claims if claim is not None]
    assert (winner.state, winner.attempts) == ("sending", 1)


async def test_a_claim_of_which_nothing_is_heard_is_found(notices: Notices) -> None:
    await put(notices, notice())
    kept = await claimed(notices)
    assert await notices.left_sending(NOW - timedelta(milliseconds=1), limit=10) == []
    assert await notices.left_sending(NOW, limit=10) == [kept]


async def test_a_postponed_notice_is_due_again_at_its_time_with_what_the_platform_said(notices: Notices) -> None:
    await put(notices, notice())
    until = NOW + timedelta(seconds=5)
    assert await notices.postpone(await claimed(notices), until=until, errcode=-1)
    assert await notices.due(until - timedelta(milliseconds=1), limit=10) == []
    kept = await the_due(notices, at=until)
    assert (kept.attempts, kept.errcode) == (1, -1)


async def test_an_ended_notice_keeps_what_was_said_and_when(notices: Notices, database: MongoDatabase) -> None:
    await put(notices, notice())
    kept = await claimed(notices)
    at = NOW + timedelta(seconds=1)
    assert await notices.end(kept, "refused", at=at, errcode=43101, reason="platform")
    document: dict[str, Any] = await database.get(NOTICES, notice().id) or {}
    ended = {"state": "refused", "errcode": 43101, "reason": "platform", "attempts": 1}
    assert {name: document[name] for name in ended} == ended
    assert (document["tried_at"], document["ended_at"]) == (moment_key(NOW), moment_key(at))
    assert document["key"] == f"refused|{moment_key(at)}|{notice().id}"


async def test_who_comes_too_late_moves_nothing(notices: Notices) -> None:
    await put(notices, notice())
    kept = await claimed(notices)
    assert await notices.end(kept, "unknown", at=NOW)
    assert not await notices.end(kept, "sent", at=NOW)
    assert not await notices.postpone(kept, until=NOW, errcode=0)
    assert [each.state for each in (await notices.notices([notice().id])).values()] == ["unknown"]


async def test_a_person_is_told_on_the_phone_that_proved_the_name_last(people: People) -> None:
    assert await people.platform_user(PERSON.key) == ""
    await people.keep_person(PERSON, openid="openid-old")
    await people.keep_person(PERSON, openid="openid-new")
    assert await people.platform_user(PERSON.key) == "openid-new"
    assert await people.person(PERSON.key) == PERSON


async def test_openids_are_sealed_at_rest(people: People, database: MongoDatabase) -> None:
    session = Session(id="s1", platform_user="digest", openid="openid-secret", person="", stamp="d")
    await people.open_session(session, expires_at=NOW)
    await people.keep_person(PERSON, openid="openid-secret")
    await people.keep_person(PERSON, openid="openid-secret")
    renewed = session.model_copy(update={"version": 2, "person": PERSON.key})
    await people.change_session(renewed, expires_at=NOW)
    assert await people.session("s1", at=NOW) == renewed
    stored = [await database.get(SESSIONS, "s1"), await database.get(PERSONS, PERSON.key)]
    assert all(stored)
    assert "openid-secret" not in str(stored)


async def test_a_session_that_an_older_node_stored_is_over(people: People, database: MongoDatabase) -> None:
    old = {"platform_user": "digest", "person": "", "refresh_digest": "d", "version": 1, "bucket": "h9999"}
    await database.insert(SESSIONS, {"_id": "s1", **old})
    with pytest.raises(NoSuchSession):
        await people.session("s1", at=NOW)
