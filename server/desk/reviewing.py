"""Reviewing: officers receive, accept and decide the steps of their department."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from pydantic import Field

from server.desk.acting import perform
from server.domain import acts
from server.domain.canonical import LARGEST_INTEGER
from server.domain.case import Actor
from server.domain.catalogue import Catalogue
from server.domain.errors import FieldFault, Missing
from server.domain.forms import FormFaulty, form_faults
from server.domain.items import Need
from server.domain.merging import MergedField
from server.domain.names import Value, WrittenKey, WrittenText, china_day
from server.domain.persons import Officer
from server.domain.records import Record
from server.node import Node


class NoSuchAct(Missing):
    """An officer's desk has no such act."""

    title = "没有这个操作"


class Decision(Value):
    """What an officer says with an act: the step's version he saw, grounds for a refusal, the result of an approval."""

    version: Annotated[int, Field(ge=0, lt=LARGEST_INTEGER)] | None = None
    grounds: WrittenText = ""
    result: Annotated[Mapping[WrittenKey, WrittenText], Field(max_length=50)] = {}


class GroundsMissing(FormFaulty):
    """A refusal needs grounds that the applicant is told."""

    title = "请填写不予办理的理由"


class Wish(Value):
    """Which act an officer does to which step of which case, under which Idempotency-Key, and what he says with it."""

    case: str
    step: str
    act: str
    key: str
    said: Decision


async def act_on(node: Node, officer: Officer, wish: Wish) -> Record:
    """Do one of the desk's acts (receive, accept, approve, refuse) to a step of a case.

    Raises NoSuchAct, NoSuchCase, NoSuchStep, NotOurStep, NotYourDepartment, StateForbids, StaleVersion, FormFaulty.
    """
    said = wish.said
    common = {
        "id": node.keys.wish([officer.name, wish.case, wish.key]),
        "digest": node.keys.wish([wish.step, wish.act, said.model_dump(mode="json")]),
        "by": Actor(node=node.here, part="officer", department=officer.department, name=officer.name),
        "step": wish.step,
        "version": said.version,
    }
    if wish.act == "receive":
        act: acts.StepAct = acts.Receive(**common)
    elif wish.act == "accept":
        act = acts.Accept(**common)
    elif wish.act == "approve":
        record = await node.store.cases.case(wish.case)
        catalogue = node.catalogue_of(record.case.catalogue)
        _check_result(catalogue, wish.step, said.result, on=china_day(node.clock.now()))
        act = acts.Approve(**common, result=said.result)
    elif wish.act == "refuse":
        if not said.grounds.strip():
            fault = FieldFault(pointer="/grounds", code="required", detail="请填写不予办理的理由。")
            raise GroundsMissing("请填写不予办理的理由。", errors=[fault])
        act = acts.Refuse(**common, grounds=said.grounds)
    else:
        raise NoSuchAct("没有这个操作。")
    return await perform(node, wish.case, act)


def _check_result(catalogue: Catalogue, step: str, result: Mapping[str, str], *, on: date) -> None:
    """The result must be what the item yields, each value of its field's type; raises FormFaulty."""
    item = catalogue.item_of.get(step)
    yields: tuple[Need, ...] = item.yields_fields if item else ()
    fields = [
        MergedField(field=catalogue.field_of[need.code], is_required=need.is_required, needed_by=(step,))
        for need in yields
    ]
    faults = form_faults(fields, result, on=on)
    if faults:
        moved = [fault.model_copy(update={"pointer": fault.pointer.replace("/form/", "/result/")}) for fault in faults]
        raise FormFaulty("办理结果填写有误。", errors=moved)
