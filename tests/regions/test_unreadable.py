"""A document that does not open is set apart by its id, in each queue, and holds up its own case only."""

from collections.abc import Callable
from typing import Any

import pytest

from regions import apart, fetching, outbox, settling, standing
from server.desk.background import clockwork, notifying, reminding
from server.desk.citizen import drafts
from server.domain.audit import Doer
from server.domain.exchange.log import Position
from server.node import Node
from tests.http.peer_questions import far_case, picture
from tests.nodes import HandClock, Places
from tests.regions.exchanging import Sweeper, node_of, peer_of, send, write
from tests.regions.test_set_apart import FAR, FIRST, decided, events, opened, sent_abroad, swept
from tests.world import JIANGSU, ZHEJIANG

Break = Callable[..., None]


@pytest.fixture
def relays_at_once() -> bool:
    return False


@pytest.fixture
def damage(database_sweeper: Sweeper) -> Break:
    """Change a document behind the node's back."""

    def change(node: Node, collection: str, id: str, **fields: Any) -> None:
        found = database_sweeper[node.settings.database][collection].update_one({"_id": id}, {"$set": fields})
        assert found.modified_count == 1

    return change


async def rows(node: Node) -> list[tuple[str, str]]:
    return [(row.id, row.fault) for row in await apart.listed(node, limit=9)]


async def test_a_kept_letter(places: Places, clock: HandClock, damage: Break) -> None:
    cases = await sent_abroad(places, clock, 2)
    node = node_of(places, ZHEJIANG)
    while await settling.unpack(node, JIANGSU):
        pass
    ids = {str(each.letter.case): each.id for each in await node.store.letters_in.listed("waiting", limit=9)}
    broken = ids[f"{JIANGSU}/{cases[0]}"]
    damage(node, "letters_in", broken, text="AAAA")
    assert not await settling.settle(node)
    assert await events(node, cases) == [0, 1]
    assert await rows(node) == [(f"letter:{broken}", "NotAuthentic")]
    assert await node.store.letters_in.may_wait(f"case:{JIANGSU}/{cases[0]}"), "an answer in it may still come"
    row = await apart.drop(node, f"letter:{broken}", by=Doer(name="test"), reason="the backup has no other copy")
    assert row.state == "dropped"
    await send(node)
    home = node_of(places)
    while await settling.unpack(home, ZHEJIANG):
        pass
    await settling.settle(home)
    (dead,) = await home.store.letters_out.dead(limit=9)
    assert (dead.letter.unique_id, dead.reason) == (broken, "dropped")


async def test_the_case_that_a_letter_is_about(places: Places, clock: HandClock, damage: Break) -> None:
    cases = await sent_abroad(places, clock, 2)
    node, home = node_of(places, ZHEJIANG), node_of(places)
    for work in (settling.unpack(node, JIANGSU), settling.settle(node)):
        await work
    clock.wait(seconds=10)
    await swept(node)
    officer = await places.officer("public_security", ZHEJIANG)
    for case in cases:
        assert (await officer.post(f"/desk/v1/cases/{JIANGSU}:{case}/steps/{FAR}/receive")).status == 200
    clock.wait(seconds=10)
    await swept(node)
    await send(node)
    damage(home, "cases", cases[0], state="AAAA")
    for work in (settling.unpack(home, ZHEJIANG), settling.settle(home)):
        await work
    [(id, fault)] = await rows(home)
    assert (id.partition(":")[0], fault) == ("letter", "NotAuthentic")
    assert (await home.store.cases.case(cases[1])).case.steps[FAR].state == "received"
    assert len(await home.store.letters_in.listed("waiting", limit=9)) == 1


