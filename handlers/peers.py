"""The doors of other nodes: their batches, and the directory."""

from collections.abc import Mapping
from typing import Any

from handlers.base import Does, Door, Who
from handlers.problems import PROBLEM
from regions import directory, inbox, wire


class PeerLog(Door):
    """Take in a batch; whatever is answered after the request is verified is signed."""

    path = wire.PATH
    who = Who.PEER
    most_bytes = wire.MOST_BODY_BYTES
    does = {"POST": Does(inbox.keep)}
    proof: Any = None

    async def post(self) -> None:
        request = self.request
        self.proof = await inbox.admit(self.node, query=request.query, headers=request.headers, body=self.body())
        reply = await inbox.keep(self.node, self.proof, self.body())
        self._send(reply.headers, reply.body)

    def finish_problem(self, status: int, body: bytes) -> None:
        headers: Mapping[str, str] = {"Content-Type": PROBLEM}
        if self.proof:
            headers = inbox.sign_refusal(self.node, self.proof, status=status, content_type=PROBLEM, body=body)
        self._send(headers, body)

    def _send(self, headers: Mapping[str, str], body: bytes) -> None:
        for name, value in headers.items():
            self.set_header(name, value)
        self.finish(body)


class PeerDirectory(Door):
    """The directory of nodes as its publisher signed it."""

    path = "/peer/v1/directory"
    who = Who.ANYONE
    does = {"GET": Does(directory.published)}

    async def get(self) -> None:
        self.set_header("Content-Type", "application/jose")
        self.finish(await directory.published(self.node))
