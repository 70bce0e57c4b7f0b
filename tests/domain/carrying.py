"""A node that keeps one case in memory: what a desk and its store do, without either."""

import hashlib
from collections.abc import Sequence
from typing import Any

from server.domain.aggregate.acts import Act
from server.domain.case.acts import Gather
from server.domain.case.case import Case, Step
from server.domain.case.events import Event
from server.domain.catalogue.plan import PlannedStep
from server.domain.effects.effects import Task, effects_of
from server.domain.effects.letters_in import act_of, may_be_ignored
from server.domain.effects.notices import Notice
from server.domain.errors import Refusal
from server.domain.exchange.letters import Letter
from server.domain.rules.decide import decide
from tests.domain.places import CONTEXT
from tests.world import CATALOGUE, JIANGSU, ZHEJIANG, facts, later, opening, peer


class Place:
    """One node, its copy of the case, and the letters that it has written; it is `days` after Monday there."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.case: Case | None = None
        self.events: tuple[Event, ...] = ()
        self.threads: dict[str, str] = {}
        self.tasks: list[Task] = []
        self.notices: list[Notice] = []
        self.written: list[Letter] = []
        self.carried = 0
        self.days = 0
        self.receives_materials = True

    def do(self, act: Act) -> tuple[Event, ...]:
        """Do an act as the desk does; a refusal is raised and leaves everything as it was."""
        salt = hashlib.sha256(f"{self.node} {len(self.events)}".encode()).digest()[:16]
        known = facts(self.node, at=later(days=self.days, seconds=len(self.events)), salt=salt)
        decision = decide(self.case, act, known)
        effects, self.threads = effects_of(decision, known, threads=self.threads)
        happened, self.case = decision.events, decision.values[-1] if decision.values else self.case
        self.events += happened
        self.tasks += [effect.task for effect in effects if effect.task]
        self.notices += [effect.notice for effect in effects if effect.notice]
        self.written += [effect.letter for effect in effects if effect.letter]
        return happened

    def give_away(self, most: int | None = None) -> Sequence[Letter]:
        """The next letters in the order in which they were written."""
        end = None if most is None else self.carried + most
        letters = self.written[self.carried : end]
        self.carried += len(letters)
        return letters

    def settle(self, letter: Letter) -> tuple[Event, ...]:
        """Do what a letter wishes, as it comes over the wire."""
        told = Letter.model_validate_json(letter.text())
        act = act_of(told, lambda version: CATALOGUE, CONTEXT.model_copy(update={"home": self.node}))
        if act is None:
            raise ValueError(f"this node does not know the kind {letter.kind}")
        happened = self.do(act)
        if self.receives_materials and letter.step:
            self.gather(letter.step)
        return happened

    def gather(self, code: str) -> None:
        """The materials of the step come, if any are still to come."""
        step = self.case.steps.get(code) if self.case else None
        if self.case and step and step.is_gathering and not step.has_ended:
            kept = tuple(each.sha256 for each in self.case.materials)
            self.do(Gather(id=f"gather-{len(self.events)}", by=peer(self.node), step=code, kept=kept))


def exchange(home: Place, decider: Place) -> None:
    """Carry all letters to and fro until there are none; all are obeyed or settled without effect."""
    while home.carried < len(home.written) or decider.carried < len(decider.written):
        for refusal in (*carry(home, decider), *carry(decider, home)):
            raise refusal


def places(*plan: PlannedStep, **change: Any) -> tuple[Place, Place]:
    """Home and decider, the case of these steps just opened and its requests settled."""
    home, decider = Place(JIANGSU), Place(ZHEJIANG)
    home.do(opening(plan, **change))
    exchange(home, decider)
    return home, decider


def step_at(place: Place, code: str) -> Step:
    """The step as this node has it."""
    if place.case is None:
        raise ValueError("this node does not know the case")
    return place.case.steps[code]


def carry(sender: Place, receiver: Place, *, most: int | None = None) -> list[Refusal]:
    """Settle the sender's next letters at the receiver, in order; the refusals of those not to be ignored come back."""
    refused = []
    for letter in sender.give_away(most):
        try:
            receiver.settle(letter)
        except Refusal as refusal:
            if not may_be_ignored(letter):
                refused.append(refusal)
    return refused
