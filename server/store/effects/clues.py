"""Clues in the store: by which keyed digests each case is found; insert-only, and no clue itself stands here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from server.crypto import base64url
from server.crypto.fields import FieldRing
from server.domain.effects.clues import CaseClues
from server.domain.errors import Invalid, NotAuthentic
from server.domain.values import moment_key
from server.store.database import Database, Document
from server.store.queries import BAR, CASES_BY_CLUE, under

CLUES = "clues"


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

    async def cases(self, digest: str, *, before: str = "", limit: int) -> dict[str, str]:
        """The cases that have the clue of this digest, the one that was opened last first: place -> id.

        `before` is the place of the last one already seen.
        """
        low, high = under(digest)
        end = digest + BAR + before if before else high
        found = await self._database.between(CASES_BY_CLUE, low, end, limit=limit, is_descending=True)
        return {each["key"].removeprefix(low): each["case"] for each in found}

    async def forget(self, case: str, digests: Iterable[str]) -> None:
        """Let the case not be found by the clues of these digests any more."""
        await self._database.delete(CLUES, [_id(digest, case) for digest in digests])

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
    return {"case": found.case, "place": BAR.join((moment_key(found.opened_at), found.case)), "digests": digests}


def _documents(found: Mapping[str, Any]) -> Sequence[Document]:
    told = {name: member for name, member in found.items() if name not in ("place", "digests")}
    case, place = found["case"], found["place"]
    return [{**told, "_id": _id(digest, case), "key": digest + BAR + place} for digest in found["digests"]]


def _id(digest: str, case: str) -> str:
    return f"{digest}:{case}"


def _context(digest: str) -> str:
    return f"clues/{digest}"
