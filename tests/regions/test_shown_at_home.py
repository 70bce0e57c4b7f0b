"""A case never stays sent without a word: at home it is seen when what went to the decider came back."""

from dataclasses import replace

from regions import letters
from server.node import Node
from tests.nodes import Caller, Places, newborn_wish
from tests.regions.exchanging import node_of
from tests.world import JIANGSU, ZHEJIANG, about_step

STEP = "household_registration"
CAME_BACK = "转办被对方退回，正在处理。"


async def seen(citizen: Caller, case: str) -> tuple[str, str]:
    """State of the step, and what the applicant is told of its letter."""
    body = (await citizen.get(f"/api/v1/cases/{case}")).body
    step = next(each for each in body["steps"] if each["step"] == STEP)
    return step["state"], step["bounced"]


def without_the_item(node: Node) -> Node:
    """The same node with a catalogue that lacks the item."""
    whole = node.catalogue
    fields = {name: getattr(whole, name) for name in type(whole).model_fields}
    items = tuple(item for item in whole.items if item.code != STEP)
    lacking = type(whole).model_validate(fields | {"items": items})
    return replace(node, published=replace(node.published, catalogue=lacking))


async def test_a_refused_request_is_seen_at_home_until_it_goes_again_or_the_decider_speaks(places: Places):
    """The other province's catalogue lacks the item for a while."""
    home, other = node_of(places), node_of(places, ZHEJIANG)
    mother = await places.citizen()
    case = (await mother.post("/api/v1/cases", await newborn_wish(mother))).body["id"]
    places.nodes[ZHEJIANG].node = without_the_item(other)
    await places.settle()
    await places.decide(case, "birth_certificate", department="health")
    await places.settle()
    assert await seen(mother, case) == ("sent", CAME_BACK)
    (dead,) = await letters.listed(home, "dead", limit=10)
    assert (dead.kind, dead.reason) == ("step.requested", "item_unknown")
    assert dead.about == about_step(f"{JIANGSU}/{case}", "household_registration")
    told = (await mother.get(f"/api/v1/cases/{case}/timeline")).body["timeline"][-1]
    assert (told["act"], told["act_name"], told["words"], told["state"]) == ("bounce", "对方退回", CAME_BACK, "sent")
    await letters.replay(home, dead.id, by="test")
    assert await seen(mother, case) == ("sent", "")
    await places.settle()
    assert await seen(mother, case) == ("sent", CAME_BACK)
    places.nodes[ZHEJIANG].node = other
    await letters.replay(home, dead.id, by="test")
    await places.settle()
    assert await seen(mother, case) == ("sent", "")
    assert (await other.store.cases.case(f"{JIANGSU}:{case}")).case.step(STEP).state == "sent"
