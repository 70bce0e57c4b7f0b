"""Mutants that behave like the module they are of, so that no test can notice them; this list only shrinks."""

from dataclasses import dataclass

from tests.mutation.mutants import Mutant


@dataclass(frozen=True)
class Exemption:
    """One such mutant, by the line it stands in, and why it behaves the same.

    One that fits no mutant or several, or a mutant that a test does notice, is an error.
    """

    path: str
    text: str
    was: str
    now: str
    reason: str

    def fits(self, mutant: Mutant) -> bool:
        """Whether this is the mutant meant."""
        mine = (self.path, self.text, self.was, self.now)
        return mine == (mutant.path, mutant.text, mutant.was, mutant.now)


EXEMPT: tuple[Exemption, ...] = (
    Exemption(
        path="server/domain/rules/decide.py",
        text="if recorder.case and recorder.case.home == facts.here:",
        was="recorder.case and recorder.case.home == facts.here",
        now="recorder.case.home == facts.here",
        reason="an act on no case was refused above; the first half says so to mypy",
    ),
    Exemption(
        path="server/domain/rules/decide.py",
        text="if event is None or step.state not in TRANSITIONS[type(event)].states:",
        was="event is None or step.state not in TRANSITIONS[type(event)].states",
        now="event is None",
        reason="no rule of today comes to an event that its state does not know; the table is there for new ones",
    ),
    Exemption(
        path="server/domain/time/clock.py",
        text="turns = [stop.resumed_at for stop in ledger.stops if stop.resumed_at]",
        was="[stop.resumed_at for stop in ledger.stops if stop.resumed_at]",
        now="[stop.resumed_at for stop in ledger.stops]",
        reason="only an open stop has no end, and with one the clock is refused first; the condition says so to mypy",
    ),
)
