"""The doors of showing licences: codes and requests of their holders, and the desks that redeem codes."""

from handlers.base import Handler, Operation, Role
from handlers.peers import PeerQueryHandler
from regions import licence_showing as codes
from server.desk.citizen import showing
from server.desk.officer import licence_use


class ShowCodesHandler(Handler):
    """Make a code that lives a minute."""

    path = "/api/v1/licences/codes"
    role = Role.REAL_NAME
    operations = {
        "POST": Operation(
            showing.make_code,
            "亮证：为选定的证照生成一分钟有效的一次性亮证码",
            takes=showing.ShowRequest,
            gives=showing.ShowCode,
            status=201,
            is_once=True,
        )
    }

    async def post(self) -> None:
        request = self.read(showing.ShowRequest)
        self.answer(await showing.make_code(self.node, self.owner, request, key=self.key()))


class LicenceRequestsHandler(Handler):
    """Who has redeemed one's codes of late."""

    path = "/api/v1/licence-requests"
    role = Role.REAL_NAME
    operations = {
        "GET": Operation(showing.my_requests, "查看本人收到的用证请求", gives=showing.LicenceRequests),
    }

    async def get(self) -> None:
        self.answer(await showing.my_requests(self.node, self.owner))


class LicenceConfirmHandler(Handler):
    """Let the officer see licences."""

    path = "/api/v1/licence-requests/{id}/confirm"
    role = Role.REAL_NAME
    operations = {
        "POST": Operation(
            showing.confirm,
            "同意用证请求，并选择可以查看的证照",
            takes=showing.ConfirmRequest,
            gives=showing.LicenceRequestView,
        )
    }

    async def post(self, id: str) -> None:
        request = self.read(showing.ConfirmRequest)
        self.answer(await showing.confirm(self.node, self.owner, id, request=request))


class LicenceDeclineHandler(Handler):
    """Let the officer see none."""

    path = "/api/v1/licence-requests/{id}/decline"
    role = Role.REAL_NAME
    operations = {"POST": Operation(showing.decline, "不同意用证请求", gives=showing.LicenceRequestView)}

    async def post(self, id: str) -> None:
        self.answer(await showing.decline(self.node, self.owner, id))


class DeskCodesHandler(Handler):
    """Redeem a code that a holder shows."""

    path = "/desk/v1/licence-codes"
    role = Role.OFFICER
    operations = {
        "POST": Operation(
            codes.redeem_code,
            "核销亮证码，请持证人确认出示证照",
            takes=licence_use.RedeemRequest,
            gives=licence_use.ShownAtDesk,
            status=201,
            is_once=True,
        )
    }

    async def post(self) -> None:
        request = self.read(licence_use.RedeemRequest)
        shown = await codes.redeem_code(self.node, self.entry, request, key=self.key())
        self.set_header("Location", f"/desk/v1/licence-requests/{shown.id}")
        self.answer(shown)


class DeskRequestHandler(Handler):
    """What came of a code: the faces, once the holder has confirmed; each look is noted."""

    path = "/desk/v1/licence-requests/{id}"
    role = Role.OFFICER
    operations = {"GET": Operation(codes.shown, "查看用证请求和持证人同意出示的证照", gives=licence_use.ShownAtDesk)}

    async def get(self, id: str) -> None:
        self.answer(await codes.shown(self.node, self.entry, id))


class PeerCodeHandler(PeerQueryHandler):
    """Another node redeems a code of ours for its officer."""

    path = codes.CODES
    role = Role.PEER
    operations = {
        "GET": Operation(
            codes.tell_redeemed,
            "其他节点核销本节点的亮证码",
            queries=tuple(codes.RedeemQuestion.model_fields),
        )
    }

    async def get(self) -> None:
        await self.admit()
        question = self.query(codes.RedeemQuestion)
        self.reply(await codes.tell_redeemed(self.node, self.proof, question))


class PeerRequestHandler(PeerQueryHandler):
    """What came of a code that another node has redeemed."""

    path = codes.REQUEST
    role = Role.PEER
    operations = {
        "GET": Operation(
            codes.tell_seen,
            "告知其他节点用证请求的结果",
            queries=tuple(codes.SeenQuestion.model_fields),
        )
    }

    async def get(self, id: str) -> None:
        await self.admit()
        question = self.query(codes.SeenQuestion)
        self.reply(await codes.tell_seen(self.node, self.proof, id, question=question))
