"""Showing one's licences (亮证): make a code, see who asks for what, confirm or decline."""

from server.desk.held import held
from server.desk.naming import node_name
from server.desk.performing import IdempotencyKeyReused
from server.desk.showing import changed, note_uses, showing_id
from server.desk.steps import LocalMoment
from server.domain.licence.copies import check_good
from server.domain.licence.showing import (
    LIVES,
    Chosen,
    NoSuchLicenceRequest,
    Showing,
    ShowingState,
    code_of,
)
from server.domain.values import Value, china_day
from server.node import Node

MOST_LISTED = 20


class ShowRequest(Value):
    """Which of one's licences the code stands for, by their identifiers."""

    licences: Chosen


class ShowCode(Value):
    """A code to say or to show as a QR code: sixteen digits, redeemed once, until `ends_at`."""

    code: str
    ends_at: LocalMoment


class LicenceOffered(Value):
    """A licence that the code stands for."""

    identifier: str
    name: str


class LicenceRequestView(Value):
    """Who asks to see which licences, for what, and until when it may be answered or seen; nothing is shown before."""

    id: str
    state: ShowingState
    node_name: str
    authority_name: str
    officer: str
    item: str
    item_name: str
    purpose: str
    asked_at: LocalMoment
    ends_at: LocalMoment
    licences: tuple[LicenceOffered, ...]
    confirmed: tuple[str, ...]


class LicenceRequests(Value):
    """The requests of the last hour, the newest first."""

    requests: tuple[LicenceRequestView, ...]


class ConfirmRequest(Value):
    """Which of the licences the officer may see."""

    licences: Chosen


async def make_code(node: Node, owner: str, request: ShowRequest, *, key: str) -> ShowCode:
    """Make a code that stands for these licences of the owner; the same key and request give the same code.

    Raises NeverIssued, LicenceNotGood, IdempotencyKeyReused.
    """
    at = node.clock.now()
    offered = tuple(dict.fromkeys(request.licences))
    for identifier in offered:
        found = await held(node, owner, identifier)
        check_good(found.licence, found.licence.name, on=china_day(at))
    drawn = node.keys.request_digest(["code to show", owner, key]).encode()
    code = code_of(node.here, int.from_bytes(drawn))
    made = Showing(id=showing_id(node, code), owner=owner, offered=offered, made_at=at)
    if not await node.store.showings.add(made):
        known = await node.store.showings.find(made.id)
        if known is None or (known.owner, known.offered) != (owner, offered):
            raise IdempotencyKeyReused("同一请求标识不能用于不同的内容。")
        made = known
    return ShowCode(code=code, ends_at=made.made_at + LIVES)


async def my_requests(node: Node, owner: str) -> LicenceRequests:
    """Who has redeemed codes of this person in the last hour."""
    found = await node.store.showings.of_owner(owner, limit=MOST_LISTED)
    asked = [each for each in found if each.redeemer is not None]
    return LicenceRequests(requests=tuple([await _view(node, each) for each in asked]))


async def confirm(node: Node, owner: str, id: str, *, request: ConfirmRequest) -> LicenceRequestView:
    """Let the officer see these licences; the same again is the same.

    Raises NoSuchLicenceRequest, also for another's, LicenceNotOffered, LicenceNotGood, LicenceRequestAnswered,
    LicenceRequestOver.
    """
    return await _answer(node, owner, id, confirmed=tuple(dict.fromkeys(request.licences)))


async def decline(node: Node, owner: str, id: str) -> LicenceRequestView:
    """Let them see none; raises as `confirm`."""
    return await _answer(node, owner, id, confirmed=())


async def _answer(node: Node, owner: str, id: str, *, confirmed: tuple[str, ...]) -> LicenceRequestView:
    at = node.clock.now()
    before = await node.store.showings.find(id)
    if before is None or before.owner != owner or before.redeemer is None:
        raise _none()
    after = before.answered(confirmed, at)
    for identifier in confirmed:
        found = await held(node, owner, identifier)
        check_good(found.licence, found.licence.name, on=china_day(at))
    after = await changed(node, id, lambda each: each.answered(confirmed, at), missing=_none)
    await note_uses(node, after, "confirmed", licences=after.confirmed)
    await note_uses(node, after, "declined", licences=[each for each in after.offered if each not in after.confirmed])
    return await _view(node, after)


def _none() -> NoSuchLicenceRequest:
    return NoSuchLicenceRequest("没有这个用证请求。")


async def _view(node: Node, showing: Showing) -> LicenceRequestView:
    redeemer = showing.redeemer
    if redeemer is None or showing.redeemed_at is None:
        raise _none()
    offered = [await held(node, showing.owner, identifier) for identifier in showing.offered]
    return LicenceRequestView(
        id=showing.id,
        state=showing.state(node.clock.now()),
        node_name=node_name(node, redeemer.node),
        asked_at=showing.redeemed_at,
        ends_at=showing.ends_at,
        licences=tuple(LicenceOffered(identifier=each.identifier, name=each.licence.name) for each in offered),
        confirmed=showing.confirmed,
        **redeemer.model_dump(include={"authority_name", "officer", "item", "item_name", "purpose"}),
    )
