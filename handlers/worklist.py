"""The doors of the worklist: tasks, who has one in hand, how many there are, and one act done to many."""

from handlers.base import Handler, Operation, Role
from server.desk.officer import batching, claiming, figures, worklist

PAGE = 50


class TasksHandler(Handler):
    """The open tasks that the officer sees, soonest due first."""

    path = "/desk/v1/tasks"
    role = Role.OFFICER
    operations = {
        "GET": Operation(
            worklist.tasks, "查看待办任务列表", gives=worklist.TaskList, queries=tuple(worklist.TaskFilter.model_fields)
        )
    }

    async def get(self) -> None:
        asked = self.query(worklist.TaskFilter)
        self.answer(await worklist.tasks(self.node, self.entry, asked, limit=PAGE))


class TaskClaimHandler(Handler):
    """Take a task in hand, or give it back; twice is the same as once."""

    path = "/desk/v1/tasks/{id}/claim"
    role = Role.OFFICER
    operations = {
        "POST": Operation(claiming.claim, "认领任务", gives=claiming.ClaimView),
        "DELETE": Operation(claiming.release, "退回已认领的任务", gives=claiming.ClaimView),
    }

    async def post(self, id: str) -> None:
        self.answer(await claiming.claim(self.node, self.entry, id))

    async def delete(self, id: str) -> None:
        self.answer(await claiming.release(self.node, self.entry, id))


class TaskHeartbeatHandler(Handler):
    """Go on with a task in hand."""

    path = "/desk/v1/tasks/{id}/heartbeat"
    role = Role.OFFICER
    operations = {"POST": Operation(claiming.extend, "延长任务的认领时间", gives=claiming.ClaimView)}

    async def post(self, id: str) -> None:
        self.answer(await claiming.extend(self.node, self.entry, id))


class TaskHandOverHandler(Handler):
    """Pass a task to a colleague, with a note; twice is the same as once."""

    path = "/desk/v1/tasks/{id}/hand-over"
    role = Role.OFFICER
    operations = {
        "POST": Operation(claiming.hand_over, "把任务移交给同事", takes=claiming.Passing, gives=claiming.ClaimView)
    }

    async def post(self, id: str) -> None:
        passing = self.read(claiming.Passing)
        self.answer(await claiming.hand_over(self.node, self.entry, id, passing=passing))


class CountsHandler(Handler):
    """How much lies on the desks that the officer sees, as `work` last counted it."""

    path = "/desk/v1/counts"
    role = Role.OFFICER
    operations = {"GET": Operation(figures.counts, "查看本机关和下级机关的待办数量", gives=figures.CountsView)}

    async def get(self) -> None:
        self.answer(await figures.counts(self.node, self.entry))


class BatchHandler(Handler):
    """Receive or accept many steps, each on its own."""

    path = "/desk/v1/batch"
    role = Role.OFFICER
    operations = {
        "POST": Operation(
            batching.act_on_all, "批量收件或受理", takes=batching.ActBatch, gives=batching.BatchOutcome, is_once=True
        ),
    }

    async def post(self) -> None:
        key, batch = self.key(), self.read(batching.ActBatch)
        outcome, moved = await batching.act_on_all(self.node, self.entry, batch, key=key)
        self.answer(outcome, committed=moved)
