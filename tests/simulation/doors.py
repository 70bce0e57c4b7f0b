"""Doors: what a node does with a request of another (handlers/peers.py), without HTTP."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import orjson
from tornado.httputil import HTTPHeaders

from handlers.problems import PROBLEM, problem_of
from regions import answering, heads, inbox
from server.crypto.signatures import Proven
from server.domain.errors import Refusal
from server.domain.exchange.wire import WireAnswer, WireRequest
from server.node import Node
from tests.simulation.watching import Watcher


async def answered(node: Node, watcher: Watcher, request: WireRequest) -> WireAnswer:
    """The signed answer to a batch or a question."""
    proof: Proven | None = None
    try:
        if request.method == "GET":
            proof = await _asked(node, request)
            query = dict(parse_qsl(urlsplit(request.url).query))
            told = await heads.tell(node, proof, heads.HeadsAsked.model_validate(query))
            return WireAnswer(told.status, HTTPHeaders(told.headers), told.body)
        announced = inbox.announced(node, query="", headers=request.headers)
        proof = kept = await inbox.admit(node, announced, request.body)
        watcher.admitted(kept)
        reply = await inbox.keep(node, kept, request.body)
    except Refusal as refusal:
        return _refused(node, proof, refusal)
    watcher.receipted(proof.sender, reply.body)
    return WireAnswer(200, HTTPHeaders(reply.headers), reply.body)


async def _asked(node: Node, request: WireRequest) -> Proven:
    parts = urlsplit(request.url)
    announced = answering.announced_query(node, path=parts.path, query=parts.query, headers=request.headers)
    return await answering.admit_query(node, announced, request.body)


def _refused(node: Node, proof: Proven | None, refusal: Refusal) -> WireAnswer:
    status, problem = problem_of(refusal, 500)
    body = orjson.dumps(problem)
    headers: Mapping[str, str] = {"Content-Type": PROBLEM}
    if proof:
        headers = inbox.sign_refusal(node, proof, status=status, content_type=PROBLEM, body=body)
    node.log.info("peer.refused", code=refusal.code)
    return WireAnswer(status, HTTPHeaders(headers), body)
