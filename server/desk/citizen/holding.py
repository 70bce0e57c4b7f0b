"""Holding: the electronic licences (电子证照) of a person, from whatever case they come."""

from collections.abc import Iterable
from datetime import date
from functools import partial
from typing import Self

from server.desk.steps import FieldShown, LocalMoment, fields_shown
from server.domain.aggregate.names import kind_and_id
from server.domain.effects.clues import HOLDER
from server.domain.effects.licensing import LICENCES, finders
from server.domain.licence.licence import Licence, NeverIssued
from server.domain.licence.standing import LicenceStanding, is_good_on, standing_on, state_code_on, words_on
from server.domain.people.masking import masked, masked_name
from server.domain.values import Value, china_day
from server.node import Node


class HolderShown(Value):
    """Who holds a licence, masked where that is not the reader."""

    name: str
    number: str
    is_me: bool


class LicenceStands(Value):
    """What a licence counts as today and since when, in words and by the code of the states (证照状态代码).

    `reason` and `basis` are of its last change.
    """

    state: LicenceStanding
    state_name: str
    state_code: str
    is_good: bool
    since: LocalMoment
    reason: str
    basis: str

    @classmethod
    def of(cls, licence: Licence, *, on: date) -> Self:
        """How it stands on this day."""
        return cls(
            state=standing_on(licence, on),
            state_name=words_on(licence, on),
            state_code=state_code_on(licence, on).code,
            is_good=is_good_on(licence, on),
            since=licence.since,
            reason=licence.reason,
            basis=licence.basis,
        )


class MyLicence(Value):
    """An electronic licence as it stands in a list of one's own.

    `is_sample`: its identifier was made up in part, and is no official one. `node` issued it. `case` is the one that it
    comes from, if that is a case of this node.
    """

    identifier: str
    is_sample: bool
    name: str
    authority_name: str
    node: str
    stands: LicenceStands
    issued_on: date
    effective_on: date
    expires_on: date | None


class MyLicenceView(MyLicence):
    """All of it: who holds it, what stands on its face, and what it follows or what took its place."""

    holders: tuple[HolderShown, ...]
    face: tuple[FieldShown, ...]
    trust: str
    previous: str
    successor: str
    moved_to: str


class MyLicences(Value):
    """One's electronic licences, the last first; `next` goes into `?after=` for the following page."""

    licences: tuple[MyLicence, ...]
    next: str | None


async def my_licences(node: Node, owner: str, *, after: str, limit: int) -> MyLicences:
    """The licences that a person holds, or has applied for at this node. Raises SearchPlaceUnknown."""
    clues, digest = node.store.clues, node.keys.clue(HOLDER, owner)
    place = clues.find_hidden(after, digest) if after else ""
    found = await clues.cases(digest, before=place, limit=limit + 1)
    places = list(found)[:limit]
    licences = await _licences(node, [found[each] for each in places])
    return MyLicences(
        licences=tuple(_line(node, each) for each in licences),
        next=clues.hide(places[-1], digest) if len(found) > limit else None,
    )


async def my_licence(node: Node, owner: str, identifier: str) -> MyLicenceView:
    """One of them; raises NeverIssued, also if it is another's."""
    record = await node.store.licences.find(identifier)
    if record is None or owner not in finders(record.value, partial(node.keys.owner, "person")):
        raise NeverIssued("没有这个证照。")
    licence = record.value
    return MyLicenceView(
        **vars(_line(node, licence)),
        holders=tuple(_holders(node, licence, owner)),
        face=fields_shown(node.catalogue, licence.face, is_masked=False),
        **licence.model_dump(include={"trust", "previous", "successor", "moved_to"}),
    )


async def _licences(node: Node, names: Iterable[str]) -> list[Licence]:
    """Those of these names that are here, in their order."""
    ids = [id for kind, id in map(kind_and_id, names) if kind == LICENCES]
    found = await node.store.licences.find_many(ids)
    return [found[id].value for id in ids if id in found]


def _line(node: Node, licence: Licence) -> MyLicence:
    return MyLicence(
        identifier=licence.id,
        is_sample=licence.identifier.is_sample,
        authority_name=licence.authority.name,
        stands=LicenceStands.of(licence, on=china_day(node.clock.now())),
        **licence.model_dump(include={"name", "node", "issued_on", "effective_on", "expires_on"}),
    )


def _holders(node: Node, licence: Licence, owner: str) -> Iterable[HolderShown]:
    for holder in licence.holders:
        is_me = holder.kind == "111" and node.keys.owner("person", holder.number) == owner
        is_person = holder.kind == "111"
        number = masked("id_number", holder.number) if is_person and not is_me else holder.number
        name = masked_name(holder.name) if is_person and not is_me else holder.name
        yield HolderShown(name=name, number=number, is_me=is_me)
