"""Applying: a citizen hands in an application, and may take it back."""

from server.desk.acting import commit_of, moved, perform, same
from server.domain.acts import Open, Withdraw
from server.domain.case import Actor, NoSuchCase
from server.domain.errors import Refusal
from server.domain.lifecycle import decide
from server.domain.opening import Submission, application_of, check_places
from server.domain.records import Record
from server.node import Node


async def submit(node: Node, owner: str, wish: Submission, *, key: str) -> Record:
    """Hand a finished application to the desk (提交); the same key and wish again give the same case.

    Raises the refusals of `application_of` and `check_places`, and IdempotencyKeyReused.
    """
    number, request = node.keys.case_number(owner, key), node.keys.wish(wish.model_dump(mode="json"))
    try:
        act = await _checked(node, owner, wish, number=number)
    except Refusal:
        stored = await node.store.cases.find(number)
        if stored is None:
            raise
        return same(stored, str(stored.document["request"]), request)
    facts = node.facts()
    commit = commit_of(None, decide(None, act, facts), facts)
    record = await node.store.cases.add(commit, owner=owner, request=request)
    if record.events[0].at == facts.at:
        node.metrics.cases_opened.inc()
        moved(node, record, record.events)
    return same(record, str(record.document["request"]), request)


async def _checked(node: Node, owner: str, wish: Submission, *, number: str) -> Open:
    applicant = await node.store.people.person(owner)
    uploads = await node.store.materials.uploads_of(owner, [given.id for given in wish.materials])
    application = application_of(
        node.catalogue, wish, applicant=applicant, uploads=uploads, ground=node.ground(wish.division)
    )
    check_places(application.steps, node.directory)
    by = Actor(node=node.here, part="citizen")
    return Open(id=number, by=by, number=number, application=application)


async def withdraw(node: Node, owner: str, id: str, *, key: str, version: int | None = None) -> Record:
    """Take a case back (撤回): what this node holds at once, the rest is asked of its deciders.

    Raises NoSuchCase also for another person's case, StaleVersion, NothingToWithdraw.
    """
    await own_case(node, owner, id)
    act = Withdraw(
        id=node.keys.wish(["withdraw", owner, id, key]),
        digest=node.keys.wish(["withdraw", version]),
        by=Actor(node=node.here, part="citizen"),
        version=version,
    )
    return await perform(node, id, act)


async def own_case(node: Node, owner: str, id: str) -> Record:
    """The case, if it is this person's; raises NoSuchCase otherwise, so that nobody learns of others' cases."""
    record = await node.store.cases.case(id)
    if record.case.applicant is None or record.case.applicant.key != owner:
        raise NoSuchCase("没有这个办件。")
    return record
