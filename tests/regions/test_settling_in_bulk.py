"""Settling in bulk: several settlers at once, cases that move meanwhile, and each act is done once."""

import asyncio

from regions import settling
from server.desk.acting import commit_of, perform, perform_many
from server.domain.aggregate.actors import Actor
from server.domain.aggregate.acts import Act
from server.domain.case.acts import Receive
from server.domain.case.case import NoSuchCase, local_id
from server.domain.rules.decide import decide
from server.node import Node
from tests.nodes import Places, newborn_wish
from tests.regions.exchanging import node_of, send
from tests.world import JIANGSU, ZHEJIANG

STEP = "household_registration"


async def asked_abroad(places: Places, count: int) -> list[str]:
    """Cases of Jiangsu whose requests have come to Zhejiang and wait there."""
    mother = await places.citizen()
    wish = await newborn_wish(mother)
    cases = [str((await mother.post("/api/v1/cases", wish)).body["id"]) for _ in range(count)]
    officer = await places.officer("health")
    for case in cases:
        for act in ("receive", "accept", "approve"):
            assert (await officer.post(f"/desk/v1/cases/{case}/steps/birth_certificate/{act}")).status == 200
    await places.nodes[JIANGSU].in_flight.drain()
    places.nodes[JIANGSU].in_flight.is_draining = False
    await send(node_of(places))
    while await settling.unpack(node_of(places, ZHEJIANG), JIANGSU):
        pass
    return cases


def receive(case: str, node: Node) -> tuple[str, Act]:
    """A case's id at the decider, and that an officer there takes its step."""
    by = Actor(node=ZHEJIANG, part="officer", authority="public_security/330106", name="officer-1", role="approver")
    return local_id(f"{JIANGSU}/{case}", node.here), Receive(id=f"receive-{case}", by=by, step=STEP)


async def test_several_settlers_at_once_do_each_letter_once(places: Places):
    other = node_of(places, ZHEJIANG)
    cases = await asked_abroad(places, 4)
    await asyncio.gather(*(settling.settle(other) for _ in range(3)))
    other.clock.wait(minutes=2)
    await settling.settle(other)
    for case in cases:
        record = await other.store.cases.case(f"{JIANGSU}:{case}")
        assert [event.act for event in record.events] == ["request"]
    assert await other.store.letters_in.listed("waiting", limit=9) == []
    assert await other.store.letters_in.in_attention(limit=9) == []


async def test_cases_are_moved_together_though_one_has_moved_meanwhile(places: Places):
    other = node_of(places, ZHEJIANG)
    cases = await asked_abroad(places, 3)
    await settling.settle(other)
    wishes = dict(receive(case, other) for case in cases)
    found = await other.store.cases.find_many(list(wishes))
    facts = other.facts()
    decisions = {id: decide(found[id].case, act, facts) for id, act in wishes.items()}
    commits = [(found[id], commit_of(found[id], decisions[id], facts)) for id in wishes]
    first, *_ = wishes
    await perform(other, first, wishes[first])
    assert await other.store.cases.commit_many(commits) is None
    done = await perform_many(other, {id: [act] for id, act in wishes.items()})
    assert set(done.answers.values()) == {None}
    for id in wishes:
        assert [event.act for event in (await other.store.cases.case(id)).events] == ["request", "receive"]


async def test_the_first_refusal_of_a_case_ends_its_course_and_no_other(places: Places):
    other = node_of(places, ZHEJIANG)
    (case,) = await asked_abroad(places, 1)
    await settling.settle(other)
    id, good = receive(case, other)
    again, nowhere = (good.model_copy(update={"id": name}) for name in ("again", "nowhere"))
    done = await perform_many(other, {id: [good, again, good.model_copy(update={"id": "third"})], "none": [nowhere]})
    assert done.answers[good.id] is None
    assert isinstance(done.answers["nowhere"], NoSuchCase)
    assert "third" not in done.answers
    assert done.answers["again"] is not None
