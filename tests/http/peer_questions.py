"""Signed questions of one node to another, whole cases with large materials, and wires that cut or lie."""

import io
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import pymongo

from regions import fetching
from regions.asking import SignedAnswer, SignedQuery, ask
from server.crypto.receipts import Answer, sign_answer
from server.crypto.signatures import RequestReference
from server.domain.exchange.wire import NoAnswer, WireAnswer, WireRequest
from server.node import Node
from tests.http.asking import opened
from tests.nodes import ANSWERS, HERE, PNG, Caller, Places, newborn_form
from tests.world import JIANGSU, ZHEJIANG

FAR = "household_registration"
PART_BYTES = fetching.PART_BYTES
PASSED_ON = ("mother_identity_card", "mother_household_register")


def picture(size: int, mark: str = "") -> bytes:
    """A PNG as far as its first bytes tell, of so many bytes; another `mark`, another picture."""
    pattern = bytes(range(251)) + mark.encode()
    return (PNG + pattern * (size // len(pattern) + 1))[:size]


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


async def far_case(places: Places, mother: Caller, *contents: bytes) -> str:
    """A case whose household registration is requested of Zhejiang, with these materials, of which none has come."""
    places.is_fetching = False
    ids = [(await mother.upload(io.BytesIO(content))).body["id"] for content in contents]
    materials = [{"code": code, "id": id} for code, id in zip(PASSED_ON, ids * 2, strict=False)]
    wish = {"bundle": "newborn", "division": HERE, "answers": ANSWERS, "form": newborn_form(), "materials": materials}
    case = await opened(places, mother, wish)
    await places.decide(case, "birth_certificate", department="health", division=JIANGSU)
    places.is_fetching = True
    return case


async def asked(
    places: Places, sha: str, case: str, *, step: str = FAR, by: str = ZHEJIANG, **more: Any
) -> SignedAnswer:
    """What Jiangsu, or the node `at`, answers this node about a content; `span` is a range, `wire` another wire.

    Raises PeerRefused and PeerFailure.
    """
    node = places.nodes[by].node
    node = replace(node, wire=more.get("wire", node.wire))
    peer = node.directory.entry(more.get("at", JIANGSU))
    assert peer
    path = fetching.PATH.format(sha256=sha)
    question = SignedQuery(
        path, {"case": f"{JIANGSU}/{case}", "step": step}, range=more.get("span", ""), most_bytes=11 << 20
    )
    return await ask(node, peer, question)


async def fetches_of(node: Node, case: str, step: str = FAR) -> list[Any]:
    """All that this node was ever to fetch for a step of a case of Jiangsu."""
    id = case if node.here == JIANGSU else f"{JIANGSU}:{case}"
    return sorted(await node.store.fetches.of_step(id, step), key=lambda each: each.id)


async def fetch_over(node: Node, wire: Any, *, peer: str = JIANGSU) -> bool:
    """One round of fetching over another wire."""
    return await fetching.fetch(replace(node, wire=wire), peer)


@dataclass(frozen=True)
class Books:
    """The audit entries of all nodes."""

    client: pymongo.MongoClient[dict[str, Any]]

    def notes(self, node: Node, kind: str, **about: str) -> list[dict[str, str]]:
        """What the entries of this kind say that say this."""
        found = self.client[node.settings.database]["audit"].find({"kind": kind})
        return [dict(each["about"]) for each in found if about.items() <= each["about"].items()]


@dataclass
class CutWire:
    """A wire that is cut after so many answers; it remembers which ranges were asked for."""

    through: Any
    answers: int
    ranges: list[str] = field(default_factory=list)

    async def send(self, request: WireRequest) -> WireAnswer:
        self.ranges.append(request.headers["Range"])
        if len(self.ranges) > self.answers:
            raise NoAnswer("unreachable")
        return await self.through.send(request)


@dataclass
class LyingWire:
    """A peer that signs other bytes than it offered."""

    liar: Node

    async def send(self, request: WireRequest) -> WireAnswer:
        first, _, last = request.headers["Range"].removeprefix("bytes=").partition("-")
        body = b"x" * (int(last) - int(first) + 1)
        size = int(last) + 1  # it is asked for one part
        answer = Answer(206, "application/octet-stream", body, f"bytes {first}-{last}/{size}")
        request_signature = RequestReference(request.headers["Signature"].removeprefix("tongban-1="))
        keys, at = self.liar.keys, self.liar.clock.now()
        made = sign_answer(keys.signing, answer, request=request_signature, at=at, nonce="lie")
        return WireAnswer(206, made.headers, body)
