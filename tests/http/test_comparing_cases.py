"""Reconciling compares what is settled with the cases, at both nodes: what was written by hand there is named."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from regions import reconcile
from regions.case_comparing import _came_too_late, compare_cases
from server.desk.background import erasing
from server.domain.audit import Doer
from server.domain.exchange.log import BEGINNING, Position
from server.domain.exchange.reconciliation import Direction, Reconciliation
from server.node import Node
from tests.http.asking import Sweeper, act, crossed, opened
from tests.nodes import Caller, Places
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
FAR = "household_registration"
PEERS = {JIANGSU: ZHEJIANG, ZHEJIANG: JIANGSU}


@pytest_asyncio.fixture(loop_scope="module")
async def case(places: Places, mother: Caller, wish: dict[str, Any]) -> AsyncIterator[str]:
    """A case with letters both ways; in the end the pair is clean again."""
    case = await crossed(places, mother, wish)
    police = await places.officer("public_security", ZHEJIANG)
    assert (await police.post(act(f"{JIANGSU}:{case}", FAR, "receive"))).status == 200
    await places.settle()
    assert await differ(places) == []
    yield case
    assert await differ(places) == []


async def reconciled(places: Places, division: str) -> Reconciliation:
    node = places.nodes[division].node
    peer = node.directory.entry(PEERS[division])
    assert peer
    return await reconcile.reconcile(node, peer)


async def differ(places: Places) -> list[tuple[str, Direction, str]]:
    """What both nodes find to differ: where, which way, and the last words."""
    found = [(each, await reconciled(places, each)) for each in PEERS]
    return [
        (division, each.way, " ".join(each.words.split()[-5:]))
        for division, one in found
        for each in one.differences
        if each.kind == "case_differs"
    ]


def in_database(places: Places, sweeper: Sweeper, division: str) -> Any:
    return sweeper[places.nodes[division].node.settings.database]


async def test_what_goes_its_way_is_no_difference_and_compared_once(places: Places, case: str):
    for division in PEERS:
        found = await reconciled(places, division)
        assert found.is_clean
        node = places.nodes[division].node
        out, into = (await node.store.peers.states([PEERS[division]]))[PEERS[division]]
        assert found.compared_to == {"out": out.acknowledged, "in": into.spread}
        assert min(found.compared_to.values()) > BEGINNING


async def test_a_request_that_counts_as_settled_and_never_moved_a_case_is_named_on_both_sides(
    places: Places, case: str, mother: Caller, wish: dict[str, Any], database_sweeper: Sweeper
):
    """The letter's mark is no part of its proof: so a case could be lost without a word."""
    letters = in_database(places, database_sweeper, ZHEJIANG)["letters_in"]
    request = letters.find_one({"kind": "step.requested", "about": f"case:{JIANGSU}/{case}"})
    cases = in_database(places, database_sweeper, ZHEJIANG)["cases"]
    was = cases.find_one({"_id": f"{JIANGSU}:{case}"})
    cases.delete_one({"_id": was["_id"]})
    assert request["state"] == "settled"
    assert await differ(places) == []  # it was compared when it was done; `cases verify` tells what went later
    await forget(places)
    named = await differ(places)
    assert (ZHEJIANG, "in", f"{JIANGSU}/{case}, which is not there") in named
    told = [each.kind for each in (await reconciled(places, JIANGSU)).differences]
    assert "case_differs_there" in told, "the other side tells what it found"
    cases.insert_one(was)


async def forget(places: Places) -> None:
    """Both nodes compare from the beginning again."""
    for division, peer in PEERS.items():
        node = places.nodes[division].node
        nothing = Reconciliation(peer=peer, at=node.clock.now(), compared=())
        await node.store.peers.keep_reconciled(peer, nothing)


async def test_a_letter_that_was_marked_as_settled_by_hand_is_named(
    places: Places, case: str, database_sweeper: Sweeper
):
    node = places.nodes[JIANGSU].node
    letters = in_database(places, database_sweeper, JIANGSU)["letters_in"]
    cases = in_database(places, database_sweeper, JIANGSU)["cases"]
    older = cases.find_one({"_id": case})
    police = await places.officer("public_security", ZHEJIANG)
    assert (await police.post(act(f"{JIANGSU}:{case}", FAR, "accept"))).status == 200
    await places.settle()
    newer = cases.find_one({"_id": case})
    cases.replace_one({"_id": case}, older)  # as if the letter had been marked and never settled
    assert await differ(places) == [(JIANGSU, "in", "has no event of it")]
    assert letters.find_one({"about": f"case:{JIANGSU}/{case}", "kind": "step.accepted"})["state"] == "settled"
    assert (await differ(places))[0][0] == node.here, "it is named until it is put right"
    cases.replace_one({"_id": case}, newer)


