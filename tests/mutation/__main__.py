"""`python -m tests.mutation`: change modules of the rules in small ways, and tell which changes no test notices."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.mutation.exemptions import EXEMPT, Exemption
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.trials import ROOT, Subject, Unfit, is_killed, trials

LIFE = "tests/domain/test_lifecycle_{}.py"
SUBJECTS = (
    Subject(
        "server/domain/rules/decide.py",
        (
            *map(LIFE.format, ("table", "rights", "needs", "closing", "withdrawal", "supplements", "opinions")),
            *map(LIFE.format, ("deferrals", "time")),
            *(f"tests/domain/test_{name}.py" for name in ("moves", "mirrors", "bouncing", "parts", "settling_acts")),
        ),
    ),
    Subject("server/domain/time/clock.py", ("tests/domain/test_clock.py",)),
    Subject("server/domain/exchange/circuit_breaker.py", ("tests/domain/test_breaker.py",)),
)
OTHERS = ("tests/domain",)  # the tests of a module that is not among these
TOLD_EVERY = 25
Tell = Callable[[str], object]


@dataclass(frozen=True)
class Outcome:
    """What came of one module; the exempt ones are not among its mutants."""

    path: str
    mutants: int
    exempt: int
    survivors: tuple[Mutant, ...]

    @property
    def killed(self) -> int:
        """How many a test noticed."""
        return self.mutants - len(self.survivors)


def main(
    words: Sequence[str] | None = None,
    *,
    subjects: Sequence[Subject] = SUBJECTS,
    exempt: Sequence[Exemption] = EXEMPT,
    root: Path = ROOT,
) -> int:
    """Print the survivors and a table; 1 if too many survived, 2 if the trials would tell nothing."""
    asked = _asked(words)
    chosen = [_subject(path, subjects) for path in asked.modules] if asked.modules else subjects
    try:
        outcomes = [_tried(each, exempt, root=root, workers=asked.workers, tell=sys.stderr.write) for each in chosen]
    except Unfit as unfit:
        sys.stderr.write(f"{unfit}\n")
        return 2
    share = percent(sum(each.killed for each in outcomes), sum(each.mutants for each in outcomes))
    is_enough = share >= asked.least
    if asked.json:
        told = {"percent": round(share, 1), "least": asked.least, "modules": [asdict(each) for each in outcomes]}
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("".join(_told(each) for each in outcomes))
        sys.stdout.write(f"{share:.1f} % killed, {'enough' if is_enough else 'too few'}: at least {asked.least:g} %\n")
    return 0 if is_enough else 1


def percent(part: int, whole: int) -> float:
    """Of nothing, all."""
    return 100 * part / whole if whole else 100.0


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", help="files of the product (default: those that matter most)")
    parser.add_argument("--least", type=float, default=97.0, help="per cent to be killed (default %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="trials at once (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="the outcome as JSON on stdout")
    return parser.parse_args(words)


def _subject(path: str, subjects: Sequence[Subject]) -> Subject:
    return next((each for each in subjects if each.path == path), Subject(path, OTHERS))


def _tried(subject: Subject, exempt: Sequence[Exemption], *, root: Path, workers: int, tell: Tell) -> Outcome:
    """All mutants of one module; raises Unfit."""
    mutants = mutants_of(subject.path, (root / subject.path).read_text(encoding="utf-8"))
    same = [_mutant(each, mutants) for each in exempt if each.path == subject.path]
    if is_killed(subject, None, root=root):
        raise Unfit(f"{subject.path}: its tests fail without any change")
    survivors = []
    for count, (mutant, is_dead) in enumerate(trials(subject, mutants, root=root, workers=workers), 1):
        if is_dead and mutant in same:
            raise Unfit(f"exempt, and yet a test notices it: {mutant}")
        if not is_dead and mutant not in same:
            survivors.append(mutant)
            tell(f"survived: {mutant}\n")
        if count % TOLD_EVERY == 0 or count == len(mutants):
            tell(f"{subject.path}: {count} of {len(mutants)}\n")
    return Outcome(
        subject.path, len(mutants) - len(same), len(same), tuple(sorted(survivors, key=lambda each: each.number))
    )


def _mutant(exemption: Exemption, mutants: Sequence[Mutant]) -> Mutant:
    """The one that it is about; raises Unfit."""
    found = [each for each in mutants if exemption.fits(each)]
    if len(found) != 1:
        raise Unfit(f"an exemption fits {len(found)} mutants: {exemption.path}: {exemption.was}  ->  {exemption.now}")
    return found[0]


def _told(outcome: Outcome) -> str:
    head = f"{outcome.path}: {outcome.killed} of {outcome.mutants} killed, {outcome.exempt} exempt\n"
    return head + "".join(f"  survived: {each}\n" for each in outcome.survivors)


if __name__ == "__main__":
    sys.exit(main())
