"""Clockwork (督办时钟): sees to every checkpoint of every case once, in time or as soon as the node is up again.

An alarm says when a case has a checkpoint. Each passed checkpoint is claimed by an insert, so that of several workers
one sees to it; a claim that is not finished within a minute is taken over. So what is done about a checkpoint is such
that twice is once: acts, warnings and notices have ids that are made of the checkpoint.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from server.desk import apart
from server.desk.acting import perform
from server.desk.background.licence_looks import look_at_known, look_at_licence
from server.desk.relay import relay_soon
from server.domain.aggregate.actors import Actor
from server.domain.aggregate.alarms import DueAlarm
from server.domain.aggregate.names import FIRST, name_of
from server.domain.case.acts import Deem, Lapse, StepAct
from server.domain.case.case import Case
from server.domain.catalogue.desks import above
from server.domain.effects.deadlines import (
    BY_LAW,
    Checkpoint,
    KeptCheckpoint,
    checkpoints_of,
    day_begins,
    is_superseded,
    next_at,
)
from server.domain.effects.licensing import LICENCES
from server.domain.effects.notices import reminder_of
from server.domain.effects.records import CaseRecord
from server.domain.effects.warnings import warning_of
from server.domain.errors import Refusal, StaleVersion, Unavailable
from server.domain.exchange.letters import CASE, Batch
from server.domain.licence.telling import KNOWN
from server.domain.time.calendar import DAY
from server.domain.values import china_day
from server.node import Node

ALARMS_AT_ONCE = 50
CLAIM = timedelta(minutes=1)
AGAIN = timedelta(minutes=10)
Look = Callable[[Node, str], Awaitable[datetime | None]]
HEARTBEAT_WANTED = timedelta(minutes=15)  # a little longer than until the next look


async def tick(node: Node) -> bool:
    """See to what is due; True if there may be more."""
    now = node.clock.now()
    left = await node.store.checkpoints.unfinished(now, limit=ALARMS_AT_ONCE)
    await apart.set_apart_unread(node, left, kind="rung")
    for kept in left:
        await apart.attempt(node, "rung", kept.id, work=_take_over(node, kept, until=now + CLAIM))
    numbers = [left.seen]
    for kind, look in LOOKS.items():
        due = await node.store.alarms[kind].due(now, limit=ALARMS_AT_ONCE)
        numbers.append(len(due))
        for alarm in due:
            work = _heed(node, kind, alarm, look=look)
            await apart.attempt(node, "alarm", name_of(kind, alarm.id), work=work)
    return ALARMS_AT_ONCE in numbers


async def _take_over(node: Node, kept: KeptCheckpoint, *, until: datetime) -> None:
    if await node.store.checkpoints.take_over(kept, until=until):
        await _see_to(node, kept)


async def _heed(node: Node, kind: str, alarm: DueAlarm, *, look: Look) -> None:
    """Look at what the alarm is of and set it for the next look; until then no other worker looks."""
    alarms, until = node.store.alarms[kind], node.clock.now() + CLAIM
    await alarms.advance(alarm.id, until, event=alarm.event)
    at = await look(node, alarm.id)
    await alarms.advance(alarm.id, at, event=alarm.event)


async def _look(node: Node, id: str) -> datetime | None:
    """See to the passed checkpoints of a case, those by law first; answers when to look again."""
    record = await node.store.cases.find(id)
    if record is None:
        return None
    again = [await _pass(node, record, each) for each in await _unseen(node, record, is_by_law=True)]
    record = await node.store.cases.case(id) if again else record
    passed = _passed(node, record)
    for checkpoint in await _unseen(node, record, is_by_law=False):
        if is_superseded(checkpoint, passed):
            await node.store.checkpoints.note(id, checkpoint, outcome="overtaken")
        else:
            again.append(await _pass(node, record, checkpoint))
    calendar, now = node.published.calendar, node.clock.now()
    following = next_at(record.case, here=node.here, calendar=calendar, after=now)
    return min((at for at in (*again, following) if at), default=None)


def _passed(node: Node, record: CaseRecord) -> list[Checkpoint]:
    now = node.clock.now()
    checkpoints = checkpoints_of(record.case, here=node.here, calendar=node.published.calendar)
    return [checkpoint for checkpoint in checkpoints if checkpoint.at <= now]


async def _unseen(node: Node, record: CaseRecord, *, is_by_law: bool) -> list[Checkpoint]:
    """The passed checkpoints that no worker has handled yet."""
    passed = [checkpoint for checkpoint in _passed(node, record) if (checkpoint.name in BY_LAW) == is_by_law]
    known = await node.store.checkpoints.passed(record.id, passed) if passed else frozenset()
    return [checkpoint for checkpoint in passed if checkpoint.key not in known]


async def _pass(node: Node, record: CaseRecord, checkpoint: Checkpoint) -> datetime | None:
    """Claim the checkpoint and see to it; answers when to look again if something must be waited for."""
    now = node.clock.now()
    if checkpoint.name == "lapse" and not await _is_complete(node, record.case, checkpoint):
        return now + AGAIN
    if (
        checkpoint.name == "lapse_blocked"
        and checkpoint.is_confirmed
        and await _is_complete(node, record.case, checkpoint)
    ):
        return now + AGAIN  # another worker is about to let it take effect
    if checkpoint.name == "vouch" and not await _has_watermark(node, record.case, checkpoint):
        await node.store.peers.want_heartbeat(record.case.step(checkpoint.step).node, until=now + HEARTBEAT_WANTED)
        return now + AGAIN
    kept = await node.store.checkpoints.claim(record.id, checkpoint, until=now + CLAIM)
    if kept:
        await _see_to(node, kept)
    return None


async def _see_to(node: Node, kept: KeptCheckpoint) -> None:
    checkpoint = kept.checkpoint
    outcome = await _act(node, kept) if checkpoint.name in BY_LAW else "told"
    if outcome != "moot":
        await _tell(node, kept)
    await node.store.checkpoints.finish(kept, outcome=outcome)
    node.log.info("rung.passed", case=kept.case, step=checkpoint.step, rung=checkpoint.name, outcome=outcome)


async def _act(node: Node, kept: KeptCheckpoint) -> str:
    """Do by law what the checkpoint says: `done`, or `moot` if the step has gone another way."""
    kinds: dict[str, type[StepAct]] = {"deem": Deem, "lapse": Lapse}
    act = kinds[kept.checkpoint.name](
        id=f"rung:{kept.id}", by=Actor(node=node.here, part="node"), step=kept.checkpoint.step
    )
    try:
        record = await perform(node, kept.case, act)
    except (StaleVersion, Unavailable):
        raise
    except Refusal as refusal:
        node.log.info("rung.moot", case=kept.case, step=act.step, rung=kept.checkpoint.name, code=refusal.code)
        return "moot"
    await relay_soon(node, record)
    return "done"


async def _tell(node: Node, kept: KeptCheckpoint) -> None:
    """Send the warning or the reminder of the checkpoint; one of the node's own sends none."""
    checkpoint = kept.checkpoint
    if checkpoint.to == "node":
        return
    case, at = (await node.store.cases.case(kept.case)).case, node.clock.now()
    if checkpoint.to != "citizen":
        warning = warning_of(case, kept, above=partial(above, node.published.authorities, on=china_day(at)), at=at)
        if warning:
            await node.store.warnings.put(warning)
    elif notice := reminder_of(case, checkpoint.step, due_on=checkpoint.due_on, at=at):
        await node.store.notices.add(notice)


