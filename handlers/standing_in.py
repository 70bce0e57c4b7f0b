"""The doors by which officers have others act in their place."""

from handlers.base import Handler, Operation, Role
from server.desk.officer import substituting
from server.desk.officer.substituting import Absence, Delegating


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
