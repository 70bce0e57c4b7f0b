"""Clues in the store: by which keyed digests each case is found; insert-only, and no clue itself stands here.

A document has as many digests as there are indexes, for what a document costs is far more than what an index does.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from server.crypto import base64url
from server.crypto.fields import FieldRing
from server.domain.effects.clues import CaseClues
from server.domain.errors import Invalid, NotAuthentic
from server.domain.values import moment_key
from server.store.database import Database, Document
from server.store.queries import BAR, CASES_BY_CLUE, under

CLUES = "clues"
AT_ONCE = len(CASES_BY_CLUE)


class SearchPlaceUnknown(Invalid):
    """`after` is no place that the page before of the same search has told."""

    code = "search_place_unknown"
    title = "翻页位置不正确"


class Clues:
    """All clues of the cases of this node, also those that a later supplement has put right."""

    def __init__(self, database: Database, ring: FieldRing) -> None:
        self._database = database
        self._ring = ring

    async def put(self, *found: Mapping[str, Any]) -> None:
        """Add clues, as they wait in their cases, unless they are there already."""
        fresh = {document["_id"]: document for each in found for document in _documents(each)}
        await self._database.insert_many(CLUES, list(fresh.values()))

    async def add(self, found: CaseClues, digest_of: Callable[[str, str], str]) -> None:
        """Add what follows from no commit of ours, unless it is there already."""
        await self.put(written_clues(found, digest_of))

    async def cases(self, digest: str, *, before: str = "", limit: int) -> dict[str, str]:
        """The cases that have the clue of this digest, the one that was opened last first: place -> id.

        `before` is the place of the last one already seen.
        """
        found: dict[str, str] = {}
        while len(found) < limit:
            page, has_more = await self._page(digest, before=before, limit=limit)
            found |= page
            if not has_more:
                break
            before = min(found)
        return dict(islice(found.items(), limit))

    async def _page(self, digest: str, *, before: str, limit: int) -> tuple[dict[str, str], bool]:
        """Places and cases down to one below which some may be left, and whether there may be."""
        low, high = under(digest)
        end = low + before if before else high
        reads = [self._database.between(each, low, end, limit=limit, is_descending=True) for each in CASES_BY_CLUE]
        found: dict[str, str] = {}
        least = ""
        for query, documents in zip(CASES_BY_CLUE, await asyncio.gather(*reads), strict=True):
            places = {document[query.field].removeprefix(low): document["case"] for document in documents}
            found |= places
            if len(documents) == limit:
                least = max(least, min(places))
        return {place: found[place] for place in sorted(found, reverse=True) if place >= least}, bool(least)

    @staticmethod
    def ids(case: str, most: Mapping[int, int]) -> list[str]:
        """The ids of all documents that there can be of a case whose events have added so many clues at most."""
        return [_id(case, event, first) for event, count in most.items() for first in range(0, count, AT_ONCE)]

    async def forget(self, ids: Sequence[str]) -> None:
        """Let no case be found by the documents of these ids any more, as far as there are such."""
        await self._database.delete(CLUES, ids)

    def hide(self, place: str, digest: str) -> str:
        """A place as it may be told to those who must not learn of the case there."""
        return base64url.encode(self._ring.seal_bytes(place.encode(), _context(digest)))

    def find_hidden(self, hidden: str, digest: str) -> str:
        """The place that was hidden; raises SearchPlaceUnknown."""
        try:
            return self._ring.open_bytes(base64url.decode(hidden), _context(digest)).decode()
        except (ValueError, NotAuthentic):
            raise SearchPlaceUnknown("请从第一页重新查找。") from None


def written_clues(found: CaseClues, digest_of: Callable[[str, str], str]) -> Document:
    """Clues as they wait in their case: as digests, of the kind and the text."""
    digests = [digest_of(each.kind, each.text) for each in found.clues]
    place = BAR.join((moment_key(found.opened_at), found.case))
    return {"case": found.case, "event": found.event, "place": place, "digests": digests}


def _documents(found: Mapping[str, Any]) -> Iterator[Document]:
    told = {name: member for name, member in found.items() if name not in ("place", "digests", "event")}
    keys = [digest + BAR + found["place"] for digest in found["digests"]]
    for first in range(0, len(keys), AT_ONCE):
        some = zip(CASES_BY_CLUE, keys[first : first + AT_ONCE], strict=False)
        yield {**told, "_id": _id(found["case"], found["event"], first), **{query.field: key for query, key in some}}


def _id(case: str, event: int, first: int) -> str:
    return f"{case}:{event}:{first}"


def _context(digest: str) -> str:
    return f"clues/{digest}"
