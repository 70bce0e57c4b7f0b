"""Searching: an officer finds the cases in which they have a part, by a number, a name, an ID number or a telephone,
and by a number also the licences that they may open.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Annotated, Self

from pydantic import StringConstraints

from server.desk.catalogues import have_at_hand
from server.desk.naming import decider_name
from server.desk.officer.licence_file import LicenceFound, licences_found, licences_named, licences_on_record
from server.desk.officer.seeing import Seen, parts_of
from server.desk.papers import paper_lines
from server.desk.recording import note_all, of_case
from server.desk.steps import LocalMoment, step_view
from server.domain.aggregate.names import FIRST, kind_and_id
from server.domain.case.case import Case, NoSuchCase, State, Step
from server.domain.effects.clues import Clue, ClueKind, clue_given, clues_in, ids_of, is_spoken
from server.domain.effects.records import CaseRecord
from server.domain.people.accounts import DeskEntry
from server.domain.people.masking import masked_name
from server.domain.rules.desk_forms import TaskPart
from server.domain.spoken_numbers import in_groups
from server.domain.values import Value, china_day
from server.node import Node

MOST_READS = 4


class CaseSearch(Value):
    """What an officer looks for: the whole of a text of this kind; `after` is the `next` of the page before."""

    kind: ClueKind
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    after: Annotated[str, StringConstraints(max_length=1000)] = ""


class FoundStep(Value):
    """A step in which the officer has this part: where it stands, who decides it, and by when."""

    step: str
    item_name: str
    part: TaskPart
    state: State
    state_name: str
    authority_name: str
    due_on: date | None
    is_due_confirmed: bool

    @classmethod
    def of(cls, node: Node, case: Case, step: Step, *, part: TaskPart) -> Self:
        """What is shown of it."""
        view = step_view(node, case, step=step)
        same = view.model_dump(include=set(cls.model_fields) - {"item_name", "part", "authority_name"})
        return cls(**same, item_name=view.name, part=part, authority_name=decider_name(node, case, step))


class FoundPaper(Value):
    """A paper that a number names: of which step it is, its kind and title, and its official number (文号)."""

    id: str
    step: str
    kind: str
    title: str
    number: str
    spoken_number: str


class FoundCase(Value):
    """A case that was found, with the steps in which the officer has a part and no others; `papers` are those of them
    that have the number.

    `number` is the one that people say, `applicant` the applicant's name, masked. Both are empty elsewhere than at
    home, the name also for who only follows a step up.
    """

    id: str
    name: str
    number: str
    bundle_name: str
    opened_at: LocalMoment
    applicant: str
    steps: tuple[FoundStep, ...]
    papers: tuple[FoundPaper, ...]


class FoundCases(Value):
    """The cases that were found, the one that was opened last first; `next` goes into `after` for the following page.

    A page may be short, even empty, although there are more. `licences` are those that the number names, if people say
    that one.
    """

    cases: tuple[FoundCase, ...]
    licences: tuple[LicenceFound, ...]
    next: str | None


async def search(node: Node, entry: DeskEntry, asked: CaseSearch, *, limit: int) -> FoundCases:
    """The cases that have this clue in what the officer may see of them; the search and what it found are noted
    before anything is shown.

    What is not for the officer is left out, and nothing tells of it. Raises ClueUnfit, SearchPlaceUnknown.
    """
    clues = node.store.clues
    clue = clue_given(asked.kind, asked.text, on=china_day(node.clock.now()))
    digest = node.keys.clue(clue.kind, clue.text)
    place = clues.find_hidden(asked.after, digest) if asked.after else ""
    named = await clues.cases(digest, limit=limit) if is_spoken(clue) else {}
    licences = await licences_named(node, entry, named, number=clue.text)
    if is_spoken(clue):
        found, following = await _spoken(node, entry, clue, named=named), ""
    else:
        found, following = await _page(node, entry, clue, place=place, limit=limit)
    doer = entry.doer.about
    about = {**doer, "clue": clue.kind, "digest": digest}
    shown = [{**of_case(record.case), **doer, "digest": digest} for record, _ in found]
    also = licences_on_record(node, entry, licences, digest=digest)
    await note_all(node, {"case.searched": [about], "case.found": shown, "licence.found": also})
    return FoundCases(
        cases=tuple(case for _, case in found),
        licences=licences_found(node, licences),
        next=clues.hide(following, digest) if following else None,
    )


async def _spoken(
    node: Node, entry: DeskEntry, clue: Clue, *, named: Mapping[str, str]
) -> list[tuple[CaseRecord, FoundCase]]:
    """The case that has the number that people say, or a paper of it that has; by `named` clues lead to it."""
    said = await node.store.cases.of_number(node.keys.clue(clue.kind, clue.text))
    of_papers = await _read(node, [id for kind, id in map(kind_and_id, named.values()) if kind == FIRST])
    records = {record.id: record for record in (*said, *of_papers.values())}
    await have_at_hand(node, said)
    return [(record, each) for record in records.values() for each in _found(node, entry, record, clue=clue)]


async def _page(
    node: Node, entry: DeskEntry, clue: Clue, *, place: str, limit: int
) -> tuple[list[tuple[CaseRecord, FoundCase]], str]:
    """A page of what is found, and behind which place the next begins; empty if there is none."""
    clues, digest = node.store.clues, node.keys.clue(clue.kind, clue.text)
    if clue.kind == "number":  # which names one case of each home
        ids = ids_of(clue.text, here=node.here, homes=[each.node for each in node.directory.nodes])
        records = await _read(node, ids)
        return [(record, each) for record in records.values() for each in _found(node, entry, record, clue=clue)], ""
    found: list[tuple[CaseRecord, FoundCase]] = []
    for _ in range(MOST_READS):
        page = await clues.cases(digest, before=place, limit=limit)
        records = await _read(node, list(page.values()))
        for place, case in page.items():
            if case in records:
                found += [(records[case], each) for each in _found(node, entry, records[case], clue=clue)]
            if len(found) == limit:
                return found, place
        if len(page) < limit:
            return found, ""
    return found, place


async def _read(node: Node, ids: Sequence[str]) -> Mapping[str, CaseRecord]:
    """Those of these cases that are here, by id."""
    records = await node.store.cases.find_many(ids)
    await have_at_hand(node, records.values())
    return records


def _found(node: Node, entry: DeskEntry, record: CaseRecord, *, clue: Clue) -> Iterable[FoundCase]:
    """The case, if the officer has a part in it and may see the clue there."""
    case = record.case
    try:
        parts = parts_of(node, entry, case, to="search")
    except NoSuchCase:
        return
    seen = [case.steps[code] for code, each in parts.items() if each.mine.part != "follow_up"]
    if clue not in clues_in(case, seen, node.published.field_types):
        return
    yield FoundCase(
        id=record.id,
        name=case.name,
        number=in_groups(case.spoken_number),
        bundle_name=case.bundle_name,
        opened_at=case.opened_at,
        applicant=masked_name(case.applicant.name) if case.applicant and seen else "",
        steps=_steps(node, case, parts),
        papers=_papers(case, frozenset(step.plan.code for step in seen), clue),
    )


def _papers(case: Case, steps: frozenset[str], clue: Clue) -> tuple[FoundPaper, ...]:
    """The papers of these steps that have the number."""
    return tuple(
        FoundPaper(
            id=each.id,
            step=each.step,
            kind=each.kind,
            title=each.title,
            number=each.number,
            spoken_number=each.spoken_number,
        )
        for each in paper_lines(case, steps)
        if clue.kind == "number" and each.spoken_number == in_groups(clue.text)
    )


def _steps(node: Node, case: Case, parts: Mapping[str, Seen]) -> tuple[FoundStep, ...]:
    return tuple(FoundStep.of(node, case, case.steps[code], part=each.mine.part) for code, each in parts.items())
