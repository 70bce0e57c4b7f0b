"""Opening: officers open materials and papers of the steps that an authority of theirs decides, each look on record."""

from server.desk.officer.seeing import noted, parts_of
from server.desk.papers import NoSuchPaper, address_of, file_at, paper_of
from server.desk.recording import note, of_case
from server.domain.case.case import Case, Step
from server.domain.case.fetches import offered
from server.domain.errors import Conflict, Missing
from server.domain.licence.covering import REFERENCE
from server.domain.materials import File, media_type
from server.domain.people.accounts import DeskEntry
from server.domain.rules.rights import NotYourPost
from server.node import Node


class NoSuchMaterial(Missing):
    """No step of the case that the officer may decide about has such a material."""

    code = "no_such_material"
    title = "没有这份材料"


class MaterialStillComing(Conflict):
    """The material has not come from the case's home yet."""

    code = "material_still_coming"
    title = "材料尚在传送"


async def material_of(node: Node, entry: DeskEntry, id: str, *, sha256: str) -> File:
    """A material of a step that an authority of the officer's decides; the look is noted with its reason first.

    Raises NoSuchCase, NotYourPost, NoSuchMaterial, and MaterialStillComing while it is on its way.
    """
    case = (await node.store.cases.case(id)).case
    seen = parts_of(node, entry, case, to="open_material")
    deciding = {code: each for code, each in seen.items() if each.mine.part == "decide"}
    if not deciding:
        raise NotYourPost("该办件没有由您的岗位办理的事项。")
    declaring = {code: each for code, each in deciding.items() if _code_of(case, case.steps[code], sha256)}
    if not declaring:
        raise NoSuchMaterial("您办理的事项没有这份材料。")
    address = node.keys.material(sha256)
    if await node.store.materials.missing([address]):
        raise MaterialStillComing("材料正在从受理地传送，请稍后再打开。")
    about = {**of_case(case), **noted(entry, declaring.values()), "content": address}
    await note(node, "material.read", about | {"reason": "decides " + ", ".join(declaring)})
    content = await node.store.materials.content(address)
    kinds = {each.media_type for code in declaring for each in offered(case, case.steps[code]) if each.sha256 == sha256}
    return File(content=content, media_type=REFERENCE if REFERENCE in kinds else media_type(content))


async def paper_file(node: Node, entry: DeskEntry, id: str, *, paper: str) -> File:
    """A paper of a step that an authority of the officer's decides; the look is noted with its reason first.

    Raises NoSuchCase, NotYourPost, NoSuchPaper, and PaperStillComing while it is made.
    """
    case = (await node.store.cases.case(id)).case
    seen = parts_of(node, entry, case, to="open_material")
    deciding = {code: each for code, each in seen.items() if each.mine.part == "decide"}
    if not deciding:
        raise NotYourPost("该办件没有由您的岗位办理的事项。")
    given = paper_of(case, paper)
    if given.step not in deciding:
        raise NoSuchPaper("您办理的事项没有这份文书。")
    address = await address_of(node, given)
    about = {**of_case(case), **noted(entry, [deciding[given.step]]), "content": address}
    await note(node, "paper.read", about | {"reason": f"decides {given.step}"})
    return await file_at(node, address)


def _code_of(case: Case, step: Step, sha256: str) -> str:
    """The code under which the step has this material; empty if it has none such."""
    return next((each.code for each in offered(case, step) if each.sha256 == sha256), "")
