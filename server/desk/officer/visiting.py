"""Visiting: an officer records that somebody came to a window for a case (跑动)."""

from typing import Annotated

from pydantic import StringConstraints

from server.desk.officer.casefile import VisitAtDesk
from server.desk.officer.seeing import noted, parts_of, seat_of, shown_parts
from server.desk.performing import IdempotencyKeyReused
from server.desk.recording import of_case
from server.desk.visits import visits_of
from server.domain.case.visits import Visit, Visitor, WindowUnknown, check_room, person_of
from server.domain.catalogue.divisions import province_of
from server.domain.errors import FieldFault
from server.domain.people.accounts import DeskEntry
from server.domain.values import Value
from server.node import Node


class VisitRequest(Value):
    """Who came and for what; `window` is where (empty: the window that the applicant chose)."""

    window: Annotated[str, StringConstraints(max_length=100)] = ""
    visitor: Visitor = "applicant"
    purpose: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


async def record_visit(node: Node, entry: DeskEntry, id: str, *, request: VisitRequest, key: str) -> VisitAtDesk:
    """Record a visit for a case that the officer's posts let them see; it is audited before.

    The same key and request again give the same visit. Raises NoSuchCase, RoleForbids, ItemNotInPost,
    WindowUnknown, VisitorUnknown, TooManyVisits, IdempotencyKeyReused.
    """
    record = await node.store.cases.case(id)
    parts_of(node, entry, record.case)
    seat = seat_of(node, entry, record.case, parts=shown_parts(node, record.case), to="record_visit")
    visit = Visit(
        id=node.keys.request_digest(["visit", entry.officer.name, record.id, key]),
        case=record.id,
        window=request.window or record.case.window,
        at=node.clock.now(),
        visitor=request.visitor,
        person=person_of(record.case, request.visitor, here=node.here),
        purpose=request.purpose,
        officer=entry.officer.name,
        authority=seat.mine.authority.id,
    )
    stored = await node.store.visits.find(visit.id)
    if stored is None:
        _check_window(node, visit.window)
        check_room(len(await visits_of(node, record.id)))
        about = {**of_case(record.case), **noted(entry, [seat])}
        about |= {"window": visit.window, "visitor": visit.visitor}
        await node.store.audit.note(f"visit:{visit.id}", "visit.recorded", at=visit.at, about=about)
        stored = await node.store.visits.add(visit)
    if not stored.is_of_same_wish(visit):
        raise IdempotencyKeyReused("同一请求标识不能用于不同的内容。")
    return VisitAtDesk.of(node, stored)


def _check_window(node: Node, id: str) -> None:
    found = node.published.windows.find(id, on=node.context().on)
    if found is None or province_of(found.county) != province_of(node.here):
        detail = "没有这个窗口，请核对后重试。" if id else "请填写到访的窗口。"
        fault = FieldFault(pointer="/window", code="window_unknown", detail=detail)
        raise WindowUnknown(detail, errors=[fault])
