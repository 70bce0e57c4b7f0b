"""What one case leaves in the databases of two nodes: documents, their bytes (BSON), and the bytes of index keys.

python -m tests.footprint --json

Cases of a newborn go the whole way, one step of each in the other province, and officers look at a case before each
act. What the first leaves is taken off, for it brings what all share. Keys are counted as texts that stand in an index,
before a database compresses what they have in common.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bson
import pymongo

from server.demo.database import database_server
from server.store.queries import QUERIES
from server.tools.logs import configure
from tests.faults.books import ABROAD, ACTS, AT_HOME, DEPARTMENT_ABROAD
from tests.nodes import JIANGSU, ZHEJIANG, Places, newborn_wish, running_nodes

FEW = 3
STILL_SECONDS = 6.0
NODES = {JIANGSU: "home", ZHEJIANG: "abroad"}
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Footprint:
    """What stands in one collection: documents, their bytes, index entries, and the bytes of their keys."""

    documents: float = 0.0
    document_bytes: float = 0.0
    entries: float = 0.0
    key_bytes: float = 0.0

    def less(self, other: "Footprint", *, shared_by: int) -> "Footprint":
        """What came on top of another, for each of so many."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Footprint(*((more - fewer) / shared_by for more, fewer in pairs))


def footprint_of(documents: Iterable[Document], fields: Iterable[str]) -> Footprint:
    """What these documents are, in a collection with an index for each of these fields, and one for `_id`."""
    counts = Counter[str]()
    for document in documents:
        keys = [str(document.get(field, "")) for field in ("_id", *fields)]
        counts.update(
            documents=1,
            document_bytes=len(bson.encode(dict(document))),
            entries=len(keys),
            key_bytes=sum(len(key.encode()) for key in keys),
        )
    return Footprint(*(counts[name] for name in ("documents", "document_bytes", "entries", "key_bytes")))


def indexed() -> dict[str, set[str]]:
    """The fields with an index, by collection."""
    found: dict[str, set[str]] = {}
    for query in QUERIES:
        found.setdefault(query.collection, set()).add(query.field)
    return found


def look(client: Any, names: Mapping[str, str]) -> dict[tuple[str, str], Footprint]:
    """What stands in each collection of the databases of these nodes."""
    fields = indexed()
    return {
        (node, name): footprint_of(client[database][name].find(), sorted(fields.get(name, ())))
        for node, database in names.items()
        for name in client[database].list_collection_names()
    }


async def measure(cases: int) -> dict[str, dict[str, Footprint]]:
    """By node and collection, what one case more leaves."""
    with tempfile.TemporaryDirectory(prefix="tongban-footprint-") as name:
        folder = Path(name)
        async with (
            database_server(folder / "database", None) as uri,
            running_nodes(folder / "nodes", uri, "footprint", is_working=True) as places,
        ):
            with pymongo.MongoClient[dict[str, Any]](uri) as client:
                names = {told: places.nodes[code].node.settings.database for code, told in NODES.items()}
                await _finish(places, "first")
                before = await _still(client, names)
                for number in range(cases):
                    await _finish(places, str(number))
                after = await _still(client, names)
    found: dict[str, dict[str, Footprint]] = {told: {} for told in NODES.values()}
    for (node, collection), what in sorted(after.items()):
        more = what.less(before.get((node, collection), Footprint()), shared_by=cases)
        if more.documents:
            found[node][collection] = more
    return found


async def _finish(places: Places, name: str) -> None:
    """One case, from its submission until the last step is approved."""
    mother = await places.citizen()
    answer = await mother.post("/api/v1/cases", await newborn_wish(mother), key=name)
    case = answer.body["id"]
    for step in ("birth_certificate", "vaccination_card", "parenting_guidance"):
        await _decide(places, case, step, department=AT_HOME[step])
    await _decide(places, f"{JIANGSU}:{case}", ABROAD, department=DEPARTMENT_ABROAD, division=ZHEJIANG)
    for step in ("social_security_card", "medical_insurance"):
        await _decide(places, case, step, department=AT_HOME[step])


async def _decide(places: Places, case: str, step: str, *, department: str, division: str = JIANGSU) -> None:
    """Receive, accept and approve a step; the officer looks at the case before each act."""
    officer = await places.officer(department, division)
    for act in ACTS:
        assert (await officer.get(f"/desk/v1/cases/{case}")).status == 200
        answer = await officer.post(f"/desk/v1/cases/{case}/steps/{step}/{act}")
        assert answer.status == 200, answer.body
    await places.settle()


async def _still(client: Any, names: Mapping[str, str]) -> dict[tuple[str, str], Footprint]:
    """What stands there once nothing is written for some seconds."""
    seen = look(client, names)
    while True:
        await asyncio.sleep(STILL_SECONDS)
        now = look(client, names)
        if {key: each.documents for key, each in now.items()} == {key: each.documents for key, each in seen.items()}:
            return now
        seen = now


def table_of(found: Mapping[str, Mapping[str, Footprint]]) -> str:
    """As Markdown, the largest first, with a sum for each node."""
    lines = [
        "| node | collection | documents | bytes | index entries | bytes of keys |\n|---|---|---:|---:|---:|---:|\n"
    ]
    for node, collections in found.items():
        by_size = sorted(collections.items(), key=lambda one: -one[1].document_bytes)
        total = Footprint(*(sum(values) for values in zip(*(vars(each).values() for _, each in by_size), strict=True)))
        for name, each in (*((f"`{name}`", each) for name, each in by_size), ("all", total)):
            cells = (f"{each.documents:.1f}", *(f"{value:,.0f}" for value in list(vars(each).values())[1:]))
            lines.append(f"| {node} | {name} | {' | '.join(cells)} |\n")
    return "".join(lines)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.footprint", description=__doc__)
    parser.add_argument("--cases", type=int, default=FEW, help="how many besides the first (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args()
    configure("error")
    found = asyncio.run(measure(max(1, min(chosen.cases, 50))))
    if chosen.json:
        told = {node: {name: vars(each) for name, each in its.items()} for node, its in found.items()}
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        sys.stdout.write(table_of(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
