"""How much is asked of a node at which second of a run: a level, of which 1 is the usual one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

STEPS = 5
SPIKE, SPIKE_SECONDS = 5.0, 60.0
NIGHT, RISE_SECONDS, HALF_SECONDS = 10.0, 10.0, 30.0


@dataclass(frozen=True)
class Shape:
    """A curve: `level(at, seconds)` is that of second `at` of a run of so many seconds; `is_level`: always the same."""

    text: str
    level: Callable[[float, float], float]
    is_level: bool = False


def steady(_at: float, _seconds: float) -> float:
    """The usual level all the time."""
    return 1.0


def step(at: float, seconds: float) -> float:
    """A fifth of the usual level, then two fifths, and so on up to all of it."""
    return min(STEPS, 1 + int(at / seconds * STEPS)) / STEPS


def spike(at: float, seconds: float) -> float:
    """Five times the usual level for a minute (a third of a run that is shorter than three), from the first third."""
    begins = seconds / 3
    return SPIKE if begins <= at < begins + min(SPIKE_SECONDS, seconds / 3) else 1.0


def night(at: float, seconds: float) -> float:
    """The evening before the enrolment of schools closes: quiet, ten times as much within ten seconds, then a decay.

    What is above the usual level halves every 30 seconds; in a run below two minutes all of it is as much shorter.
    """
    pace = min(1.0, seconds / 120)
    since = at - seconds / 6
    if since < 0:
        return 1.0
    if since < RISE_SECONDS * pace:
        return 1.0 + (NIGHT - 1.0) * since / (RISE_SECONDS * pace)
    return 1.0 + float((NIGHT - 1.0) * 0.5 ** ((since - RISE_SECONDS * pace) / (HALF_SECONDS * pace)))


SHAPES: Mapping[str, Shape] = {
    "steady": Shape("the usual level", steady, is_level=True),
    "step": Shape("five steps up to the usual level", step),
    "spike": Shape("five times the usual level for 60 seconds", spike),
    "soak": Shape("the usual level, for hours", steady, is_level=True),
    "night": Shape("enrolment night: ten times the usual level in ten seconds, then a decay", night),
}
