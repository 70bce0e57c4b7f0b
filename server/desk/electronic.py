"""Electronic licences (电子证照) that a case has led to: which they are, and what they count as today."""

from collections.abc import Iterable, Mapping
from datetime import date

from server.desk.steps import LocalMoment
from server.domain.case.case import Case, Step
from server.domain.effects.awarding import NUMBER_UNKNOWN, holders_of, licence_result
from server.domain.licence.licence import Licence
from server.domain.licence.standing import LicenceStanding, standing_on, words_on
from server.domain.values import Value, china_day
from server.node import Node

ON_ITS_WAY = "电子证照正在颁发。"


class ElectronicShown(Value):
    """The electronic licence of an approved step: its identifier, and what it counts as today, since when.

    As long as none is known, the identifier is empty, and `words` say why: it is on its way, or there will be none.
    `is_sample`: its identifier was made up in part, and is no official one.
    """

    identifier: str
    is_sample: bool
    state: LicenceStanding | None
    state_name: str
    since: LocalMoment | None
    expires_on: date | None
    words: str


async def electronics_of(node: Node, case: Case, steps: Iterable[Step]) -> Mapping[str, ElectronicShown]:
    """Those of these steps of a case that were approved and lead to a licence, by their codes."""
    catalogue = node.catalogue_of(case.catalogue)
    granted = {step.plan.code: step for step in steps if step.is_granted and licence_result(catalogue, step)}
    if not granted:
        return {}
    ids = {code: step.electronic for code, step in granted.items() if step.electronic}
    found = await node.store.licences.find_many(list(ids.values())) if ids else {}
    licences = {code: found[id].value for code, id in ids.items() if id in found}
    return {
        code: shown(node, licences[code]) if code in licences else _none(node, case, step)
        for code, step in granted.items()
    }


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
        words=f"电子证照标识 {licence.id}，{name}。",
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
        words=ON_ITS_WAY if is_known else NUMBER_UNKNOWN,
    )
