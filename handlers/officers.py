"""The doors by which the security administrator sees to the accounts of others."""

from handlers.base import Handler, Operation, Role
from server.desk.officer import administering, appointing
from server.desk.officer.administering import Ending, Listing, NewOfficer, OneTimePassword, Resetting
from server.desk.officer.appointing import NewPost
from server.desk.officer.officers import EndedOfficer

PAGE = 50


class OfficersHandler(Handler):
    """All accounts, and a new one."""

    path = "/desk/v1/officers"
    role = Role.SECURITY
    operations = {
        "GET": Operation(
            administering.listed,
            "查看账号列表",
            gives=administering.OfficerList,
            queries=tuple(Listing.model_fields),
        ),
        "POST": Operation(
            administering.add, "添加账号并取得初始密码", takes=NewOfficer, gives=OneTimePassword, status=201
        ),
    }

    async def get(self) -> None:
        self.answer(await administering.listed(self.node, self.query(Listing), limit=PAGE))

    async def post(self) -> None:
        self.answer(await administering.add(self.node, self.read(NewOfficer), by=self.entry.doer))


class OfficerHandler(Handler):
    """An officer with their posts."""

    path = "/desk/v1/officers/{name}"
    role = Role.SECURITY
    operations = {
        "GET": Operation(appointing.officer_view, "查看一个账号及其岗位", gives=appointing.OfficerView),
    }

    async def get(self, name: str) -> None:
        self.answer(await appointing.officer_view(self.node, name))


class OfficerEndHandler(Handler):
    """The end of an officer, for good."""

    path = "/desk/v1/officers/{name}/end"
    role = Role.SECURITY
    operations = {"POST": Operation(administering.end, "停用账号", takes=Ending, gives=EndedOfficer)}

    async def post(self, name: str) -> None:
        ending = self.read(Ending)
        self.answer(await administering.end(self.node, self.entry, name, ending=ending))


class OfficerResetHandler(Handler):
    """A new one-time password, or no authenticator any more."""

    path = "/desk/v1/officers/{name}/reset"
    role = Role.SECURITY
    operations = {
        "POST": Operation(administering.reset, "重置密码或动态验证码", takes=Resetting, gives=OneTimePassword)
    }

    async def post(self, name: str) -> None:
        resetting = self.read(Resetting)
        self.answer(await administering.reset(self.node, self.entry, name, resetting=resetting))


class OfficerPostsHandler(Handler):
    """A new post of an officer."""

    path = "/desk/v1/officers/{name}/posts"
    role = Role.SECURITY
    operations = {
        "POST": Operation(
            appointing.appoint, "设置岗位", takes=NewPost, gives=appointing.PostLine, status=201, is_once=True
        )
    }

    async def post(self, name: str) -> None:
        key, new = self.key(), self.read(NewPost)
        self.answer(await appointing.appoint(self.node, name, new, by=self.entry.doer, key=key))


class OfficerPostHandler(Handler):
    """The end of a post, for good."""

    path = "/desk/v1/officers/{name}/posts/{id}"
    role = Role.SECURITY
    operations = {
        "DELETE": Operation(
            appointing.end_post, "终止岗位，并说明原因", gives=appointing.PostLine, queries=tuple(Ending.model_fields)
        )
    }

    async def delete(self, name: str, id: str) -> None:
        ending = self.query(Ending)
        self.answer(await appointing.end_post(self.node, name, id, ending=ending, by=self.entry.doer))
