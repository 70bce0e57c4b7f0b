"""What was ended stays ended: an older document of ours that is put back, with its proof, revives no right."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from server.crypto.keyring import make_keys
from server.crypto.passwords import Cost
from server.domain.errors import Unavailable
from server.domain.people.accounts import DeskSession
from server.domain.people.mandates import Mandate
from server.domain.people.persons import NoSuchSession, Officer, Session
from server.domain.people.posts import Post
from server.store.database import Database
from server.store.ends import AT_ONCE, ENDS, LASTING, SETTLED_SECONDS, SPANS, EndsBroken
from server.store.mongo import MongoDatabase
from server.store.numbered import entry_id
from server.store.people.accounts import OFFICERS, WrongPassword
from server.store.people.desk_sessions import DESK_SESSIONS
from server.store.people.mandates import MANDATES
from server.store.people.people import SESSIONS
from server.store.people.posts import POSTS
from server.store.store import Store, open_store
from tests.world import JIANGSU, MONDAY

CHEAP = Cost(rounds=1, memory_kib=64, lanes=1)
FIRST, SECOND = "the first password", "the second password"
TODAY = date(2026, 11, 23)
SOON = MONDAY + timedelta(hours=1)
KEYS = make_keys(JIANGSU)
SESSION = DeskSession(
    **{"id": "s1", "officer": "ann", "epoch": 1, "address": "::1", "ends_at": MONDAY + timedelta(hours=12)},
    **dict.fromkeys(("began_at", "seen_at", "proven_at"), MONDAY),
)
CITIZENS = Session(id="c1", platform_user="u", openid="o", person="k", stamp="x")
POST = Post(id="p1", officer="ann", authority="health/320102", role="handler")
MANDATE = Mandate(
    id="m1",
    **{"principal": "k", "principal_name": "甲**", "agent": "a", "agent_name": "乙", "bundles": ("newborn",)},
    **{"begins_on": TODAY, "ends_on": TODAY + timedelta(days=30)},
)


@dataclass(frozen=True)
class Right:
    """A right, the document that gives it, how it is given and ended, and whether it is granted."""

    collection: str
    id: str
    give: Callable[[Store], Awaitable[Any]]
    end: Callable[[Store], Awaitable[Any]]
    is_granted: Callable[[Store], Awaitable[bool]]


async def proves(store: Store) -> bool:
    try:
        await store.accounts.proven("ann", FIRST)
    except WrongPassword:
        return False
    return True


async def is_in_office(store: Store) -> bool:
    return not (await store.accounts.known("ann")).is_ended


async def may_decide(store: Store) -> bool:
    return bool(await store.posts.not_over("ann", on=TODAY)) or (await store.posts.post("p1")).ended_at is None


async def may_act(store: Store) -> bool:
    return (await store.mandates.mandate("m1")).revoked_at is None


async def is_signed_in(store: Store) -> bool:
    listed = await store.desk_sessions.of_officer("ann", at=MONDAY, limit=9)
    return bool(listed) or await store.desk_sessions.find("s1") is not None


async def is_logged_in(store: Store) -> bool:
    try:
        await store.people.session("c1", at=MONDAY)
        store.people.check_goes_on("c1")
    except NoSuchSession:
        return False
    return True


async def reset(store: Store) -> None:
    await store.accounts.set_password(await store.accounts.account("ann"), SECOND, is_one_time=True)


async def enter(store: Store) -> None:
    await store.accounts.add(Officer(name="ann"), FIRST, cost=CHEAP)


RIGHTS = {
    "an office": Right(
        OFFICERS, "officer:ann", enter, lambda store: store.accounts.end("ann", at=SOON), is_granted=is_in_office
    ),
    "a password": Right(OFFICERS, "officer:ann", enter, reset, is_granted=proves),
    "a post": Right(
        POSTS,
        "p1",
        lambda store: store.posts.add(POST),
        lambda store: store.posts.end("p1", at=SOON),
        is_granted=may_decide,
    ),
    "a mandate": Right(
        MANDATES,
        "m1",
        lambda store: store.mandates.add(MANDATE, at=MONDAY),
        lambda store: store.mandates.revoke("m1", at=SOON),
        is_granted=may_act,
    ),
    "a session": Right(
        DESK_SESSIONS,
        "s1",
        lambda store: store.desk_sessions.begin(SESSION),
        lambda store: store.desk_sessions.end(SESSION, at=SOON),
        is_granted=is_signed_in,
    ),
    "a citizen's session": Right(
        SESSIONS,
        "c1",
        lambda store: store.people.open_session(CITIZENS, expires_at=MONDAY + timedelta(days=30)),
        lambda store: store.people.end_session("c1", at=SOON, until=MONDAY + timedelta(days=31)),
        is_granted=is_logged_in,
    ),
}
each_right = pytest.mark.parametrize("right", RIGHTS.values(), ids=list(RIGHTS))


async def process(database: Database, folder: Path, *, incarnation: str = "one", at: datetime = SOON) -> Store:
    """A process of the node that has just started."""
    store = open_store(database, KEYS, folder, here=JIANGSU, relay_due_seconds=5.0)
    await store.ends.start(incarnation, at=at)
    return store


@pytest.fixture
async def store(database: MongoDatabase, tmp_path: Path) -> Store:
    return await process(database, tmp_path)


async def put_back(database: Database, collection: str, document: dict[str, Any]) -> None:
    await database.delete(collection, [document["_id"]])
    await database.insert(collection, document)


async def cut(database: Database, log: str, *numbers: int) -> None:
    await database.delete(ENDS, [entry_id(log, number) for number in numbers])


async def end_posts(store: Store, *ids: str) -> None:
    for id in ids:
        await store.ends.end(POSTS, id, at=SOON)


@each_right
async def test_an_older_document_put_back_revives_nobody_in_any_process(
    store: Store, database: MongoDatabase, tmp_path: Path, right: Right
) -> None:
    other = await process(database, tmp_path)
    await right.give(store)
    assert await right.is_granted(store)
    before = await database.get(right.collection, right.id)
    assert before is not None
    await right.end(store)
    await put_back(database, right.collection, before)
    assert not await right.is_granted(store)
    await other.ends.follow(SOON)
    assert not await right.is_granted(other)
    assert not await right.is_granted(await process(database, tmp_path))


@each_right
async def test_an_end_that_is_cut_off_before_its_document_is_changed_counts_and_can_be_finished(
    store: Store, database: MongoDatabase, monkeypatch: pytest.MonkeyPatch, right: Right
) -> None:
    async def fail(*_: Any, **__: Any) -> bool:
        raise Unavailable

    await right.give(store)
    before = await database.get(right.collection, right.id)
    with monkeypatch.context() as patch:
        patch.setattr(store.database, "replace", fail)
        patch.setattr(store.database, "delete", fail)
        with pytest.raises(Unavailable):
            await right.end(store)
    assert await database.get(right.collection, right.id) == before
    assert not await right.is_granted(store)
    await right.end(store)
    assert await database.get(right.collection, right.id) != before
    assert not await right.is_granted(store)


async def test_what_has_ended_keeps_its_first_moment(store: Store, database: MongoDatabase, tmp_path: Path) -> None:
    first = await store.ends.end(POSTS, "p1", at=SOON)
    assert await store.ends.end(POSTS, "p1", at=SOON + timedelta(hours=1)) == first
    assert first.moment == SOON
    assert (await process(database, tmp_path)).ends.of(POSTS, "p1") == first


async def test_a_reset_makes_an_account_good_again_whose_older_document_was_put_back(
    store: Store, database: MongoDatabase
) -> None:
    await enter(store)
    before = await database.get(OFFICERS, "officer:ann")
    assert before is not None
    await reset(store)
    await put_back(database, OFFICERS, before)
    with pytest.raises(WrongPassword):
        await store.accounts.proven("ann", SECOND)
    third = "the third password"
    after = await store.accounts.set_password(await store.accounts.account("ann"), third, is_one_time=False)
    assert await store.accounts.proven("ann", third) == after
    assert not await proves(store)


async def test_no_session_from_before_a_reset_goes_on_with_an_account_put_back(
    store: Store, database: MongoDatabase
) -> None:
    await enter(store)
    before = await database.get(OFFICERS, "officer:ann")
    assert before is not None
    await reset(store)
    epoch = (await store.accounts.account("ann")).epoch
    await put_back(database, OFFICERS, before)
    assert (await store.accounts.account("ann")).epoch >= epoch > before["epoch"]


async def test_an_ended_administrator_who_is_put_back_holds_no_office(store: Store, database: MongoDatabase) -> None:
    await store.accounts.add(Officer(name="sam", role="security"), FIRST, cost=CHEAP)
    before = await database.get(OFFICERS, "officer:sam")
    assert before is not None
    assert await store.accounts.has_security_administrator()
    await store.accounts.end("sam", at=SOON)
    await put_back(database, OFFICERS, before)
    assert not await store.accounts.has_security_administrator()


async def test_operators_learn_of_what_was_put_back_and_not_of_what_is_being_ended(
    store: Store, database: MongoDatabase
) -> None:
    told: list[tuple[str, str]] = []
    store.ends.tell_older = lambda *place: told.append(place)
    seconds = 0.0
    store.ends.now = lambda: seconds
    await store.posts.add(POST)
    before = await database.get(POSTS, "p1")
    assert before is not None
    await store.posts.end("p1", at=SOON)
    await put_back(database, POSTS, before)
    assert not await may_decide(store)
    assert told == []
    seconds = SETTLED_SECONDS
    assert not await may_decide(store)
    assert set(told) == {(POSTS, "p1")}


@pytest.mark.parametrize("log", [LASTING, *SPANS])
async def test_a_log_whose_end_was_cut_off_is_refused_until_the_database_is_adopted(
    store: Store, database: MongoDatabase, tmp_path: Path, log: str
) -> None:
    until = SOON + SPANS[log] if log in SPANS else None
    for id in ("p1", "p2", "p3"):
        await store.ends.end(POSTS, id, at=SOON, until=until)
    await store.ends.follow(SOON, process="work")
    await cut(database, log, 3)
    with pytest.raises(EndsBroken, match="ends with entry 2, and there was an entry 3"):
        await process(database, tmp_path)
    adopted = await process(database, tmp_path, incarnation="two")
    assert adopted.ends.of(POSTS, "p2")
    assert adopted.ends.of(POSTS, "p3") is None


async def test_a_log_that_went_on_after_it_was_cut_is_another_one(
    store: Store, database: MongoDatabase, tmp_path: Path
) -> None:
    await end_posts(store, "p1", "p2")
    await store.ends.follow(SOON, process="work")
    await cut(database, LASTING, 2)
    await end_posts(await process(database, tmp_path, incarnation="two"), "p3")
    with pytest.raises(EndsBroken, match="entry 2 is another than there was"):
        await process(database, tmp_path)


@pytest.mark.parametrize("number", [1, 2])
async def test_an_entry_that_is_missing_or_altered_is_told(
    store: Store, database: MongoDatabase, tmp_path: Path, number: int
) -> None:
    await end_posts(store, "p1", "p2", "p3")
    await store.ends.follow(SOON, process="work")
    entry = await database.get(ENDS, entry_id(LASTING, number))
    assert entry is not None
    await put_back(database, ENDS, entry | {"of": "posts/p9"})
    with pytest.raises(EndsBroken, match=f"entry {number} is not there as it was written"):
        await process(database, tmp_path)
    await cut(database, LASTING, number)
    with pytest.raises(EndsBroken, match=f"entry {number} is not there as it was written"):
        await process(database, tmp_path)


async def test_a_process_that_follows_notices_a_cut_and_forgets_nothing(store: Store, database: MongoDatabase) -> None:
    await end_posts(store, "p1", "p2")
    await cut(database, LASTING, 2)
    with pytest.raises(EndsBroken, match="entry 2 is gone"):
        await store.ends.follow(SOON)
    assert store.ends.of(POSTS, "p2")


async def test_a_process_does_not_follow_an_entry_that_this_node_did_not_write(
    store: Store, database: MongoDatabase
) -> None:
    await end_posts(store, "p1")
    await database.insert(ENDS, {"_id": entry_id(LASTING, 2), "of": "posts/p2", "number": 2})
    with pytest.raises(EndsBroken):
        await store.ends.follow(SOON)
    with pytest.raises(EndsBroken):
        await end_posts(store, "p3")
    assert store.ends.of(POSTS, "p3") is None


async def test_what_could_be_read_before_a_broken_entry_counts(
    store: Store, database: MongoDatabase, tmp_path: Path
) -> None:
    other = await process(database, tmp_path)
    await end_posts(store, "p1", "p2", "p3")
    await cut(database, LASTING, 3)
    await database.insert(ENDS, {"_id": entry_id(LASTING, 3), "of": "posts/p3", "number": 3})
    with pytest.raises(EndsBroken, match="entry 3 is not there as it was written"):
        await other.ends.follow(SOON)
    assert other.ends.of(POSTS, "p2")
    assert other.ends.of(POSTS, "p3") is None


async def test_processes_that_end_at_once_make_one_log(store: Store, database: MongoDatabase, tmp_path: Path) -> None:
    other = await process(database, tmp_path)
    here, there = [f"h{n}" for n in range(20)], [f"t{n}" for n in range(20)]
    await asyncio.gather(end_posts(store, *here), end_posts(other, *there))
    late = await process(database, tmp_path)
    for each in (store, other):
        await each.ends.follow(SOON)
    for each in (store, other, late):
        assert all(each.ends.of(POSTS, id) for id in (*here, *there))


async def test_a_long_log_is_read_whole_and_followed_far(store: Store, database: MongoDatabase, tmp_path: Path) -> None:
    other = await process(database, tmp_path)
    ids = [f"p{number}" for number in range(AT_ONCE + 2)]
    await end_posts(store, *ids)
    await other.ends.follow(SOON)
    for each in (other, await process(database, tmp_path)):
        assert all(each.ends.of(POSTS, id) for id in ids)


async def test_what_is_over_by_itself_is_forgotten_and_read_no_more(
    store: Store, database: MongoDatabase, tmp_path: Path
) -> None:
    await store.desk_sessions.end(SESSION, at=SOON)
    await store.people.end_session("c1", at=SOON, until=MONDAY + timedelta(days=31))
    await store.mandates.add(MANDATE, at=MONDAY)
    await store.mandates.revoke("m1", at=SOON)
    late = MONDAY + timedelta(days=40)
    assert store.ends.of(DESK_SESSIONS, "s1")
    assert store.ends.of(MANDATES, "m1")
    assert store.ends.of(SESSIONS, "c1")
    await store.ends.follow(late)
    for each in (store, await process(database, tmp_path, at=late)):
        assert each.ends.of(DESK_SESSIONS, "s1") is None
        assert each.ends.of(MANDATES, "m1") is None
        assert each.ends.of(SESSIONS, "c1") is None


@pytest.mark.parametrize("days", [1, 30, 60])
async def test_a_start_knows_what_would_not_be_over_yet(
    store: Store, database: MongoDatabase, tmp_path: Path, days: int
) -> None:
    over = SOON + timedelta(days=days)
    await store.ends.end(SESSIONS, "c1", at=SOON, until=over)
    for at in (SOON, over - timedelta(minutes=1)):
        assert (await process(database, tmp_path, at=at)).ends.of(SESSIONS, "c1")
