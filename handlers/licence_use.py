"""The doors of using licences: in place of materials, by other nodes, and who has used one."""

from handlers.base import Handler, Operation, Role
from handlers.peers import PeerQueryHandler
from regions import licence_copies
from server.desk.citizen import covering, uses
from server.desk.officer import covered, licence_use
from server.domain.licence.copies import CopyReason

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


class CoverageHandler(Handler):
    """Which materials of a bundle need no upload, as a licence of one's own covers them."""

    path = "/api/v1/bundles/{code}/coverage"
    role = Role.REAL_NAME
    operations = {
        "POST": Operation(
            covering.coverage,
            "经本人同意，查找可以用本人电子证照代替的申请材料",
            takes=covering.CoverageRequest,
            gives=covering.Coverage,
            is_looking=True,
        )
    }

    async def post(self, code: str) -> None:
        request = self.read(covering.CoverageRequest)
        self.answer(await covering.coverage(self.node, self.owner, code, request=request))


class DeskCoveredHandler(Handler):
    """The face of a licence that takes the place of a material; each look is noted."""

    path = "/desk/v1/cases/{id}/materials/{sha256}/licence"
    role = Role.OFFICER
    operations = {"GET": Operation(covered.open_licence, "查看代替申请材料的证照照面", gives=licence_use.CopyAtDesk)}

    async def get(self, id: str, sha256: str) -> None:
        copy_of = licence_copies.copy_of
        self.answer(await covered.open_licence(self.node, self.entry, id, sha256=sha256, copy_of=copy_of))


class PeerCopyHandler(PeerQueryHandler):
    """A copy of a licence that was issued here, for a node that knows a holder."""

    path = licence_copies.PATH
    role = Role.PEER
    operations = {
        "GET": Operation(
            licence_copies.tell_copy,
            "经持证人同意，向其他节点提供证照照面",
            queries=tuple(CopyReason.model_fields),
        )
    }

    async def get(self, identifier: str) -> None:
        await self.admit()
        question = self.query(CopyReason)
        self.reply(await licence_copies.tell_copy(self.node, self.proof, identifier, question=question))
