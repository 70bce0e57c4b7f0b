"""The doors of the waiting room: which peaks are announced, and a ticket for one."""

from handlers.base import Handler, Operation, Role
from handlers.catalogue import CatalogueHandler
from handlers.response_cache import cached_response
from server.desk.citizen import queueing


class PeaksHandler(CatalogueHandler):
    """The hours that are announced in which one applies with a ticket."""

    path = "/api/v1/peaks"
    role = Role.ANYONE
    operations = {"GET": Operation(queueing.peaks, "查询已公布的集中办理时段（需取号排队）", gives=queueing.PeakList)}

    async def get(self) -> None:
        self.answer_with(cached_response(queueing.peaks(self.node)))


class PeakTicketHandler(Handler):
    """One's own ticket in a peak: take one, or ask with it when it is one's turn."""

    path = "/api/v1/peaks/{id}/ticket"
    role = Role.REAL_NAME
    operations = {
        "POST": Operation(
            queueing.take_ticket,
            "取号排队；已取号的，凭原排队号查询先后和预计等候时间",
            takes=queueing.TicketRequest,
            gives=queueing.TicketView,
        )
    }

    async def post(self, id: str) -> None:
        request = self.read(queueing.TicketRequest)
        self.answer(await queueing.take_ticket(self.node, self.owner, id, request=request))