async def test_a_letter_of_ours_that_no_event_has_said_is_named(places: Places, case: str, database_sweeper: Sweeper):
    cases = in_database(places, database_sweeper, ZHEJIANG)["cases"]
    older = cases.find_one({"_id": f"{JIANGSU}:{case}"})
    police = await places.officer("public_security", ZHEJIANG)
    assert (await police.post(act(f"{JIANGSU}:{case}", FAR, "accept"))).status == 200
    await places.settle()
    newer = cases.find_one({"_id": older["_id"]})
    cases.replace_one({"_id": older["_id"]}, older)
    assert await differ(places) == [(ZHEJIANG, "out", f"the case {JIANGSU}/{case} has not")]
    cases.replace_one({"_id": older["_id"]}, newer)


@pytest.mark.parametrize("collection", ["letters_in", "letters_out"])
async def test_a_letter_that_was_removed_or_altered_is_named(
    places: Places, case: str, database_sweeper: Sweeper, collection: str
):
    await forget(places)
    letters = in_database(places, database_sweeper, JIANGSU)[collection]
    was = letters.find_one({"about": f"case:{JIANGSU}/{case}"})
    way = "in" if collection == "letters_in" else "out"
    letters.delete_one({"_id": was["_id"]})
    assert [(where, which) for where, which, _ in await differ(places)] == [(JIANGSU, way)]
    letters.insert_one({**was, "text": "other"})
    assert await differ(places) == [(JIANGSU, way, "as this node wrote it")]
    letters.replace_one({"_id": was["_id"]}, was)


async def test_a_letter_that_counts_as_annulled_by_hand_is_named(places: Places, case: str, database_sweeper: Sweeper):
    await forget(places)
    letters = in_database(places, database_sweeper, JIANGSU)["letters_in"]
    was = letters.find_one({"about": f"case:{JIANGSU}/{case}"})
    letters.update_one({"_id": was["_id"]}, {"$set": {"state": "annulled"}})
    assert await differ(places) == [(JIANGSU, "in", "its sender never said so")]
    letters.replace_one({"_id": was["_id"]}, was)


async def test_what_is_not_done_with_is_compared_again_and_is_no_difference(
    places: Places, case: str, database_sweeper: Sweeper
):
    node = places.nodes[JIANGSU].node
    letters = in_database(places, database_sweeper, JIANGSU)["letters_in"]
    was = letters.find_one({"about": f"case:{JIANGSU}/{case}"})
    letters.update_one({"_id": was["_id"]}, {"$set": {"state": "attention"}})
    done = await compare_cases(node, ZHEJIANG, "in", after=BEGINNING)
    assert done.differences == []
    assert (done.compared_to.stream, done.compared_to.number) < (was["stream"], was["number"])
    letters.replace_one({"_id": was["_id"]}, was)


async def test_what_came_after_the_step_had_ended_is_no_difference(places: Places, case: str, mother: Caller):
    """The withdrawal crosses the decision: the decider has nothing to do, and says nothing."""
    far = f"{JIANGSU}:{case}"
    police = await places.officer("public_security", ZHEJIANG)
    for done in ("accept", "approve"):
        assert (await police.post(act(far, FAR, done))).status == 200
    assert (await mother.post(f"/api/v1/cases/{case}/withdrawal")).status == 200
    await places.settle()
    assert await differ(places) == []


async def test_an_erased_case_is_no_difference(places: Places, mother: Caller, wish: dict[str, Any]):
    case = await opened(places, mother, wish)
    await places.settle()
    assert (await mother.post(f"/api/v1/cases/{case}/withdrawal")).status == 200
    await places.settle()
    node: Node = places.nodes[JIANGSU].node
    await erasing.erase(node, case, by=Doer(name="operator"), reason="超过保存期限", is_only_told=False)
    await forget(places)
    assert await differ(places) == []


async def test_an_entry_that_was_altered_is_passed_by_nobody(places: Places, case: str, database_sweeper: Sweeper):
    """What stands behind it is not compared before it is put right: else its letters would never be."""
    node = places.nodes[JIANGSU].node
    log = in_database(places, database_sweeper, JIANGSU)["log"]
    first = log.find_one({"_id": node.store.log("in", ZHEJIANG).id_of(Position(1, 1))})
    for change in ({"total": 77}, None):
        log.delete_one({"_id": first["_id"]})
        if change:
            log.insert_one({**first, **change})
        done = await compare_cases(node, ZHEJIANG, "in", after=BEGINNING)
        assert (done.compared_to, done.differences) == (BEGINNING, [])
        log.delete_one({"_id": first["_id"]})
        log.insert_one(first)


async def test_a_letter_about_a_step_that_its_case_has_not_came_not_too_late(places: Places, case: str):
    node = places.nodes[JIANGSU].node
    label = (await node.store.letters_in.listed("settled", limit=1, sender=ZHEJIANG))[0]
    assert label.letter
    assert label.letter.about
    about = label.letter.about.model_copy(update={"part": "none"})
    assert not await _came_too_late(node, label.letter.model_copy(update={"about": about}))
