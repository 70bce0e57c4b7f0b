"""What a run does: its target, shape and mix, as run.py tells it to each process of Locust by its environment."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.shapes import SHAPES

PREFIX = "LOADTEST_"
MIXES: Mapping[str, Mapping[str, int]] = {
    "everyday": {"citizen": 12, "officer": 6, "peer": 1, "login": 1, "abuser": 1},
    "without-peer": {"citizen": 12, "officer": 6, "login": 1, "abuser": 1},
    "public": {"citizen": 12, "login": 1, "abuser": 1},
    "citizens": {"citizen": 1},
    "storm": {"citizen": 1, "login": 9},
    "abuse": {"citizen": 1, "abuser": 4},
}


class PlanFaulty(ValueError):
    """What the environment says of a run cannot be."""


@dataclass(frozen=True)
class RunPlan:
    """One run; `base` is the usual level: users at once (closed), or arrivals a second (open).

    `most_in_flight` bounds the journeys under way in an open run, in each process; what comes beyond is shed, and
    counted. `kept` is the folder for what the processes write. With `has_kills` a broken connection is no error.
    """

    target: Path
    kept: Path
    shape: str = "steady"
    model: str = "closed"
    mix: str = "everyday"
    seconds: float = 120.0
    base: float = 10.0
    most_in_flight: int = 200
    workers: int = 1
    think: float = 1.0
    signer: str = ""
    has_kills: bool = False

    def level(self, at: float) -> float:
        """Users at once or arrivals a second at second `at`, of all processes together."""
        return self.base * SHAPES[self.shape].level(at, self.seconds)

    def environ(self) -> dict[str, str]:
        """What the processes of Locust read it from."""
        told = {name: str(int(value) if isinstance(value, bool) else value) for name, value in vars(self).items()}
        return {PREFIX + name.upper(): value for name, value in told.items()}


def plan_from(environ: Mapping[str, str]) -> RunPlan:
    """The plan that `RunPlan.environ` told; raises PlanFaulty with a plain sentence."""
    given = {name.removeprefix(PREFIX).lower(): value for name, value in environ.items() if name.startswith(PREFIX)}
    if unknown := given.keys() - RunPlan.__dataclass_fields__.keys():
        raise PlanFaulty(f"no plan has {', '.join(sorted(PREFIX + name.upper() for name in unknown))}")
    if missing := {"target", "kept"} - given.keys():
        raise PlanFaulty(f"a plan needs {', '.join(sorted(PREFIX + name.upper() for name in missing))}")
    numbers: dict[str, Any] = {"seconds": float, "base": float, "think": float, "most_in_flight": int, "workers": int}
    try:
        read = {name: numbers[name](value) for name, value in given.items() if name in numbers}
    except ValueError as fault:
        raise PlanFaulty(f"not a number: {fault}") from None
    paths = {name: Path(given[name]) for name in ("target", "kept")}
    plan = RunPlan(**{**given, **read, **paths, "has_kills": given.get("has_kills", "0") == "1"})
    if plan.shape not in SHAPES or plan.mix not in MIXES or plan.model not in ("closed", "open"):
        raise PlanFaulty(f"there is no shape, mix or model {plan.shape}, {plan.mix}, {plan.model}")
    return plan


@dataclass(frozen=True)
class Target:
    """What is loaded: what `python -m server demo --json` prints of itself, or a file of the same form.

    `{nodes: [{division, base_url, officers: [{name, password}], counties: [code]}], app_id, citizens: [{code, name,
    id_number, face_token}]}`; the counties are those of officers called `county-<code>` unless they are named.
    """

    described: dict[str, Any]

    def base_url(self, node: int = 0) -> str:
        """The address of a node; the first is the home."""
        return str(self.described["nodes"][node]["base_url"])

    @property
    def citizens(self) -> list[dict[str, str]]:
        """Those who may log in."""
        return list(self.described["citizens"])

    def officers(self, node: int) -> dict[str, dict[str, str]]:
        """The officer of each county of a node, by its code."""
        named = {each["name"]: each for each in self.described["nodes"][node]["officers"]}
        return {name.removeprefix("county-"): each for name, each in named.items() if name.startswith("county-")}

    def counties(self, node: int) -> list[str]:
        """Where in a node applications are handed in, or households are registered."""
        return list(self.described["nodes"][node].get("counties", ())) or list(self.officers(node))


def read_target(path: Path, *, mix: str) -> Target:
    """The target of a file; raises PlanFaulty if it lacks what the journeys of the mix need."""
    try:
        target = Target(json.loads(path.read_text(encoding="utf-8")))
        is_whole = bool(target.citizens and target.counties(0) and target.counties(1) and target.described["app_id"])
        has_officers = bool(target.officers(0) and target.officers(1))
    except (OSError, ValueError, KeyError, IndexError, TypeError) as fault:
        raise PlanFaulty(f"{path.name} describes no target: {fault!r}") from None
    if not is_whole:
        raise PlanFaulty(f"{path.name} lacks two nodes with counties, citizens, or app_id")
    if "officer" in MIXES[mix] and not has_officers:
        raise PlanFaulty(f"{path.name} lacks officers, each called county-<code>: choose --mix public")
    return target
