"""Letters about one thing: found by it, and erased with it where they lie, out or in."""

from datetime import datetime

from server.domain.errors import StaleVersion
from server.domain.exchange.letters import CASE
from server.domain.exchange.log import LetterLabel
from server.store.database import Database, Document, Query
from server.store.exchange.labels import label_of
from server.store.queries import LETTERS_IN_ABOUT, LETTERS_OUT_ABOUT
from server.store.sealing import erased_letter, is_erased_letter

MOST_ABOUT = 10_000


class TooManyLetters(ValueError):
    """More letters are about one thing than are read at once."""


class LettersAbout:
    """The letters about a case, or a thing of another kind, by its name, ours and those of others; none is opened."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ours(self, name: str, *, kind: str = CASE) -> list[LetterLabel]:
        """What stands outside of our letters, in no order; raises TooManyLetters."""
        found = await self._all(LETTERS_OUT_ABOUT, name, kind)
        return [label_of(document, None, peer="to", number="entry") for document in found]

    async def theirs(self, name: str, *, kind: str = CASE) -> list[LetterLabel]:
        """What stands outside of the letters of others, in no order; raises TooManyLetters."""
        found = await self._all(LETTERS_IN_ABOUT, name, kind)
        return [label_of(document, None, peer="from", number="number") for document in found]

    async def erase(self, name: str, *, at: datetime, kind: str = CASE) -> None:
        """Erase the texts of all of them; raises StaleVersion if one of them has just moved."""
        for query in (LETTERS_OUT_ABOUT, LETTERS_IN_ABOUT):
            for letter in await self._all(query, name, kind):
                if not is_erased_letter(letter):
                    erased = erased_letter(letter, at=at)
                    if not await self._database.replace(query.collection, erased, version=letter["version"]):
                        raise StaleVersion("有关函件刚刚有新的进展，请重试。")

    async def _all(self, query: Query, name: str, kind: str) -> list[Document]:
        found = await self._database.equal(query, f"{kind}:{name}", limit=MOST_ABOUT)
        if len(found) == MOST_ABOUT:
            raise TooManyLetters(f"{MOST_ABOUT} letters or more are about {name}")
        return found
