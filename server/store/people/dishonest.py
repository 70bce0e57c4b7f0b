"""Who is listed as seriously dishonest (严重失信主体), by the keyed digest of the person and nothing else.

The list stands in parts. A head tells the version of each part, and the log of ends that of the head, so that nobody
is taken off by removing documents or by putting older ones back. A change writes its parts, then the head, then the
end: wherever it is cut off, what stands there is believed, and the same change given again finishes it.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from operator import or_, sub

from server.domain.errors import NotAuthentic, StaleVersion
from server.store.database import Database, Document, Duplicate
from server.store.ends import Ends

DISHONEST, HEAD = "dishonest", "head"
PART_CHARACTERS = 2  # of a digest in base32, so that there are 1,024 parts
ATTEMPTS = 5
STALE = "失信主体名单正由其他进程修改，请稍后重试。"
Persons = frozenset[str]
Change = Callable[[Persons, Persons], Persons]  # what is listed, and who is named


class Dishonest:
    """The list, as the credit authority last told it.

    All raise NotAuthentic where it is not as this node last wrote it.
    """

    def __init__(self, database: Database, ends: Ends) -> None:
        self._database = database
        self._ends = ends

    async def has(self, person: str) -> bool:
        """Whether this person stands on the list."""
        name = part_of(person)
        # The head first: a part that is changed in between is newer than the head says, and never older.
        versions = (await self._head())["versions"]
        return person in (await self._part(name, versions))["persons"]

    async def add(self, persons: Iterable[str]) -> int:
        """Put these persons on the list; answers how many were not on it. Raises StaleVersion."""
        return await self._change(persons, or_)

    async def remove(self, persons: Iterable[str]) -> int:
        """Take these persons off the list; answers how many stood on it. Raises StaleVersion."""
        return await self._change(persons, sub)

    async def _change(self, persons: Iterable[str], change: Change) -> int:
        by_part: dict[str, set[str]] = {}
        for person in persons:
            by_part.setdefault(part_of(person), set()).add(person)
        told, changed = (await self._head())["versions"], 0
        versions: dict[str, int] = {}
        for name, named in by_part.items():
            part, moved = await self._change_part(name, Persons(named), told=told, change=change)
            versions[name] = part["version"]
            changed += moved
        await self._tell(versions)
        return changed

    async def _change_part(
        self, name: str, named: Persons, *, told: Mapping[str, int], change: Change
    ) -> tuple[Document, int]:
        """The part after this change, and how many came or went."""
        for _ in range(ATTEMPTS):
            part = await self._part(name, told)
            was = Persons(part["persons"])
            moved = len(was ^ (after := change(was, named)))
            if not moved:
                return part, 0
            if stored := await self._put({**part, "persons": sorted(after)}):
                return stored, moved
        raise StaleVersion(STALE)

    async def _tell(self, versions: Mapping[str, int]) -> None:
        """Let no older part than these count, and no older head; also if a change before was cut off before this."""
        for _ in range(ATTEMPTS):
            head = await self._head()
            newer = {name: each for name, each in versions.items() if each > head["versions"].get(name, 0)}
            stored = await self._put({**head, "versions": {**head["versions"], **newer}}) if newer else head
            if stored:
                if stored["version"] > self._least():
                    await self._ends.supersede(DISHONEST, HEAD, below=stored["version"])
                return
        raise StaleVersion(STALE)

    async def _head(self) -> Document:
        return await self._document(HEAD, {"versions": {}}, least=self._least())

    async def _part(self, name: str, told: Mapping[str, int]) -> Document:
        return await self._document(f"part:{name}", {"persons": []}, least=told.get(name, 0))

    def _least(self) -> int:
        """The least version of the head that counts."""
        end = self._ends.of(DISHONEST, HEAD)
        return end.below if end else 0

    async def _document(self, id: str, empty: Document, *, least: int) -> Document:
        """The document, or an empty one of version 0 if there never was one."""
        document = {"version": 0, **empty, **(await self._database.get(DISHONEST, id) or {"_id": id})}
        if document["version"] < least:
            self._ends.tell_older(DISHONEST, id)
            raise NotAuthentic(f"{DISHONEST}/{id}")
        return document

    async def _put(self, document: Document) -> Document | None:
        """The next version, once it is stored; None if somebody else was first."""
        after = {**document, "version": document["version"] + 1}
        if document["version"]:
            return after if await self._database.replace(DISHONEST, after, version=document["version"]) else None
        with suppress(Duplicate):
            await self._database.insert(DISHONEST, after)
            return after
        return None


def part_of(person: str) -> str:
    """The name of the part in which this person stands if they are listed."""
    return person[:PART_CHARACTERS]
