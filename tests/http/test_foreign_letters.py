"""A peer that speaks on a step which is not its own: kept, receipted, refused by letter, audited, and nothing moved."""

from typing import Any

import pytest

from server.domain.exchange.letters import Letter, letter_id
from tests.http.asking import crossed, opened, state_of
from tests.nodes import Caller, Places
from tests.world import JIANGSU, ZHEJIANG, about_step

pytestmark = pytest.mark.asyncio(loop_scope="module")
OURS, THEIRS = "birth_certificate", "household_registration"


async def speak(
    places: Places, case: str, step: str, kind: str, body: dict[str, Any], *, here: str = ZHEJIANG
) -> Letter:
    """Let a node write by hand what it likes about a case of Jiangsu's; its courier signs it truly."""
    node, to = places.nodes[here].node, JIANGSU if here == ZHEJIANG else ZHEJIANG
    letter = Letter(
        id=letter_id(here, to, case, kind, step, body),
        sender=here,
        to=to,
        after=None,
        about=about_step(f"{JIANGSU}/{case}", step=step),
        kind=kind,
        at=node.clock.now(),
        salt="c2FsdHNhbHRzYWx0c2FsdA",
        body=body,
    )
    await node.store.letters_out.answer(letter)
    await places.settle()
    return letter


async def fate_of(places: Places, letter: Letter) -> tuple[str, str]:
    """State and reason of the letter where it came in."""
    kept = await places.nodes[letter.to].node.store.letters_in.kept([letter.unique_id])
    return kept[letter.unique_id].state, kept[letter.unique_id].reason


async def dead_letters(places: Places, here: str) -> dict[str, str]:
    """The letters of this node that the other one refused: id -> reason."""
    other = JIANGSU if here == ZHEJIANG else ZHEJIANG
    found = await places.nodes[here].node.store.letters_out.dead(peer=other, limit=100)
    return {each.letter.id: each.reason for each in found}


async def audited(places: Places, letter: Letter) -> dict[str, Any] | None:
    entry = await places.nodes[letter.to].node.store.database.get("audit", f"audit:foreign:{letter.unique_id}")
    return entry and entry["about"]


async def test_a_decision_on_our_step_is_kept_receipted_and_refused_by_letter(
    places: Places, mother: Caller, wish: dict[str, Any]
):
    case = await opened(places, mother, wish)
    before = (await mother.get(f"/api/v1/cases/{case}")).body
    sender = places.nodes[ZHEJIANG].node
    letter = await speak(places, case, OURS, "step.decided", {"outcome": "approved", "result": {}})
    outbound = await sender.store.peers.outbound(JIANGSU)
    head = await sender.store.log("out", JIANGSU).head(0)
    assert (outbound.acknowledged, outbound.failures) == (head.position, 0)
    assert (await sender.store.log("out", JIANGSU).entries([head.number]))[head.number].evidence is not None
    assert await fate_of(places, letter) == ("attention", "not_our_step")
    assert (await dead_letters(places, ZHEJIANG))[letter.id] == "not_our_step"
    assert await audited(places, letter) == {
        "peer": ZHEJIANG,
        "case": f"{JIANGSU}/{case}",
        "step": OURS,
        "kind": "step.decided",
    }
    assert (await mother.get(f"/api/v1/cases/{case}")).body == before


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("step.received", {}),
        ("step.accepted", {"by": "decider"}),
        ("step.decided", {"outcome": "refused", "grounds": "不符合条件"}),
        ("step.withdrawn", {}),
        ("step.transferred", {"by": "succession", "authority": {"id": "a", "name": "某机关"}, "reason": "撤销"}),
        ("step.withdrawal_asked", {}),
        ("step.paper", {"move": "sent", "courier": "邮政", "number": "EX1", "leg": "out"}),
    ],
)
async def test_no_letter_of_a_peer_moves_a_step_that_is_ours(
    places: Places, mother: Caller, wish: dict[str, Any], kind: str, body: dict[str, Any]
):
    case = await opened(places, mother, wish)
    letter = await speak(places, case, OURS, kind, body)
    assert await fate_of(places, letter) == ("attention", "not_our_step")
    assert (await dead_letters(places, ZHEJIANG))[letter.id] == "not_our_step"
    assert await audited(places, letter) is not None
    assert await state_of(mother, case, OURS) == "sent"


async def test_not_even_the_home_moves_a_step_that_another_province_decides(
    places: Places, mother: Caller, wish: dict[str, Any]
):
    case = await crossed(places, mother, wish)
    there = places.nodes[ZHEJIANG].node
    thread = (await places.nodes[JIANGSU].node.store.cases.case(case)).threads
    letter = await speak(places, case, THEIRS, "step.decided", {"outcome": "approved", "result": {}}, here=JIANGSU)
    assert thread[ZHEJIANG] != letter.id
    assert await fate_of(places, letter) == ("attention", "not_our_step")
    assert (await dead_letters(places, JIANGSU))[letter.id] == "not_our_step"
    assert (await there.store.cases.case(f"{JIANGSU}:{case}")).case.step(THEIRS).state == "sent"
    assert await state_of(mother, case, THEIRS) == "sent"


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("step.decided", {"outcome": "perhaps"}, "letter_unreadable"),
        ("step.decided", {}, "letter_unreadable"),
        ("step.accepted", {"by": "decider"}, "state_forbids"),
    ],
)
async def test_the_decider_itself_is_refused_what_does_not_fit(
    places: Places, mother: Caller, wish: dict[str, Any], kind: str, body: dict[str, Any], code: str
):
    """Wrong, but not overstepping: refused by letter, and no note in the audit."""
    case = await crossed(places, mother, wish)
    letter = await speak(places, case, THEIRS, kind, body)
    assert await fate_of(places, letter) == ("attention", code)
    assert (await dead_letters(places, ZHEJIANG))[letter.id] == code
    assert await audited(places, letter) is None
    assert await state_of(mother, case, THEIRS) == "sent"


async def test_a_letter_about_no_case_of_ours_is_refused(places: Places):
    letter = await speak(places, "none", OURS, "step.received", {})
    assert await fate_of(places, letter) == ("attention", "no_such_case")
    assert (await dead_letters(places, ZHEJIANG))[letter.id] == "no_such_case"
