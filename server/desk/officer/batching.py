"""Batching: one simple act done to many steps, each on its own."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from server.desk.officer.reviewing import ActRequest, act_on
from server.desk.recording import is_on_record, note_refused
from server.domain.canonical import LARGEST_INTEGER
from server.domain.case.case import State
from server.domain.effects.records import CaseRecord
from server.domain.errors import FieldFault, Refusal
from server.domain.people.accounts import DeskEntry
from server.domain.rules.desk_forms import Decision
from server.domain.values import Value
from server.node import Node

MOST_ITEMS = 50
DOOR = "/desk/v1/batch"
Code = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class BatchItem(Value):
    """One step, and its version as the officer saw it."""

    case: Code
    step: Code
    version: Annotated[int, Field(ge=0, lt=LARGEST_INTEGER)]


class ActBatch(Value):
    """An act that needs nothing but itself, and up to fifty steps to do it to."""

    act: Literal["receive", "accept"]
    items: Annotated[tuple[BatchItem, ...], Field(min_length=1, max_length=MOST_ITEMS)]


class BatchRefusal(Value):
    """Why an act was refused, as the door of the single act would say it."""

    code: str
    title: str
    detail: str
    errors: tuple[FieldFault, ...]


class BatchLine(Value):
    """What became of one item: its state and version after the act, or the refusal."""

    case: str
    step: str
    state: State | None = None
    version: int | None = None
    refusal: BatchRefusal | None = None


class BatchOutcome(Value):
    """What became of each item, in the order asked."""

    items: tuple[BatchLine, ...]


async def act_on_all(
    node: Node, entry: DeskEntry, batch: ActBatch, *, key: str
) -> tuple[BatchOutcome, tuple[CaseRecord, ...]]:
    """Do the act to one step after the other; a refusal stops only its own item. Answers also the cases moved.

    Each item has an act id of its own, made from the request's key, so that a repeat does nothing twice.
    """
    lines: list[BatchLine] = []
    moved: dict[str, CaseRecord] = {}
    for item in batch.items:
        own_key = node.keys.request_digest(["batch", key, item.case, item.step])
        request = ActRequest(
            case=item.case, step=item.step, act=batch.act, key=own_key, decision=Decision(version=item.version)
        )
        try:
            record = await act_on(node, entry, request)
        except Refusal as refusal:
            if is_on_record(refusal):
                await note_refused(node, entry, refusal, door=DOOR)
            lines.append(BatchLine(case=item.case, step=item.step, refusal=_told(refusal)))
            continue
        step = record.case.step(item.step)
        lines.append(BatchLine(case=item.case, step=item.step, state=step.state, version=step.version))
        moved[record.id] = record
    return BatchOutcome(items=tuple(lines)), tuple(moved.values())


def _told(refusal: Refusal) -> BatchRefusal:
    return BatchRefusal(code=refusal.code, title=refusal.title, detail=refusal.detail, errors=refusal.errors)
