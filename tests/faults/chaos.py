"""Chaos: processes are killed, the database killed and held, the wire cut, slowed and reset, at random, for minutes.

python -m tests.faults.chaos --minutes 5 --json
"""

import argparse
import asyncio
import json
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from server.demo.proxy import Mode
from tests.faults.databases import Database, own_database
from tests.faults.ground import Ground, ground, say, with_progress
from tests.faults.nursery import nursery
from tests.faults.outages import rate_from
from tests.faults.provinces import Province
from tests.faults.reckoning import Reckoning

MOST_MINUTES = 24 * 60.0
SHORTEST_SECONDS, LONGEST_SECONDS = 0.5, 5.0
LULL_SECONDS = 3.0
MOST_BYTES = 4000
SETTINGS = {"peer_connect_seconds": 1.0, "peer_total_seconds": 3.0, "database_timeout_seconds": 3.0}


class Storm:
    """What happens to two provinces and their database, by chance; `struck` counts it."""

    def __init__(self, field: Ground, database: Database, *, seed: int) -> None:
        self._field = field
        self._database = database
        self._seed = seed
        self.struck: Counter[str] = Counter()

    async def rage(self, seconds: float) -> None:
        """Strike at the processes and at the wire, each at its own pace, for so long; all is whole again afterwards."""
        until = time.monotonic() + seconds
        processes, wires = (random.Random(f"{self._seed}-{what}") for what in ("processes", "wires"))  # noqa: S311
        await asyncio.gather(
            self._strike(self._process, processes, until=until), self._strike(self._wire, wires, until=until)
        )

    async def _strike(
        self, strike: Callable[[random.Random], Awaitable[str]], chance: random.Random, *, until: float
    ) -> None:
        while time.monotonic() < until:
            await asyncio.sleep(chance.uniform(0, LULL_SECONDS))
            what = await strike(chance)
            self.struck[what] += 1

    async def _process(self, chance: random.Random) -> str:
        """Kill one or both processes of a province, or the database, or hold the database; and let it come back."""
        victims: Sequence[tuple[str, ...]] = (("serve",), ("work",), ("serve", "work"), ("database",), ("held",))
        chosen, province = chance.choice(victims), chance.choice(self._field.provinces)
        span = chance.uniform(SHORTEST_SECONDS, LONGEST_SECONDS)
        if chosen == ("database",):
            await self._database.kill()
            await self._database.start()
            return "database killed"
        if chosen == ("held",):
            self._database.hold()
            await asyncio.sleep(span)
            self._database.go_on()
            return "database held"
        await self._kill(province, chosen)
        return f"{' and '.join(chosen)} killed"

    async def _kill(self, province: Province, commands: Sequence[str]) -> None:
        for command in commands:
            await province.kill(command)
        await province.start(*commands)

    async def _wire(self, chance: random.Random) -> str:
        """Do something to the wire of one province, or of both, for a while."""
        mode = chance.choice([mode for mode in Mode if mode is not Mode.OPEN])
        how = {"seconds": chance.uniform(0, LONGEST_SECONDS), "after_bytes": chance.randrange(MOST_BYTES)}
        wires = [province.wire for province in chance.sample(self._field.provinces, chance.choice([1, 2]))]
        span = chance.uniform(SHORTEST_SECONDS, LONGEST_SECONDS)
        for wire in wires:
            await wire.switch(mode, **how)
        await asyncio.sleep(span)
        for wire in wires:
            await wire.switch(Mode.OPEN)
        return f"wire {mode.value}"


async def chaos(minutes: float, *, seed: int, a_second: float) -> tuple[Reckoning, Counter[str]]:
    """The books after so many minutes, and what happened."""
    with TemporaryDirectory(prefix="tongban-chaos-") as name:
        folder = Path(name)
        async with own_database(folder) as (database, uri), nursery(folder / "nursery.log", {}) as forks:
            settings: dict[str, Any] = {"database": "chaos", **SETTINGS}
            async with ground(folder, uri, launch=forks.start, a_second=a_second, **settings) as field:
                storm = Storm(field, database, seed=seed)
                say(f"seed {seed}: {minutes:g} minutes begin")

                def told() -> str:
                    return f"{field.flow.told()}; {sum(storm.struck.values())} strikes"

                await with_progress(storm.rage(minutes * 60), say, told)
                say("the storm is over; what is left is delivered")
                return await with_progress(field.end(), say, told), storm.struck


def minutes_from(text: str) -> float:
    """A bounded number of minutes."""
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes <= MOST_MINUTES:
        raise argparse.ArgumentTypeError(f"more than 0 and at most {MOST_MINUTES:.0f} minutes, not {text!r}")
    return minutes


def main() -> int:
    """Print the books; 1 if anything was lost or doubled, or alarmed somebody."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.chaos", description=__doc__)
    parser.add_argument("--minutes", type=minutes_from, default="5", metavar="N", help="default %(default)s")
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(1_000_000), help="default: one by chance, printed"
    )
    rate = "cases a second in each direction (default %(default)s)"
    parser.add_argument("--rate", type=rate_from, default="2", metavar="N", help=rate)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args()
    books, struck = asyncio.run(chaos(chosen.minutes, seed=chosen.seed, a_second=chosen.rate))
    told = {"seed": chosen.seed, "minutes": chosen.minutes, **asdict(books), "strikes": dict(sorted(struck.items()))}
    if chosen.json:
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        sys.stdout.write("".join(f"{name}: {value}\n" for name, value in told.items()))
    return 0 if books.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
