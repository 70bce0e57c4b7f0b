"""A letter is known by its sender and its id: no peer can take the ids of another, which anybody can compute."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.domain.exchange.letters import ANNULLED, CASE, Letter, about_letter, letter_id
from tests.nodes import HandClock, Places, newborn_wish, running_nodes
from tests.regions.exchanging import SALT, node_of
from tests.world import GUANGDONG, JIANGSU, ZHEJIANG, about_step

FAR = "household_registration"


@pytest.fixture
async def places(tmp_path: Path, database_uri: str, database_name: str) -> AsyncIterator[Places]:
    """Three provinces, under a clock that the test holds."""
    divisions = [JIANGSU, ZHEJIANG, GUANGDONG]
    async with running_nodes(tmp_path, database_uri, database_name, divisions=divisions, clock=HandClock()) as running:
        yield running


async def sent_to_zhejiang(places: Places) -> str:
    """A case of 江苏 whose far step 浙江 has to receive."""
    mother = await places.citizen()
    case: str = (await mother.post("/api/v1/cases", await newborn_wish(mother))).body["id"]
    await places.settle()
    await places.decide(case, "birth_certificate", department="health")
    return case


async def usurp(places: Places, case: str, *, kind: str, body: dict[str, object]) -> Letter:
    """广东 sends 江苏 a letter under the id that 浙江 will give to its next letter about the case."""
    decider, node = places.nodes[ZHEJIANG].node, places.nodes[GUANGDONG].node
    name = f"{JIANGSU}/{case}"
    event = (await decider.store.cases.case(f"{JIANGSU}:{case}")).case.version + 1
    letter = Letter(
        id=letter_id(ZHEJIANG, JIANGSU, CASE, name, event, 1),
        sender=GUANGDONG,
        to=JIANGSU,
        after=None,
        about=about_step(name, FAR),
        kind=kind,
        at=node.clock.now(),
        salt=SALT,
        body=body,
    )
    await node.store.letters_out.answer(letter)
    await places.settle()
    return letter


@pytest.mark.parametrize(
    ("kind", "body"),
    [("step.received", {}), ("step.decided", {"outcome": "refused", "grounds": "x", "appeal": "x"})],
    ids=["the same words", "other words"],
)
async def test_a_peer_that_takes_the_id_of_another_neither_stops_nor_replaces_its_letter(
    places: Places, kind: str, body: dict[str, object]
) -> None:
    case = await sent_to_zhejiang(places)
    foreign = await usurp(places, case, kind=kind, body=body)
    officer = await places.officer("public_security", ZHEJIANG)
    answer = await officer.post(f"/desk/v1/cases/{JIANGSU}:{case}/steps/{FAR}/receive")
    assert answer.status == 200
    await places.settle()
    home = node_of(places)
    kept = await home.store.letters_in.kept([f"{sender}:{foreign.id}" for sender in (ZHEJIANG, GUANGDONG)])
    assert {each.letter.sender: (each.state, each.reason) for each in kept.values()} == {
        ZHEJIANG: ("settled", ""),
        GUANGDONG: ("attention", "not_our_step"),
    }
    record = await home.store.cases.case(case)
    assert record.case.step(FAR).state == "received"
    assert await node_of(places, ZHEJIANG).store.letters_out.dead(limit=9) == []
    (dead,) = await node_of(places, GUANGDONG).store.letters_out.dead(limit=9)
    assert (dead.letter.id, dead.reason) == (foreign.id, "not_our_step")


async def test_what_a_peer_says_about_a_letter_means_its_own(places: Places) -> None:
    case = await sent_to_zhejiang(places)
    foreign = await usurp(places, case, kind="step.received", body={})
    other = node_of(places, ZHEJIANG)
    said = about_letter(
        ANNULLED, foreign.id, between=(ZHEJIANG, JIANGSU), at=other.clock.now(), salt=other.chance.token(16)
    )
    await other.store.letters_out.answer(said)
    await places.settle()
    found = await node_of(places).store.letters_in.in_attention(limit=9)
    assert {each.letter.sender: each.reason for each in found} == {
        GUANGDONG: "not_our_step",
        ZHEJIANG: "no_such_letter",
    }
