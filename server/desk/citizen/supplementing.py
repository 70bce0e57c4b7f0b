"""Supplementing: the applicant puts right what an officer asked for, or hands in what was deferred."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from server.desk.acting import perform
from server.desk.citizen.applying import citizen_of, own_case
from server.domain.canonical import LARGEST_INTEGER
from server.domain.case.acts import Supply
from server.domain.case.case import Case, HandedIn
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.forms import FormFaulty, form_faults
from server.domain.catalogue.merging import MergedField
from server.domain.effects.records import CaseRecord
from server.domain.errors import FieldFault
from server.domain.materials import Upload
from server.domain.rules.opening import FormGiven, MaterialsGiven
from server.domain.values import Value, WrittenKey, china_day
from server.node import Node


class SupplementRequest(Value):
    """What the applicant supplies for a step: fields by their code, and uploaded materials."""

    step: WrittenKey
    version: Annotated[int, Field(ge=0, lt=LARGEST_INTEGER)] | None = None
    form: FormGiven = Field(default={})
    materials: MaterialsGiven = ()


async def supplement(node: Node, owner: str, id: str, *, request: SupplementRequest, key: str) -> CaseRecord:
    """Answer a supplement whole (补正), or hand in deferred materials, once for each key.

    Raises the refusals of `own_case`, NoSuchStep, StateForbids, NothingAsked, SupplementOver,
    SupplementIncomplete, FormFaulty, StaleVersion.
    """
    record = await own_case(node, owner, id)
    uploads = await node.store.materials.uploads_of(owner, [given.id for given in request.materials])
    _check(node, record.case, request, uploads=uploads)
    act = Supply(
        id=node.keys.request_digest(["supplement", owner, id, key]),
        digest=node.keys.request_digest(request.model_dump(mode="json")),
        by=citizen_of(record, owner),
        step=request.step,
        version=request.version,
        form=request.form,
        materials=tuple(HandedIn(code=given.code, **uploads[given.id].model_dump()) for given in request.materials),
    )
    return await perform(node, id, act)


def _check(node: Node, case: Case, request: SupplementRequest, *, uploads: Mapping[str, Upload]) -> None:
    """Each value must mean something by its field, and each material have been uploaded; raises FormFaulty."""
    case.step(request.step)
    faults = form_faults(
        _fields(node.catalogue_of(case.catalogue), request), request.form, on=china_day(node.clock.now())
    )
    for index, given in enumerate(request.materials):
        if given.id not in uploads:
            detail = "没有找到这份材料，请重新上传。"
            faults.append(FieldFault(pointer=f"/materials/{index}/id", code="material_unknown", detail=detail))
    if faults:
        raise FormFaulty("请按提示修改后重新提交。", errors=faults)


def _fields(catalogue: Catalogue, request: SupplementRequest) -> list[MergedField]:
    """The fields that the request fills, each checked alone, as the rest of the form does not change."""
    known = [catalogue.field_of[code] for code in request.form if code in catalogue.field_of]
    return [MergedField(field=field, is_required=True, needed_by=(request.step,)) for field in known]
