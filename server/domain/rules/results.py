"""What an approval yields: the fields and the document that the item declares, and each value of its field's type."""

from collections.abc import Mapping
from datetime import date

from server.domain.case.case import Offered, Step
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.forms import FormFaulty, form_faults
from server.domain.catalogue.merging import MergedField
from server.domain.catalogue.plan import PlannedStep
from server.domain.catalogue.results import Result, ResultKind
from server.domain.errors import Conflict

KINDS: Mapping[ResultKind, str] = {"licence": "证照", "paper": "证明或者文书", "text": "文字答复"}


class NotYielded(Conflict):
    """The result has a field or a file that this item does not yield."""

    code = "not_yielded"
    title = "办理结果中有该事项不产生的内容"


def result_of(catalogue: Catalogue, plan: PlannedStep) -> Result | None:
    """What the approval of the step comes to, in the catalogue of its case; None if that knows of no result."""
    item = catalogue.item_of.get(plan.code)
    return catalogue.results.get(plan.yields or (item.yields if item else ""))


def check_yielded(step: Step, result: Mapping[str, str], *, licence: Offered | None) -> None:
    """Whether the item yields these fields and this document, whoever says so; raises NotYielded."""
    yields = step.plan.yields
    if licence and not yields:
        raise NotYielded("该事项的办理结果是文字答复，没有证照或文书，不接收文件。")
    if not set(result) <= set(step.plan.yields_fields) or (licence and licence.code != yields):
        raise NotYielded("办理结果中有该事项不产生的内容。")


def check_result(step: Step, result: Mapping[str, str], catalogue: Catalogue, *, on: date) -> None:
    """Whether an officer has filled in those fields as a form of them would be, on this day; raises FormFaulty.

    Only where it is decided: no home judges the values of another node's decision. `catalogue` is that of the case,
    which has the types of the fields; a decision is made without it.
    """
    item = catalogue.item_of.get(step.plan.code)
    is_required = {need.code: need.is_required for need in item.yields_fields} if item else {}
    fields = [
        MergedField(field=catalogue.field_of[code], is_required=is_required[code], needed_by=(step.plan.code,))
        for code in step.plan.yields_fields
        if code in is_required
    ]
    faults = form_faults(fields, result, on=on)
    if faults:
        moved = [fault.model_copy(update={"pointer": fault.pointer.replace("/form/", "/result/")}) for fault in faults]
        raise FormFaulty("办理结果填写有误。", errors=moved)
