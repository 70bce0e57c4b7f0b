"""A node that is upgraded later than its peer loses no letter: the pages on acts and letters, followed on one side."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from server.node import Node
from tests.http.asking import act, crossed, state_of
from tests.newer_code import ADD_ACT, ADD_LETTER, newer_code
from tests.nodes import HandClock, Places, newborn_wish, running_nodes
from tests.regions.exchanging import environment, node_of, settle
from tests.regions.upgraded import STEP
from tests.world import JIANGSU, ZHEJIANG

COURTESY = ", may_ignore=True"


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The code in which both pages were followed."""
    folder = tmp_path / "newer"
    newer_code(folder, ADD_ACT, ADD_LETTER)
    return folder


async def run(newer: Path, node: Node, *words: str) -> tuple[int | None, Any]:
    """A command of the newer code on this node: its exit code and what it printed."""
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *words), cwd=newer, env=environment(node, newer), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await command.communicate()
    return command.returncode, json.loads(printed) if printed else None


async def upgraded(newer: Path, node: Node, what: str, case: str) -> Any:
    """What the node does at once after its upgrade."""
    code, printed = await run(newer, node, "tests.regions.upgraded", what, case, node.clock.now().isoformat())
    assert code == 0
    return printed


async def informed(places: Places, newer: Path) -> tuple[str, Node]:
    """A case of Jiangsu of which the upgraded Zhejiang has told how it is getting on, and then that it is accepted."""
    mother = await places.citizen()
    case = await crossed(places, mother, await newborn_wish(mother))
    police = await places.officer("public_security", ZHEJIANG)
    assert (await police.post(act(f"{JIANGSU}:{case}", STEP, "receive"))).status == 200
    await places.settle()
    await upgraded(newer, node_of(places, ZHEJIANG), "inform", f"{JIANGSU}:{case}")
    home = node_of(places)
    await settle(home)
    return case, home


async def waiting(node: Node) -> dict[str, str]:
    """The kinds of the letters that wait, with the reason."""
    return {each.letter.kind: each.reason for each in await node.store.letters_in.listed("waiting", limit=9)}


@pytest.mark.soak
async def test_a_node_that_knows_more_says_which_kinds_its_peer_does_not_know_yet(
    tmp_path: Path, database_uri: str, database_name: str, newer: Path
):
    async with running_nodes(tmp_path, database_uri, database_name) as places:
        code, (found,) = await run(newer, node_of(places), "server", "reconcile", "--json")
    assert (code, found["peer"], found["unknown_kinds"]) == (0, ZHEJIANG, ["step.informed"])


@pytest.mark.soak  # processes of two versions
async def test_a_letter_waits_at_a_node_that_does_not_know_its_kind_and_is_settled_after_its_upgrade(
    places: Places, newer: Path, clock: HandClock
):
    move = newer / "server/domain/rules/moves/informing.py"
    text = move.read_text(encoding="utf-8")
    assert COURTESY in text
    move.write_text(text.replace(COURTESY, ""), encoding="utf-8")
    case, home = await informed(places, newer)
    assert await waiting(home) == {"step.informed": "kind_unknown", "step.accepted": "waits_on_earlier_letter"}
    assert await state_of(await places.citizen(), case, STEP) == "received"
    clock.wait(minutes=5)
    after = await upgraded(newer, home, "settle", case)
    assert after["state"] == "accepted"
    assert [told for told in after["told"] if told[0] == "inform"] == [["inform", "材料已核实。"]]
    assert await waiting(home) == {}


@pytest.mark.soak
async def test_a_courtesy_holds_nothing_up_at_a_node_that_does_not_know_its_kind(
    places: Places, newer: Path, clock: HandClock
):
    case, home = await informed(places, newer)
    assert await waiting(home) == {}
    assert await state_of(await places.citizen(), case, STEP) == "accepted"
    clock.wait(minutes=5)
    after = await upgraded(newer, home, "settle", case)
    assert "inform" not in [told[0] for told in after["told"]]
