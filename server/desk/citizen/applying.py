"""Applying: a citizen hands in an application, and may take it back."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from server.desk.acting import commit_of, moved, perform
from server.desk.catalogues import have_at_hand
from server.desk.citizen import queueing
from server.desk.citizen.covering import keep, references, upload_of
from server.desk.held import copy_here
from server.desk.performing import same
from server.desk.recording import note, of_case
from server.desk.showing import CopyOf
from server.domain.aggregate.actors import Actor
from server.domain.audit import AuditKind
from server.domain.case.acts import Open, Withdraw
from server.domain.case.case import NoSuchCase
from server.domain.effects.records import CaseRecord
from server.domain.errors import Refusal
from server.domain.people.mandates import Mandate, agent_of, check_acting
from server.domain.rules.decide import decide
from server.domain.rules.drafts import NamedDraft, expiry
from server.domain.rules.opening import Submission, application_of, check_places
from server.domain.rules.undertakings import promised
from server.domain.values import Value
from server.domain.waiting.admitting import TicketRedeemed
from server.domain.waiting.tickets import Ticket
from server.node import Node


class UndertakingShown(Value):
    """A text to sign; a phone sends back its version and the SHA-256 (hex) of what it showed."""

    kind: Literal["deferral", "closing"]
    version: str
    text: str
    sha256: str


class UndertakingList(Value):
    """The texts in force."""

    undertakings: tuple[UndertakingShown, ...]


def undertakings(node: Node) -> UndertakingList:
    """The texts that applicants may be asked to sign (承诺书)."""
    return UndertakingList(
        undertakings=tuple(
            UndertakingShown(kind=text.kind, version=text.version, text=text.text, sha256=text.sha256)
            for text in node.published.undertakings
        )
    )


@dataclass(frozen=True)
class Handing:
    """How an application comes: with which ticket (empty: none), and by what copies of licences are had."""

    ticket: str = ""
    copy_of: CopyOf = copy_here


AT_HOME = Handing()


async def submit(
    node: Node, owner: str, submission: Submission | NamedDraft, *, key: str, how: Handing = AT_HOME
) -> CaseRecord:
    """Hand a finished application, or its draft, to the desk (提交); the same key and request again give the same case.

    With a mandate the owner does so for its principal, whose case it is. A draft is forgotten when its case is stored
    and not before; a repeat forgets what was left. In a peak it is done with a ticket, once for each owner whatever the
    key. Raises the refusals of `presented` and `check_ticket`, of `application_of`, `check_places`, `promised` and
    `check_acting`, those of `covering.references`, IdempotencyKeyReused or TicketRedeemed, CaseErased, and DraftGone or
    StaleVersion of a draft.
    """
    held = queueing.presented(node, owner, how.ticket)
    queueing.check_crowded(node, held, submission)
    record = await _submitted(node, owner, submission, key=key, came=_Came(held, how.copy_of))
    if isinstance(submission, NamedDraft):
        until = expiry(node.clock.now(), days=node.settings.draft_days)
        await node.store.drafts.forget(owner, submission.draft, version=submission.version, until=until)
    return record


class _Came(NamedTuple):
    """The ticket that was read, and by what copies of licences are had."""

    ticket: Ticket | None
    copy_of: CopyOf


async def _submitted(
    node: Node, owner: str, submission: Submission | NamedDraft, *, key: str, came: _Came
) -> CaseRecord:
    held = came.ticket
    number = node.keys.peak_case_number(owner, held.peak) if held else node.keys.case_number(owner, key)
    request = node.keys.request_digest(submission.model_dump(mode="json"))
    try:
        finished = await _finished(node, owner, submission)
        queueing.check_ticket(node, held, finished)
        if finished.licences and (stored := await node.store.cases.find(number)):
            return _once(stored, request, held)  # nothing is asked of other nodes, or noted, a second time
        act = await _checked(node, owner, finished, number=number, copy_of=came.copy_of)
    except Refusal as refusal:
        try:
            stored = await node.store.cases.case(number)
        except NoSuchCase:
            raise refusal from None
        return _once(stored, request, held)
    facts = node.facts()
    commit = commit_of(None, decide(None, act, facts), facts)
    applicant = act.application.applicant.key
    agent = owner if owner != applicant else ""
    record = await node.store.cases.add(commit, owner=applicant, agent=agent, request=request)
    if record.events[0].at == facts.at:
        node.metrics.cases_opened.inc()
        if held:
            node.metrics.waiting_tickets_redeemed.labels(held.peak).inc()
        moved(node, record, record.events)
    return _once(record, request, held)


def _once(record: CaseRecord, request: str, held: Ticket | None) -> CaseRecord:
    """The record, if it came of the same request; raises IdempotencyKeyReused, and TicketRedeemed with a ticket."""
    if held and record.request != request:
        raise TicketRedeemed("本次排队已提交过申请，不能再次提交。", more={"case": record.id})
    return same(record, record.request, request)


async def _finished(node: Node, owner: str, submission: Submission | NamedDraft) -> Submission:
    """The submission itself, or the one in the draft that it names."""
    if isinstance(submission, Submission):
        return submission
    draft = await node.store.drafts.draft(owner, submission.draft, at=node.clock.now())
    return draft.of_version(submission.version).wish


async def _checked(node: Node, owner: str, submission: Submission, *, number: str, copy_of: CopyOf) -> Open:
    mandate = (
        await acting_under(node, owner, submission.mandate, bundle=submission.bundle) if submission.mandate else None
    )
    applicant = await node.store.people.person(mandate.principal if mandate else owner)
    uploads = await node.store.materials.uploads_of(owner, [given.id for given in submission.materials])
    case = f"{node.here}/{number}"
    found = await references(node, applicant.key, submission, case=case, copy_of=copy_of) if submission.licences else {}
    uploads |= {identifier: upload_of(node, each) for identifier, each in found.items()}
    application = application_of(
        node.catalogue, submission, applicant=applicant, uploads=uploads, context=node.context(submission.division)
    )
    check_places(application.steps, node.directory)
    application = promised(
        application,
        submission.undertakings,
        texts=node.published.undertakings,
        is_trusted=not (application.deferred and await node.store.dishonest.has(applicant.key)),
        at=node.clock.now(),
    )
    if mandate:
        agent = agent_of(mandate, await node.store.people.person(owner))
        application = application.model_copy(update={"agent": agent})
    if found:
        await keep(node, application, found, case=case)
    by = Actor(node=node.here, part="citizen", is_agent=mandate is not None)
    spoken_number = await node.store.numbers.take()
    return Open(id=number, by=by, number=number, spoken_number=spoken_number, application=application)


async def withdraw(node: Node, owner: str, id: str, *, key: str, version: int | None = None) -> CaseRecord:
    """Take a case back (撤回): what this node holds at once, the rest is asked of its deciders.

    Raises the refusals of `own_case`, StaleVersion, NothingToWithdraw.
    """
    record = await own_case(node, owner, id)
    act = Withdraw(
        id=node.keys.request_digest(["withdraw", owner, id, key]),
        digest=node.keys.request_digest(["withdraw", version]),
        by=citizen_of(record, owner),
        version=version,
    )
    return await perform(node, id, act)


async def own_case(node: Node, owner: str, id: str) -> CaseRecord:
    """The case with its catalogue, if this person is its applicant, or its agent with a mandate in force.

    Raises NoSuchCase otherwise, so that nobody learns of others' cases, and the refusals of `check_acting` and
    `have_at_hand`.
    """
    record = await node.store.cases.case(id)
    case = record.case
    if not case.applicant or case.applicant.key != owner:
        if case.agent is None or case.agent.person.key != owner:
            raise NoSuchCase("没有这个办件。")
        await acting_under(node, owner, case.agent.mandate, bundle=case.bundle)
    await have_at_hand(node, [record])
    return record


async def note_agent(node: Node, record: CaseRecord, owner: str, *, kind: AuditKind) -> None:
    """Note what an agent is about to be shown of a case that `own_case` has answered, with the mandate."""
    case = record.case
    if case.agent and case.agent.person.key == owner:
        await note(node, kind, {**of_case(case), "agent": owner, "reason": f"mandate {case.agent.mandate}"})


def citizen_of(record: CaseRecord, owner: str) -> Actor:
    """This person as an actor on a case that `own_case` has answered."""
    is_agent = record.case.applicant is None or record.case.applicant.key != owner
    return Actor(node=record.case.home, part="citizen", is_agent=is_agent)


async def acting_under(node: Node, agent: str, mandate: str, *, bundle: str) -> Mandate:
    """The mandate by which this person acts in this bundle now; raises the refusals of `check_acting`."""
    found = await node.store.mandates.mandate(mandate)
    check_acting(found, agent=agent, bundle=bundle, at=node.clock.now())
    return found
