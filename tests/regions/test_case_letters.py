"""Verifying a case looks at its letters too: what it has sent, and what has moved it."""

import pytest

from regions import settling
from server.desk.background.case_verifying import verify_cases
from server.desk.background.chaining import chain
from server.desk.background.verifying import silent
from server.node import Node
from tests.nodes import HandClock, Places
from tests.regions.exchanging import Sweeper, node_of
from tests.regions.test_set_apart import sent_abroad, swept
from tests.world import JIANGSU, ZHEJIANG


@pytest.fixture
def relays_at_once() -> bool:
    return False


async def both(places: Places, clock: HandClock) -> list[tuple[Node, str, str]]:
    """A case at its home and at the node that decides, its heads chained, each with the collection of its letters."""
    (case,) = await sent_abroad(places, clock, 1)
    home, decider = node_of(places), node_of(places, ZHEJIANG)
    while await settling.unpack(decider, JIANGSU):
        pass
    await settling.settle(decider)
    clock.wait(seconds=10)
    for node in (home, decider):
        await swept(node)
        await chain(node, "heads")
    return [(home, case, "letters_out"), (decider, f"{JIANGSU}:{case}", "letters_in")]


async def troubles(node: Node, case: str) -> list[str]:
    found = [await verify_cases(node, only=only, tell=silent) for only in (case, "")]
    assert found[0].findings == tuple(each for each in found[1].findings if each.place == case)
    return [each.trouble for each in found[0].findings]


async def test_letters_that_are_missing_or_altered_are_named_on_both_sides(
    places: Places, clock: HandClock, database_sweeper: Sweeper
):
    for node, case, collection in await both(places, clock):
        letters = database_sweeper[node.settings.database][collection]
        (letter,) = letters.find({"about": f"case:{JIANGSU}/{case.rpartition(':')[2]}"})
        assert await troubles(node, case) == []
        letters.update_one({"_id": letter["_id"]}, {"$set": {"kind": "step.urged"}})
        assert await troubles(node, case) == ["letter_altered"]
        letters.delete_one({"_id": letter["_id"]})
        assert await troubles(node, case) == ["letter_missing"]
        letters.insert_one(letter)
        assert await troubles(node, case) == []
