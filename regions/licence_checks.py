"""Checking a licence: how one stands is asked of the node that issued it, which signs its answer and says no more."""

from functools import partial
from typing import Annotated

from pydantic import StringConstraints

from regions.answering import SignedReply, signed_value
from regions.asking import SignedQuery
from regions.questions import other_answer, told_by
from server.crypto.signatures import Proven
from server.desk.naming import node_name
from server.desk.recording import note
from server.desk.steps import LocalMoment
from server.desk.using import note_use
from server.domain.aggregate.names import name_of
from server.domain.effects.licensing import LICENCES
from server.domain.exchange.letters import NodeCode
from server.domain.licence.identifier import parse
from server.domain.licence.licence import Cause, Ground, Licence, NeverIssued
from server.domain.licence.standing import STANDINGS, LicenceStanding, standing_on
from server.domain.licence.uses import UsedBy
from server.domain.people.accounts import DeskEntry
from server.domain.rules.rights import NotYourPost
from server.domain.values import Day, Moment, Value, china_day
from server.node import Node

PATH = "/peer/v1/licences/{identifier}"
NOT_ISSUED = "对方节点没有颁发过这个证照。"


class LicenceAnswer(Value):
    """How a licence stands on the day on which it is asked, and since when; nothing of who holds it, or for what."""

    identifier: str
    on: Day
    state: LicenceStanding
    cause: Cause
    since: Moment


class LicenceCheck(Value):
    """Which licence an officer has before them, which node has issued it, and why they ask."""

    identifier: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    node: NodeCode
    reason: Ground


class CheckedLicence(Value):
    """What the node that issued it has answered."""

    identifier: str
    node: str
    node_name: str
    on: Day
    state: LicenceStanding
    state_name: str
    is_good: bool
    since: LocalMoment


async def tell_standing(node: Node, proven: Proven, identifier: str) -> SignedReply:
    """The signed answer to a peer; that it was given is noted before. Raises NeverIssued."""
    told = await _standing(node, identifier)
    await note(node, "licence.answered", {"peer": proven.sender, "case": name_of(LICENCES, told.identifier)})
    await note_use(node, told.identifier, "checked", by=UsedBy(node=proven.sender))
    return signed_value(node, proven, told)


async def check(node: Node, entry: DeskEntry, asked: LicenceCheck) -> CheckedLicence:
    """How a licence stands, by the node that issued it; that it is asked, and why, is noted before.

    Raises NotYourPost without a post in force, NotAnIdentifier, NodeUnknown, NeverIssued, PeerNotReached.
    """
    if not any(post.is_in_force(china_day(node.clock.now())) for post in entry.posts):
        raise NotYourPost("您没有在任的岗位。")
    identifier = parse(asked.identifier).text
    about = {**entry.doer.about, "peer": asked.node, "case": name_of(LICENCES, identifier)}
    await note(node, "licence.checked", about)
    told = await _standing(node, identifier) if asked.node == node.here else await _asked(node, asked.node, identifier)
    # What an officer writes may name people: it is sealed among the uses, before they are told anything.
    by = UsedBy(node=node.here, officer=entry.officer.name, purpose=asked.reason)
    await note_use(node, identifier, "checked", by=by)
    return CheckedLicence(
        **told.model_dump(include={"identifier", "on", "state", "since"}),
        node=asked.node,
        node_name=node_name(node, asked.node),
        state_name=STANDINGS[told.state, told.cause][0],
        is_good=told.state == "valid",
    )


async def _standing(node: Node, identifier: str) -> LicenceAnswer:
    record = await node.store.licences.find(identifier)
    if record is None:
        raise NeverIssued("没有这个证照。")
    licence: Licence = record.value
    on = china_day(node.clock.now())
    return LicenceAnswer(
        identifier=licence.id, on=on, state=standing_on(licence, on), cause=licence.cause, since=licence.since
    )


async def _asked(node: Node, peer: str, identifier: str) -> LicenceAnswer:
    refusals = {NeverIssued.code: partial(NeverIssued, NOT_ISSUED)}
    question = SignedQuery(PATH.format(identifier=identifier), {})
    told = await told_by(node, peer, question, gives=LicenceAnswer, refusals=refusals)
    if told.identifier != identifier or (told.state, told.cause) not in STANDINGS:
        raise other_answer()
    return told
