"""How long to wait before a process that ended is started again: longer each time, until one stays up."""

from dataclasses import dataclass

FIRST_SECONDS, MOST_SECONDS, STEADY_SECONDS = 0.5, 30.0, 60.0


@dataclass(frozen=True)
class Restarts:
    """How many processes in a row ended soon."""

    failures: int = 0

    def after(self, up_seconds: float) -> "Restarts":
        """A process ended that was ready for so long (0: it never was); one that stayed up makes the next the first."""
        return Restarts(1 if up_seconds >= STEADY_SECONDS else self.failures + 1)

    def pause_seconds(self, chance: float) -> float:
        """How long to wait: nothing before the first process, then at least half of a time that doubles up to 30 s.

        `chance`, from 0 to 1, is how much of the other half: what fails together shall not start together.
        """
        if self.failures == 0:
            return 0.0
        longest = min(FIRST_SECONDS * (1 << min(self.failures - 1, 16)), MOST_SECONDS)
        return longest * (1 + chance) / 2
