"""The doors by which an applicant sees what they are to sign, and signs it."""

from handlers.base import Handler, Operation, Role
from handlers.files import send_file
from server.desk.citizen import signing


class SigningsHandler(Handler):
    """What is to be signed of one of one's own cases."""

    path = "/api/v1/cases/{id}/signings"
    role = Role.REAL_NAME
    operations = {"GET": Operation(signing.my_signings, "查看办件中需要本人签名的文书", gives=signing.SigningList)}

    async def get(self, id: str) -> None:
        self.answer(await signing.my_signings(self.node, self.owner, id, tools=self.settings["signing"]))


class SigningHandler(Handler):
    """Sign one of these papers, with a face check made for it."""

    path = "/api/v1/cases/{id}/signings/{n}"
    role = Role.REAL_NAME
    operations = {
        "POST": Operation(
            signing.sign, "人脸核验后签署文书", takes=signing.SignatureGiven, gives=signing.SigningLine, is_once=True
        )
    }

    async def post(self, id: str, n: str) -> None:
        wish = signing.SigningWish(n, self.read(signing.SignatureGiven), self.key())
        record, line = await signing.sign(self.node, self.owner, id, wish=wish, tools=self.settings["signing"])
        self.answer(line, committed=record)


class SigningFileHandler(Handler):
    """The file as it is shown and signed."""

    path = "/api/v1/cases/{id}/signings/{n}/file"
    role = Role.REAL_NAME
    operations = {"GET": Operation(signing.shown_file, "下载待签名的文书（签名的正是这个文件）")}

    async def get(self, id: str, n: str) -> None:
        send_file(self, await signing.shown_file(self.node, self.owner, id, number=n))
