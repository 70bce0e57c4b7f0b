"""The doors of a citizen's cases: hand in, look, and take back."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

from handlers.base import Does, Door, Who
from server.desk import applying, reading, timeline
from server.domain.names import Value, WrittenKey, WrittenText
from server.domain.opening import MaterialGiven, Submission

Code = Annotated[str, StringConstraints(max_length=100)]
PAGE = 20


class SubmissionWish(Value):
    """A finished application."""

    bundle: Code
    answers: Annotated[Mapping[WrittenKey, Code], Field(max_length=50)] = {}
    form: Annotated[Mapping[WrittenKey, WrittenText], Field(max_length=200)]
    materials: Annotated[tuple[MaterialGiven, ...], Field(max_length=50)] = ()


class Cases(Door):
    """Hand in an application, or list one's own cases."""

    path = "/api/v1/cases"
    who = Who.REAL_NAME
    does = {
        "GET": Does(reading.my_cases, gives=reading.CaseList, queries=("before",)),
        "POST": Does(applying.submit, takes=SubmissionWish, gives=reading.SubmittedView, status=201, is_once=True),
    }

    async def get(self) -> None:
        before = self.get_query_argument("before", "")
        self.answer(await reading.my_cases(self.node, self.owner, before=before, limit=PAGE))

    async def post(self) -> None:
        key = self.key()
        wish = Submission(**dict(self.read(SubmissionWish)))
        record = await applying.submit(self.node, self.owner, wish, key=key)
        self.set_header("Location", f"{self.path}/{record.id}")
        self.answer(reading.submitted(record), committed=record)


class Case(Door):
    """One of one's own cases."""

    path = "/api/v1/cases/{id}"
    who = Who.REAL_NAME
    does = {"GET": Does(reading.my_case, gives=reading.CaseView)}

    async def get(self, id: str) -> None:
        view = await reading.my_case(self.node, self.owner, id)
        self.etag = f'"{view.version}"'
        self.answer(view)


class CaseTimeline(Door):
    """What happened to one of one's own cases."""

    path = "/api/v1/cases/{id}/timeline"
    who = Who.REAL_NAME
    does = {"GET": Does(timeline.my_timeline, gives=timeline.Timeline)}

    async def get(self, id: str) -> None:
        self.answer(await timeline.my_timeline(self.node, self.owner, id))


class CaseWithdrawal(Door):
    """Take a case back."""

    path = "/api/v1/cases/{id}/withdrawal"
    who = Who.REAL_NAME
    does = {"POST": Does(applying.withdraw, gives=reading.CaseView, is_once=True, is_matched=True)}

    async def post(self, id: str) -> None:
        record = await applying.withdraw(self.node, self.owner, id, key=self.key(), version=self.if_match())
        self.set_header("Etag", f'"{record.case.version}"')
        self.answer(reading.view(self.node, record), committed=record)
