"""Holding: the electronic licences (电子证照) of a person, from whatever case they come."""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import partial
from typing import Self

from server.desk.held import known_licence
from server.desk.naming import node_name
from server.desk.steps import FieldShown, LocalMoment, fields_shown
from server.domain.aggregate.names import kind_and_id, name_of
from server.domain.effects.clues import HOLDER
from server.domain.effects.licensing import LICENCES, finders
from server.domain.licence.copies import LicenceCopy
from server.domain.licence.licence import Licence, NeverIssued
from server.domain.licence.standing import LicenceStanding, is_good_on, standing_on, state_code_on, words_on
from server.domain.licence.telling import KNOWN, KnownLicence, ToldLicence
from server.domain.people.masking import masked, masked_name
from server.domain.spoken_numbers import in_groups
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
    def of(cls, licence: Licence | ToldLicence | LicenceCopy, *, on: date) -> Self:
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
    """An electronic licence as it stands in a list of one's own; `kind` is the code of the result in the catalogue.

    `number` is the one that people say, empty if none. `is_sample`: its identifier was made up in part, and is no
    official one. `node` issued it; `known_at` is as of when this is known, if that is another one.
    """

    identifier: str
    is_sample: bool
    number: str
    kind: str
    name: str
    authority_name: str
    node: str
    node_name: str
    known_at: LocalMoment | None
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
    return MyLicences(
        licences=tuple(await _lines(node, [found[each] for each in places])),
        next=clues.hide(places[-1], digest) if len(found) > limit else None,
    )


async def my_licence(node: Node, owner: str, identifier: str) -> MyLicenceView:
    """One of them; raises NeverIssued, also if it is another's."""
    record = await node.store.licences.find(identifier)
    if record is None:
        return await _told(node, owner, identifier)
    licence = record.value
    if owner not in finders(licence, partial(node.keys.owner, "person")):
        raise NeverIssued("没有这个证照。")
    return MyLicenceView(
        **vars(_line(node, licence)),
        holders=tuple(_holders(node, licence, owner)),
        face=fields_shown(node.catalogue, licence.face, is_masked=False),
        **licence.model_dump(include={"trust", "previous", "successor", "moved_to"}),
    )


async def _told(node: Node, owner: str, identifier: str) -> MyLicenceView:
    """The same of a licence that another node has told of: who holds it and what is on its face stands in the case."""
    known = await known_licence(node, owner, identifier)
    kept = known.told.model_dump(include={"previous", "successor", "moved_to"})
    return MyLicenceView(**vars(_line_as_told(node, known)), holders=(), face=(), trust="A", **kept)


async def _lines(node: Node, names: Sequence[str]) -> list[MyLicence]:
    """Those of these names that are here, in their order."""
    found: dict[str, MyLicence] = {}
    ids = {kind: [id for each, id in map(kind_and_id, names) if each == kind] for kind in (LICENCES, KNOWN)}
    if ids[LICENCES]:
        records = await node.store.licences.find_many(ids[LICENCES])
        found |= {name_of(LICENCES, id): _line(node, each.value) for id, each in records.items()}
    if ids[KNOWN]:
        known = await node.store.known_licences.find(ids[KNOWN])
        found |= {name_of(KNOWN, id): _line_as_told(node, each) for id, each in known.items()}
    return [found[name] for name in names if name in found]


def _line(node: Node, licence: Licence) -> MyLicence:
    return MyLicence(
        identifier=licence.id,
        is_sample=licence.identifier.is_sample,
        number=in_groups(licence.spoken_number),
        authority_name=licence.authority.name,
        node_name=node_name(node, licence.node),
        known_at=None,
        stands=LicenceStands.of(licence, on=china_day(node.clock.now())),
        **licence.model_dump(include={"kind", "name", "node", "issued_on", "effective_on", "expires_on"}),
    )


def _line_as_told(node: Node, known: KnownLicence) -> MyLicence:
    told = known.told
    return MyLicence(
        identifier=told.identifier,
        is_sample=told.parts.is_sample,
        number="",
        authority_name=told.authority.name,
        node=known.node,
        node_name=node_name(node, known.node),
        known_at=known.known_at,
        stands=LicenceStands.of(told, on=china_day(node.clock.now())),
        **told.model_dump(include={"kind", "name", "issued_on", "effective_on", "expires_on"}),
    )


def _holders(node: Node, licence: Licence, owner: str) -> Iterable[HolderShown]:
    for holder in licence.holders:
        is_me = holder.kind == "111" and node.keys.owner("person", holder.number) == owner
        is_person = holder.kind == "111"
        number = masked("id_number", holder.number) if is_person and not is_me else holder.number
        name = masked_name(holder.name) if is_person and not is_me else holder.name
        yield HolderShown(name=name, number=number, is_me=is_me)
