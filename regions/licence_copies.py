"""Copies of licences between nodes: who issued one gives its face to who knows a holder, for a purpose."""

from functools import partial

from regions.answering import SignedReply, signed_value
from regions.asking import SignedQuery
from regions.licence_checks import NOT_ISSUED
from regions.questions import other_answer, told_by
from server.crypto.signatures import Proven
from server.desk.held import copy_for, copy_here
from server.desk.recording import note
from server.desk.using import note_use
from server.domain.aggregate.names import name_of
from server.domain.effects.licensing import LICENCES
from server.domain.licence.copies import CopyAsked, CopyReason, LicenceCopy
from server.domain.licence.licence import NeverIssued
from server.domain.licence.uses import UsedBy
from server.node import Node

PATH = "/peer/v1/licence-copies/{identifier}"


async def tell_copy(node: Node, proven: Proven, identifier: str, *, question: CopyReason) -> SignedReply:
    """The signed copy for a peer; it is noted before, and stands among the uses that the holder sees.

    Raises NeverIssued, also for a mark of nobody who holds it.
    """
    copy = await copy_for(node, identifier, mark=question.mark)
    told = {"peer": proven.sender, "reason": "asked"} | ({"officer": question.officer} if question.officer else {})
    await note(node, "licence.shown", {**told, "case": name_of(LICENCES, identifier)})
    who = question.model_dump(exclude={"mark"})
    await note_use(node, identifier, "checked", by=UsedBy(node=proven.sender, **who))
    return signed_value(node, proven, copy)


async def copy_of(node: Node, asked: CopyAsked) -> LicenceCopy:
    """The copy as of now, from the node that issued it. Raises NeverIssued, NodeUnknown, PeerNotReached."""
    if asked.node == node.here:
        return await copy_here(node, asked)
    query = {name: text for name, text in vars(asked).items() if text and name not in ("identifier", "node")}
    question = SignedQuery(PATH.format(identifier=asked.identifier), query)
    refusals = {NeverIssued.code: partial(NeverIssued, NOT_ISSUED)}
    copy = await told_by(node, asked.node, question, gives=LicenceCopy, refusals=refusals)
    if (copy.identifier, copy.node) != (asked.identifier, asked.node):
        raise other_answer()
    return copy
