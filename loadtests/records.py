"""What the processes of a load run write down while they run: submissions, and their own CPU."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WINDOW = 5  # samples of a second


class RecordBook:
    """The file of one process, a JSON object in each line; each is written at once."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"records-{os.uname().nodename}-{os.getpid()}.jsonl"

    def write(self, kind: str, **told: Any) -> None:
        """One line."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": kind, **told}) + "\n")


@dataclass
class Submissions:
    """What was handed in under one Idempotency-Key: by whom, and the ids that the node has acknowledged it with."""

    citizen: str
    ids: list[str] = field(default_factory=list)


def records_in(folder: Path) -> Iterator[dict[str, Any]]:
    """All that was written in this folder."""
    for file in sorted(folder.glob("records-*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def submissions_of(folder: Path) -> dict[str, Submissions]:
    """What was handed in, by key."""
    found: dict[str, Submissions] = {}
    for record in records_in(folder):
        if record["kind"] == "asked":
            found.setdefault(record["key"], Submissions(record["citizen"]))
        elif record["kind"] == "acknowledged":
            found[record["key"]].ids.append(record["id"])
    return found


def busiest(folder: Path) -> float | None:
    """The largest share of a core that one process of Locust used over five seconds; None: none has told."""
    shares: dict[int, list[float]] = {}
    for record in records_in(folder):
        if record["kind"] == "cpu":
            shares.setdefault(record["pid"], []).append(record["share"])
    means = [
        sum(part := each[place : place + WINDOW]) / len(part)
        for each in shares.values()
        for place in range(max(1, len(each) - WINDOW + 1))
    ]
    return max(means) if means else None
