"""Covering (免提交): which of one's licences serve for the materials of a bundle, and their use in an application."""

from hashlib import sha256

from server.desk.citizen.guiding import GuideRequest, guide
from server.desk.citizen.holding import MyLicence, my_licences
from server.desk.held import HeldLicence, held
from server.desk.showing import CopyOf
from server.domain.case.case import Application
from server.domain.catalogue.forms import FormFaulty
from server.domain.errors import FieldFault, Invalid
from server.domain.licence.copies import LicenceCopy, LicenceNotGood, check_good
from server.domain.licence.covering import REFERENCE, LicenceGiven, LicenceReference
from server.domain.licence.licence import NeverIssued
from server.domain.licence.uses import LicenceUse
from server.domain.materials import Upload
from server.domain.rules.opening import Submission
from server.domain.values import Value, china_day
from server.node import Node

MOST_LOOKED_AT = 200
CONSENT_NEEDED = "使用您的电子证照需要您同意，也可以上传材料。"


class ConsentMissing(Invalid):
    """Licences are looked for, and used, only with the consent of who holds them."""

    code = "consent_missing"
    title = "需要您同意使用电子证照"


class CoverageRequest(GuideRequest):
    """The answers as for the guide, and whether the citizen lets their licences be looked through for it."""

    has_consented: bool


class CoveredMaterial(Value):
    """A material that need not be uploaded, and the valid licences that may serve for it."""

    code: str
    name: str
    licences: tuple[MyLicence, ...]


class Coverage(Value):
    """The materials that licences of the citizen's cover: held here, or told of by other nodes."""

    materials: tuple[CoveredMaterial, ...]


async def coverage(node: Node, owner: str, code: str, *, request: CoverageRequest) -> Coverage:
    """Which materials of a bundle the citizen's own licences cover.

    Raises ConsentMissing, and the refusals of `guide`.
    """
    if not request.has_consented:
        fault = FieldFault(pointer="/has_consented", code="consent_missing", detail=CONSENT_NEEDED)
        raise ConsentMissing(CONSENT_NEEDED, errors=[fault])
    asked = guide(node, code, GuideRequest(answers=request.answers, division=request.division)).materials
    mine = (await my_licences(node, owner, after="", limit=MOST_LOOKED_AT)).licences
    found = {each.code: tuple(one for one in mine if one.kind == each.code and one.stands.is_good) for each in asked}
    return Coverage(
        materials=tuple(
            CoveredMaterial(code=each.code, name=each.name, licences=found[each.code])
            for each in asked
            if found[each.code]
        )
    )


async def references(
    node: Node, owner: str, submission: Submission, *, case: str, copy_of: CopyOf
) -> dict[str, LicenceReference]:
    """What takes the place of uploads in an application of this person, by the identifiers of the licences.

    Each is checked as it stands now, at the node that issued it. Raises FormFaulty for one that may not serve, and what
    `copy_of` raises if that node cannot be asked.
    """
    found: dict[str, LicenceReference] = {}
    faults: list[FieldFault] = []
    for index, given in enumerate(submission.licences):
        try:
            found[given.identifier] = await _reference(node, owner, submission, given=given, through=(case, copy_of))
        except _Unfit as unfit:
            faults.append(unfit.fault.model_copy(update={"pointer": f"/licences/{index}{unfit.fault.pointer}"}))
    if faults:
        raise FormFaulty("请按提示修改后重新提交。", errors=faults)
    return found


def upload_of(node: Node, reference: LicenceReference) -> Upload:
    """The reference as a content that was handed in."""
    content = reference.content
    digest = sha256(content).hexdigest()
    return Upload(
        id=node.keys.material(digest), name=reference.name, size=len(content), media_type=REFERENCE, sha256=digest
    )


async def keep(node: Node, application: Application, found: dict[str, LicenceReference], *, case: str) -> None:
    """Keep what takes the place of uploads, and note the use of each licence once for the case."""
    for reference in found.values():
        await node.store.materials.keep_content(upload_of(node, reference).id, reference.content)
    await node.store.licence_uses.note(
        LicenceUse(
            id=f"covered:{case}:{identifier}",
            licence=identifier,
            at=node.clock.now(),
            kind="covered",
            outcome="given",
            node=node.here,
            case=case,
            purpose=f"办理“{application.bundle_name}”",
        )
        for identifier in found
    )


class _Unfit(Exception):
    """A licence that may not serve, with what is wrong; its pointer begins at the one that was given."""

    def __init__(self, fault: FieldFault) -> None:
        super().__init__(fault.code)
        self.fault = fault


def _fault(member: str, code: str, detail: str) -> _Unfit:
    return _Unfit(FieldFault(pointer=f"/{member}", code=code, detail=detail))


async def _reference(
    node: Node, owner: str, submission: Submission, *, given: LicenceGiven, through: tuple[str, CopyOf]
) -> LicenceReference:
    if submission.mandate:
        raise _fault("identifier", "licence_by_agent", "代理人不能代为同意使用证照，请上传材料。")
    if not given.has_consented:
        raise _fault("has_consented", "consent_missing", CONSENT_NEEDED)
    at = node.clock.now()
    try:
        mine = await held(node, owner, given.identifier)
        copy = await _copy(node, mine, submission, through=through)
        check_good(copy, copy.name, on=china_day(at))
    except NeverIssued as fault:
        raise _fault("identifier", "licence_unknown", "没有找到这个证照，请上传材料。") from fault
    except LicenceNotGood as fault:
        raise _fault("identifier", "licence_not_good", f"{fault.detail}请上传材料。") from fault
    if copy.kind != given.code:
        raise _fault("identifier", "licence_unfit", "这个证照不能代替该材料，请上传材料。")
    return LicenceReference.of(copy, case=through[0], mark=mine.mark, at=at)


async def _copy(node: Node, mine: HeldLicence, submission: Submission, *, through: tuple[str, CopyOf]) -> LicenceCopy:
    case, copy_of = through
    bundle = node.catalogue.bundle(submission.bundle)
    return await copy_of(node, mine.asked(purpose=f"办理“{bundle.name}”", case=case))
