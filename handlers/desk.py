"""The doors of officers: the worklist, a case, and the acts on a step."""

from handlers.base import Does, Door, Who
from server.desk import reading, reviewing, sessions, worklist

PAGE = 50


class Tasks(Door):
    """The open tasks of the officer's department."""

    path = "/desk/v1/tasks"
    who = Who.OFFICER
    audience = sessions.OFFICERS
    does = {"GET": Does(worklist.tasks, gives=worklist.TaskList, queries=("after",))}

    async def get(self) -> None:
        after = self.get_query_argument("after", "")
        officer = sessions.officer_of(self.claims)
        self.answer(await worklist.tasks(self.node, officer, after=after, limit=PAGE))


class DeskCase(Door):
    """A case with the data that the officer's steps declare; each look is noted."""

    path = "/desk/v1/cases/{id}"
    who = Who.OFFICER
    audience = sessions.OFFICERS
    does = {"GET": Does(worklist.desk_case, gives=worklist.DeskCaseView)}

    async def get(self, id: str) -> None:
        view = await worklist.desk_case(self.node, sessions.officer_of(self.claims), id)
        self.etag = f'"{view.version}"'
        self.answer(view)


class ActOnStep(Door):
    """Receive, accept, approve or refuse a step."""

    path = "/desk/v1/cases/{id}/steps/{step}/{act}"
    who = Who.OFFICER
    audience = sessions.OFFICERS
    does = {
        "POST": Does(reviewing.act_on, takes=reviewing.Decision, gives=reading.StepView, is_once=True),
    }

    async def post(self, id: str, step: str, act: str) -> None:
        wish = reviewing.Wish(case=id, step=step, act=act, key=self.key(), said=self.read(reviewing.Decision))
        record = await reviewing.act_on(self.node, sessions.officer_of(self.claims), wish)
        self.answer(reading.step_view(self.node, record.case, step=record.case.step(step)), committed=record)
