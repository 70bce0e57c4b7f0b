"""Gathering: which contents a node must still fetch from another, and until when it wants them."""

from dataclasses import dataclass

from server.domain.case import events
from server.domain.case.case import Case, Offered, Step, local_id
from server.domain.case.papers import GivenPaper, PaperFile, PaperMade
from server.domain.values import Moment, Value

PAPER_CODE = "paper"  # what is fetched as a paper is no material of any item


class Fetch(Value):
    """What must be fetched from `node` after the event of this number: a step's materials, the licence it
    yielded, or a paper of it.

    `case` is the id here, `name` the case's name everywhere.
    """

    case: str
    name: str
    step: str
    event: int
    at: Moment
    node: str
    contents: tuple[Offered, ...]


@dataclass(frozen=True)
class KeptFetch:
    """One content to fetch from `node`: for which step, as of which event; `kept` bytes of it are here in parts.

    `outcome` is empty until it has ended: `kept`, or `moot` if it is not wanted any more. `thrown_away`: how often all
    of it had come and was not what was offered.
    """

    id: str
    case: str
    name: str
    step: str
    event: int
    node: str
    content: Offered
    kept: int
    failures: int
    thrown_away: int
    outcome: str
    version: int


def fetch_of(case: Case, step: Step, event: events.Event, *, here: str) -> Fetch | None:
    """What this event makes this node fetch, if anything: the decider what was handed in, the home what was given."""
    contents: tuple[Offered, ...] = ()
    if step.node == here and case.home != here:
        node, contents = case.home, _handed_in(event)
    elif case.home == here and isinstance(event, events.Approved | events.Delivered) and event.licence:
        node, contents = step.node, (event.licence,)
    elif case.home == here and isinstance(event, PaperMade):
        node, contents = step.node, (offer_of(event.file),)
    if not contents or node == here:
        return None
    return Fetch(
        case=local_id(case.name, here),
        name=case.name,
        step=step.plan.code,
        event=event.number,
        at=event.at,
        node=node,
        contents=contents,
    )


def is_wanted(case: Case, step: Step, content: Offered, *, here: str) -> bool:
    """Whether a content is still to be fetched: a material while its step is open and offers it, a licence or a
    paper for good.
    """
    if step.node != here:
        return content in (step.licence, *(offer_of(each.file) for each in papers_of(case, step) if each.file))
    return not step.has_ended and content.sha256 in {each.sha256 for each in offered(case, step)}


def papers_of(case: Case, step: Step) -> tuple[GivenPaper, ...]:
    """The papers of the step, made or only asked for."""
    return tuple(each for each in case.given_papers if each.step == step.plan.code)


def offer_of(file: PaperFile) -> Offered:
    """The file of a paper as a letter's contents are offered."""
    return Offered(code=PAPER_CODE, sha256=file.sha256, size=file.size, media_type="application/pdf")


def offered(case: Case, step: Step) -> tuple[Offered, ...]:
    """What was handed in for this step, as its item declares it."""
    return tuple(each for each in case.materials if each.code in step.plan.materials)


def _handed_in(event: events.Event) -> tuple[Offered, ...]:
    if isinstance(event, events.Requested):
        return event.commission.materials
    return event.materials if isinstance(event, events.Supplied) else ()
