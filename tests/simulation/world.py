"""The world of one run: virtual time, chance, weather, the trace, and which rule was broken first."""

import random
from collections.abc import Callable
from typing import Any

from tests.simulation.founding import BEGINS
from tests.simulation.scheduler import Scheduler
from tests.simulation.weather import Weather

PATIENCE = 15.0  # seconds for which a request waits for its answer


class Broken(Exception):
    """An invariant does not hold; its name, and what was seen."""

    def __init__(self, invariant: str, seen: str) -> None:
        super().__init__(f"{invariant}: {seen}")
        self.invariant = invariant
        self.seen = seen


class World:
    """What all places share."""

    def __init__(self, seed: int, weather: Weather, *, batch_letters: int = 200) -> None:
        self.chance = random.Random(seed)  # noqa: S311 # repeatable on purpose
        self.scheduler = Scheduler()
        self.weather = weather
        self.batch_letters = batch_letters
        self.places: dict[str, Any] = {}
        self.broken: Broken | None = None
        self.is_stormy = True
        self.writer = ""  # the process whose write a disk is carrying out
        self._trace: list[tuple[float, str, str, Any]] = []

    def breaks(self, invariant: str, seen: str) -> None:
        """Keep the first breach; the run ends with it."""
        self.note("invariant", "broken", {"invariant": invariant, "seen": seen})
        self.broken = self.broken or Broken(invariant, seen)

    def note(self, who: str, what: str, more: Any = None) -> None:
        """One line of the trace."""
        self._trace.append((self.scheduler.now, who, what, more))

    def happens(self, share: float) -> bool:
        """Whether a mishap of this share happens now; never once the weather has cleared."""
        return share > 0 and self.is_stormy and self.chance.random() < share

    def latency(self) -> float:
        """How long something takes, in seconds: mostly little, now and then long."""
        kind = self.chance.random()
        if self.happens(self.weather.slow):
            return self.chance.uniform(0.1, 4.0)
        return self.chance.uniform(0.0005, 0.005) if kind < 0.9 else self.chance.uniform(0.005, 0.3)

    def trace(self) -> list[str]:
        """All lines as text."""
        return [_line(*each) for each in self._trace]


class TracedLog:
    """A log that prints nothing, and writes into the trace who said what."""

    def __init__(self, world: World, who: str) -> None:
        self._note: Callable[[str, str, Any], None] = world.note
        self._who = who

    def info(self, event: str, **fields: Any) -> None:
        self._note(self._who, event, fields)

    debug = warning = error = info


def _line(at: float, who: str, what: str, more: Any) -> str:
    hours, rest = divmod(at, 3600)
    moment = (
        f"{BEGINS.day + int((hours + 14) // 24)}d{int(hours + 14) % 24:02d}:{int(rest // 60):02d}:{rest % 60:06.3f}"
    )
    said = " ".join(f"{name}={str(value)[:120]}" for name, value in more.items()) if isinstance(more, dict) else more
    return f"{moment} {who:<16} {what}" + (f" {said}" if said else "")
