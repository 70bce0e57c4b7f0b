"""Right places: which division may be named as the right one when a step is declined (行政许可法第三十二条)."""

from collections.abc import Mapping

from server.domain.case.case import Step
from server.domain.catalogue.answers import division_faults
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.context import Context
from server.domain.catalogue.depths import depth_faults
from server.domain.catalogue.divisions import province_of
from server.domain.errors import FieldFault, Invalid

AT = "/division"


class RightDivisionUnfit(Invalid):
    """The division named as the right one is none for this: the fault says why, by its code."""

    code = "right_division_unfit"
    title = "应当受理的地区填写有误"


def check_sense(step: Step, division: str, *, is_wrong_agency: bool) -> None:
    """Whether a division may be named at all, and is another one than the step's own; raises RightDivisionUnfit."""
    if division and not is_wrong_agency:
        raise _unfit("not_asked", "只有不属于本机关职权的，才写明应当受理的地区。")
    if division and division == step.plan.division:
        raise _unfit("same_division", "应当受理的地区就是本事项现在的地区；同一地区的其他机关，只写机关名称。")


def check_place(step: Step, division: str, told: Mapping[str, str], *, catalogue: Catalogue, context: Context) -> None:
    """Whether the item is decided in this division today, as far as is known here; raises RightDivisionUnfit.

    Only where the step is decided: no home judges what another node has named. `told` are answers and form.
    """
    faults = division_faults(context, division, at=AT, must_decide=True)
    item = catalogue.of(province_of(division)).item_of.get(step.plan.code)
    if item and not faults:
        faults = depth_faults([(item, division)], told, context=context, must_be_complete=True)
    if faults:
        raise _unfit(faults[0].code, faults[0].detail)


def _unfit(code: str, detail: str) -> RightDivisionUnfit:
    return RightDivisionUnfit(detail, errors=[FieldFault(pointer=AT, code=code, detail=detail)])
