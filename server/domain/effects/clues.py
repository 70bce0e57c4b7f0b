"""Clues: what a case is found by, exactly: its numbers, and the names, ID numbers and mobile numbers in it; and a
licence: its holders, and the number that people say.

Which fields of a form hold one follows from their types in the catalogue. Both what is kept and what is looked for are
written in one way, so that a blank more or a small `x` does not hide a case. No number of a case is kept, but
those of its papers: ids follow from the one, and the one that people say stands in the case itself.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from server.domain.case import events
from server.domain.case.case import Case, Step, local_id
from server.domain.case.papers import PaperMade
from server.domain.catalogue.formats import OTHER_DOTS, SENTENCES, mobile_fault, person_name_fault
from server.domain.effects.letters_out import commission_of
from server.domain.errors import FieldFault, Invalid
from server.domain.people.persons import Person, SubjectGiven, id_number_fault
from server.domain.spoken_numbers import SENTENCES as SPOKEN_SENTENCES
from server.domain.spoken_numbers import digits_alone, spoken_number_fault

ClueKind = Literal["number", "name", "id_number", "mobile"]  # of a case
HOLDER: Literal["holder"] = "holder"  # of a licence: the key of a person, or the number of an organisation
IDENTIFIER: Literal["licence"] = "licence"  # of what another node has told of a licence
KINDS: Mapping[str, ClueKind] = {"person_name": "name", "id_number": "id_number", "mobile": "mobile"}
NUMBER = re.compile(r"([1-9][0-9]{5}/)?[A-Za-z0-9_-]{1,80}")
NUMBER_FAULT = "case_number"
_DOTS = str.maketrans(dict.fromkeys(OTHER_DOTS, "·"))


class ClueUnfit(Invalid):
    """What is looked for is no case number, name, ID number or mobile number, as it was said to be."""

    code = "clue_unfit"
    title = "查找内容不正确"


@dataclass(frozen=True)
class Clue:
    """One of them; `text` is written as `clue` writes it, and is personal data."""

    kind: ClueKind | Literal["holder", "licence"]
    text: str = field(repr=False)


@dataclass(frozen=True)
class CaseClues:
    """What the event of this number adds to what a case is found by, each once; `case` is its id here.

    Of a licence it is the name that it has among aggregates of all kinds, and `opened_at` when it was issued.
    """

    case: str
    event: int
    opened_at: datetime
    clues: tuple[Clue, ...]


def clue(kind: ClueKind, text: str) -> Clue:
    """The clue, written as all of its kind are: no blanks, capitals, one kind of dot, no code of the country."""
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    if kind == "number":
        return Clue(kind, digits_alone(text) or plain.replace(":", "/"))
    if kind == "mobile":
        return Clue(kind, plain.replace("-", "").removeprefix("+86"))
    return Clue(kind, plain.upper().translate(_DOTS))


def is_spoken(given: Clue) -> bool:
    """Whether it is a number that people say, and no case is kept under an id of its own."""
    return given.kind == "number" and bool(digits_alone(given.text))


def clue_given(kind: ClueKind, text: str, *, on: date) -> Clue:
    """What somebody looks for on this day; raises ClueUnfit."""
    given = clue(kind, text)
    rule = _FAULTS[kind](given.text, on)
    if rule:
        raise _unfit(rule, _OWN_SENTENCES.get(rule) or SENTENCES[rule])
    return given


def spoken_given(text: str) -> str:
    """The digits of a number that people say, as somebody looks for it; raises ClueUnfit for what is none."""
    digits = digits_alone(text)
    if rule := spoken_number_fault(digits):
        raise _unfit(rule, SPOKEN_SENTENCES[rule])
    return digits


def clues_added(case: Case, event: events.Event, types: Mapping[str, str], *, here: str) -> CaseClues | None:
    """What this event, the last of the case, adds; None if nothing. `types` are those of the fields by their codes."""
    found = tuple(dict.fromkeys(_added(case, event, types)))
    return CaseClues(local_id(case.name, here), event.number, case.opened_at, found) if found else None


def clues_ever(case: Case, told: Iterable[events.Event], *, here: str) -> Mapping[int, int]:
    """How many clues each of its events can have added at most: of whatever type the catalogue of that day said a field
    was.
    """
    codes = {*case.form, *(code for step in case.steps.values() for code in (*step.plan.fields, *step.result))}
    most: dict[int, int] = {}
    for event in told:
        added = (clues_added(case, event, dict.fromkeys(codes, type), here=here) for type in KINDS)
        if ever := {clue for found in added if found for clue in found.clues}:
            most[event.number] = len(ever)
    return most


def ids_of(number: str, *, here: str, homes: Iterable[str]) -> tuple[str, ...]:
    """By which ids a case may be kept here that this clue names, if the home is not in it at any of these homes."""
    names = (number,) if "/" in number else (f"{home}/{number}" for home in homes)
    return tuple(local_id(name, here) for name in names)


def clues_in(case: Case, steps: Iterable[Step], types: Mapping[str, str]) -> frozenset[Clue]:
    """By what a case is found by those who see all that these of its steps declare.

    Of a supplement what stood there before counts too. Without steps the number alone is left.
    """
    found = set(_of_number(case))
    for step in steps:
        found.update(_of_persons((case.applicant, case.subject, case.agent.person if case.agent else None)))
        found.update(_of_form(commission_of(case, step).form, types))
        found.update(_of_form(step.result, types))
        if step.supplement:
            found.update(_of_form(step.supplement.form_before, types))
        own = (each for each in case.given_papers if each.step == step.plan.code and each.spoken_number)
        found.update(clue("number", each.spoken_number) for each in own)
    return frozenset(found)


def _added(case: Case, event: events.Event, types: Mapping[str, str]) -> Iterator[Clue]:
    if isinstance(event, events.Opened):
        wish = event.application
        yield from _of_persons((wish.applicant, wish.subject, wish.agent.person if wish.agent else None))
        yield from _of_form(wish.form, types)
    elif isinstance(event, events.Requested):
        yield from _of_form(event.commission.form, types)
    elif isinstance(event, events.Answered | events.Supplied):
        yield from _of_form(event.form, types)
    elif isinstance(event, events.Approved):
        yield from _of_form(event.result, types)
    elif isinstance(event, PaperMade) and event.spoken_number:
        yield clue("number", event.spoken_number)


def _of_number(case: Case) -> Iterator[Clue]:
    yield clue("number", case.number)
    yield clue("number", case.name)
    if case.spoken_number:
        yield clue("number", case.spoken_number)


def _of_persons(persons: Iterable[Person | SubjectGiven | None]) -> Iterator[Clue]:
    for person in persons:
        if person:
            yield clue("name", person.name)
            yield clue("id_number", person.id_number)


def _of_form(form: Mapping[str, str], types: Mapping[str, str]) -> Iterator[Clue]:
    for code, value in form.items():
        kind = KINDS.get(types.get(code, ""))
        if kind and value:
            yield clue(kind, value)


def _unfit(rule: str, detail: str) -> ClueUnfit:
    return ClueUnfit("请核对后重试。", errors=[FieldFault(pointer="/text", code=rule, detail=detail)])


def _number_fault(text: str, _on: date) -> str:
    if is_spoken(Clue("number", text)):
        return spoken_number_fault(text)
    return "" if NUMBER.fullmatch(text) else NUMBER_FAULT


_FAULTS: Mapping[ClueKind, Callable[[str, date], str]] = {
    "number": _number_fault,
    "name": person_name_fault,
    "id_number": id_number_fault,
    "mobile": mobile_fault,
}
_OWN_SENTENCES: Mapping[str, str] = {
    NUMBER_FAULT: "办件编号只有字母、数字、短横线和下划线，请对照回执核对。",
    **SPOKEN_SENTENCES,
}
