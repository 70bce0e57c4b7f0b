"""The chain of heads begins later now and then, and still knows how far each case has come."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.desk.background import head_renewing
from server.desk.background.case_verifying import CaseWatch, verify_cases
from server.desk.background.head_renewing import LINKS_AT_ONCE, renew
from server.desk.background.head_walking import walk
from server.desk.background.verifying import silent
from server.domain.aggregate.heads import HistoryHead
from server.domain.aggregate.names import name_of
from server.domain.chains import CHAINS, ChainHead
from server.node import Node
from tests.http.asking import Sweeper, opened
from tests.http.conftest import module_wide
from tests.http.heads import chained, troubles
from tests.nodes import HandClock, Places, newborn_wish

pytestmark = pytest.mark.asyncio(loop_scope="module")
STEP = "birth_certificate"
Documents = Any


@module_wide
async def places(alone: Places) -> Places:
    return alone


@pytest.fixture
def documents(node: Node, database_sweeper: Sweeper) -> Documents:
    """The collections of the node as they lie in the database."""
    return database_sweeper[node.settings.database]


async def logged(places: Places, node: Node) -> str:
    """A new case whose head stands in a link of its own."""
    mother = await places.citizen()
    wish = await newborn_wish(mother)
    case = await opened(places, mother, {**wish, "answers": {**wish["answers"], "household": "320102"}})
    await chained(node)
    return case


async def first(node: Node) -> int:
    """The number of the first link that is kept."""
    return (await node.store.heads.chain.beginning()).first


async def last(node: Node) -> int:
    """The number of the last link."""
    return (await node.store.heads.chain.last())[0].number


async def grow_old(places: Places, node: Node, clock: HandClock) -> None:
    """Let all links grow old, and a new one follow."""
    clock.wait(days=31)
    await logged(places, node)


async def renewed(node: Node) -> None:
    """Renew until nothing is old."""
    while await renew(node):
        pass


async def watched(watch: CaseWatch) -> None:
    """One more round of it."""
    before = watch.rounds
    while watch.rounds == before:
        await watch.look()


async def test_old_links_go_and_what_they_said_is_said_again(places: Places, node: Node, clock: HandClock):
    case = await logged(places, node)
    await grow_old(places, node, clock)
    before = await last(node)
    await renewed(node)
    assert await first(node) == before, "only the last link was not old"
    assert [step.number for number in range(1, before) async for step in _links(node, number)] == []
    assert await last(node) > before
    assert await troubles(node) == {}
    assert case in await _said(node)


async def _links(node: Node, number: int) -> AsyncIterator[Any]:
    for link in (await node.store.heads.chain.links([number])).values():
        yield link


async def _said(node: Node) -> set[str]:
    """The cases that the chain names."""
    return {HistoryHead.of(named).name async for step in walk(node) if step.link for named in step.link.entries}


async def test_heads_of_a_kind_that_only_a_newer_program_knows_are_passed_over_and_said_again(
    places: Places, node: Node, clock: HandClock
):
    newer = HistoryHead(name_of("newer", "1.2.156/3|4"), 3, "link")
    await node.store.heads.put([newer], at=clock.now())
    await logged(places, node)
    await grow_old(places, node, clock)
    before = await first(node)
    await renewed(node)
    assert await first(node) > before
    assert newer.name in await _said(node)
    assert await troubles(node) == {}
    await watched(CaseWatch(node))
    assert await node.store.apart.find(f"stored:{newer.name}") is None


async def test_nothing_goes_before_its_time(places: Places, node: Node, clock: HandClock):
    await logged(places, node)
    await renewed(node)
    before = await first(node), await last(node)
    clock.wait(days=29)
    await renewed(node)
    assert (await first(node), await last(node)) == before


async def test_a_case_that_is_put_back_or_removed_is_still_named(
    places: Places, node: Node, clock: HandClock, documents: Documents
):
    case, gone = await logged(places, node), await logged(places, node)
    older = documents["cases"].find_one({"_id": case})
    officer = await places.officer("health")
    assert (await officer.post(f"/desk/v1/cases/{case}/steps/{STEP}/receive")).status == 200
    await places.settle()
    await chained(node)
    await grow_old(places, node, clock)
    await renewed(node)
    newer, removed = documents["cases"].find_one({"_id": case}), documents["cases"].find_one({"_id": gone})
    documents["cases"].replace_one({"_id": case}, older)
    documents["cases"].delete_one({"_id": gone})
    assert await troubles(node) == {case: "rolled_back", gone: "removed"}
    await grow_old(places, node, clock)
    await renewed(node)
    assert await troubles(node) == {case: "rolled_back", gone: "removed"}, "what is wrong is said again too"
    documents["cases"].replace_one({"_id": case}, newer)
    documents["cases"].insert_one(removed)
    assert await troubles(node) == {}


async def test_of_a_case_that_has_gone_on_only_the_newest_head_is_said_again(
    places: Places, node: Node, clock: HandClock
):
    case = await logged(places, node)
    await grow_old(places, node, clock)
    officer = await places.officer("health")
    assert (await officer.post(f"/desk/v1/cases/{case}/steps/{STEP}/receive")).status == 200
    await places.settle()
    await chained(node)
    await renewed(node)
    heads = [HistoryHead.of(named) async for step in walk(node) if step.link for named in step.link.entries]
    assert len([head for head in heads if head.name == case]) == 1


async def test_a_renewal_that_is_cut_off_is_done_again(
    places: Places, node: Node, clock: HandClock, monkeypatch: pytest.MonkeyPatch
):
    case = await logged(places, node)
    await grow_old(places, node, clock)
    for method in ("begin", "clear"):
        with monkeypatch.context() as patch:
            patch.setattr(type(node.store.heads.chain), method, _cut_off)
            with pytest.raises(ConnectionError):
                await renew(node)
        assert await troubles(node) == {}
    await renewed(node)
    assert await troubles(node) == {}
    assert case in await _said(node)


async def _cut_off(*_: Any) -> bool:
    raise ConnectionError


async def test_a_link_that_was_altered_stays_with_all_behind_it(
    places: Places, node: Node, clock: HandClock, documents: Documents
):
    await renewed(node)
    case = await logged(places, node)
    number = await last(node)
    await grow_old(places, node, clock)
    links = documents["head_chain"]
    was = links.find_one({"number": number, "_id": {"$ne": "beginning"}})
    links.update_one({"_id": was["_id"]}, {"$set": {"entries": []}})
    await renewed(node)
    assert await first(node) <= number
    assert "chain" in (await troubles(node)).values()
    links.replace_one({"_id": was["_id"]}, was)
    await renewed(node)
    assert await first(node) > number
    assert await troubles(node) == {}
    assert case in await _said(node)


async def test_a_walk_under_way_passes_over_what_is_renewed(places: Places, node: Node, clock: HandClock):
    for _ in range(LINKS_AT_ONCE + 2):
        await logged(places, node)
    await grow_old(places, node, clock)
    steps = walk(node)
    seen = [await anext(steps)]
    await renewed(node)
    seen += [step async for step in steps]
    assert [step.findings for step in seen if step.findings] == []
    assert seen[-2].number == await last(node)


async def test_two_processes_that_renew_at_once_do_no_harm(
    places: Places, node: Node, clock: HandClock, monkeypatch: pytest.MonkeyPatch
):
    await logged(places, node)
    await grow_old(places, node, clock)
    say_again = head_renewing.say_again

    async def after_another(*args: Any) -> None:
        monkeypatch.setattr(head_renewing, "say_again", say_again)
        await renewed(node)
        await say_again(*args)

    monkeypatch.setattr(head_renewing, "say_again", after_another)
    await renew(node)
    assert await troubles(node) == {}


async def test_work_logs_and_counts_a_finding_once_until_it_is_gone(places: Places, node: Node, documents: Documents):
    case = await logged(places, node)
    was = documents["cases"].find_one({"_id": case})
    documents["cases"].delete_one({"_id": case})
    counted = node.metrics.cases_untrue.labels("removed")
    before, watch = counted._value.get(), CaseWatch(node)
    for _ in range(3):
        await watched(watch)
    assert counted._value.get() == before + 1
    documents["cases"].insert_one(was)
    await watched(watch)
    documents["cases"].delete_one({"_id": case})
    await watched(watch)
    assert counted._value.get() == before + 2
    documents["cases"].insert_one(was)


async def test_after_a_fault_work_passes_over_no_link(places: Places, node: Node, monkeypatch: pytest.MonkeyPatch):
    await logged(places, node)
    watch, seen = CaseWatch(node), set[str]()
    heads = node.store.heads
    standings = type(heads).standings

    async def fails(*_: Any) -> Any:
        raise ConnectionError

    async def remembers(room: Any, ids: Any) -> Any:
        seen.update(ids)
        return await standings(room, ids)

    with monkeypatch.context() as patch:
        patch.setattr(type(heads), "standings", fails)
        with pytest.raises(ConnectionError):
            await watch.look()
    monkeypatch.setattr(type(heads), "standings", remembers)
    assert watch.rounds == 0
    await watched(watch)
    assert seen == {name for name in await _said(node) if heads.is_known(name)}


async def test_a_head_that_another_node_was_told_is_compared_as_long_as_its_link_is_there(node: Node):
    number = await last(node)
    wrong = ChainHead(number=number, hash="0" * 64)
    found = await verify_cases(node, told=[wrong], tell=silent)
    assert [each.trouble for each in found.findings] == ["chain"]


async def test_each_chain_has_its_place(node: Node):
    assert tuple(node.store.chains) == CHAINS