async def test_a_case_with_effects_to_carry(places: Places, clock: HandClock, damage: Break) -> None:
    cases = await decided(places, 2)
    node = node_of(places)
    committed_at = (await node.store.cases.case(cases[0])).events[0].at
    damage(node, "cases", cases[0], state="AAAA")
    clock.wait(seconds=10)
    await swept(node)
    assert (await node.store.cases.case(cases[1])).document["relay"] == "done"
    assert await rows(node) == [(f"effects:{cases[0]}", "NotAuthentic")]
    assert await node.store.cases.oldest_relay() == committed_at, "no promise beyond letters that are not written yet"
    await send(node)
    (entry,) = await node.store.log("out", ZHEJIANG).following(Position(1, 0), limit=9)
    assert entry.batch.complete_to < committed_at


async def test_a_case_with_an_alarm(places: Places, clock: HandClock, damage: Break) -> None:
    cases = await opened(places, 2)
    clock.wait(seconds=10)
    node = node_of(places)
    await swept(node)
    damage(node, "cases", cases[0], state="AAAA")
    clock.to(12, 1)
    while await clockwork.tick(node):
        pass
    assert await rows(node) == [(f"alarm:{cases[0]}", "NotAuthentic")]
    assert (await node.store.cases.case(cases[1])).case.steps[FIRST].state == "accepted"


async def test_a_notice(places: Places, clock: HandClock, damage: Break) -> None:
    await decided(places, 2)
    clock.wait(seconds=10)
    node = node_of(places)
    await swept(node)
    first, *_ = await node.store.notices.due(clock.now(), limit=9)
    damage(node, "notices", first.notice.id, template=7)
    while await notifying.notify(node):
        pass
    assert await rows(node) == [(f"notice:{first.notice.id}", "NotAuthentic")]
    assert await node.store.notices.due(clock.now(), limit=9) == []
    row = await apart.drop(node, f"notice:{first.notice.id}", by=Doer(name="test"), reason="nobody can read it")
    assert row.state == "dropped"


async def test_a_rung_that_somebody_left(places: Places, clock: HandClock, damage: Break) -> None:
    cases = await opened(places, 2)
    clock.wait(seconds=10)
    node = node_of(places)
    await swept(node)
    clock.to(12, 1)
    ids = []
    for case in cases:
        record = await node.store.cases.case(case)
        passed = [checkpoint for checkpoint in clockwork._passed(node, record) if checkpoint.name == "deem"]
        kept = await node.store.checkpoints.claim(case, passed[0], until=clock.now())
        assert kept
        ids.append(kept.id)
    damage(node, "rungs", ids[0], rung={})
    clock.wait(minutes=2)
    while await clockwork.tick(node):
        pass
    # Whether the day was seen to cannot be known either, so that the case's alarm is set apart beside it.
    assert sorted(await rows(node)) == [(f"alarm:{cases[0]}", "NotAuthentic"), (f"rung:{ids[0]}", "NotAuthentic")]
    assert (await node.store.cases.case(cases[1])).case.steps[FIRST].state == "accepted"


async def test_a_content_to_fetch(places: Places, damage: Break) -> None:
    mother = await places.citizen()
    cases = [await far_case(places, mother, picture(2000, code)) for code in ("one", "two")]
    node = node_of(places, ZHEJIANG)
    broken, _ = await node.store.fetches.of_step(f"{JIANGSU}:{cases[0]}", FAR)
    damage(node, "fetches", broken.id, content="AAAA")
    while await fetching.fetch(node, JIANGSU):
        pass
    assert await rows(node) == [(f"fetch:{broken.id}", "NotAuthentic")]
    assert (await node.store.cases.case(f"{JIANGSU}:{cases[1]}")).case.steps[FAR].arrived_at


async def test_a_draft_that_expires_soon(places: Places, clock: HandClock, damage: Break) -> None:
    node = node_of(places)
    wish = {"bundle": "newborn", "division": JIANGSU, "answers": {}, "form": {}, "materials": []}
    for code in ("mother", "stranger"):
        assert (await (await places.citizen(code)).call("PUT", "/api/v1/drafts/mine", json=wish)).status == 200
    clock.wait(days=node.settings.draft_days - 1)
    broken, _ = await drafts.expiring(node)
    damage(node, "drafts", f"{broken.owner}:{broken.id}", text="AAAA")
    await reminding.remind_of_drafts(node)
    assert await rows(node) == [(f"draft:{broken.owner}:{broken.id}", "NotAuthentic")]
    assert len(await node.store.notices.due(clock.now(), limit=9)) == 1


