"""Heads of cases: what was put back, removed or never logged is named, and a running node raises no alarm."""

from typing import Any

import pytest

from server.desk import relay
from server.desk.background.case_verifying import CaseVerification, CaseWatch, verify_cases
from server.desk.background.chaining import AT_ONCE, chain
from server.desk.background.verifying import silent
from server.domain.aggregate.heads import HistoryHead
from server.domain.apart import Found
from server.node import Node
from tests.http.asking import Sweeper, opened
from tests.http.conftest import module_wide
from tests.http.heads import chained
from tests.nodes import Caller, HandClock, Places, newborn_wish

pytestmark = pytest.mark.asyncio(loop_scope="module")
STEP = "birth_certificate"
Documents = Any


@module_wide
async def places(alone: Places) -> Places:
    return alone


@pytest.fixture
def cases(node: Node, database_sweeper: Sweeper) -> Documents:
    """The cases as they lie in the database."""
    return database_sweeper[node.settings.database]["cases"]


async def at_home(citizen: Caller) -> dict[str, Any]:
    """An application whose every step is decided in Jiangsu."""
    wish = await newborn_wish(citizen)
    return {**wish, "answers": {**wish["answers"], "household": "320102"}}


async def moved(places: Places, node: Node) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A case that was opened and received, and its document after each; its heads are chained."""
    mother = await places.citizen()
    case = await opened(places, mother, await at_home(mother))
    first = await node.store.database.bare.get("cases", case)
    officer = await places.officer("health")
    assert (await officer.post(f"/desk/v1/cases/{case}/steps/{STEP}/receive")).status == 200
    await places.settle()
    second = await node.store.database.bare.get("cases", case)
    assert first
    assert second
    await chained(node)
    return case, first, second


async def about(node: Node, case: str) -> list[str]:
    """What is wrong with a case, as the whole verification and that of this case alone tell."""
    alone, whole = [await verify_cases(node, only=only, tell=silent) for only in (case, "")]
    assert [each.trouble for each in whole.findings if each.place == case] == troubles(alone)
    return troubles(alone)


def troubles(found: CaseVerification) -> list[str]:
    assert found.troubles == len(found.findings)
    return [each.trouble for each in found.findings]


async def watched(node: Node) -> list[str]:
    """What `work` finds by itself, in one round over the chain: the things that it sets apart."""
    watch = CaseWatch(node)
    while not watch.rounds:
        await watch.look()
    found: Found[Any] = await node.store.apart.open(limit=100)
    return [row.thing for row in found if row.kind == "stored"]


async def test_a_case_that_goes_its_way_raises_no_alarm(places: Places, node: Node):
    case, _, _ = await moved(places, node)
    assert await about(node, case) == []
    assert f"cases/{case}" not in await watched(node)
    officer = await places.officer("health")
    assert (await officer.post(f"/desk/v1/cases/{case}/steps/{STEP}/accept")).status == 200
    assert await about(node, case) == [], "it has gone on, and its new head is not chained yet"


async def test_what_was_relayed_twice_and_logged_twice_raises_no_alarm(places: Places, node: Node):
    case, _, _ = await moved(places, node)
    record = await node.store.cases.case(case)
    for _ in range(2):
        await node.store.heads.put([record.head], at=node.clock.now())
        await chained(node)
    assert await about(node, case) == []


async def test_what_moves_during_a_long_verification_raises_no_alarm(places: Places, node: Node, clock: HandClock):
    case, _, _ = await moved(places, node)
    officer = await places.officer("health")
    assert (await officer.post(f"/desk/v1/cases/{case}/steps/{STEP}/accept")).status == 200
    found = await verify_cases(node, tell=lambda _what, _number: clock.wait(minutes=2))
    assert case not in [each.place for each in found.findings]


async def test_an_older_case_put_back_is_named_and_found_by_work_itself(places: Places, node: Node, cases: Documents):
    case, first, second = await moved(places, node)
    cases.replace_one({"_id": case}, first)
    assert await about(node, case) == ["rolled_back"]
    assert f"cases/{case}" in await watched(node)
    cases.replace_one({"_id": case}, second)
    assert await about(node, case) == []


async def test_a_case_that_was_removed_is_named(places: Places, node: Node, cases: Documents):
    case, _, second = await moved(places, node)
    cases.delete_one({"_id": case})
    assert await about(node, case) == ["removed"]
    assert f"cases/{case}" in await watched(node)
    cases.insert_one(second)


async def test_a_case_that_was_altered_is_named(places: Places, node: Node, cases: Documents):
    case, _, second = await moved(places, node)
    cases.update_one({"_id": case}, {"$set": {"owner_key": "a stranger's"}})
    assert await about(node, case) == ["altered"]
    cases.replace_one({"_id": case}, second)


async def test_a_document_that_somebody_made_up_is_named_and_hides_no_other(
    places: Places, node: Node, cases: Documents
):
    mother = await places.citizen()
    case = await opened(places, mother, await at_home(mother))
    place = (await node.store.database.bare.get("cases", case) or {})["owner_key"]
    madeup = {"_id": "madeup", "event_key": "t2026-01-01T00:00:00.000Z", "agent_key": place}
    for more in ({}, {"version": "1"}, {"version": 1}):
        cases.replace_one({"_id": "madeup"}, {**madeup, **more}, upsert=True)
        found = await verify_cases(node, tell=silent)
        assert [each.trouble for each in found.findings if each.place == "madeup"] == ["unlogged"]
        listed = await mother.get("/api/v1/cases")
        ids = [each["id"] for each in listed.body["cases"]]
        assert (listed.status, case in ids, "madeup" in ids) == (200, True, False)
    cases.delete_one({"_id": "madeup"})


async def test_a_case_of_which_no_head_was_logged_is_named_after_a_minute(
    places: Places, node: Node, cases: Documents, clock: HandClock, database_sweeper: Sweeper
):
    mother = await places.citizen()
    case = await opened(places, mother, await at_home(mother))
    database_sweeper[node.settings.database]["heads"].delete_many({})
    found = await verify_cases(node, tell=silent)
    assert case not in [each.place for each in found.findings], "its head may still be on its way"
    clock.wait(minutes=2)
    found = await verify_cases(node, tell=silent)
    assert [each.trouble for each in found.findings if each.place == case] == ["unlogged"]
    record = await node.store.cases.case(case)
    await node.store.heads.put([record.head], at=clock.now())
    await chained(node)
    assert await about(node, case) == []


async def test_what_a_crash_left_between_commit_and_log_is_swept(
    places: Places, node: Node, cases: Documents, database_sweeper: Sweeper
):
    """The head travels like every effect: until it was put, the case waits for the sweep."""
    mother = await places.citizen()
    case = await opened(places, mother, await at_home(mother))
    heads = database_sweeper[node.settings.database]["heads"]
    heads.delete_many({})
    cases.update_one({"_id": case}, {"$set": {"relayed": 0, "relay": "t2026-01-01T00:00:00.000Z"}})
    assert heads.count_documents({}) == 0
    await relay.sweep(node)
    assert [each["_id"].partition("|")[0] for each in heads.find()] == [case]
    await chained(node)
    assert await about(node, case) == []


async def test_a_chain_whose_tail_was_cut_is_told_by_the_files_outside(
    places: Places, node: Node, database_sweeper: Sweeper
):
    await moved(places, node)
    links = database_sweeper[node.settings.database]["head_chain"]
    last = max(links.find({"number": {"$gt": 0}}), key=lambda link: link["number"])
    links.delete_one({"_id": last["_id"]})
    found = await verify_cases(node, tell=silent)
    assert "cut" in troubles_of(found)
    assert "cases/heads" in await watched(node)
    links.insert_one(last)
    assert "cut" not in troubles_of(await verify_cases(node, tell=silent))


async def test_a_link_that_was_altered_or_inserted_is_named(places: Places, node: Node, database_sweeper: Sweeper):
    await moved(places, node)
    links = database_sweeper[node.settings.database]["head_chain"]
    first = min(links.find({"number": {"$gt": 0}}), key=lambda link: link["number"])
    links.update_one({"_id": first["_id"]}, {"$set": {"entries": []}})
    assert "chain" in troubles_of(await verify_cases(node, tell=silent))
    links.replace_one({"_id": first["_id"]}, first)
    assert "chain" not in troubles_of(await verify_cases(node, tell=silent))


def troubles_of(found: CaseVerification) -> set[str]:
    return {each.trouble for each in found.findings}


async def test_a_head_that_was_forged_is_not_chained_and_holds_up_no_other(
    places: Places, node: Node, database_sweeper: Sweeper
):
    waiting = database_sweeper[node.settings.database]["heads"]
    waiting.insert_one({"_id": "none|9", "link": "forged", "chain": "unchained|t2026-01-01T00:00:00.000Z|none|9"})
    case, _, _ = await moved(places, node)
    assert await about(node, case) == []
    assert "none" not in [each.place for each in (await verify_cases(node, tell=silent)).findings]


async def test_many_heads_go_in_links_of_a_bounded_length(node: Node):
    heads = [HistoryHead(f"many{number}", 1, "link") for number in range(AT_ONCE["heads"] + 1)]
    await node.store.heads.put(heads, at=node.clock.now())
    assert await chain(node, "heads")
    assert not await chain(node, "heads")
