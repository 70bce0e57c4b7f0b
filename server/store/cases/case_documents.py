"""A case as one document: that of any aggregate, by whom it is found, and what lists show of it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from server.crypto.fields import DataKey
from server.crypto.keyring import NodeKeys
from server.domain.aggregate.names import FIRST
from server.domain.case.case import Case, local_id
from server.domain.case.events import EVENT, KINDS, Event
from server.domain.case.lines import Line, line_of
from server.domain.case.words import CASE_WORDS
from server.domain.effects.records import CaseCommit, CaseRecord
from server.domain.rules.lifecycle import REVISION, replay
from server.domain.values import moment_key
from server.store.aggregates.histories import Histories
from server.store.aggregates.kinds import AggregateKind
from server.store.aggregates.links import place_of
from server.store.cases.plans import PlanReferences, Plans
from server.store.database import Document
from server.store.members import read_text
from server.store.queries import BAR, CASES_ALL

CASES = FIRST
LINE_FIELDS = ("key", "version", "link", "line", "owner_key", "agent_key")


def cases_at(here: str) -> AggregateKind[Case, Event, CaseRecord]:
    """Cases, as the node of this division keeps them."""
    return AggregateKind(
        collection=CASES,
        queries=CASES_ALL,
        value=Case,
        event=EVENT,
        kinds=KINDS,
        record=CaseRecord,
        id_of=lambda case: local_id(case.name, here),
        replay=replay,
        revision=REVISION,
        words=CASE_WORDS,
        left=("case",),
    )


class CaseDocuments(Histories[Case, Event, CaseRecord]):
    """The documents of one node's cases; the plans that they refer to must be loaded before they are read."""

    def __init__(self, keys: NodeKeys, plans: Plans, *, here: str, relay_due: timedelta) -> None:
        super().__init__(cases_at(here), keys, relay_due=relay_due)
        self.plans = plans

    def new(self, commit: CaseCommit, *, owner: str = "", agent: str = "", request: str = "") -> Document:
        """The document of a case that begins with this commit, to be found by its owner and agent, if they are ours."""
        place = (moment_key(commit.events[0].at), self.kind.id_of(commit.value))
        spoken = commit.value.spoken_number
        who = {
            "owner_key": BAR.join((owner, *place)) if owner else "",
            "agent_key": BAR.join((agent, *place)) if agent else "",
            "number_key": self._keys.clue("number", spoken) if spoken else "",
            "request": request,
        }
        return self._begun(commit, {"case": commit.value.name, **who, "plans": []})

    def line(self, document: Document) -> Line:
        """What lists show of a case; its document need not be whole, but hold LINE_FIELDS."""
        text = self._key(document).open(document["line"], _place_of_line(document))
        return read_text(Line, text)

    def _context(self, document: Mapping[str, Any]) -> PlanReferences:
        return PlanReferences(self.plans, document["plans"])

    def _continued(self, before: Mapping[str, Any], commit: CaseCommit, key: DataKey) -> Document:
        plans = self._context(before)
        document = {**self._written(before, commit, key, context=plans), "plans": plans.digests}
        line = line_of(commit.value).model_dump_json(exclude_defaults=True)
        return {**document, "line": key.seal(line, _place_of_line(document))}


def _place_of_line(document: Mapping[str, Any]) -> str:
    """A line is bound to the version and to those who find it, as it is read without the proof of its document."""
    return place_of(CASES, document["_id"], "line", document["link"], document["owner_key"], document["agent_key"])
