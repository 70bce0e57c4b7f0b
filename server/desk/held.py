"""A licence that a person holds or has applied for: one of this node, or one that another node has told of."""

from dataclasses import dataclass, field
from functools import partial

from server.desk.catalogues import case_of
from server.domain.aggregate.names import kind_and_id
from server.domain.effects.awarding import holders_of
from server.domain.effects.clues import IDENTIFIER
from server.domain.effects.licensing import finders
from server.domain.licence.copies import CopyAsked, LicenceCopy, check_mark, holder_mark
from server.domain.licence.licence import Licence, LicenceHolder, NeverIssued
from server.domain.licence.telling import KNOWN, KnownLicence, ToldLicence
from server.domain.values import china_day
from server.node import Node


@dataclass(frozen=True)
class HeldLicence:
    """What is known here of a licence, which node issued it, and a mark of a holder by which that one may be asked."""

    node: str
    licence: Licence | ToldLicence
    mark: str = field(repr=False)

    @property
    def identifier(self) -> str:
        """The identifier as a text."""
        return self.licence.id if isinstance(self.licence, Licence) else self.licence.identifier

    def asked(self, *, purpose: str, authority_name: str = "", officer: str = "", case: str = "") -> CopyAsked:
        """The question for a copy of it."""
        return CopyAsked(
            identifier=self.identifier,
            node=self.node,
            mark=self.mark,
            purpose=purpose,
            authority_name=authority_name,
            officer=officer,
            case=case,
        )


async def held(node: Node, owner: str, identifier: str) -> HeldLicence:
    """The licence of this identifier, if this person holds it or has applied for it; raises NeverIssued."""
    record = await node.store.licences.find(identifier)
    if record is None:
        return await _held_elsewhere(node, owner, identifier)
    licence = record.value
    if owner not in finders(licence, partial(node.keys.owner, "person")):
        raise NeverIssued("没有这个证照。")
    return HeldLicence(node.here, licence, holder_mark(licence.id, _first(licence.holders).number))


async def known_licence(node: Node, owner: str, identifier: str) -> KnownLicence:
    """What another node has told of a licence that this person holds; raises NeverIssued."""
    named = await node.store.clues.cases(node.keys.clue(IDENTIFIER, identifier), limit=1)
    ids = [id for kind, id in map(kind_and_id, named.values()) if kind == KNOWN]
    known = next(iter((await node.store.known_licences.find(ids)).values()), None)
    if known is None or owner not in known.people or known.told.identifier != identifier:
        raise NeverIssued("没有这个证照。")
    return known


async def copy_here(node: Node, asked: CopyAsked) -> LicenceCopy:
    """The copy of a licence that this node issued, for who knows a holder; raises NeverIssued."""
    return await copy_for(node, asked.identifier, mark=asked.mark)


async def copy_for(node: Node, identifier: str, *, mark: str) -> LicenceCopy:
    """The same of an identifier that comes from outside."""
    record = await node.store.licences.find(identifier)
    if record is None:
        raise NeverIssued("没有这个证照。")
    check_mark(record.value, mark)
    return LicenceCopy.of(record.value)


async def _held_elsewhere(node: Node, owner: str, identifier: str) -> HeldLicence:
    """Who holds it is known from the case that it comes from."""
    known = await known_licence(node, owner, identifier)
    case = (await case_of(node, known.case)).case
    step = case.step(known.told.step)
    catalogue, on = node.catalogue_of(case.catalogue), china_day(step.decided_at or step.since)
    holder = _first(holders_of(case, step, step.result, catalogue=catalogue, on=on))
    return HeldLicence(known.node, known.told, holder_mark(identifier, holder.number))


def _first(holders: tuple[LicenceHolder, ...]) -> LicenceHolder:
    if not holders:
        raise NeverIssued("没有这个证照。")
    return holders[0]
