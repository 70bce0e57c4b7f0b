"""The numbered log (docs/adr/0003-signed-letters.md): entries without holes, and the insert decides who was first."""

from collections.abc import Sequence

from server.store.database import Database, Document, Duplicate

FIRST = 1
REACH = 24
PARTS = 8


def entry_id(name: str, number: int) -> str:
    """The `_id` of an entry: `log:000000000118`."""
    return f"{name}:{number:012d}"


class NumberedLog:
    """One log by its name; its entries are numbered from 1 and never changed."""

    def __init__(self, database: Database, name: str, *, collection: str = "log") -> None:
        self._database = database
        self._name = name
        self._collection = collection

    async def append(self, number: int, document: Document) -> bool:
        """Make the document the entry of this number, which follows the head; False if somebody else was first."""
        try:
            await self._database.insert(self._collection, {**document, "_id": entry_id(self._name, number)})
        except Duplicate:
            return False
        return True

    async def entries(self, numbers: Sequence[int]) -> dict[int, Document]:
        """Those of the entries that exist, by number."""
        ids = {entry_id(self._name, number): number for number in numbers}
        found = await self._database.get_many(self._collection, list(ids))
        return {ids[id]: document for id, document in found.items()}

    async def head(self, hint: int = 0) -> Document | None:
        """The last entry, or None of an empty log; the hint is a number near it, and may be wrong.

        A right hint costs one read of one entry. As there are no holes, whatever lies behind the first missing
        number is missing too: so the number is looked for in growing strides from the hint, then in between.
        """
        low, head = FIRST - 1, None
        high: int | None = None
        probes = _ahead(max(hint, FIRST))
        while probes:
            there = await self.entries(probes)
            for number in probes:
                if number not in there:
                    high = number
                    break
                low, head = number, there[number]
            probes = _ahead(low + 1) if high is None else _amid(low, high)
        return head


def _ahead(start: int) -> list[int]:
    return [start, *(start + 2**power for power in range(REACH))]


def _amid(low: int, high: int) -> list[int]:
    """Fewer than `PARTS` numbers, evenly spread between the two; none if nothing lies between them."""
    return list(range(low, high, max(1, -(-(high - low) // PARTS))))[1:]
