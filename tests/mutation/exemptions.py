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


EXEMPT: tuple[Exemption, ...] = ()
