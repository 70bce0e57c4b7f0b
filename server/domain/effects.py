"""What must follow a commit: tasks for officers' desks and letters to other nodes, told by the events alone."""

from collections.abc import Iterable, Mapping
from typing import Any

from server.domain import events
from server.domain.acts import Facts
from server.domain.case import Case, Commission, Offered, State, Step, local_id
from server.domain.letters import Letter, letter_id, letter_salt
from server.domain.lifecycle import evolve
from server.domain.names import Moment, Value


class Task(Value):
    """An officer's worklist entry: a projection of a step, as of one event; without personal data."""

    case: str
    step: str
    event: int
    department: str
    state: State
    is_open: bool
    item_name: str
    bundle_name: str
    opened_at: Moment
    since: Moment

    @property
    def id(self) -> str:
        """One task for a step, for good."""
        return f"{self.case}:{self.step}"


class Effect(Value):
    """One thing that must follow the event of this number; the index tells those of one event apart."""

    event: int
    index: int
    task: Task | None = None
    letter: Letter | None = None


def effects_of(
    case: Case | None, happened: Iterable[events.Event], facts: Facts, *, threads: Mapping[str, str]
) -> tuple[tuple[Effect, ...], dict[str, str]]:
    """The effects of these events on `case` (as it was before them), and the last letter to each node after them.

    `threads` maps a node to the id of our last letter about this case to it.
    """
    effects: list[Effect] = []
    last = dict(threads)
    for event in happened:
        case = evolve(case, event)
        step = _step_of(case, event)
        if step is None:
            continue
        if step.node == facts.here:
            effects.append(Effect(event=event.number, index=0, task=_task(case, step, event)))
        letter = _letter(case, event, facts, step=step, after=last)
        if letter:
            effects.append(Effect(event=event.number, index=1, letter=letter))
            last[letter.to] = letter.id
    return tuple(effects), last


def _step_of(case: Case, event: events.Event) -> Step | None:
    if isinstance(event, events.Requested):
        return case.steps[event.commission.step.code]
    if isinstance(event, events.Moved | events.WithdrawalAsked):
        return case.steps[event.step]
    return None


def _task(case: Case, step: Step, event: events.Event) -> Task:
    return Task(
        case=local_id(case.name, step.node),
        step=step.plan.code,
        event=event.number,
        department=step.plan.department,
        state=step.state,
        is_open=not step.has_ended,
        item_name=step.plan.name,
        bundle_name=case.bundle_name,
        opened_at=case.opened_at,
        since=step.since,
    )


def _letter(case: Case, event: events.Event, facts: Facts, *, step: Step, after: Mapping[str, str]) -> Letter | None:
    """The home asks, the decider tells; a mirrored event tells nobody anything."""
    if case.home == facts.here:
        to, told = step.node, _asked(case, step, event) if step.node != facts.here else None
    else:
        to, told = case.home, _told(event)
    if told is None:
        return None
    kind, body = told
    return Letter(
        id=letter_id(facts.here, to, case.name, event.number, 1),
        sender=facts.here,
        to=to,
        after=after.get(to),
        case=case.name,
        step=step.plan.code,
        kind=kind,
        at=event.at,
        salt=letter_salt(facts.salt, event.number, 1),
        body=body,
    )


def _asked(case: Case, step: Step, event: events.Event) -> tuple[str, dict[str, Any]] | None:
    if isinstance(event, events.Sent):
        return "step.requested", commission_of(case, step).model_dump(mode="json")
    if isinstance(event, events.WithdrawalAsked):
        return "step.withdrawal_asked", {}
    return None


def _told(event: events.Event) -> tuple[str, dict[str, Any]] | None:
    if isinstance(event, events.Received):
        return "step.received", {}
    if isinstance(event, events.Accepted):
        return "step.accepted", {}
    if isinstance(event, events.Approved):
        return "step.decided", {"outcome": "approved", "result": dict(event.result)}
    if isinstance(event, events.Refused):
        return "step.decided", {"outcome": "refused", "grounds": event.grounds}
    if isinstance(event, events.Withdrawn):
        return "step.withdrawn", {}
    return None


def commission_of(case: Case, step: Step) -> Commission:
    """What the decider of this step gets: the fields and materials its item declares, and nothing else.

    A field that another step yielded comes from that step's result.
    """
    yielded = {code: value for other in case.steps.values() for code, value in other.result.items()}
    known = {**case.form, **yielded}
    return Commission(
        bundle=case.bundle,
        bundle_name=case.bundle_name,
        catalogue=case.catalogue,
        step=step.plan.model_copy(update={"needs": ()}),
        directory_version=step.directory_version,
        form={code: known[code] for code in step.plan.fields if code in known},
        materials=tuple(
            Offered(**material.model_dump(include=set(Offered.model_fields)))
            for material in case.materials
            if material.code in step.plan.materials
        ),
    )
