"""The doors of those who work together: who is there, and the tasks shared out among them."""

from handlers.base import Handler, Operation, Role
from server.desk.officer import assigning, colleagues

PAGE = 50


class ColleaguesHandler(Handler):
    """Who works at the officer's own authorities and windows."""

    path = "/desk/v1/colleagues"
    role = Role.OFFICER
    operations = {
        "GET": Operation(
            colleagues.colleagues,
            "查看本机关、本窗口的同事及其在岗和在办情况",
            gives=colleagues.ColleagueList,
            queries=tuple(colleagues.ColleaguesAsked.model_fields),
        )
    }

    async def get(self) -> None:
        asked = self.query(colleagues.ColleaguesAsked)
        self.answer(await colleagues.colleagues(self.node, self.entry, asked, limit=PAGE))


class AssignmentsHandler(Handler):
    """Share out the tasks that nobody has in hand; twice gives no task twice."""

    path = "/desk/v1/assignments"
    role = Role.OFFICER
    operations = {
        "POST": Operation(
            assigning.assign,
            "把无人认领的任务分派给在岗且在办最少的同事",
            takes=assigning.AssignmentWish,
            gives=assigning.AssignmentsView,
        )
    }

    async def post(self) -> None:
        wish = self.read(assigning.AssignmentWish)
        self.answer(await assigning.assign(self.node, self.entry, wish))
