"""Succeeding (承继): where a division was abolished, its successor's authorities go on with the open steps.

A journaled act for each step says so, and the applicant is told. A step that no authority is known to decide there
stays where it is, for an authority above to choose; so does what went to several divisions: its heads are told once.
"""

from server.desk.acting import perform
from server.desk.apart import each_in_turn
from server.desk.catalogues import case_of
from server.desk.deciders import decider_in
from server.desk.relay import relay_soon
from server.domain.aggregate.actors import Actor
from server.domain.case.acts import TakeOver
from server.domain.catalogue.desks import above
from server.domain.catalogue.succession import Succession, successions
from server.domain.effects.effects import Task
from server.domain.effects.warnings import designation_wanted
from server.domain.errors import Refusal, StaleVersion, Unavailable
from server.domain.sentences import chinese_date
from server.domain.values import china_day
from server.node import Node

AT_ONCE = 100


async def succeed(node: Node) -> bool:
    """Take over some open steps of desks whose division is gone, or tell those above; True if there may be more.

    What is done has left its desk, so that a desk that is done with has no open tasks.
    """
    today, taken = china_day(node.clock.now()), 0

    async def take_all(succession: Succession) -> None:
        nonlocal taken
        async for task in node.store.tasks.every_open_task(succession.desk):
            if taken >= AT_ONCE:
                return
            if task.part == "decide":
                taken += await (_take_over if succession.heir else _tell_above)(node, task, succession)

    await each_in_turn(successions(node.published.authorities, node.here, on=today), take_all)
    return taken >= AT_ONCE


async def _tell_above(node: Node, task: Task, succession: Succession) -> bool:
    """Whether the heads above were told only now that they must say who decides the step."""
    at = node.clock.now()
    superior = above(node.published.authorities, succession.desk, on=china_day(at))
    last_day = succession.division.valid_to
    if superior is None or last_day is None:
        return False
    return await node.store.warnings.put(designation_wanted(task, superior, last_day=last_day, at=at))


async def _take_over(node: Node, task: Task, succession: Succession) -> bool:
    """Whether the step has another authority now."""
    record = await case_of(node, task.case)
    division = succession.division
    last_day = chinese_date(division.valid_to) if division.valid_to else ""
    try:
        act = TakeOver(
            id=f"succession:{task.id}:{succession.desk}",
            by=Actor(node=node.here, part="node"),
            step=task.step,
            authority=decider_in(node, record, record.case.step(task.step), division=succession.heir),
            reason=f"{division.name}已撤销，存续至{last_day}",
        )
        record = await perform(node, record.id, act, known=record)
    except (StaleVersion, Unavailable):
        raise
    except Refusal as refusal:
        node.log.warning("step.not_taken_over", case=task.case, step=task.step, code=refusal.code)
        return False
    await relay_soon(node, record)
    return True
