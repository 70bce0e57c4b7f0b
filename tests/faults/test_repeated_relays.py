"""What must follow a commit may be carried again, in any order and by many at once: nothing changes by it."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from regions import outbox, settling
from server.desk import relay
from server.node import Node
from server.store.effects.tasks import Tasks
from server.store.exchange.letters_out import LettersOut
from server.store.mongo import MongoDatabase
from server.store.proven import ProvenDatabase
from server.store.queries import QUERIES
from tests.faults.books import ABROAD, ACTS, AT_HOME, DEPARTMENT_ABROAD, Client, Documents, all_of, happened
from tests.nodes import Places, newborn_wish, running_nodes
from tests.world import JIANGSU, ZHEJIANG

Effects = dict[tuple[str, str, int, int], Mapping[str, Any]]
COLLECTIONS = ("cases", "tasks", "letters_out", "letters_in", "log", "audit", "fetches", "clues", "deeds")
ROUNDS = 4
CARRIERS = 4


class Witness:
    """Sees every commit of every case, and so every effect there ever was."""

    def __init__(self, client: Client, places: Places) -> None:
        self._client = client
        self._nodes = {code: running.node for code, running in places.nodes.items()}
        self.places = places
        self.seen: Effects = {}

    def look(self) -> None:
        """Take down the effects in the cases as they stand: a commit drops only those that were carried before."""
        for code, node in self._nodes.items():
            for case in all_of(self._client, node, "cases"):
                for effect in case["effects"]:
                    self.seen[code, case["_id"], effect["event"], effect["index"]] = effect

    async def settle(self) -> None:
        """Let everything follow that must, one commit at a time."""
        for _ in range(5):
            for running in self.places.nodes.values():
                await running.in_flight.drain()
                running.in_flight.is_draining = False
                await self._go_on(running.node)

    async def decide(self, case: str, step: str) -> None:
        """Receive, accept and approve a step, with a look after each commit; letters from abroad go one by one."""
        node, department = (ZHEJIANG, DEPARTMENT_ABROAD) if step == ABROAD else (JIANGSU, AT_HOME[step])
        officer = await self.places.officer(department, node)
        local = f"{JIANGSU}:{case}" if step == ABROAD else case
        for act in ACTS:
            answer = await officer.post(f"/desk/v1/cases/{local}/steps/{step}/{act}")
            assert answer.status == 200, answer
            self.look()
            if step == ABROAD:
                await self.settle()
        await self.settle()

    async def _go_on(self, node: Node) -> None:
        await relay.sweep(node)
        for peer in node.directory.peers_of(node.here):
            await outbox.deliver(node, peer)
            await settling.unpack(node, peer.node)
        await settling.settle(node)
        self.look()


async def finished_case(witness: Witness) -> str:
    """A case that went the whole way."""
    mother = await witness.places.citizen()
    case = str((await mother.post("/api/v1/cases", await newborn_wish(mother))).body["id"])
    witness.look()
    await witness.settle()
    for step in ("birth_certificate", ABROAD, *(step for step in AT_HOME if step != "birth_certificate")):
        await witness.decide(case, step)
    shown = (await mother.get(f"/api/v1/cases/{case}")).body
    assert (shown["state"], shown["outcome"]) == ("closed", "completed")
    return case


def books(client: Client, node: Node) -> dict[str, Documents]:
    """All that a relay could change."""
    return {collection: all_of(client, node, collection) for collection in COLLECTIONS}


async def carry_all(witness: Witness, chance: random.Random, *, into: Mapping[str, Node]) -> None:
    """Carry every effect there ever was, in an order of chance."""
    order = sorted(witness.seen)
    chance.shuffle(order)
    for key in order:
        await into[key[0]].store.carry([witness.seen[key]])


def nodes_of(places: Places) -> dict[str, Node]:
    """The nodes by their division."""
    return {code: running.node for code, running in places.nodes.items()}


@pytest.mark.soak
async def test_replaying_every_relay_in_any_order_changes_nothing(
    tmp_path: Path, database_uri: str, database_name: str, database_sweeper: Client
):
    async with running_nodes(tmp_path, database_uri, database_name) as places:
        witness = Witness(database_sweeper, places)
        case = await finished_case(witness)
        nodes = nodes_of(places)
        check_all_were_seen(witness, database_sweeper, nodes)
        before = {code: books(database_sweeper, node) for code, node in nodes.items()}
        assert [each["_id"] for each in before[JIANGSU]["cases"]] == [case]
        for seed in range(ROUNDS):
            chance = random.Random(seed)  # noqa: S311 # the order
            await asyncio.gather(*(carry_all(witness, chance, into=nodes) for _ in range(CARRIERS)))
            assert {code: books(database_sweeper, node) for code, node in nodes.items()} == before, f"seed {seed}"
        await witness.settle()
        assert {code: books(database_sweeper, node) for code, node in nodes.items()} == before


@pytest.mark.soak
async def test_relays_in_any_order_end_in_the_same_tasks_and_letters(
    tmp_path: Path, database_uri: str, database_name: str, database_sweeper: Client
):
    async with running_nodes(tmp_path, database_uri, database_name) as places:
        witness = Witness(database_sweeper, places)
        await finished_case(witness)
        for seed in range(ROUNDS):
            chance = random.Random(seed)  # noqa: S311 # the order
            names = {code: f"{database_name}_{seed}_{code}" for code in places.nodes}
            empty = {code: elsewhere(node, names[code]) for code, node in nodes_of(places).items()}
            await asyncio.gather(*(carry_all(witness, chance, into=empty) for _ in range(CARRIERS)))
            for code, node in nodes_of(places).items():
                there = database_sweeper[names[code]]
                assert list(there["tasks"].find().sort("_id")) == all_of(database_sweeper, node, "tasks"), (
                    f"seed {seed}"
                )
                texts = {each["_id"]: each["text"] for each in there["letters_out"].find()}
                assert texts == {each["_id"]: each["text"] for each in all_of(database_sweeper, node, "letters_out")}
                await empty[code].store.database.close()
                database_sweeper.drop_database(names[code])


def elsewhere(node: Node, name: str) -> Node:
    """The node with an empty place for tasks and letters."""
    bare = MongoDatabase.connect(node.settings.mongodb_uri, name, queries=QUERIES)
    database = ProvenDatabase(bare, node.keys.integrity)
    letters = LettersOut(database, node.keys.fields)
    return replace(node, store=replace(node.store, database=database, tasks=Tasks(database), letters_out=letters))


def check_all_were_seen(witness: Witness, client: Client, nodes: Mapping[str, Node]) -> None:
    """A task for each event at its decider and a letter for each that another node is told of: 20 + 1 and 4 + 3."""
    tasks = [key for key, effect in witness.seen.items() if "task" in effect]
    letters = {effect["letter"]["_id"] for effect in witness.seen.values() if "letter" in effect}
    assert len(tasks) == 4 * len(AT_HOME) + 4
    assert letters == {each["_id"] for node in nodes.values() for each in all_of(client, node, "letters_out")}
    assert len(letters) == 4
    assert sum(sum(each.values()) for each in happened(client, nodes[JIANGSU]).values()) == 26
