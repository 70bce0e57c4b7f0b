"""The weather of a run: what goes wrong, how often and when, all of it chosen by the seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

MINUTE = 60.0
HOUR = 60 * MINUTE


@dataclass(frozen=True)
class Cut:
    """No message passes between the two nodes from one moment to the other, in seconds."""

    nodes: tuple[str, str]
    since: float
    until: float


@dataclass(frozen=True)
class Skew:
    """The clock of a node is off by so many seconds for a while."""

    node: str
    off: float
    since: float
    until: float


@dataclass(frozen=True)
class Loss:
    """A node loses its disk, and goes on with the backup of an earlier moment after being away for a while."""

    node: str
    backup_at: float
    lost_at: float
    away: float


@dataclass(frozen=True)
class Weather:
    """Shares are of messages, of database operations, or of steps between two awaits."""

    ends_at: float
    lost: float = 0.0
    answers_lost: float = 0.0
    doubled: float = 0.0
    corrupted: float = 0.0
    refused: float = 0.0
    slow: float = 0.0
    crashes: float = 0.0
    unavailable: float = 0.0
    unknown: float = 0.0
    most_late: float = 60.0
    cuts: Sequence[Cut] = ()
    skews: Sequence[Skew] = ()
    losses: Sequence[Loss] = ()


def draw_weather(chance: random.Random, nodes: Sequence[str], *, lasts: float, has_losses: bool = True) -> Weather:
    """Each kind of mishap in about half of the runs, so that some runs have few kinds and much of each."""

    def share(most: float, *, often: float = 0.5) -> float:
        return most * chance.random() ** 2 if chance.random() < often else 0.0

    def some(most: int, *, often: float) -> range:
        return range(chance.randint(1, most) if chance.random() < often else 0)

    cuts = [_cut(chance, nodes, lasts=lasts) for _ in some(3, often=0.5)]
    skews = [_skew(chance, nodes, lasts=lasts) for _ in some(2, often=0.3)]
    losses = [_loss(chance, nodes, lasts=lasts) for _ in some(1, often=0.25 if has_losses else 0.0)]
    return Weather(
        ends_at=lasts,
        lost=share(0.3),
        answers_lost=share(0.3),
        doubled=share(0.4),
        corrupted=share(0.2),
        refused=share(0.3),
        slow=share(0.2),
        crashes=share(0.004),
        unavailable=share(0.05),
        unknown=share(0.15),
        most_late=chance.choice([0.5, 5.0, 60.0]),
        cuts=cuts,
        skews=skews,
        losses=losses,
    )


def _cut(chance: random.Random, nodes: Sequence[str], *, lasts: float) -> Cut:
    one, other = chance.sample(range(len(nodes)), 2)
    since = chance.uniform(0, lasts)
    return Cut((nodes[one], nodes[other]), since, min(lasts, since + chance.uniform(0, lasts)))


def _skew(chance: random.Random, nodes: Sequence[str], *, lasts: float) -> Skew:
    since = chance.uniform(0, lasts)
    return Skew(chance.choice(nodes), chance.uniform(-600, 600), since, min(lasts, since + chance.uniform(0, lasts)))


def _loss(chance: random.Random, nodes: Sequence[str], *, lasts: float) -> Loss:
    lost_at = chance.uniform(0.2, 0.9) * lasts
    backup_at = max(0.0, lost_at - chance.uniform(0, 20 * MINUTE))
    return Loss(chance.choice(nodes), backup_at, lost_at, chance.uniform(6 * MINUTE, 12 * MINUTE))
