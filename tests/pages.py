"""`python -m tests.pages`: write the parts of the pages that the code itself can tell, such as doors and refusals."""

import argparse
import functools
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from loadtests.capacity import COSTS_PAGE, FOOTPRINT_PAGE, Load, costs_of, figures_of, footprint_of
from server.domain.people.posts import ROLE_NAMES
from server.domain.rules.desk_acts import ACTS
from server.domain.rules.rights import ROLES
from server.store.queries import QUERIES
from server.store.trust import TRUST
from tests.sharding import collection_row, query_row
from tests.simulation.planted import FAULTS, row

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Generated:
    """A part of a page: what it is called, what tells its text, and a pattern whose one group is the part."""

    page: str
    name: str
    text: Callable[[], str]
    pattern: str


@functools.cache
def printed() -> Mapping[str, str]:
    """What the commands of the product print, all in one process, in which nothing of the tests is loaded."""
    argv = [sys.executable, "-c", RUN_EACH, *COMMANDS]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    return {command: text.rstrip("\n") + "\n" for command, text in json.loads(done.stdout).items()}


def by_command(page: str, command: str, pattern: str) -> Generated:
    """A part that a command of the product prints."""
    return Generated(page, f"`python -m server {command}`", lambda: printed()[command], pattern)


def planted_faults() -> str:
    """The rows of the faults that the simulation finds; `python -m tests.simulation --planted` finds their seeds."""
    return "".join(map(row, FAULTS))


def rights_matrix() -> str:
    """A row for each act and each read, with the roles that may."""
    lines = []
    for action, roles in ROLES.items():
        part = f"`{ACTS[action].part}`" if action in ACTS else ""
        cells = (f"`{action}`", part, *("●" if role in roles else "" for role in ROLE_NAMES))
        lines.append(f"| {' | '.join(cells)} |\n")
    return "".join(lines)


def trust_table() -> str:
    """A row for each collection: what a writer would gain, what stops them, and what is lost by removing."""
    lines = []
    for name, trust in sorted(TRUST.items()):
        apart = ", ".join(f"`{each}`" for each in sorted(trust.marks | trust.elsewhere))
        lines.append(f"| `{name}` | {trust.gain} | {trust.means} | {apart} | {trust.why} | {trust.removed} |\n")
    return "".join(lines)


def sharded_collections() -> str:
    """A row for each collection: what it would be on many shards."""
    return "".join(map(collection_row, sorted(TRUST)))


def sharded_queries() -> str:
    """A row for each query: whether it would ask all shards."""
    return "".join(map(query_row, sorted(QUERIES, key=lambda query: (query.collection, query.field))))


def needs_of_a_province() -> str:
    """What `python -m loadtests.capacity` computes."""
    costs, left = (page.read_text(encoding="utf-8") for page in (COSTS_PAGE, FOOTPRINT_PAGE))
    return "".join(line.row() for line in figures_of(Load(), costs_of(costs), footprint_of(left)))


COMMANDS = ("routes", "errors", "audit kinds", "graph", "authorities list --division 320102", "catalogue table")
RUN_EACH = """
import contextlib, io, json, sys
from server.cli import run

told = {}
for command in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert run(command.split()) == 0, command
    told[command] = out.getvalue()
json.dump(told, sys.stdout)
"""
PARTS = (
    by_command("docs/doors.md", "routes", r"```text\n(.*?)```"),
    by_command("docs/errors.md", "errors", r"(\| code \| status \| title \| meaning \|\n.*?\n)(?=\n)"),
    by_command("docs/audit.md", "audit kinds", r"(\| kind \| what happened \|\n.*?\n)(?=\n)"),
    by_command("docs/life-of-a-case.md", "graph", r"```mermaid\n(stateDiagram-v2\n.*?)```"),
    by_command(
        "docs/authorities.md",
        "authorities list --division 320102",
        r"(\| authority \| id \| level \|[^\n]*\n(?:\|[^\n]*\n)+)",
    ),
    by_command("docs/catalogue.md", "catalogue table", r"(\| bundle \| status \| steps \|[^\n]*\n(?:\|[^\n]*\n)+)"),
    Generated(
        "docs/rights.md",
        "the matrix of rights",
        rights_matrix,
        r"\| what \| part \|[^\n]*\n\|[-:|]+\|\n((?:\|[^\n]*\n)*)",
    ),
    Generated(
        "docs/trust.md", "the table of trust", trust_table, r"\| collection \|[^\n]*\n\|[-:|]+\|\n((?:\|[^\n]*\n)*)"
    ),
    Generated(
        "docs/capacity.md",
        "what a province needs",
        needs_of_a_province,
        r"\| what \| figure \| how \|\n\|[-:|]+\|\n((?:\|[^\n]*\n)*)",
    ),
    Generated(
        "docs/capacity.md",
        "collections on many shards",
        sharded_collections,
        r"\| collection \| `_id` \|[^\n]*\n\|[-:|]+\|\n((?:\|[^\n]*\n)*)",
    ),
    Generated(
        "docs/capacity.md",
        "queries on many shards",
        sharded_queries,
        r"\| collection \| field \|[^\n]*\n\|[-:|]+\|\n((?:\|[^\n]*\n)*)",
    ),
    Generated(
        "docs/reliability.md", "the planted faults", planted_faults, r"\| fault \|[^\n]*\n\|[-:|]+\|\n((?:\|[^\n]*\n)+)"
    ),
)


def outdated(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """The pages below a root that do not say what the code tells, each with the text that does.

    Raises ValueError for a page without a place for it.
    """
    for name in dict.fromkeys(part.page for part in PARTS):
        page = root / name
        text = now = page.read_text(encoding="utf-8")
        for part in PARTS:
            now = with_part(now, part) if part.page == name else now
        if now != text:
            yield page, now


def with_part(text: str, part: Generated) -> str:
    """The text of a page with what the code tells in its place; raises ValueError if there is none."""
    found = re.search(part.pattern, text, re.DOTALL)
    if found is None:
        raise ValueError(f"{part.page} has no place for {part.name}")
    return text[: found.start(1)] + part.text() + text[found.end(1) :]


def main() -> int:
    """Write what is outdated and name it; with --check only name it, and answer 1 if there is any."""
    parser = argparse.ArgumentParser(prog="python -m tests.pages", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is outdated")
    is_check = parser.parse_args().check
    found = list(outdated())
    for page, text in found:
        if not is_check:
            page.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{page.relative_to(ROOT)}: {'is outdated' if is_check else 'written'}\n")
    return 1 if found and is_check else 0


if __name__ == "__main__":
    sys.exit(main())