async def test_a_letter_of_ours_that_stands_in_no_batch_yet(places: Places, clock: HandClock, damage: Break) -> None:
    node = node_of(places)
    broken, good = await write(node, "broken"), await write(node, "good")
    damage(node, "letters_out", broken.id, text="AAAA")
    await send(node)
    (entry,) = await node.store.log("out", ZHEJIANG).following(Position(1, 0), limit=9)
    assert list(entry.letters) == [good.id]
    assert entry.batch.complete_to < broken.at, "no promise beyond a letter that is left out"
    assert await rows(node) == [(f"letter_out:{broken.id}", "NotAuthentic")]
    assert not await outbox.deliver(node, peer_of(node))


async def test_a_letter_of_ours_in_the_batch_under_way(places: Places, damage: Break) -> None:
    node = node_of(places)
    letter = await write(node)
    log = node.store.log("out", ZHEJIANG)
    assert await outbox._append(node, ZHEJIANG, await log.head(0), may_be_empty=False)
    damage(node, "letters_out", letter.id, text="AAAA")
    assert not await outbox.deliver(node, peer_of(node))
    (one,) = await standing.standings(node)
    assert (one.peer, one.reason, one.failures) == (ZHEJIANG, "letter_unreadable", 1)


async def test_a_batch_of_a_peer(places: Places, clock: HandClock, damage: Break) -> None:
    cases = await sent_abroad(places, clock, 1)
    node, home = node_of(places, ZHEJIANG), node_of(places)
    id = node.store.log("in", JIANGSU).id_of(Position(1, 1))
    (entry,) = await node.store.log("in", JIANGSU).following(Position(1, 0), limit=9)
    await write(home)
    await send(home)
    damage(node, "log", id, batch={})
    while await settling.unpack(node, JIANGSU):
        pass
    inbound = await node.store.peers.inbound(JIANGSU)
    assert (inbound.spread, inbound.is_broken) == (Position(1, 2), 1)
    assert await rows(node) == [(f"batch:{JIANGSU}:1:1", "NotAuthentic")]
    assert await node.store.apart.has_open("batch", f"{JIANGSU}:"), "no deadline takes effect by this peer's word"
    damage(node, "log", id, batch=entry.batch.model_dump(mode="json", by_alias=True))
    await apart.retry(node, f"batch:{JIANGSU}:1:1", by=Doer(name="test"), reason="put back from a backup")
    while await settling.settle(node):
        pass
    assert await events(node, cases) == [1]
    clock.wait(hours=2)
    await apart.release_due(node)
    assert not await node.store.apart.has_open("batch", f"{JIANGSU}:")


async def test_a_letter_of_a_batch_whose_id_was_kept_before_with_bytes_that_do_not_open(
    places: Places, clock: HandClock, damage: Break
) -> None:
    cases = await sent_abroad(places, clock, 2)
    node = node_of(places, ZHEJIANG)
    while await settling.unpack(node, JIANGSU):
        pass
    ids = {str(each.letter.case): each.id for each in await node.store.letters_in.listed("waiting", limit=9)}
    damage(node, "letters_in", ids[f"{JIANGSU}/{cases[0]}"], text="AAAA")
    await node.store.peers.keep_inbound(JIANGSU, spread=Position(1, 0))
    while await settling.unpack(node, JIANGSU):
        pass
    [(id, fault)] = await rows(node)
    assert (id.rpartition(":")[0], fault) == (f"batch:{JIANGSU}:1:1", "NotAuthentic")
    await settling.settle(node)
    assert await events(node, cases) == [0, 1]
