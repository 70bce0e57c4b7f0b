"""The doors of a citizen's drafts: keep one, go on with it, and throw it away."""

from handlers.base import Handler, Operation, Role
from server.desk.citizen import drafts
from server.domain.rules.drafts import UnfinishedSubmission


class DraftsHandler(Handler):
    """One's own drafts, the one changed last first."""

    path = "/api/v1/drafts"
    role = Role.REAL_NAME
    operations = {"GET": Operation(drafts.my_drafts, "查看本人草稿列表", gives=drafts.DraftList)}

    async def get(self) -> None:
        self.answer(await drafts.my_drafts(self.node, self.owner))


class DraftHandler(Handler):
    """One of one's own drafts, under an id that one chooses; If-Match names the version to replace or to delete."""

    path = "/api/v1/drafts/{id}"
    role = Role.REAL_NAME
    operations = {
        "GET": Operation(drafts.my_draft, "查看一份草稿", gives=drafts.DraftView),
        "PUT": Operation(drafts.keep, "保存草稿", takes=UnfinishedSubmission, gives=drafts.DraftView, is_matched=True),
        "DELETE": Operation(drafts.delete, "删除草稿", status=204, is_matched=True),
    }

    async def get(self, id: str) -> None:
        view = await drafts.my_draft(self.node, self.owner, id)
        self.etag = f'"{view.version}"'
        self.answer(view)

    async def put(self, id: str) -> None:
        submission = self.read(UnfinishedSubmission)
        view = await drafts.keep(self.node, self.owner, id, submission=submission, version=self.if_match())
        self.set_header("Etag", f'"{view.version}"')
        self.answer(view)

    async def delete(self, id: str) -> None:
        await drafts.delete(self.node, self.owner, id, version=self.if_match())
        self.set_status(204)
        self.finish()
