"""Computes what a province needs, from how many people there are and from what was measured; it measures nothing.

python -m loadtests.capacity --people 85000000 --years 5

What a request costs is read from docs/performance.md, what a case leaves from docs/capacity.md. Everything else is an
assumption, which an option replaces; the defaults are those of docs/capacity.md.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

PAGES = Path(__file__).parents[1] / "docs"
COSTS_PAGE, FOOTPRINT_PAGE = PAGES / "performance.md", PAGES / "capacity.md"
SECONDS_AN_HOUR, SECONDS_A_DAY, DAYS_A_YEAR = 3600, 86_400, 365
GIB, TERA = 1 << 30, 10**12
PASSING = frozenset({"nonces", "sessions"})  # gone again within a month
ARCHIVED = frozenset({"audit", "audit_chain"})  # they stay `audit_days` only
PROCESSES = ("serve", "work", "database")
# What the life of a newborn's case asks for, which here stands for all: five steps are decided at home and one for
# another province, each by three acts, before each of which an officer looks at a list and at the case.
ACTS = 18
REQUESTS: Mapping[str, int] = {"submission": 1, "act": ACTS, "case at the desk": ACTS}
Costs = Mapping[tuple[str, str], float]


class PageUnreadable(ValueError):
    """A page has not the table that figures are taken from."""


@dataclass(frozen=True)
class Load:
    """What is assumed; `help_of` says what each member means."""

    people: int = 85_000_000
    cases_a_person: float = 1.0
    days: int = 250
    busiest_hour: float = 0.2
    surge: float = 3.0
    looks: int = 6
    lists: int = 4
    years: float = 5.0
    audit_days: int = 184
    files: float = 2.0
    file_kb: float = 500.0
    busy: float = 0.6
    shard_cores: int = 16
    shard_tb: float = 4.0
    cache_gib: float = 64.0
    warm_days: int = 30
    pool: int = 20

    @property
    def cases(self) -> float:
        """How many cases a year brings."""
        return self.people * self.cases_a_person

    @property
    def cases_a_second(self) -> float:
        """In the busiest hour of a surge."""
        return self.cases / self.days * self.busiest_hour / SECONDS_AN_HOUR * self.surge

    @property
    def requests(self) -> Mapping[str, int]:
        """How often each request is made for one case; a worklist is taken to cost what a list of one's cases costs."""
        return {**REQUESTS, "one case": self.looks, "my cases": self.lists + ACTS}


HELP: Mapping[str, str] = {
    "people": "people of the province",
    "cases_a_person": "cases of one person in a year",
    "days": "days of a year on which cases come",
    "busiest_hour": "share of a day's cases in its busiest hour",
    "surge": "how much busier than the average day the day is for which is planned",
    "looks": "how often an applicant looks at one case",
    "lists": "how often an applicant looks at the list",
    "years": "years for which cases are kept",
    "audit_days": "days that the audit stays in the database (`audit_keep_days`)",
    "files": "files handed in for one case",
    "file_kb": "kilobytes of a file",
    "busy": "share of a core that may be used in the busiest hour",
    "shard_cores": "cores of the primary of a shard",
    "shard_tb": "terabytes of data and indexes on a shard",
    "cache_gib": "GiB of cache of a primary",
    "warm_days": "days whose cases and index keys should lie in the cache",
    "pool": "connections that a process opens at most to one server (`maxPoolSize` of the URI)",
}


@dataclass(frozen=True)
class Left:
    """What one case leaves in one collection: documents, their bytes, and those of index keys."""

    collection: str
    documents: float
    document_bytes: float
    key_bytes: float


@dataclass(frozen=True)
class CapacityFigure:
    """A figure, and how it was made."""

    what: str
    figure: float
    unit: str
    how: str

    def row(self) -> str:
        """As a row of Markdown."""
        digits = 0 if self.figure >= 100 or self.figure == int(self.figure) else 1
        return f"| {self.what} | {self.figure:,.{digits}f} {self.unit}".rstrip() + f" | {self.how} |\n"


def costs_of(text: str) -> dict[tuple[str, str], float]:
    """Milliseconds by request and process, from the table of CPU time on the page; raises PageUnreadable."""
    found: dict[tuple[str, str], float] = {}
    place = None
    for cells in _tables(text):
        if cells[:2] == ["request", "process"]:
            place = cells.index("now") if "now" in cells else None  # another table has columns of its own
        elif place is not None and len(cells) > place and cells[1].strip("`") in PROCESSES:
            found[cells[0], cells[1].strip("`")] = float(cells[place])
    if missing := {(name, "serve") for name in Load().requests} - found.keys():
        raise PageUnreadable(f"no CPU time of {sorted(name for name, _ in missing)}")
    return found


def footprint_of(text: str) -> list[Left]:
    """What a case leaves at home and in the other province, from the page; raises PageUnreadable."""
    found, is_there = list[Left](), False
    for cells in _tables(text):
        is_there = cells[:2] == ["node", "collection"] or (is_there and len(cells) == 6)
        if is_there and cells[0] in ("home", "abroad") and cells[1] != "all":
            found.append(Left(cells[1].strip("`"), *(float(cells[place].replace(",", "")) for place in (2, 3, 5))))
    if not found:
        raise PageUnreadable("no table of what a case leaves")
    return found


