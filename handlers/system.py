"""The doors by which the system administrator sees how the node stands, and lets what was set apart be tried anew."""

from handlers.base import Handler, Operation, Role
from regions import overview
from regions.overview import Retrying


class SystemHandler(Handler):
    """The state of the node."""

    path = "/desk/v1/system"
    role = Role.SYSTEM
    operations = {"GET": Operation(overview.overview, "查看节点运行状态", gives=overview.NodeOverview)}

    async def get(self) -> None:
        self.answer(await overview.overview(self.node))


class ApartHandler(Handler):
    """What could not be handled."""

    path = "/desk/v1/system/apart"
    role = Role.SYSTEM
    operations = {"GET": Operation(overview.listed, "查看被搁置的内容", gives=overview.ApartList)}

    async def get(self) -> None:
        self.answer(await overview.listed(self.node))


class ApartRetryHandler(Handler):
    """Another try of one of these."""

    path = "/desk/v1/system/apart/{id}/retry"
    role = Role.SYSTEM
    operations = {"POST": Operation(overview.retry, "重新处理被搁置的内容", takes=Retrying, gives=overview.ApartLine)}

    async def post(self, id: str) -> None:
        self.answer(await overview.retry(self.node, id, self.read(Retrying), by=self.entry.doer))
