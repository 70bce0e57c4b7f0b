"""The doors of officers to a case: what their part in its steps needs, and the acts on a step."""

from handlers.base import Handler, Operation, Role
from handlers.files import send_file
from server.desk import materials, steps
from server.desk.officer import casefile, reviewing


class DeskCaseHandler(Handler):
    """A case with the data that the officer's part in its steps needs; each look is noted."""

    path = "/desk/v1/cases/{id}"
    role = Role.OFFICER
    operations = {"GET": Operation(casefile.desk_case, gives=casefile.DeskCaseView)}

    async def get(self, id: str) -> None:
        view = await casefile.desk_case(self.node, self.officer, id)
        self.etag = f'"{view.version}"'
        self.answer(view)


class StepActHandler(Handler):
    """One of the desk's acts on a step (`ACTS` in server/desk/officer/reviewing.py)."""

    path = "/desk/v1/cases/{id}/steps/{step}/{act}"
    role = Role.OFFICER
    operations = {
        "POST": Operation(reviewing.act_on, takes=reviewing.Decision, gives=steps.StepView, is_once=True),
    }

    async def post(self, id: str, step: str, act: str) -> None:
        request = reviewing.ActRequest(
            case=id, step=step, act=act, key=self.key(), decision=self.read(reviewing.Decision)
        )
        record = await reviewing.act_on(self.node, self.officer, request)
        self.answer(steps.step_view(self.node, record.case, step=record.case.step(step)), committed=record)


class DeskMaterialHandler(Handler):
    """A material of a step that the officer's department decides; each look is noted."""

    path = "/desk/v1/cases/{id}/materials/{sha256}"
    role = Role.OFFICER
    operations = {"GET": Operation(materials.material_of)}

    async def get(self, id: str, sha256: str) -> None:
        send_file(self, await materials.material_of(self.node, self.officer, id, sha256=sha256))
