"""Redeeming codes that holders show (亮证): the code names its node, which is asked by a signed question if not ours.

The questions are GETs as all between nodes are, and repeating one changes nothing: a code belongs to the request that
redeemed it first.
"""

import re
from collections.abc import Mapping

from regions.answering import SignedReply, signed_value
from regions.asking import SignedQuery
from regions.licence_copies import copy_of
from regions.questions import told_by
from server.crypto.signatures import Proven
from server.desk.officer.licence_use import RedeemRequest, ShownAtDesk, at_desk, redeemer_of
from server.desk.recording import note, note_all
from server.desk.showing import Looking, ShowingTold, redeem, seen
from server.domain.aggregate.names import name_of
from server.domain.effects.licensing import LICENCES
from server.domain.errors import Refusal
from server.domain.licence.licence import NeverIssued
from server.domain.licence.showing import (
    LicenceRequestDeclined,
    LicenceRequestOver,
    NoSuchLicenceRequest,
    Redeemer,
    ShowCodeUnknown,
    ShowCodeUsed,
    node_of,
    unknown_code,
)
from server.domain.people.accounts import DeskEntry
from server.domain.values import Value
from server.node import Node

CODES = "/peer/v1/licence-codes"
REQUEST = "/peer/v1/licence-requests/{id}"
MOST_COPY_BYTES = 1 << 20
REQUEST_ID = re.compile(r"[a-z2-7]{20,100}")
# What the node of the holder may answer, in its own words again here.
ANSWERS: Mapping[str, type[Refusal]] = {
    each.code: each
    for each in (
        *(ShowCodeUnknown, ShowCodeUsed, NoSuchLicenceRequest, LicenceRequestDeclined),
        *(LicenceRequestOver, NeverIssued),
    )
}


class RedeemQuestion(Redeemer):
    """The code, and who redeems it; the node is the one that has signed."""

    code: str


class SeenQuestion(Value):
    """The officer who redeemed the code."""

    officer: str


async def redeem_code(node: Node, entry: DeskEntry, asked: RedeemRequest, *, key: str) -> ShownAtDesk:
    """Redeem a code for an item and a purpose; what comes of it is asked by `shown`. It is noted before.

    Raises the refusals of `redeemer_of`, ShowCodeUnknown, ShowCodeUsed, NodeUnknown, PeerNotReached.
    """
    redeemer = redeemer_of(node, entry, asked, key=key)
    code = "".join(asked.code.split())
    source = node_of(code)
    about = {**entry.doer.about, "authority": redeemer.authority, "peer": source, "item": redeemer.item}
    await note(node, "licence.asked", {**about, "id": redeemer.request})
    if source == node.here:
        told = await redeem(node, code, redeemer)
    else:
        said = {name: text for name, text in vars(redeemer).items() if name != "node"}
        question = SignedQuery(CODES, {"code": code, **said})
        told = await told_by(node, source, question, gives=ShowingTold, refusals=ANSWERS)
    return at_desk(node, told, source=source)


async def shown(node: Node, entry: DeskEntry, id: str) -> ShownAtDesk:
    """What came of a code that this officer redeemed: still waiting, or the faces; each look at faces is noted.

    Raises NoSuchLicenceRequest for anybody else, LicenceRequestDeclined, LicenceRequestOver, NeverIssued, NodeUnknown,
    PeerNotReached.
    """
    source, _, own = id.partition("-")
    if not REQUEST_ID.fullmatch(own):
        raise NoSuchLicenceRequest("没有这个用证请求。")
    if source == node.here:
        told = await seen(node, own, Looking(entry.officer.name, node.here, copy_of))
        return at_desk(node, told, source=source)
    question = SignedQuery(REQUEST.format(id=own), {"officer": entry.officer.name}, most_bytes=MOST_COPY_BYTES)
    told = await told_by(node, source, question, gives=ShowingTold, refusals=ANSWERS)
    about = {**entry.doer.about, "peer": source, "reason": "shown"}
    seen_here = [{**about, "case": name_of(LICENCES, each.identifier)} for each in told.copies]
    await note_all(node, {"licence.shown": seen_here})
    return at_desk(node, told, source=source)


async def tell_redeemed(node: Node, proven: Proven, question: RedeemQuestion) -> SignedReply:
    """The signed answer to a peer whose officer redeems a code of ours; it is noted before.

    Raises ShowCodeUnknown and ShowCodeUsed.
    """
    said = question.model_dump(exclude={"code", "node"})
    redeemer = Redeemer(**said, node=proven.sender)
    if node_of(question.code) != node.here:
        raise unknown_code()
    about = {"peer": proven.sender, "officer": redeemer.officer, "authority": redeemer.authority, "item": redeemer.item}
    await note(node, "licence.asked", {**about, "id": redeemer.request})
    return signed_value(node, proven, await redeem(node, question.code, redeemer))


async def tell_seen(node: Node, proven: Proven, id: str, *, question: SeenQuestion) -> SignedReply:
    """The signed answer to a peer about a request of its officer; raises as `seen`."""
    return signed_value(node, proven, await seen(node, id, Looking(question.officer, proven.sender, copy_of)))
