"""What many cases hold alike, each once under the digest of its text: written before the first case that names it."""

import hashlib
from collections.abc import Iterable, Sequence

from server.crypto import base64url
from server.domain.errors import NotAuthentic
from server.domain.interning import Interned, References
from server.store.database import Database, Document
from server.store.members import read_text

PLANS = "plans"
MOST_KNOWN = 1024  # of some 4 kB each
DIGEST_BYTES = 16


class Kept:
    """One interned value: its digest and text, the value once it was made, and whether it surely is in the store.

    The text is empty when nobody needs it any more: it takes as much memory as the value.
    """

    def __init__(self, digest: str, text: str, *, value: Interned | None = None, is_stored: bool = False) -> None:
        self.digest = digest
        self.text = text
        self.value = value
        self.is_stored = is_stored

    def drop_text(self) -> None:
        """Keep the text no longer than it is needed to write or to make the value."""
        if self.is_stored and self.value is not None:
            self.text = ""


class Plans:
    """The interned values of this node's cases; those that this process has met stay in its memory, up to a bound."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, Kept] = {}
        self._of_value: dict[int, Kept] = {}  # by identity, of the values that are known: nobody else gets theirs

    def of(self, value: Interned) -> Kept:
        """This value as it is kept, which may be an equal one that was met before."""
        kept = self._of_value.get(id(value))
        if kept is None:
            text = value.model_dump_json()
            digest = _digest(text)
            kept = self._known.get(digest) or self._remember(Kept(digest, text))
            if kept.value is None:
                self.give(kept, value)
        return kept

    def give(self, kept: Kept, value: Interned) -> None:
        """The value that was made of the text."""
        kept.value = value
        kept.drop_text()
        self._of_value[id(value)] = kept

    def known(self, digest: str) -> Kept | None:
        """What is kept under this digest, if it was loaded or made here."""
        return self._known.get(digest)

    async def store(self, digests: Iterable[str]) -> None:
        """Write those of these values that do not surely stand in the store yet; what is not known here does."""
        known = [self._known[digest] for digest in digests if digest in self._known]
        new = {kept.digest: kept for kept in known if not kept.is_stored}
        if new:
            await self._database.insert_many(PLANS, [{"_id": each.digest, "text": each.text} for each in new.values()])
            for kept in new.values():
                kept.is_stored = True
                kept.drop_text()

    async def load(self, digests: Iterable[str]) -> None:
        """Read what is not known here yet."""
        new = {digest for digest in digests if digest not in self._known}
        if new:
            self.learn((await self._database.get_many(PLANS, sorted(new))).values())

    def learn(self, documents: Iterable[Document]) -> None:
        """Know what stands in these documents, if it is what its digest says."""
        for document in documents:
            if _digest(document["text"]) == document["_id"]:
                self._remember(Kept(document["_id"], document["text"], is_stored=True))

    def _remember(self, kept: Kept) -> Kept:
        if len(self._known) >= MOST_KNOWN:
            # Whoever holds one goes on with it, and what is asked for is read again. What is still to be written stays:
            # nobody else has it.
            self._known = {digest: each for digest, each in self._known.items() if not each.is_stored}
            self._of_value = {id(each.value): each for each in self._known.values() if each.value is not None}
        self._known[kept.digest] = kept
        return kept


class PlanReferences(References):
    """The references of one document: places in its list of digests, which grows with what is written."""

    def __init__(self, plans: Plans, digests: Sequence[str]) -> None:
        self._plans = plans
        self.digests = list(digests)
        self._kept = [plans.known(digest) for digest in digests]

    def reference(self, value: Interned) -> int:
        kept = self._plans.of(value)
        if kept.digest not in self.digests:
            self.digests.append(kept.digest)
            self._kept.append(kept)
        return self.digests.index(kept.digest)

    def value(self, kind: type[Interned], reference: int) -> Interned:
        kept = self._kept[reference] if 0 <= reference < len(self._kept) else None
        if kept is None:
            raise NotAuthentic(f"{PLANS}/{self.digests[reference] if reference < len(self.digests) else reference}")
        if kept.value is None:
            self._plans.give(kept, read_text(kind, kept.text))
        if not isinstance(kept.value, kind):
            raise NotAuthentic(f"{PLANS}/{kept.digest}")
        return kept.value


def _digest(text: str) -> str:
    """It begins with a letter, as an `_id` must not begin like a date."""
    return "p" + base64url.encode(hashlib.sha256(text.encode()).digest()[:DIGEST_BYTES])
