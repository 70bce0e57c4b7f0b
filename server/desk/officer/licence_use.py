"""The officer who asks to see licences by a code: their right to ask, what for, and the faces as they are shown."""

from datetime import date
from typing import Annotated

from pydantic import StringConstraints

from server.desk.citizen.holding import LicenceStands
from server.desk.naming import node_name, window_name
from server.desk.officer.seeing import today
from server.desk.showing import ShowingTold
from server.desk.steps import FieldShown, LocalMoment, fields_shown
from server.domain.catalogue.desks import find_desk
from server.domain.licence.copies import LicenceCopy
from server.domain.licence.licence import LicenceHolder
from server.domain.licence.showing import Purpose, Redeemer
from server.domain.people.accounts import DeskEntry
from server.domain.rules.rights import Work, granted
from server.domain.values import Value
from server.node import Node


class RedeemRequest(Value):
    """The code that the holder shows, at which authority or window of the officer's (`at`), for which item, why."""

    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
    at: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    item: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    purpose: Purpose


class CopyAtDesk(Value):
    """A licence as it is shown to an officer: who holds it, its face, and how it stands now; trust as in `trust`."""

    identifier: str
    name: str
    kind: str
    authority_name: str
    node: str
    node_name: str
    holders: tuple[LicenceHolder, ...]
    face: tuple[FieldShown, ...]
    face_sha256: str
    issued_on: date
    effective_on: date
    expires_on: date | None
    trust: str
    stands: LicenceStands


class ShownAtDesk(Value):
    """How the request stands: `waiting` for the holder, or `confirmed` with the licences; until when, either way."""

    id: str
    state: str
    ends_at: LocalMoment
    licences: tuple[CopyAtDesk, ...]


def redeemer_of(node: Node, entry: DeskEntry, asked: RedeemRequest, *, key: str) -> Redeemer:
    """The officer as they ask; raises the refusals of `granted` and NoSuchItem."""
    item = node.catalogue.item(asked.item)
    work = Work(authority=asked.at, window=asked.at, item=asked.item)
    post = granted(entry.posts, "ask_licence", work, on=today(node))
    name = window_name(node, post.window) if post.window else _authority_name(node, post.authority)
    return Redeemer(
        request=node.keys.request_digest(["redeem", entry.officer.name, key]),
        node=node.here,
        authority=asked.at,
        authority_name=name,
        officer=entry.officer.name,
        item=item.code,
        item_name=item.name,
        purpose=asked.purpose,
    )


def at_desk(node: Node, told: ShowingTold, *, source: str) -> ShownAtDesk:
    """What the node `source` has told, as the officer is shown it; `id` names that node."""
    return ShownAtDesk(
        id=f"{source}-{told.id}",
        state=told.state,
        ends_at=told.ends_at,
        licences=tuple(copy_at_desk(node, each) for each in told.copies),
    )


def copy_at_desk(node: Node, copy: LicenceCopy) -> CopyAtDesk:
    """A copy with its fields named by the catalogue here."""
    same = {"identifier", "name", "kind", "node", "issued_on", "effective_on", "expires_on", "trust"}
    return CopyAtDesk(
        **copy.model_dump(include=same),
        authority_name=copy.authority.name,
        node_name=node_name(node, copy.node),
        holders=copy.holders,
        face=fields_shown(node.catalogue, copy.face, is_masked=False),
        face_sha256=copy.face_sha256,
        stands=LicenceStands.of(copy, on=today(node)),
    )


def _authority_name(node: Node, id: str) -> str:
    desk = find_desk(node.published.authorities, id, province=node.here, on=today(node))
    return desk.name if desk else id
