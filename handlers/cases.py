"""The doors of a citizen's cases: hand in, look, and take back."""

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, RootModel

from handlers.base import Handler, Operation, Role
from handlers.files import send_file
from regions import licence_copies
from server.desk.citizen import applying, beginning_again, licences, papers, reading, supplementing, timeline, urging
from server.domain.rules.drafts import NamedDraft
from server.domain.rules.opening import Submission

PAGE = 20


def _one_of_both(body: Any) -> Submission | NamedDraft:
    """The application itself, or its draft if the body names one: what belongs to the other form is unknown there."""
    kind = NamedDraft if isinstance(body, dict) and "draft" in body else Submission
    return kind.model_validate(body)


class CaseRequest(RootModel[Annotated[Submission | NamedDraft, BeforeValidator(_one_of_both)]]):
    """A finished application, or the draft that holds it."""

    model_config = ConfigDict(hide_input_in_errors=True)


class CasesHandler(Handler):
    """Hand in an application, or list one's own cases."""

    path = "/api/v1/cases"
    role = Role.REAL_NAME
    operations = {
        "GET": Operation(reading.my_cases, "查看本人办件列表", gives=reading.CaseList, queries=("before",)),
        "POST": Operation(
            applying.submit,
            "提交申请",
            takes=CaseRequest,
            gives=reading.SubmittedView,
            status=201,
            is_once=True,
            is_queued=True,
        ),
    }

    async def get(self) -> None:
        before = self.get_query_argument("before", "")
        self.answer(await reading.my_cases(self.node, self.owner, before=before, limit=PAGE))

    async def post(self) -> None:
        key, ticket = self.key(), self.request.headers.get("Waiting-Ticket", "")
        how = applying.Handing(ticket, licence_copies.copy_of)
        record = await applying.submit(self.node, self.owner, self.read(CaseRequest).root, key=key, how=how)
        self.set_header("Location", f"{self.path}/{record.id}")
        self.answer(reading.submitted(record), committed=record)


class CaseHandler(Handler):
    """One of one's own cases."""

    path = "/api/v1/cases/{id}"
    role = Role.REAL_NAME
    operations = {"GET": Operation(reading.my_case, "查看本人的一个办件", gives=reading.CaseView)}

    async def get(self, id: str) -> None:
        view = await reading.my_case(self.node, self.owner, id)
        self.etag = f'"{view.version}"'
        self.answer(view)


class CaseTimelineHandler(Handler):
    """What happened to one of one's own cases."""

    path = "/api/v1/cases/{id}/timeline"
    role = Role.REAL_NAME
    operations = {"GET": Operation(timeline.my_timeline, "查看办件的办理进度", gives=timeline.Timeline)}

    async def get(self, id: str) -> None:
        self.answer(await timeline.my_timeline(self.node, self.owner, id))


class CaseWithdrawalHandler(Handler):
    """Take a case back."""

    path = "/api/v1/cases/{id}/withdrawal"
    role = Role.REAL_NAME
    operations = {
        "POST": Operation(applying.withdraw, "撤回办件", gives=reading.CaseView, is_once=True, is_matched=True)
    }

    async def post(self, id: str) -> None:
        record = await applying.withdraw(self.node, self.owner, id, key=self.key(), version=self.if_match())
        self.set_header("Etag", f'"{record.case.version}"')
        self.answer(await reading.view(self.node, record), committed=record)


class CaseSupplementsHandler(Handler):
    """Put right what an officer asked for, or hand in what was deferred."""

    path = "/api/v1/cases/{id}/supplements"
    role = Role.REAL_NAME
    operations = {
        "POST": Operation(
            supplementing.supplement,
            "提交补正内容或补交容缺材料",
            takes=supplementing.SupplementRequest,
            gives=reading.CaseView,
            is_once=True,
        )
    }

    async def post(self, id: str) -> None:
        request = self.read(supplementing.SupplementRequest)
        record = await supplementing.supplement(self.node, self.owner, id, request=request, key=self.key())
        self.set_header("Etag", f'"{record.case.version}"')
        self.answer(await reading.view(self.node, record), committed=record)


class StepUrgingsHandler(Handler):
    """Press those who have a step of one's own case in hand."""

    path = "/api/v1/cases/{id}/steps/{step}/urgings"
    role = Role.REAL_NAME
    operations = {
        "POST": Operation(urging.urge, "催办本人办件中尚未受理的一个事项", gives=reading.CaseView, is_once=True)
    }

    async def post(self, id: str, step: str) -> None:
        record = await urging.urge(self.node, self.owner, id, step=step, key=self.key())
        self.set_header("Etag", f'"{record.case.version}"')
        self.answer(await reading.view(self.node, record), committed=record)


class StepAgainHandler(Handler):
    """Begin again, in the right place, what was declined in one's own case as another place's."""

    path = "/api/v1/cases/{id}/steps/{step}/again"
    role = Role.REAL_NAME
    operations = {
        "POST": Operation(
            beginning_again.begin_again,
            "在应当受理的地区重新申请被不予受理的一个事项，生成已填好的草稿",
            gives=beginning_again.BegunAgain,
            status=201,
            is_once=True,
        )
    }

    async def post(self, id: str, step: str) -> None:
        begun = await beginning_again.begin_again(self.node, self.owner, id, step=step, key=self.key())
        self.set_header("Location", f"/api/v1/drafts/{begun.draft.id}")
        self.set_header("Etag", f'"{begun.draft.version}"')
        self.answer(begun)


class CaseLicenceHandler(Handler):
    """One of the licences and papers that a case has yielded, once it is delivered electronically."""

    path = "/api/v1/cases/{id}/licences/{n}"
    role = Role.REAL_NAME
    operations = {"GET": Operation(licences.licence, "查看办件产生的证照或文书", gives=licences.LicenceView)}

    async def get(self, id: str, n: str) -> None:
        self.answer(await licences.licence(self.node, self.owner, id, number=n))


class CaseLicenceFileHandler(Handler):
    """The file of one of those documents."""

    path = "/api/v1/cases/{id}/licences/{n}/file"
    role = Role.REAL_NAME
    operations = {"GET": Operation(licences.licence_file, "下载证照或文书的文件")}

    async def get(self, id: str, n: str) -> None:
        send_file(self, await licences.licence_file(self.node, self.owner, id, number=n))


class CasePaperHandler(Handler):
    """The sealed file of a paper of one of one's own cases."""

    path = "/api/v1/cases/{id}/papers/{paper}"
    role = Role.REAL_NAME
    operations = {"GET": Operation(papers.paper_file, "下载办件的文书")}

    async def get(self, id: str, paper: str) -> None:
        send_file(self, await papers.paper_file(self.node, self.owner, id, paper=paper))


class UndertakingsHandler(Handler):
    """The texts that applicants may be asked to sign."""

    path = "/api/v1/undertakings"
    role = Role.ANYONE
    operations = {"GET": Operation(applying.undertakings, "查看现行的承诺书文本", gives=applying.UndertakingList)}

    async def get(self) -> None:
        self.answer(applying.undertakings(self.node))
