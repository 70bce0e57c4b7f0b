"""Copies of licences between nodes: who issued one gives its face to who knows a holder, for a purpose."""

from pydantic import ValidationError

from regions.answering import SignedReply, signed
from regions.asking import PeerRefused, SignedQuery, ask
from regions.client import PeerFailure
from regions.licence_checks import NodeUnknown, PeerNotReached
from server.crypto.receipts import Answer
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
OK, JSON = 200, "application/json"
NOT_REACHED = "对方节点暂时无法查询，请稍后重试。"


async def tell_copy(node: Node, proven: Proven, identifier: str, *, question: CopyReason) -> SignedReply:
    """The signed copy for a peer; it is noted before, and stands among the uses that the holder sees.

    Raises NeverIssued, also for a mark of nobody who holds it.
    """
    copy = await copy_for(node, identifier, mark=question.mark)
    told = {"peer": proven.sender, "reason": "asked"} | ({"officer": question.officer} if question.officer else {})
    await note(node, "licence.shown", {**told, "case": name_of(LICENCES, identifier)})
    who = question.model_dump(exclude={"mark"})
    await note_use(node, identifier, "checked", by=UsedBy(node=proven.sender, **who))
    return signed(node, proven, Answer(OK, JSON, copy.model_dump_json().encode()))


async def copy_of(node: Node, asked: CopyAsked) -> LicenceCopy:
    """The copy as of now, from the node that issued it. Raises NeverIssued, NodeUnknown, PeerNotReached."""
    if asked.node == node.here:
        return await copy_here(node, asked)
    entry = node.directory.entry(asked.node)
    if entry is None:
        raise NodeUnknown("目录中没有这个省份的节点。")
    query = {name: text for name, text in vars(asked).items() if text and name not in ("identifier", "node")}
    try:
        answer = await ask(node, entry, SignedQuery(PATH.format(identifier=asked.identifier), query))
        copy = LicenceCopy.model_validate_json(answer.body)
    except PeerRefused as refusal:
        if refusal.reason == NeverIssued.code:
            raise NeverIssued("对方节点没有颁发过这个证照。") from refusal
        raise PeerNotReached(NOT_REACHED) from refusal
    except (PeerFailure, ValidationError) as fault:
        raise PeerNotReached(NOT_REACHED) from fault
    if (copy.identifier, copy.node) != (asked.identifier, asked.node):
        raise PeerNotReached("对方节点的回复与所查证照不符，请稍后重试。")
    return copy
