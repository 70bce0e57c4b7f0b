"""The doors of mandates: give one to an agent, list those given and received, revoke one."""

from handlers.base import Handler, Operation, Role
from server.desk.citizen import mandating


class MandatesHandler(Handler):
    """Give a mandate, or list those that one gave and received."""

    path = "/api/v1/mandates"
    role = Role.REAL_NAME
    operations = {
        "GET": Operation(mandating.my_mandates, "查看本人作出和收到的委托", gives=mandating.MandateList),
        "POST": Operation(
            mandating.give,
            "委托他人代办",
            takes=mandating.MandateRequest,
            gives=mandating.MandateView,
            status=201,
            is_once=True,
        ),
    }

    async def get(self) -> None:
        self.answer(await mandating.my_mandates(self.node, self.owner))

    async def post(self) -> None:
        request = self.read(mandating.MandateRequest)
        self.answer(await mandating.give(self.node, self.owner, request, key=self.key()))


class MandateHandler(Handler):
    """One of the mandates that one gave."""

    path = "/api/v1/mandates/{id}"
    role = Role.REAL_NAME
    operations = {"DELETE": Operation(mandating.revoke, "撤销委托", status=204)}

    async def delete(self, id: str) -> None:
        await mandating.revoke(self.node, self.owner, id)
        self.set_status(204)
        self.finish()
