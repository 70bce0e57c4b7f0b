"""What a newer program of the node has written in kinds of its own waits for it, and a person is asked to wait too."""

from typing import Any

import pytest

from server.desk import relay
from server.node import Node
from server.store.aggregates.links import link_after
from server.store.database import Document
from tests.http.asking import opened, refused
from tests.nodes import Places, newborn_wish

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def stored(node: Node, case: str, **change: Any) -> Document:
    """The case as a newer program of the same node would have written it, with this change."""
    document = await node.store.database.get("cases", case)
    assert document
    after = {**document, **change}
    link = ""
    for event in after["events"]:
        link = link_after(link, event)
    after["link"] = link
    assert await node.store.database.replace("cases", after, version=document["version"])
    return after


async def test_who_asks_for_a_case_with_an_event_of_an_unknown_kind_is_asked_to_come_again(places: Places, node: Node):
    mother = await places.citizen()
    case = await opened(places, mother, await newborn_wish(mother))
    document = await node.store.database.get("cases", case)
    assert document
    await stored(node, case, events=[{**each, "kind": "tomorrowed"} for each in document["events"]], shape="another")
    answer = await mother.get(f"/api/v1/cases/{case}")
    refused(answer, 503, "being_upgraded")
    assert answer.headers["Retry-After"]
    assert await node.store.apart.find(f"stored:cases/{case}") is None, "nobody has altered it"


async def test_an_effect_of_an_unknown_kind_is_set_apart_and_stays(places: Places, node: Node):
    mother = await places.citizen()
    case = await opened(places, mother, await newborn_wish(mother))
    effect = {"event": 1, "index": 99, "sms": {"to": "x"}}
    await stored(node, case, effects=[effect], relayed=0, relay="t2000-01-01T00:00:00.000Z")
    await relay.sweep(node)
    row = await node.store.apart.find(f"effects:{case}")
    assert row
    assert (row.state, row.fault) == ("trying", "WrittenByNewer")
    assert (await node.store.cases.case(case)).pending == [effect]