async def _is_complete(node: Node, case: Case, checkpoint: Checkpoint) -> bool:
    """Whether all that the applicant may have answered in time is here: at once at home; elsewhere, when the home's
    letters are complete to the end of the applicant's last day, and those about this case are settled.
    """
    if case.home == node.here:
        return True
    inbound = await node.store.peers.inbound(case.home)
    last = await node.store.log("in", case.home).entry(inbound.spread)
    if last is None or not _vouches(node, last.batch, checkpoint):
        return False
    if inbound.is_broken and await node.store.apart.has_open("batch", f"{case.home}:"):
        return False
    return not await node.store.letters_in.may_wait(f"{CASE}:{case.name}")


async def _has_watermark(node: Node, case: Case, checkpoint: Checkpoint) -> bool:
    """Whether the watermark that the decider has acknowledged covers the end of the last day."""
    peer = case.step(checkpoint.step).node
    acknowledged = (await node.store.peers.outbound(peer)).acknowledged
    last = await node.store.log("out", peer).entry(acknowledged)
    return last is not None and _vouches(node, last.batch, checkpoint)


def _vouches(node: Node, batch: Batch, checkpoint: Checkpoint) -> bool:
    """Whether the watermark of a batch covers the last day. One from the future was made by a wrong clock: by none."""
    return day_begins(checkpoint.due_on + DAY) <= batch.complete_to <= node.clock.now()


# What is done about each kind of alarm, by its collection; it answers when to look again.
LOOKS: Mapping[str, Look] = {FIRST: _look, LICENCES: look_at_licence, KNOWN: look_at_known}
