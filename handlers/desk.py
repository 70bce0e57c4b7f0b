"""The doors of officers to a case: what their part in its steps needs, and the acts on a step."""

from handlers.base import Handler, Operation, Role, Variant
from handlers.bodies import BodyFaulty
from handlers.files import send_file
from regions import licence_copies
from server.desk import steps
from server.desk.officer import casefile, opening, reviewing, transferring, visiting
from server.domain.errors import FieldFault
from server.domain.rules.desk_acts import ACTS
from server.domain.rules.desk_forms import Decision


class DeskCaseHandler(Handler):
    """A case with the data that the officer's part in its steps needs; each look is noted."""

    path = "/desk/v1/cases/{id}"
    role = Role.OFFICER
    operations = {"GET": Operation(casefile.desk_case, "查看办件中本机关经办的内容", gives=casefile.DeskCaseView)}

    async def get(self, id: str) -> None:
        view = await casefile.desk_case(self.node, self.entry, id, copy_of=licence_copies.copy_of)
        self.etag = f'"{view.version}"'
        self.answer(view)


class DeskVisitsHandler(Handler):
    """Record that somebody came to a window for a case."""

    path = "/desk/v1/cases/{id}/visits"
    role = Role.OFFICER
    operations = {
        "POST": Operation(
            visiting.record_visit,
            "登记申请人到窗口的一次跑动",
            takes=visiting.VisitRequest,
            gives=casefile.VisitAtDesk,
            status=201,
            is_once=True,
        )
    }

    async def post(self, id: str) -> None:
        request = self.read(visiting.VisitRequest)
        self.answer(await visiting.record_visit(self.node, self.entry, id, request=request, key=self.key()))


class StepActHandler(Handler):
    """One of the desk's acts on a step (`ACTS` in server/domain/rules/desk_acts.py), each with a body of its own."""

    path = "/desk/v1/cases/{id}/steps/{step}/{act}"
    role = Role.OFFICER
    operations = {
        "POST": Operation(
            reviewing.act_on,
            "办理一个事项",
            takes=Decision,
            gives=steps.StepView,
            is_once=True,
            variants={path: Variant(form.summary, form.decision) for path, form in ACTS.items()},
        ),
    }

    async def post(self, id: str, step: str, act: str) -> None:
        key, form = self.key(), reviewing.form_of(act)
        decision = self.read_decision(form.decision)
        request = reviewing.ActRequest(case=id, step=step, act=act, key=key, decision=decision)
        record = await reviewing.act_on(self.node, self.entry, request)
        self.answer(steps.step_view(self.node, record.case, step=record.case.step(step)), committed=record)

    def read_decision(self, kind: type[Decision]) -> Decision:
        """The body as this model; raises DecisionIncomplete if members are missing and nothing else is wrong."""
        try:
            return self.read(kind)
        except BodyFaulty as fault:
            if fault.errors and all(map(_is_missing_member, fault.errors)):
                raise reviewing.DecisionIncomplete("请补充办理这一操作所需的内容。", errors=fault.errors) from None
            raise


class DesignationsHandler(Handler):
    """The head of an authority above says who decides a step."""

    path = "/desk/v1/designations"
    role = Role.OFFICER
    operations = {
        "POST": Operation(
            transferring.designate,
            "由共同的上级机关指定一个事项的办理机关",
            takes=transferring.DesignationRequest,
            gives=transferring.DesignationView,
            is_once=True,
        )
    }

    async def post(self) -> None:
        key, request = self.key(), self.read(transferring.DesignationRequest)
        view, record = await transferring.designate(self.node, self.entry, request, key=key)
        self.answer(view, committed=record)


class DeskMaterialHandler(Handler):
    """A material of a step that an authority of the officer's decides; each look is noted."""

    path = "/desk/v1/cases/{id}/materials/{sha256}"
    role = Role.OFFICER
    operations = {"GET": Operation(opening.material_of, "打开申请材料")}

    async def get(self, id: str, sha256: str) -> None:
        send_file(self, await opening.material_of(self.node, self.entry, id, sha256=sha256))


class DeskPaperHandler(Handler):
    """A sealed paper of a step that an authority of the officer's decides; each look is noted."""

    path = "/desk/v1/cases/{id}/papers/{paper}"
    role = Role.OFFICER
    operations = {"GET": Operation(opening.paper_file, "打开办件的文书")}

    async def get(self, id: str, paper: str) -> None:
        send_file(self, await opening.paper_file(self.node, self.entry, id, paper=paper))


def _is_missing_member(fault: FieldFault) -> bool:
    return fault.code == "required" and fault.pointer.count("/") == 1
