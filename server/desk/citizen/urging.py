"""Urging (催办): the applicant presses those who have a step in hand."""

from server.desk.acting import perform
from server.desk.citizen.applying import citizen_of, own_case
from server.domain.case.acts import Urge
from server.domain.effects.records import CaseRecord
from server.node import Node


async def urge(node: Node, owner: str, id: str, *, step: str, key: str) -> CaseRecord:
    """Urge one step of a case, once for each key; the decider's node is told if that is another one.

    Raises the refusals of `own_case`, NoSuchStep, StateForbids, UrgedRecently.
    """
    record = await own_case(node, owner, id)
    act = Urge(
        id=node.keys.request_digest(["urge", owner, id, key]),
        digest=node.keys.request_digest(["urge", step]),
        by=citizen_of(record, owner),
        step=step,
    )
    return await perform(node, id, act, known=record)
