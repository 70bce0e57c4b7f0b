"""Materials: a file is handed in once and used as often as need be, and officers open it with the reason on record."""

from hashlib import sha256

from server.domain.case.case import Case, Step
from server.domain.case.fetches import offered
from server.domain.errors import Conflict, Missing
from server.domain.materials import LONGEST_NAME, File, Upload, media_type
from server.domain.people.persons import Officer
from server.domain.rules.decide import NotYourDepartment
from server.domain.values import moment_text
from server.node import Node


class NoSuchMaterial(Missing):
    """No step of the case that this department decides has such a material."""

    code = "no_such_material"
    title = "没有这份材料"


class MaterialStillComing(Conflict):
    """The material has not come from the case's home yet."""

    code = "material_still_coming"
    title = "材料尚在传送"


async def hand_in(node: Node, owner: str, content: bytes, *, name: str) -> Upload:
    """Keep a file for this owner; the same content again gives the same id.

    Raises MaterialTooLarge and MaterialTypeUnknown.
    """
    kind = media_type(content)
    digest = sha256(content).hexdigest()
    upload = Upload(
        id=node.keys.material(digest), name=name[-LONGEST_NAME:], size=len(content), media_type=kind, sha256=digest
    )
    await node.store.materials.keep(owner, upload, content)
    return upload


async def material_of(node: Node, officer: Officer, id: str, *, sha256: str) -> File:
    """A material of a step that the officer's department decides here; the look is noted with its reason first.

    Raises NoSuchCase, NotYourDepartment, NoSuchMaterial, and MaterialStillComing while it is on its way.
    """
    case = (await node.store.cases.case(id)).case
    steps = [step for step in case.steps.values() if _is_decided_by(node, officer, step)]
    if not steps:
        raise NotYourDepartment("该办件没有由本部门办理的事项。")
    declaring = [step.plan.code for step in steps if _code_of(case, step, sha256)]
    if not declaring:
        raise NoSuchMaterial("本部门办理的事项没有这份材料。")
    address = node.keys.material(sha256)
    if await node.store.materials.missing([address]):
        raise MaterialStillComing("材料正在从受理地传送，请稍后再打开。")
    at = node.clock.now()
    about = {"case": case.name, "officer": officer.name, "department": officer.department, "content": address}
    entry = f"{id}:{moment_text(at)}:{node.chance.token(8).hex()}"
    reason = {"reason": "decides " + ", ".join(declaring)}
    await node.store.audit.note(entry, "material.read", at=at, about=about | reason)
    content = await node.store.materials.content(address)
    return File(content=content, media_type=media_type(content))


def _is_decided_by(node: Node, officer: Officer, step: Step) -> bool:
    return step.node == node.here and step.plan.department == officer.department


def _code_of(case: Case, step: Step, sha256: str) -> str:
    """The code under which the step has this material; empty if it has none such."""
    return next((each.code for each in offered(case, step) if each.sha256 == sha256), "")
