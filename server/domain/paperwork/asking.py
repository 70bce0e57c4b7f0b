"""Asking for papers: what a decision on a case comes to, with the events that ask for the papers it gives."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from server.domain.aggregate.actors import Actor
from server.domain.aggregate.acts import Act
from server.domain.aggregate.judging import Judgement
from server.domain.case import events
from server.domain.case.acts import Facts
from server.domain.case.case import Case, Step
from server.domain.case.happening import Moved
from server.domain.case.papers import PaperAsked
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.divisions import Divisions
from server.domain.catalogue.terms import DELIVERY_DAYS
from server.domain.papers.data import LAYOUT, paper_digest
from server.domain.papers.filling import fill, title_of
from server.domain.papers.texts import PaperTexts
from server.domain.paperwork.bodies import Telling
from server.domain.paperwork.table import Giving, givings_of
from server.domain.paperwork.telling import data_of, signing_name
from server.domain.rules.decide import decide
from server.domain.rules.lifecycle import evolve
from server.domain.time.calendar import Calendar, add_working_days
from server.domain.time.clock import due
from server.domain.values import china_day

KEY_CHARACTERS = 26  # 128 bits
CHECK = "/check/"
UNFIT = "0" * 64  # the digest of data that fits no paper


@dataclass(frozen=True)
class PaperRules:
    """What papers are asked for with: texts, the catalogue of a version, names of divisions, this node's address."""

    texts: PaperTexts
    catalogue_of: Callable[[str], Catalogue]
    divisions: Divisions
    origin: str


@dataclass(frozen=True)
class FactsWithPapers(Facts):
    """What a decision may know of the world; without rules for papers it asks for none."""

    papers: PaperRules | None = None


def decide_with_papers(case: Case | None, act: Act, facts: FactsWithPapers) -> Judgement[Case, events.Event]:
    """What happens if this act is done to the case now, and which papers it asks for; raises a Refusal.

    A paper is asked for where its step is decided, after all else that the act comes to.
    """
    decided = decide(case, act, facts)
    if facts.papers is None or not decided.values:
        return decided
    earlier = (case, *decided.values)
    told, values = list(decided.events), list(decided.values)
    for before, event, after in zip(earlier, decided.events, decided.values, strict=False):
        if before is None or not isinstance(event, Moved):
            continue
        for asked in _asked(before, after, event, facts=facts, rules=facts.papers):
            told.append(asked.model_copy(update={"number": values[-1].version + 1}))
            values.append(evolve(values[-1], told[-1]))
    return Judgement(tuple(told), tuple(values))


def _asked(before: Case, after: Case, event: Moved, *, facts: Facts, rules: PaperRules) -> Iterator[PaperAsked]:
    """What asks for the papers of this event; nothing if it gives none, or another node gives them."""
    stood, step = before.step(event.step), after.step(event.step)
    if step.authority is None or (step.node or after.home) != facts.here:
        return
    catalogue = rules.catalogue_of(after.catalogue)
    dates = _dates(stood, step, event, calendar=facts.calendar)
    telling = Telling(after, step, event, catalogue, dates, _division_names(event, catalogue, rules.divisions))
    for giving in givings_of(stood, telling):
        yield _asked_for(giving, telling, stood=stood, facts=facts, rules=rules)


def _asked_for(giving: Giving, telling: Telling, *, stood: Step, facts: Facts, rules: PaperRules) -> PaperAsked:
    """What asks for this paper of an event of a step that stood so before it."""
    event, text = telling.event, rules.texts.by_code[giving.paper_kind]
    paper, key = _names(facts.salt, event.number, giving.paper_kind)
    asked = PaperAsked(
        number=event.number,
        at=facts.at,
        by=Actor(node=facts.here, part="node"),
        act_id=event.act_id,
        act_digest=event.act_digest,
        step=event.step,
        of=event.number,
        paper=paper,
        paper_kind=giving.paper_kind,
        title=text.title_for(telling.item_type),
        authority=signing_name(telling.step.authority) if telling.step.authority else "",
        dated_on=telling.on,
        dates=telling.dates,
        names=telling.names,
        address=f"{rules.origin}{CHECK}{paper}/{key}",
        data_digest=UNFIT,
        texts="",
        catalogue=telling.catalogue.version,
        layout=LAYOUT,
    )
    try:
        data = data_of(telling, asked, before=stood)
        versions = fill(data, rules.texts).versions
    except ValueError:
        return asked  # what was done is done; whoever makes the paper meets the same fault, and operators are told
    digest = paper_digest(data, texts=versions, layout=LAYOUT)
    return asked.model_copy(update={"data_digest": digest, "texts": versions, "title": title_of(text, data)})


def _names(salt: bytes, number: int, kind: str) -> tuple[str, str]:
    """The id of a paper, and the key without which nobody is told of it: both are nothing that can be guessed."""
    drawn = hashlib.sha256(b"paper" + number.to_bytes(8, "big") + kind.encode() + salt).digest()
    text = base64.b32encode(drawn).decode("ascii").rstrip("=")
    return text[:16], text[16 : 16 + KEY_CHARACTERS]


def _division_names(event: Moved, catalogue: Catalogue, divisions: Divisions) -> dict[str, str]:
    """The names of the divisions that stand in the result of an approval, by their codes."""
    result = event.result if isinstance(event, events.Approved) else {}
    fields = catalogue.field_of
    codes = [value for code, value in result.items() if code in fields and fields[code].type == "division"]
    return {code: divisions.name_in_full(code) for code in codes if divisions.find(code)}


def _dates(before: Step, step: Step, event: Moved, *, calendar: Calendar) -> dict[str, date]:
    """The days that the paper names and that a calendar works out, by the calendar of today."""
    on = china_day(event.moment)
    if isinstance(event, events.Approved):
        return {"delivered_by": add_working_days(on, DELIVERY_DAYS, calendar)}
    if isinstance(event, events.Suspended):
        ends_on, last = add_working_days(on, event.days, calendar), _promised(before, calendar)
        return {"ends_on": ends_on, "promised_on": add_working_days(last, event.days, calendar) if last else ends_on}
    last = _promised(step, calendar)
    return {"promised_on": last} if last and isinstance(event, events.Accepted | events.Extended) else {}


def _promised(step: Step, calendar: Calendar) -> date | None:
    return due(step.clock, calendar, "promised").on if step.clock else None
