"""Results: what the approved steps of a case have come to, and how that reaches the applicant."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from server.desk.citizen.licences import licence_lines, told_fields
from server.desk.electronic import ElectronicShown
from server.desk.naming import decider_name
from server.desk.papers import result_paper
from server.desk.steps import FieldShown
from server.domain.case.case import Case, Step
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.results import ResultKind
from server.domain.catalogue.terms import Method
from server.domain.effects.effects import due_on
from server.domain.rules.moves.delivering import METHODS
from server.domain.rules.results import KINDS, result_of
from server.domain.values import Value
from server.node import Node

Delivered = Literal["nothing", "due", "done"]


class ResultLine(Value):
    """What an approved step has come to: its name and kind, who issues it, and whether it is delivered.

    An answer in words has its `fields` here, in full, and nothing is delivered. A document is due until `method` says
    how it was delivered; `wished` is how the applicant chose to receive it, `deliver_by` the last day for that, as far
    as it is sure, and `licence` the number by which one that was delivered electronically is opened. `paper` is the id
    of the case's paper that is this document, sealed by its authority; None if it handed in a file of its own, or none
    is known of. `electronic` is the electronic licence beside it, where there can be one. `words` say it to the
    applicant.
    """

    step: str
    step_name: str
    name: str
    kind: ResultKind
    kind_name: str
    issued_by: str
    delivery: Delivered
    deliver_by: date | None
    wished: str
    method: Method | None
    method_name: str
    number: str
    licence: int | None
    paper: str | None
    fields: tuple[FieldShown, ...]
    electronic: ElectronicShown | None = None
    words: str


def result_lines(node: Node, case: Case, electronics: Mapping[str, ElectronicShown]) -> tuple[ResultLine, ...]:
    """What the case has come to so far, in the order of its plan; `electronics` are those of its steps by code."""
    numbers = {line.step: line.number for line in licence_lines(node, case) if line.method == "electronic"}
    found = (_line(node, case, step, licence=numbers.get(step.plan.code)) for step in case.steps.values())
    return tuple(line.model_copy(update={"electronic": electronics.get(line.step)}) for line in found if line)


def _line(node: Node, case: Case, step: Step, *, licence: int | None) -> ResultLine | None:
    """One of them; None: the step is not approved, or was planned before items had results."""
    catalogue = node.catalogue_of(case.catalogue)
    result = result_of(catalogue, step.plan) if step.is_granted else None
    if result is None:
        return None
    wished = _wished(catalogue, case, step) if step.plan.yields else ""
    paper = result_paper(case, step)
    is_document, given = bool(step.plan.yields), step.delivery
    last_day = due_on(step, node.published.calendar) if is_document and not given else ""
    return ResultLine(
        step=step.plan.code,
        step_name=step.plan.name,
        name=result.name,
        kind=result.kind,
        kind_name=KINDS[result.kind],
        issued_by=decider_name(node, case, step),
        delivery="done" if given else "due" if is_document else "nothing",
        deliver_by=date.fromisoformat(last_day) if last_day else None,
        wished=wished,
        method=given.method if given else None,
        method_name=METHODS[given.method] if given else "",
        number=given.number if given else "",
        licence=licence,
        paper=paper.id if paper else None,
        fields=() if is_document else told_fields(node, catalogue, step.result),
        words=_words(step, issuer=decider_name(node, case, step), wished=wished, last_day=last_day),
    )


def _wished(catalogue: Catalogue, case: Case, step: Step) -> str:
    """How the applicant chose to receive it, by name; empty: the item does not ask."""
    field = catalogue.field_of.get(catalogue.delivery_field)
    chosen = case.form.get(field.code, "") if field and field.code in step.plan.fields else ""
    return field.choices.get(chosen, "") if field else ""


def _words(step: Step, *, issuer: str, wished: str, last_day: str) -> str:
    if not step.plan.yields:
        return "答复如下，没有需要领取的文书。" if step.result else "已经办好，没有需要领取的文书。"
    if step.delivery is None:
        until = f"最迟在{last_day}" if last_day else "随后"
        how = f"按您的选择（{wished}）" if wished else "以电子、邮寄或者窗口领取的方式"
        return f"尚未送达。{issuer}{until}{how}送达，送达时通知您。"
    number = f"，单号{step.delivery.number}" if step.delivery.number else ""
    return f"已送达：{METHODS[step.delivery.method]}{number}。"
