"""Budgets of a load run: what Locust counted, class by class, and which bounds of `budgets.toml` it broke."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BUDGETS = Path(__file__).parent / "budgets.toml"
BOUNDS = ("p95_ms", "p99_ms", "error_share", "refused_share")
FLAT_BOUNDS = ("memory_growth", "descriptor_growth")
APART = ("refused", "broken", "shed")


class BudgetsFaulty(ValueError):
    """The file of budgets cannot be used; the message says where it is wrong."""


@dataclass(frozen=True)
class Budget:
    """The bounds of one class: milliseconds, and shares of its requests."""

    p95_ms: float
    p99_ms: float
    error_share: float
    refused_share: float


@dataclass(frozen=True)
class FlatBudget:
    """By which share the memory of a process may grow once it is warm, and by how many its open descriptors."""

    memory_growth: float
    descriptor_growth: float


@dataclass(frozen=True)
class BudgetBook:
    """Which class each door belongs to, the budget of each class, which share of the arrivals may be shed, and how
    flat the processes of the node must stay."""

    class_of: Mapping[str, str]
    budgets: Mapping[str, Budget]
    shed_share: float
    flat: FlatBudget


@dataclass
class Counted:
    """What came of the requests of one class; `times` counts those answered by their milliseconds."""

    times: Counter[float] = field(default_factory=Counter)
    errors: int = 0
    refused: int = 0
    broken: int = 0

    @property
    def answered(self) -> int:
        """How many came to an end, errors among them."""
        return self.times.total()

    @property
    def asked(self) -> int:
        """How many were sent."""
        return self.answered + self.refused + self.broken

    def share(self, count: int) -> float:
        """So many of all that were sent."""
        return count / self.asked if self.asked else 0.0

    def percentile(self, share: float) -> float:
        """The milliseconds within which this share was answered; 0 if nothing was."""
        due = share * self.answered
        reached = 0
        for time, count in sorted(self.times.items()):
            reached += count
            if reached >= due:
                return time
        return 0.0


def read_budgets(path: Path, name: str) -> BudgetBook:
    """The budgets of this name; raises BudgetsFaulty."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        budgets = {each: Budget(**{bound: float(of[bound]) for bound in BOUNDS}) for each, of in told[name].items()}
        class_of = {door: each for each, doors in told["doors"].items() for door in doors}
        shed_share = float(told["shed_share"][name])
        flat = FlatBudget(**{bound: float(told["flat"][name][bound]) for bound in FLAT_BOUNDS})
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as fault:
        raise BudgetsFaulty(f"{path.name} has no budgets {name!r} as they should be: {fault!r}") from None
    if set(class_of.values()) != set(budgets):
        raise BudgetsFaulty(f"{path.name}: doors and {name!r} speak of other classes")
    if len(class_of) < sum(map(len, told["doors"].values())):
        raise BudgetsFaulty(f"{path.name}: a door stands in two classes")
    return BudgetBook(class_of, budgets, shed_share, flat)


def counted(rows: Iterable[Mapping[str, Any]], book: BudgetBook) -> tuple[dict[str, Counted], list[str], int]:
    """By class what Locust counted (its rows as JSON), the doors of no class, and how many arrivals were shed."""
    found: dict[str, Counted] = {}
    strangers, shed = [], 0
    for row in rows:
        door, kind = _door_of(row)
        if kind == "shed":
            shed += row["num_requests"]
            continue
        if door not in book.class_of:
            strangers.append(door)
            continue
        one = found.setdefault(book.class_of[door], Counted())
        if kind == "refused":
            one.refused += row["num_requests"]
        elif kind == "broken":
            one.broken += row["num_requests"]
        else:
            one.times.update({float(time): count for time, count in row["response_times"].items()})
            one.errors += row["num_failures"]
    return found, strangers, shed


def broken_bounds(found: Mapping[str, Counted], book: BudgetBook) -> list[str]:
    """A sentence for each bound that does not hold."""
    faults = []
    for name, one in sorted(found.items()):
        budget = book.budgets[name]
        told = {
            "p95_ms": one.percentile(0.95),
            "p99_ms": one.percentile(0.99),
            "error_share": one.share(one.errors),
            "refused_share": one.share(one.refused),
        }
        faults += [
            f"{name}: {bound} is {round(value, 4):g}, the budget {getattr(budget, bound):g}"
            for bound, value in told.items()
            if value > getattr(budget, bound)
        ]
    return faults


def table_of(found: Mapping[str, Counted], book: BudgetBook) -> Sequence[str]:
    """What was counted, for people, line by line."""
    lines = [f"{'class':<8} {'asked':>7} {'errors':>7} {'refused':>8} {'broken':>7} {'p50':>7} {'p95':>15} {'p99':>15}"]
    for name, one in sorted(found.items()):
        budget = book.budgets[name]
        parts = [
            f"{one.percentile(share):.0f} of {bound:.0f}"
            for share, bound in ((0.95, budget.p95_ms), (0.99, budget.p99_ms))
        ]
        lines.append(
            f"{name:<8} {one.asked:>7} {one.errors:>7} {one.refused:>8} {one.broken:>7} {one.percentile(0.5):>7.0f} "
            f"{parts[0]:>15} {parts[1]:>15}"
        )
    return lines


def _door_of(row: Mapping[str, Any]) -> tuple[str, str]:
    """The door of a row, and whether it is one of those that are counted apart."""
    kind, name = row["method"], row["name"]
    if kind == "refused":
        return name.rpartition(" ")[0], kind
    return (name, kind) if kind in APART else (f"{kind} {name}", "")
