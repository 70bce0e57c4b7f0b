"""Letters written by hand between Jiangsu and Zhejiang, their way, and copies of a node's memory."""

import copy
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pymongo

from regions import heads, outbox, settling
from regions.answering import admit_query, announced_query, signed_value
from server.desk.officer import officers
from server.desk.sessions import OFFICERS
from server.domain.exchange.directory import NodeEntry
from server.domain.exchange.letters import Letter, letter_id
from server.domain.exchange.log import Entry, KeptLetter, SentLetter
from server.domain.exchange.wire import WireAnswer, WireRequest
from server.domain.people.accounts import DeskEntry
from server.node import Node
from server.tools.wire import Wire
from tests.nodes import Places
from tests.world import JIANGSU

Sweeper = pymongo.MongoClient[dict[str, Any]]
SALT = "c2FsdHNhbHRzYWx0c2FsdA"
NOBODY = "ab" * 32  # the id of no letter
QUIET = {"id": NOBODY, "code": "state_forbids"}  # of a letter.refused that is settled and does nothing


def node_of(places: Places, division: str = JIANGSU) -> Node:
    return places.nodes[division].node


def peer_of(node: Node) -> NodeEntry:
    """The other province as the directory has it."""
    return next(node.directory.peers_of(node.here))


def environment(node: Node, folder: Path) -> dict[str, str]:
    """The environment of a process that runs a command as this node; a file of settings is written into the folder."""
    settings = {
        f"TONGBAN_{key.upper()}": str(value) for key, value in node.settings.model_dump(exclude_none=True).items()
    }
    (folder / "node.toml").write_text("")
    more = {"TONGBAN_CONFIG": str(folder / "node.toml"), "TONGBAN_PLATFORM_APP_SECRET": "test-only"}
    return {**os.environ, **settings, **more}


def with_wire(node: Node, wire: Any) -> Node:
    """The same node over another wire."""
    return replace(node, wire=wire)


@dataclass
class OlderPeer:
    """The wire to a peer whose program does not know these kinds of letters yet."""

    wire: Wire
    peer: Node
    lacks: tuple[str, ...]

    async def send(self, request: WireRequest) -> WireAnswer:
        """What the peer answers; of the kinds that it knows it tells fewer."""
        url = urlsplit(request.url)
        if url.path != heads.PATH:
            return await self.wire.send(request)
        proven = await admit_query(
            self.peer, announced_query(self.peer, path=url.path, query=url.query, headers=request.headers), b""
        )
        asked = heads.HeadsAsked.model_validate_strings(dict(parse_qsl(url.query)))
        told = await heads.heads(self.peer, proven.sender, asked.way, stream=asked.stream, numbers=asked.numbers)
        older = told.model_copy(update={"kinds": tuple(kind for kind in told.kinds if kind not in self.lacks)})
        reply = signed_value(self.peer, proven, older)
        return WireAnswer(reply.status, reply.headers, reply.body)


async def entry_of(node: Node, officer: str) -> DeskEntry:
    """An officer of this name, as one who has just signed in."""
    admission = await officers.admit(node, await node.store.accounts.account(officer), address="127.0.0.1")
    claims = node.tokens.verify(admission.access_token, audience=OFFICERS, at=node.clock.now())
    return await officers.entered(node, claims)


async def write(node: Node, note: str = "", *, kind: str = "letter.refused", **more: Any) -> Letter:
    """A letter to the other province that waits to be sent; without more it is settled there and does nothing."""
    to, body = peer_of(node).node, more.pop("body", QUIET)
    whole = {
        "after": None,
        "about": None,
        "at": node.clock.now(),
        "salt": "c2FsdHNhbHRzYWx0c2FsdA",
        **more,
    }
    id = whole.pop("id", letter_id(node.here, to, kind, note))
    letter = Letter(id=id, sender=node.here, to=to, kind=kind, body=body, **whole)
    await node.store.letters_out.answer(letter)
    return letter


async def send(node: Node) -> None:
    """All that is to go out goes, if the way is open."""
    while await outbox.deliver(node, peer_of(node)):
        pass


async def send_one_by_one(node: Node, count: int, *, note: str = "n") -> list[Letter]:
    """So many batches of one letter each."""
    letters = []
    for number in range(count):
        letters.append(await write(node, f"{note}{number}"))
        await send(node)
    return letters


async def settle(node: Node) -> None:
    """Spread and settle all that has come in and is due."""
    while await settling.unpack(node, peer_of(node).node):
        pass
    while await settling.settle(node):
        pass


async def exchange(*nodes: Node) -> None:
    """Letters go both ways, and answers to them, until nothing is left to do now."""
    for _ in range(4):
        for node in nodes:
            await send(node)
        for node in nodes:
            await settle(node)


async def forget_pause(node: Node) -> None:
    """As if the time to wait had passed."""
    peer = peer_of(node).node
    state = await node.store.peers.outbound(peer)
    await node.store.peers.take(peer, state, replace(state, next_attempt_at=None))


async def entries_of(node: Node, way: str = "out", *, stream: int = 1) -> list[Entry]:
    """All entries of one stream of the log with the other province, in order."""
    found = await node.store.log(way, peer_of(node).node).entries(range(1, 60), stream=stream)
    return [found[number] for number in sorted(found)]


async def sent(node: Node, letter: Letter) -> SentLetter:
    """A letter of this node's own as it stands."""
    found = await node.store.letters_out.letter(letter.id)
    assert found is not None
    return found


async def kept(node: Node, letter: Letter) -> KeptLetter:
    """A letter of the other province as it stands."""
    return (await node.store.letters_in.kept([letter.unique_id]))[letter.unique_id]


def backup(sweeper: Sweeper, node: Node) -> dict[str, list[dict[str, Any]]]:
    """All that this node remembers."""
    database = sweeper[node.settings.database]
    return {name: copy.deepcopy(list(database[name].find())) for name in _collections(sweeper, node)}


async def restore(sweeper: Sweeper, node: Node, memory: dict[str, list[dict[str, Any]]]) -> None:
    """Put a backup back: whatever came after it is lost."""
    database = sweeper[node.settings.database]
    for name in _collections(sweeper, node):
        known = {document["_id"] for document in memory.get(name, ())}
        await node.store.database.delete(
            name, [each["_id"] for each in database[name].find() if each["_id"] not in known]
        )
        for document in memory.get(name, ()):
            database[name].replace_one({"_id": document["_id"]}, document, upsert=True)


def _collections(sweeper: Sweeper, node: Node) -> Iterator[str]:
    names = sweeper[node.settings.database].list_collection_names()
    yield from (name for name in names if not name.startswith("system."))
