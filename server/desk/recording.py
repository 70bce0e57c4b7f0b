"""Recording: what is done and looked at is put on record, with who did it and whose data it is."""

from collections.abc import Mapping, Sequence

from server.domain.audit import AuditKind, Note
from server.domain.case.acts import StepAct
from server.domain.case.case import Case, full_name
from server.domain.effects.effects import Task
from server.domain.errors import Forbidden, Missing, Refusal, Unavailable
from server.domain.people.accounts import DeskEntry
from server.domain.people.claims import Claim
from server.domain.values import moment_text
from server.node import Node

HOUR = len("2026-11-23T05")


def of_case(case: Case) -> dict[str, str]:
    """What an entry says of a case: its name, and the key of the applicant, whom only the home knows."""
    return {"case": case.name, **({"person": case.applicant.key} if case.applicant else {})}


def of_task(node: Node, task: Task | Claim) -> dict[str, str]:
    """What an entry says of a task."""
    return {"case": full_name(task.case, node.here), "task": task.id, "authority": task.authority}


async def note(node: Node, kind: AuditKind, about: Mapping[str, str]) -> None:
    """Note what may happen any number of times."""
    await note_all(node, {kind: [about]})


async def note_all(node: Node, found: Mapping[AuditKind, Sequence[Mapping[str, str]]]) -> None:
    """Note several things that one request does, by kind, in one round trip."""
    at, one = node.clock.now(), node.chance.token(8).hex()
    all_of_it = [(kind, about) for kind, abouts in found.items() for about in abouts]
    notes = [
        Note(f"{kind}:{moment_text(at)}:{one}:{place}", kind, about) for place, (kind, about) in enumerate(all_of_it)
    ]
    if notes:
        await node.store.audit.note_all(notes, at=at)


async def note_act(node: Node, act: StepAct, about: Mapping[str, str]) -> None:
    """Note that an officer acts on a step, before it is known what comes of it; once, however often it is repeated."""
    told = {**about, "step": act.step, "act": act.name, "id": act.id}
    await node.store.audit.note(f"act:{act.id}", "step.acted", at=node.clock.now(), about=told)


def is_on_record(refusal: Refusal) -> bool:
    """Whether a refusal at the desk is put on record: what somebody may not do, or may not even know of."""
    return isinstance(refusal, Forbidden | Missing)


async def note_refused(node: Node, entry: DeskEntry, refusal: Refusal, *, door: str) -> None:
    """Note that an officer was refused: one entry for each session, code, door and hour, counted."""
    at, doer = node.clock.now(), entry.doer
    id = ":".join(("desk.refused", doer.session, refusal.code, door, moment_text(at)[:HOUR]))
    about = {**doer.about, "code": refusal.code, "door": door}
    try:
        await node.store.audit.count(id, "desk.refused", at=at, about=about)
    except Unavailable as fault:
        node.log.warning("audit.missed", code=refusal.code, door=door, fault=fault.code)
