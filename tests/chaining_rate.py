"""How many entries of the audit one node can chain in a second: the chain is one, however many processes there are.

python -m tests.chaining_rate --entries 5000
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from regions.founding import found
from server.crypto.keyring import load_keys
from server.demo.database import database_server
from server.desk.background.chaining import AT_ONCE, chain
from server.domain.audit import Note
from server.store.mongo import MongoDatabase
from server.store.queries import QUERIES
from tests.nodes import NAMES, Writes
from tests.store.auditing import READ, node_on
from tests.world import JIANGSU

MOST_ENTRIES = 100_000
WRITTEN_AT_ONCE = 100
PATIENCE_SECONDS = 60.0


class Trips(Writes):
    """Counts every command."""

    def started(self, event: Any) -> None:
        self.count += 1


async def measure(entries: int) -> dict[str, float]:
    """Chain so many entries that wait; entries a second, and what each link takes: our CPU time, and commands."""
    with tempfile.TemporaryDirectory(prefix="tongban-chaining-") as name:
        folder, trips = Path(name), Trips()
        found(folder / "keys", dict.fromkeys(NAMES, "http://127.0.0.1"), NAMES, at=datetime.now(UTC))
        keys = load_keys(folder / "keys" / f"{JIANGSU}.keys.json")
        async with database_server(folder / "database", None) as uri:
            database = MongoDatabase.connect(
                uri, "chaining", queries=QUERIES, timeout_seconds=PATIENCE_SECONDS, listeners=[trips]
            )
            await database.prepare()
            node = node_on(database, keys, folder / "files")
            for first in range(0, entries, WRITTEN_AT_ONCE):
                numbers = range(first, min(first + WRITTEN_AT_ONCE, entries))
                notes = [Note(f"one:{number}", READ, {"officer": "ann", "case": f"1/{number}"}) for number in numbers]
                await node.store.audit.note_all(notes, at=node.clock.now())
            node.clock.wait(minutes=2)  # type: ignore[attr-defined]
            before, began, worked = trips.count, time.monotonic(), time.process_time()
            while await chain(node, "audit"):
                pass
            seconds, worked = time.monotonic() - began, time.process_time() - worked
            await database.close()
    links = -(-entries // AT_ONCE["audit"])
    return {
        "entries": entries,
        "links": links,
        "entries_a_second": round(entries / seconds),
        "cpu_ms_a_link": round(worked / links * 1000, 1),
        "commands_a_link": round((trips.count - before) / links, 1),
    }


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaining_rate", description=__doc__)
    parser.add_argument("--entries", type=int, default=5000, help="how many (default %(default)s)")
    chosen = parser.parse_args()
    figures = asyncio.run(measure(max(AT_ONCE["audit"], min(chosen.entries, MOST_ENTRIES))))
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
