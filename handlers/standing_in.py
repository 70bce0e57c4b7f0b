"""The doors by which officers see their own posts, and have others act in their place."""

from handlers.base import Handler, Operation, Role
from server.desk.officer import substituting
from server.desk.officer.administering import Ending
from server.desk.officer.appointing import PostLine
from server.desk.officer.substituting import Absence, Delegating


class MyPostsHandler(Handler):
    """The officer's posts."""

    path = "/desk/v1/posts"
    role = Role.OFFICER
    operations = {
        "GET": Operation(
            substituting.my_posts, "查看本人的岗位，以及可由本人提前结束的代理和授权", gives=substituting.MyPosts
        )
    }

    async def get(self) -> None:
        self.answer(await substituting.my_posts(self.node, self.entry))


class SubstitutionsHandler(Handler):
    """Somebody is away, and a colleague stands in for them."""

    path = "/desk/v1/substitutions"
    role = Role.OFFICER
    operations = {
        "POST": Operation(
            substituting.substitute,
            "登记请假期间的岗位代理",
            takes=Absence,
            gives=substituting.StandIns,
            status=201,
            is_once=True,
        )
    }

    async def post(self) -> None:
        key, absence = self.key(), self.read(Absence)
        self.answer(await substituting.substitute(self.node, self.entry, absence, key=key))


class SubstitutionHandler(Handler):
    """The early end of a substitution or a delegation."""

    path = "/desk/v1/substitutions/{id}"
    role = Role.OFFICER
    operations = {
        "DELETE": Operation(
            substituting.end_stand_in,
            "提前结束代理或者授权，并说明原因",
            gives=PostLine,
            queries=tuple(Ending.model_fields),
        )
    }

    async def delete(self, id: str) -> None:
        ending = self.query(Ending)
        self.answer(await substituting.end_stand_in(self.node, self.entry, id, ending=ending))


class DelegationsHandler(Handler):
    """A head leaves some items to a colleague."""

    path = "/desk/v1/delegations"
    role = Role.OFFICER
    operations = {
        "POST": Operation(
            substituting.delegate,
            "把部分事项授权给同事办理",
            takes=Delegating,
            gives=substituting.StandIns,
            status=201,
            is_once=True,
        )
    }

    async def post(self) -> None:
        key, wish = self.key(), self.read(Delegating)
        self.answer(await substituting.delegate(self.node, self.entry, wish, key=key))
