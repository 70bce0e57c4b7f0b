"""The doors of other nodes: their batches, and the directory."""

from collections.abc import Mapping
from typing import Any

from handlers.base import Handler, Operation, Role
from handlers.bodies import check_announced
from handlers.problems import PROBLEM
from regions import answering, auditing, directory, fetching, heads, inbox, licence_checks, serving, wire
from server.domain.errors import Refusal


class PeerHandler(Handler):
    """A door of other nodes: its signature is verified by its headers, before a byte of the body is taken.

    A peer that is refused by its headers gets the refusal after its body has been read and thrown away, as everywhere,
    but at most twice the largest batch is read here. To close at once would spare that reading, which every open door
    costs a node as well; but a true peer with a wrong clock or a new key would see a broken connection, and its
    operators would not learn the reason.

    When the body is here, and is the one that was signed, there is a `proof`, and all answers are signed from then on.
    What is refused is audited after the answer.
    """

    role = Role.PEER
    most_read_bytes = 2 * wire.MOST_BODY_BYTES
    proof: Any = None
    refused: Refusal | None = None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        fault = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        self.refused = fault if isinstance(fault, Refusal) else None
        super().write_error(status_code, **kwargs)

    def on_finish(self) -> None:
        if self.refused:
            rejected = auditing.RejectedRequest(self.refused, self.path, self.request.headers, self.proof)
            self.in_flight.start(auditing.note(self.node, rejected))
        super().on_finish()

    def finish_problem(self, status: int, body: bytes) -> None:
        headers: Mapping[str, str] = {"Content-Type": PROBLEM}
        if self.proof:
            headers = inbox.sign_refusal(self.node, self.proof, status=status, content_type=PROBLEM, body=body)
        self.send(headers, body)

    def send(self, headers: Mapping[str, str], body: bytes) -> None:
        """Answer with these headers."""
        for name, value in headers.items():
            self.set_header(name, value)
        self.finish(body)


class PeerQueryHandler(PeerHandler):
    """A door of other nodes for a signed GET: `admit` first, then `reply`."""

    role = Role.PEER

    async def let_in(self) -> None:
        request = self.request
        self.announced = answering.announced_query(
            self.node, path=request.path, query=request.query, headers=request.headers
        )

    async def admit(self) -> None:
        """Find out who asks; raises DigestMismatch for one with a body, SignatureExpired and NonceReplayed."""
        self.proof = await answering.admit_query(self.node, self.announced, self.body())

    def reply(self, reply: answering.SignedReply) -> None:
        """Answer."""
        self.set_status(reply.status)
        self.send(reply.headers, reply.body)


class PeerLogHandler(PeerHandler):
    """Take in a batch; whatever is answered after the request is verified is signed."""

    path = wire.PATH
    role = Role.PEER
    most_bytes = wire.MOST_BODY_BYTES
    operations = {"POST": Operation(inbox.keep, "接收其他节点的一批函件")}

    async def let_in(self) -> None:
        check_announced(self.request.headers, most_bytes=self.most_bytes)
        self.announced = inbox.announced(self.node, query=self.request.query, headers=self.request.headers)

    async def post(self) -> None:
        self.proof = await inbox.admit(self.node, self.announced, self.body())
        reply = await inbox.keep(self.node, self.proof, self.body())
        self.send(reply.headers, reply.body)


class PeerHeadsHandler(PeerQueryHandler):
    """How far our copies of the logs between us and the asker have come."""

    path = heads.PATH
    role = Role.PEER
    operations = {
        "GET": Operation(heads.tell, "告知其他节点双方函件日志的进度", queries=tuple(heads.HeadsAsked.model_fields))
    }

    async def get(self) -> None:
        await self.admit()
        self.reply(await heads.tell(self.node, self.proof, self.query(heads.HeadsAsked)))


class PeerDirectoryHandler(Handler):
    """The directory of nodes as its publisher signed it."""

    path = "/peer/v1/directory"
    role = Role.ANYONE
    operations = {"GET": Operation(directory.published, "获取已签名的节点目录")}

    async def get(self) -> None:
        self.set_header("Content-Type", "application/jose")
        self.finish(await directory.published(self.node))


class PeerContentHandler(PeerQueryHandler):
    """A material for the decider of its step, or a licence for its case's home, whole or a part of it."""

    path = fetching.PATH
    role = Role.PEER
    operations = {"GET": Operation(serving.content, "向其他节点提供材料或证照文件", queries=("case", "step"))}

    async def get(self, sha256: str) -> None:
        await self.admit()
        case, step = self.get_query_argument("case", ""), self.get_query_argument("step", "")
        self.reply(await serving.content(self.node, self.proof, sha256, case=case, step=step))


class PeerLicenceHandler(PeerQueryHandler):
    """How a licence stands that was issued here."""

    path = licence_checks.PATH
    role = Role.PEER
    operations = {"GET": Operation(licence_checks.tell_standing, "告知其他节点本节点颁发的证照的状态")}

    async def get(self, identifier: str) -> None:
        await self.admit()
        self.reply(await licence_checks.tell_standing(self.node, self.proof, identifier))
