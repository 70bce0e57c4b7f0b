"""Serving: another node gets a content that a letter offered it, while it has to do with it, and nothing else."""

from regions.answering import SignedReply, signed
from server.crypto.receipts import PART, Answer
from server.crypto.signatures import Proven
from server.desk.recording import note, of_case
from server.domain.case.case import HELD, Offered, local_id
from server.domain.case.fetches import offer_of, offered, papers_of
from server.domain.effects.letters_in import CASE_NAME, STEP_CODE
from server.domain.errors import Missing
from server.domain.ranges import span_of
from server.node import Node

CONTENT_TYPE = "application/octet-stream"
WHOLE = 200


class ContentNotServed(Missing):
    """There is no such content for the node that asks, or no more."""

    code = "content_not_served"
    title = "没有可以提供的内容"


async def content(node: Node, proven: Proven, sha256: str, *, case: str, step: str) -> SignedReply:
    """A material for the decider of its open step, a licence or paper for its case's home; the range that was signed.

    What is served is noted before, with the reason, and so is what is refused. Raises ContentNotServed, whatever
    does not fit, NoSuchBlob, RangeUnreadable, RangeBeyondEnd.
    """
    is_name = CASE_NAME.fullmatch(case) and STEP_CODE.fullmatch(step)
    asked = {"peer": proven.sender, "case": case if is_name else "", "step": step if is_name else ""}
    served = await _served(node, proven.sender, sha256, case=case, step=step)
    if served is None:
        await note(node, "content.refused", {**asked, "content": node.keys.material(sha256)})
        raise ContentNotServed("没有可以提供的内容。")
    address = node.keys.material(sha256)
    whole = await node.store.materials.content(address)
    span = span_of(proven.covered.get("range", ""), len(whole))
    part = span.text if span else "whole"
    await note(node, "content.served", {**asked, **served, "content": address, "part": part})
    if span is None:
        return signed(node, proven, Answer(WHOLE, CONTENT_TYPE, whole))
    return signed(node, proven, Answer(PART, CONTENT_TYPE, whole[span.first : span.last + 1], span.text))


async def _served(node: Node, asker: str, sha256: str, *, case: str, step: str) -> dict[str, str] | None:
    """Of which case this node may have this content now, and why (`reason`); None if it may not."""
    record = await node.store.cases.find(local_id(case, node.here)) if CASE_NAME.fullmatch(case) else None
    found = record.case.steps.get(step) if record else None
    if record is None or found is None:
        return None
    if record.case.home == node.here:
        is_due = asker == found.node and found.state in HELD and _is_among(sha256, *offered(record.case, found))
        return {**of_case(record.case), "reason": f"decides {step}"} if is_due else None
    if asker != record.case.home or found.node != node.here:
        return None
    papers = [offer_of(each.file) for each in papers_of(record.case, found) if each.file]
    for what, contents in (("licence", [found.licence] if found.is_granted else []), ("paper", papers)):
        if _is_among(sha256, *contents):
            return {**of_case(record.case), "reason": f"home of the {what} of {step}"}
    return None


def _is_among(sha256: str, *contents: Offered | None) -> bool:
    return any(each is not None and each.sha256 == sha256 for each in contents)
