"""What officers see of licences that take the place of materials: how each stands now, and its face."""

from collections.abc import Iterable
from dataclasses import dataclass

from server.desk.citizen.holding import LicenceStands
from server.desk.naming import node_name
from server.desk.officer.licence_use import CopyAtDesk, copy_at_desk
from server.desk.officer.opening import NoSuchMaterial, material_of
from server.desk.officer.seeing import today
from server.desk.showing import CopyOf, Looking
from server.desk.steps import LocalMoment
from server.desk.using import note_use
from server.domain.case.case import Offered, Step, full_name
from server.domain.errors import Unavailable
from server.domain.licence.copies import LicenceCopy
from server.domain.licence.covering import REFERENCE, LicenceReference
from server.domain.licence.licence import NeverIssued
from server.domain.licence.standing import STANDINGS
from server.domain.licence.uses import UsedBy
from server.domain.people.accounts import DeskEntry
from server.domain.values import Value
from server.node import Node

PURPOSE = "办理申请事项，核对代替材料的证照"


@dataclass(frozen=True)
class Checking:
    """Which officer looks, for which authority."""

    looking: Looking
    authority_name: str


class CoveredAtDesk(Value):
    """A licence in the place of a material (`code`, `sha256`): how it stood when it was handed in, and how it does now.

    `now` is empty if the node that issued it cannot be asked, or has no such licence; `warning` says in zh-CN what to
    look at before deciding, and is empty if all is as it was.
    """

    code: str
    sha256: str
    identifier: str
    name: str
    authority_name: str
    node_name: str
    state_name: str
    known_at: LocalMoment
    consented_at: LocalMoment
    face_sha256: str
    now: LicenceStands | None
    warning: str


async def covered_at_desk(
    node: Node, step: Step, *, case: str, materials: Iterable[Offered], checking: Checking
) -> tuple[CoveredAtDesk, ...]:
    """Those of these materials that are licences; how they stand now is asked as long as the step is open."""
    shown = []
    for each in materials:
        address = node.keys.material(each.sha256)
        if each.media_type != REFERENCE or await node.store.materials.missing([address]):
            continue
        reference = LicenceReference.find(await node.store.materials.content(address), case=case)
        if reference is None:  # its home says that it is one, and it is not: a material that cannot be opened
            continue
        copy, warning = (None, "") if step.has_ended else await _now(node, reference, checking=checking)
        shown.append(_shown(node, each, reference, copy=copy, warning=warning))
    return tuple(shown)


async def open_licence(node: Node, entry: DeskEntry, id: str, *, sha256: str, copy_of: CopyOf) -> CopyAtDesk:
    """The face of a licence that takes the place of a material, as it is now; the look is noted first.

    Raises the refusals of `material_of`, NoSuchMaterial for what is no licence, and what `copy_of` raises.
    """
    file = await material_of(node, entry, id, sha256=sha256)
    name = full_name(id, node.here)
    reference = LicenceReference.find(file.content, case=name) if file.media_type == REFERENCE else None
    if reference is None:
        raise NoSuchMaterial("这份材料不是电子证照。")
    who = {"authority_name": "", "officer": entry.officer.name, "purpose": PURPOSE}
    copy = await copy_of(node, reference.asked(**who))
    if reference.node == node.here:
        by = UsedBy(node=node.here, case=reference.case, **who)
        await note_use(node, reference.identifier, "covered", by=by)
    return copy_at_desk(node, copy)


async def _now(node: Node, reference: LicenceReference, *, checking: Checking) -> tuple[LicenceCopy | None, str]:
    """The licence as it is now, and what an officer must know before they decide."""
    who = {"officer": checking.looking.officer, "authority_name": checking.authority_name}
    try:
        copy = await checking.looking.copy_of(node, reference.asked(purpose=PURPOSE, **who))
    except NeverIssued:
        return None, "颁发地没有这个证照，请要求申请人补交材料。"
    except Unavailable:
        return None, "暂时无法向颁发地核验这个证照的当前状态，请稍后再看。"
    stands = LicenceStands.of(copy, on=today(node))
    if not stands.is_good:
        return copy, f"这个证照现在的状态是“{stands.state_name}”，不能再作为材料使用。"
    changed = copy.face_sha256 != reference.face_sha256
    return copy, "这个证照的照面在申请之后有变化，请重新核对。" if changed else ""


def _shown(
    node: Node, offered: Offered, reference: LicenceReference, *, copy: LicenceCopy | None, warning: str
) -> CoveredAtDesk:
    return CoveredAtDesk(
        code=offered.code,
        sha256=offered.sha256,
        **reference.model_dump(include={"identifier", "name", "authority_name", "face_sha256"}),
        known_at=reference.known_at,
        consented_at=reference.consented_at,
        node_name=node_name(node, reference.node),
        state_name=STANDINGS[reference.state, ""][0],
        now=LicenceStands.of(copy, on=today(node)) if copy else None,
        warning=warning,
    )