def _tables(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def figures_of(load: Load, costs: Costs, left: Sequence[Left]) -> list[CapacityFigure]:
    """All that follows."""
    return [
        *_rates(load, left),
        *_processors(load, costs),
        *_bytes(load, left),
        *_shards(load, costs, left),
        *_rest(load, costs),
    ]


def _rates(load: Load, left: Sequence[Left]) -> Iterator[CapacityFigure]:
    yield CapacityFigure("cases a year", load.cases, "", "people x cases of one")
    yield CapacityFigure("cases on an average day", load.cases / load.days, "", f"over {load.days} days")
    yield CapacityFigure(
        "cases a second, to plan for",
        load.cases_a_second,
        "",
        f"{load.busiest_hour:.0%} of a day in an hour, a day {load.surge:g} times as busy",
    )
    asked = sum(load.requests.values())
    yield CapacityFigure("requests a second", load.cases_a_second * asked, "", f"{asked} for each case")
    yield CapacityFigure("acts of officers a second", load.cases_a_second * ACTS, "", f"{ACTS} for each case")
    noted = sum(each.documents for each in left if each.collection == "audit")
    yield CapacityFigure("entries of the audit a second", load.cases_a_second * noted, "", f"{noted:.0f} for each case")
    at_rest = load.cases / load.days / SECONDS_A_DAY * noted
    yield CapacityFigure("... over an average day and its night", at_rest, "", "what the chain must keep up with")


def cores(load: Load, costs: Costs, process: str) -> float:
    """Cores of CPU time that these processes use in the busiest hour."""
    spent = sum(count * costs.get((name, process), 0.0) for name, count in load.requests.items())
    return load.cases_a_second * spent / 1000


def _processors(load: Load, costs: Costs) -> Iterator[CapacityFigure]:
    for process in PROCESSES:
        used = cores(load, costs, process)
        spent = sum(count * costs.get((name, process), 0.0) for name, count in load.requests.items())
        yield CapacityFigure(f"`{process}`: cores in use", used, "", f"{spent:.0f} ms of CPU time for each case")
    for process in ("serve", "work"):
        count = math.ceil(cores(load, costs, process) / load.busy)
        yield CapacityFigure(f"processes of `{process}`", count, "", f"a core each, used to {load.busy:.0%}")


def kept_bytes(load: Load, left: Sequence[Left], *, is_keys: bool) -> float:
    """Bytes of documents, or of index keys, that one case leaves for as long as cases are kept."""
    share = min(1.0, load.audit_days / DAYS_A_YEAR / load.years)
    return sum(
        (each.key_bytes if is_keys else each.document_bytes) * (share if each.collection in ARCHIVED else 1.0)
        for each in left
        if each.collection not in PASSING
    )


def _bytes(load: Load, left: Sequence[Left]) -> Iterator[CapacityFigure]:
    total = load.cases * load.years
    for is_keys, what in ((False, "documents"), (True, "index keys")):
        one = kept_bytes(load, left, is_keys=is_keys)
        yield CapacityFigure(
            f"{what}, in {load.years:g} years",
            total * one / TERA,
            "TB",
            f"{one:,.0f} bytes of a case, here and for another province, nothing compressed, one copy",
        )
    yield CapacityFigure(
        f"files, in {load.years:g} years",
        total * load.files * load.file_kb * 1000 / TERA,
        "TB",
        f"{load.files:g} of {load.file_kb:g} kB for each case, one copy",
    )


def shards(load: Load, costs: Costs, left: Sequence[Left]) -> dict[str, int]:
    """How many shards are needed by CPU time, by bytes and by memory."""
    one = sum(kept_bytes(load, left, is_keys=is_keys) for is_keys in (False, True))
    warm = load.cases * load.warm_days / DAYS_A_YEAR * one
    return {
        "CPU time": math.ceil(cores(load, costs, "database") / load.busy / load.shard_cores),
        "bytes": math.ceil(load.cases * load.years * one / TERA / load.shard_tb),
        "memory": math.ceil(warm / GIB / load.cache_gib),
    }


def _shards(load: Load, costs: Costs, left: Sequence[Left]) -> Iterator[CapacityFigure]:
    why = {
        "CPU time": f"{load.shard_cores} cores of a primary, used to {load.busy:.0%}",
        "bytes": f"{load.shard_tb:g} TB on each",
        "memory": f"what {load.warm_days} days leave, in {load.cache_gib:g} GiB of cache on each",
    }
    found = shards(load, costs, left)
    for name, count in found.items():
        yield CapacityFigure(f"shards, by {name}", count, "", why[name])
    yield CapacityFigure("members of replica sets", 3 * max(found.values()), "", "three for each of the most shards")


def _rest(load: Load, costs: Costs) -> Iterator[CapacityFigure]:
    processes = sum(math.ceil(cores(load, costs, each) / load.busy) for each in ("serve", "work"))
    yield CapacityFigure(
        "connections to each router, at most", processes * load.pool, "", f"{load.pool} of each process"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a page has no figures."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.capacity", description=__doc__)
    for field in fields(Load):
        kind, name = type(field.default), "--" + field.name.replace("_", "-")
        parser.add_argument(
            name, type=kind, default=field.default, metavar="N", help=f"{HELP[field.name]} (%(default)s)"
        )
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    chosen = vars(parser.parse_args(arguments))
    is_json = chosen.pop("json")
    if not all(number > 0 for number in chosen.values()):
        parser.error("every number must be more than 0")
    try:
        costs = costs_of(COSTS_PAGE.read_text(encoding="utf-8"))
        left = footprint_of(FOOTPRINT_PAGE.read_text(encoding="utf-8"))
    except PageUnreadable as fault:
        print(fault, file=sys.stderr)
        return 1
    lines = figures_of(Load(**chosen), costs, left)
    if is_json:
        print(json.dumps([vars(each) for each in lines]))
    else:
        print("| what | figure | how |\n|---|---:|---|\n" + "".join(each.row() for each in lines), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
