"""The mark that says in which format the data of a node is, so that no program works on data that it cannot read.

The number is raised when what is stored is no longer read by the program before. Version 0.1 wrote no mark.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import ClassVar

from server.store.database import Database, Duplicate
from server.store.exchange.exchange import LOG, first_id
from server.store.identity import NODE
from server.store.queries import AGGREGATES, LETTERS_TO_LOG, LETTERS_WAITING

FORMAT = "format"
NUMBER = 5
# Each document of these collections has such a key, and each key lies between the bounds.
FILLED_FIRST = (*(each.due_for_relay for each in AGGREGATES), LETTERS_TO_LOG, LETTERS_WAITING)
LOWEST, HIGHEST = "", "~"


class DataOfAnotherVersion(ValueError):
    """The database holds data of another version of this program; `number` is its format, None for that of 0.1."""

    code: ClassVar[str] = "data_of_another_version"

    def __init__(self, number: int | None) -> None:
        held = "data of version 0.1" if number is None else f"data of format {number}"
        super().__init__(
            f"{self.code}: the database of this node (`database` in its settings) holds {held}, and this program reads "
            f"format {NUMBER} only. Nothing was changed. Data is not migrated: start on an empty database, and keep "
            "the old program for the old data."
        )
        self.number = number


class DataFormat:
    """One document, inserted by the first process that finds the database empty, and never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, peers: Iterable[str]) -> None:
        """Mark an empty database as one of this format, or see that it has this mark; raises DataOfAnotherVersion.

        `peers` are all nodes that may ever have sent something here.
        """
        if await self._number() is None and await self._is_empty(peers):
            with suppress(Duplicate):  # another process was first, perhaps one of another version: what it wrote counts
                await self._database.insert(NODE, {"_id": FORMAT, "number": NUMBER})
        # Read again in any case: what is not empty may hold the first case of a process that has just made the mark.
        number = await self._number()
        if number != NUMBER:
            raise DataOfAnotherVersion(number)

    async def _number(self) -> int | None:
        mark = await self._database.get(NODE, FORMAT)
        return mark["number"] if mark else None

    async def _is_empty(self, peers: Iterable[str]) -> bool:
        """Whether there is no aggregate and no letter; a batch that came in may not have been unpacked yet."""
        for query in FILLED_FIRST:
            if await self._database.keys(query, LOWEST, HIGHEST, limit=1):
                return False
        return not await self._database.get_many(LOG, [first_id("in", peer) for peer in peers])
