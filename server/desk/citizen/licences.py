"""Licences (证照) and papers (文书): the documents that approved steps have yielded, for the one whose case it is."""

from collections.abc import Mapping
from datetime import date

from server.desk.citizen.applying import note_agent, own_case
from server.desk.naming import decider_name
from server.desk.papers import result_paper
from server.desk.steps import FieldShown, fields_shown
from server.domain.case.case import Case, Step
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.terms import Method
from server.domain.errors import Conflict, Missing
from server.domain.materials import File, media_type
from server.domain.rules.results import result_of
from server.domain.values import Value, china_day
from server.node import Node


class NoSuchLicence(Missing):
    """The case has no such document, or it is not delivered electronically."""

    code = "no_such_licence"
    title = "没有这份电子证照或文书"


class LicenceStillComing(Conflict):
    """The file of the document has not come from where it was issued yet."""

    code = "licence_still_coming"
    title = "证照或文书的文件尚在传送"


class LicenceLine(Value):
    """A document of a case by its number, which counts from one in the order of the plan; how it was delivered."""

    number: int
    name: str
    step: str
    method: Method | None


class LicenceView(Value):
    """A document that was delivered electronically, with what stands in it, in full."""

    number: int
    code: str
    name: str
    step: str
    issued_by: str
    issued_on: date
    has_file: bool
    fields: tuple[FieldShown, ...]


def licence_lines(node: Node, case: Case) -> tuple[LicenceLine, ...]:
    """The licences and papers that the case has yielded so far."""
    catalogue = node.catalogue_of(case.catalogue)
    return tuple(
        LicenceLine(
            number=number,
            name=_name(catalogue, step),
            step=step.plan.code,
            method=step.delivery.method if step.delivery else None,
        )
        for number, step in _yielded(case)
    )


async def licence(node: Node, owner: str, id: str, *, number: str) -> LicenceView:
    """One electronic licence of one of the owner's cases; an agent's look at it is noted before it is given.

    Raises the refusals of `own_case`, NoSuchLicence.
    """
    record = await own_case(node, owner, id)
    step = _delivered(record.case, number)
    await note_agent(node, record, owner, kind="licence.read")
    case, catalogue = record.case, node.catalogue_of(record.case.catalogue)
    issuer = decider_name(node, case, step)
    return LicenceView(
        number=int(number),
        code=step.plan.yields,
        name=_name(catalogue, step),
        step=step.plan.code,
        issued_by=issuer,
        issued_on=china_day(step.decided_at or step.since),
        has_file=_digest(case, step) is not None,
        fields=told_fields(node, catalogue, step.result),
    )


async def licence_file(node: Node, owner: str, id: str, *, number: str) -> File:
    """The file of one electronic licence of one of the owner's cases, handed in by its authority or sealed as a paper
    of the case; an agent's look is noted before it is given.

    Raises the refusals of `own_case`, NoSuchLicence, and LicenceStillComing while it is made or on its way.
    """
    record = await own_case(node, owner, id)
    sha256 = _digest(record.case, _delivered(record.case, number))
    if sha256 is None:
        raise NoSuchLicence("这份证照或文书没有电子文件。")
    address = node.keys.material(sha256)
    if not sha256 or await node.store.materials.missing([address]):
        raise LicenceStillComing("文件尚在传送，请稍后再打开。")
    await note_agent(node, record, owner, kind="licence.read")
    content = await node.store.materials.content(address)
    return File(content=content, media_type=media_type(content))


def told_fields(node: Node, catalogue: Catalogue, result: Mapping[str, str]) -> tuple[FieldShown, ...]:
    """What stands in a result, in full, with choices and divisions by their names."""
    shown = fields_shown(catalogue, result, is_masked=False)
    return tuple(line.model_copy(update={"value": _in_words(node, catalogue, line)}) for line in shown)


def _in_words(node: Node, catalogue: Catalogue, line: FieldShown) -> str:
    field = catalogue.field_of.get(line.code)
    if field and field.type == "division" and node.published.divisions.find(line.value):
        return node.published.divisions.name_in_full(line.value)
    return field.choices.get(line.value, line.value) if field else line.value


def _digest(case: Case, step: Step) -> str | None:
    """The SHA-256 (hex) of the file of the document; empty while it is made, None if there is none."""
    if step.licence:
        return step.licence.sha256
    paper = result_paper(case, step)
    return (paper.file.sha256 if paper.file else "") if paper else None


def _name(catalogue: Catalogue, step: Step) -> str:
    result = result_of(catalogue, step.plan)
    return result.name if result else step.plan.name


def _delivered(case: Case, number: str) -> Step:
    """The step whose electronic licence has this number; raises NoSuchLicence."""
    step = next((step for each, step in _yielded(case) if str(each) == number), None)
    if step is None or step.delivery is None or step.delivery.method != "electronic":
        raise NoSuchLicence("没有这份电子证照或文书，或者尚未送达。")
    return step


def _yielded(case: Case) -> list[tuple[int, Step]]:
    """The granted steps that yield a document; each keeps its number whatever is granted later."""
    yielding = [step for step in case.steps.values() if step.plan.yields]
    return [(number, step) for number, step in enumerate(yielding, 1) if step.is_granted]
