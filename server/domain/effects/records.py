"""A case as the store keeps it, and what a decision about one writes."""

from collections.abc import Mapping

from server.domain.aggregate.records import Record
from server.domain.case.case import Application, Case
from server.domain.case.events import Event, Opened
from server.domain.effects.commits import Commit

CaseCommit = Commit[Case, Event]


class CaseRecord(Record[Case, Event]):
    """What is asked of a case beside what is asked of any aggregate."""

    @property
    def case(self) -> Case:
        """The case as its events made it."""
        return self.value

    @property
    def application(self) -> Application | None:
        """What was handed in here; None of another node's case."""
        first = self.events[0]
        return first.application if isinstance(first, Opened) else None

    @property
    def told(self) -> Mapping[str, str]:
        """What the form says, and the answers if they are known here: on both it may depend who decides."""
        return {**self.case.form, **(self.application.answers if self.application else {})}

    @property
    def request(self) -> str:
        """The digest of the request that opened it, if it was opened here."""
        request: str = self.document["request"]
        return request
