"""The doors to who uses licences: the holder sees each use, and other nodes are given copies."""

from handlers.base import Handler, Operation, Role
from handlers.peers import PeerQueryHandler
from regions import licence_copies
from server.desk.citizen import uses

PAGE = 20


class LicenceUsesHandler(Handler):
    """Who has used a licence of one's own, and what for."""

    path = "/api/v1/licences/{identifier}/uses"
    role = Role.REAL_NAME
    operations = {
        "GET": Operation(
            uses.uses_of,
            "查看本人一个证照的使用记录",
            gives=uses.UseList,
            queries=tuple(uses.UsesAsked.model_fields),
        )
    }

    async def get(self, identifier: str) -> None:
        asked = self.query(uses.UsesAsked)
        self.answer(await uses.uses_of(self.node, self.owner, identifier, after=asked.after, limit=PAGE))


class PeerCopyHandler(PeerQueryHandler):
    """A copy of a licence that was issued here, for a node that knows a holder."""

    path = licence_copies.PATH
    role = Role.PEER
    operations = {
        "GET": Operation(
            licence_copies.tell_copy,
            "经持证人同意，向其他节点提供证照照面",
            queries=tuple(licence_copies.CopyQuestion.model_fields),
        )
    }

    async def get(self, identifier: str) -> None:
        await self.admit()
        question = self.query(licence_copies.CopyQuestion)
        self.reply(await licence_copies.tell_copy(self.node, self.proof, identifier, question=question))
