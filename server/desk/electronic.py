"""Electronic licences (电子证照) that a case has led to: which they are, and what they count as today."""

from collections.abc import Iterable, Mapping
from datetime import date

from server.desk.naming import node_name
from server.desk.steps import LocalMoment
from server.domain.case.case import Case, Step, local_id
from server.domain.effects.awarding import NUMBER_UNKNOWN, holders_of, licence_result
from server.domain.licence.licence import Licence
from server.domain.licence.standing import LicenceStanding, standing_on, words_on
from server.domain.licence.telling import KnownLicence
from server.domain.values import Value, china_day
from server.node import Node

ON_ITS_WAY = "电子证照正在颁发。"


class ElectronicShown(Value):
    """The electronic licence of an approved step: its identifier, and what it counts as today, since when.

    As long as none is known, the identifier is empty, and `words` say why: it is on its way, or there will be none.
    `is_sample`: its identifier was made up in part, and is no official one. `known_at` is as of when this is known, if
    another node issued it.
    """

    identifier: str
    is_sample: bool
    state: LicenceStanding | None
    state_name: str
    since: LocalMoment | None
    expires_on: date | None
    known_at: LocalMoment | None
    words: str


async def electronics_of(node: Node, case: Case, steps: Iterable[Step]) -> Mapping[str, ElectronicShown]:
    """Those of these steps of a case that were approved and lead to a licence, by their codes."""
    catalogue = node.catalogue_of(case.catalogue)
    granted = {step.plan.code: step for step in steps if step.is_granted and licence_result(catalogue, step)}
    if not granted:
        return {}
    ids = {code: step.electronic for code, step in granted.items() if step.electronic}
    found = await node.store.licences.find_many(list(ids.values())) if ids else {}
    lines = {code: shown(node, found[id].value) for code, id in ids.items() if id in found}
    elsewhere = {
        f"{local_id(case.name, node.here)}:{code}": code for code in granted if granted[code].node != node.here
    }
    known = await node.store.known_licences.find(list(elsewhere)) if elsewhere else {}
    lines |= {elsewhere[id]: shown_as_told(node, each) for id, each in known.items()}
    return {code: lines.get(code) or _none(node, case, step) for code, step in granted.items()}


def shown(node: Node, licence: Licence) -> ElectronicShown:
    """A licence as it is shown beside the step that it comes from."""
    day = china_day(node.clock.now())
    state, name = standing_on(licence, day), words_on(licence, day)
    return ElectronicShown(
        identifier=licence.id,
        is_sample=licence.identifier.is_sample,
        state=state,
        state_name=name,
        since=licence.since,
        expires_on=licence.expires_on,
        known_at=None,
        words=f"电子证照标识 {licence.id}，{name}。",
    )


def shown_as_told(node: Node, known: KnownLicence) -> ElectronicShown:
    """A licence that another node has issued, as it has told."""
    told, day = known.told, china_day(node.clock.now())
    state, name = standing_on(told, day), words_on(told, day)
    return ElectronicShown(
        identifier=told.identifier,
        is_sample=told.parts.is_sample,
        state=state,
        state_name=name,
        since=told.since,
        expires_on=told.expires_on,
        known_at=known.known_at,
        words=f"电子证照标识 {told.identifier}，{name}（据{node_name(node, known.node)}告知）。",
    )


def _none(node: Node, case: Case, step: Step) -> ElectronicShown:
    """None is known of an approved step; it is on its way if its holder is known."""
    catalogue, on = node.catalogue_of(case.catalogue), china_day(step.decided_at or step.since)
    is_known = bool(holders_of(case, step, step.result, catalogue=catalogue, on=on))
    return ElectronicShown(
        identifier="",
        is_sample=False,
        state=None,
        state_name="",
        since=None,
        expires_on=None,
        known_at=None,
        words=ON_ITS_WAY if is_known else NUMBER_UNKNOWN,
    )
