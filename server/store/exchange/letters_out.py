"""Letters of ours in the store: sealed, insert-only, never deleted.

A letter is `unlogged` until it stands in a batch, then `logged`. It becomes `dead` only when the other node has refused
it by letter; then an operator lets it be judged anew (`logged` again) or annuls it.
"""

from collections.abc import Sequence
from datetime import datetime

from server.crypto.fields import FieldRing
from server.domain.apart import Found
from server.domain.exchange.letters import Letter
from server.domain.exchange.log import STREAM, LetterLabel, Position, SentLetter, Written
from server.domain.values import moment_of_key
from server.store.database import Database, Document, Fields, Mark, is_safe
from server.store.exchange.labels import label_of
from server.store.keys import keys_between
from server.store.queries import BAR, LETTERS_DEAD, LETTERS_TO_LOG, under
from server.store.reading import read_each
from server.store.sealing import letter_text, opened_letter, sealed_letter

OUT = "letters_out"
UNLOGGED, LOGGED, DEAD, ANNULLED = "unlogged", "logged", "dead", "annulled"
NEW = 1
AFTERLIFE = 1_000_000  # versions from here on are those of letters that were refused once


class LettersOut:
    """What goes out; every mark may be repeated without harm.

    The version of a letter follows the stream: in stream s it is 2s - 1 while unlogged and 2s when logged (a new
    letter has 1 in any stream). So a courier of an earlier stream, however late, marks nothing of a later one.
    """

    def __init__(self, database: Database, ring: FieldRing) -> None:
        self._database = database
        self._ring = ring

    async def put(self, *letters: Document) -> None:
        """Put sealed letters among those to send, except those that are there already."""
        fresh = {"state": UNLOGGED, "version": NEW, "stream": 0, "entry": 0, "reason": "", "round": 0}
        documents = [{**letter, **fresh, "key": _unlogged_key(letter)} for letter in letters]
        if documents:
            await self._database.insert_many(OUT, documents)

    async def answer(self, letter: Letter) -> None:
        """Put a letter without a case (such as `letter.refused`) among those to send."""
        await self.put(sealed_letter(letter, self._ring.new_key(letter.id), context=letter.id))

    async def to_log(self, peer: str, *, limit: int) -> Found[Written]:
        """Letters to this node that stand in no batch yet, oldest first."""
        documents = await self._database.between(LETTERS_TO_LOG, *under(UNLOGGED, peer), limit=limit)
        return read_each(documents, self._text)

    async def destinations(self) -> list[str]:
        """The nodes to which letters wait that stand in no batch yet; one read for each, and one more."""
        found: list[str] = []
        low, high = under(UNLOGGED)
        while keys := await self._database.keys(LETTERS_TO_LOG, low, high, limit=1):
            found.append(keys[0].split(BAR, 2)[1])
            _, low = under(UNLOGGED, found[-1])
        return found

    async def backlog(self, peer: str, *, most: int) -> int:
        """How many letters to this node stand in no batch yet, counted up to `most`."""
        return len(await keys_between(self._database, LETTERS_TO_LOG, under(UNLOGGED, peer), most=most))

    async def oldest_unlogged(self, peer: str) -> datetime | None:
        """When the oldest letter to this node was written that stands in no batch yet."""
        keys = await self._database.keys(LETTERS_TO_LOG, *under(UNLOGGED, peer), limit=1)
        return moment_of_key(keys[0].split(BAR)[2]) if keys else None

    async def count_dead(self, peer: str, *, most: int) -> int:
        """How many letters of ours this node has refused that nothing was done about yet, counted up to `most`."""
        return len(await keys_between(self._database, LETTERS_DEAD, under(DEAD, peer), most=most))

    async def mark_logged(self, peer: str, ids: Sequence[str], position: Position) -> None:
        """These letters stand in the batch of this position."""
        fields: Fields = {
            "state": LOGGED,
            "key": BAR.join((LOGGED, peer, f"n{position.stream:06d}-{position.number:012d}")),
            "stream": position.stream,
            "entry": position.number,
            "version": 2 * position.stream,
        }
        unlogged = dict.fromkeys((NEW, 2 * position.stream - 1))
        await self._database.mark_many(OUT, [Mark(id, fields, version) for id in ids for version in unlogged])

    async def requeue(self, ids: Sequence[str], stream: int) -> None:
        """These letters, which the peer never receipted, are to stand in a batch of this new stream."""
        found = await self._database.get_many(OUT, ids)
        unlogged = 2 * stream - 1
        marks = [
            Mark(
                id,
                {"state": UNLOGGED, "key": _unlogged_key(each), "stream": 0, "entry": 0, "version": unlogged},
                each["version"],
            )
            for id, each in found.items()
            if each["version"] < unlogged
        ]
        await self._database.mark_many(OUT, marks)

    async def written(self, ids: Sequence[str]) -> list[Written]:
        """Letters of ours by their ids, in that order."""
        found = await self._database.get_many(OUT, ids)
        return [self._text(found[id]) for id in ids]

    async def letter(self, id: str) -> SentLetter | None:
        """One letter of ours with its state; ids come from outside."""
        document = await self._database.get(OUT, id) if is_safe(id) else None
        return self._sent(document) if document else None

    async def label(self, id: str) -> LetterLabel | None:
        """What stands outside of one letter of ours; ids come from outside."""
        return next(iter(await self.labels([id])), None)

    async def labels(self, ids: Sequence[str]) -> list[LetterLabel]:
        """What stands outside of those of these letters of ours that are there; ids come from outside."""
        found = await self._database.get_many(OUT, [id for id in ids if is_safe(id)])
        return [self._label(document) for document in found.values()]

    async def dead(self, *, limit: int, peer: str = "") -> list[LetterLabel]:
        """Letters of ours that this node (or any) has refused, with the reason, oldest first for each node."""
        parts = (DEAD, peer) if peer else (DEAD,)
        documents = await self._database.between(LETTERS_DEAD, *under(*parts), limit=limit)
        return [self._label(document) for document in documents]

    async def mark_dead(self, id: str, *, reason: str, round: int) -> bool:
        """The other node refused this letter of ours in this round; False if it is over with, or judged anew since."""
        document = await self._database.get(OUT, id)
        if document is None or document["state"] == ANNULLED or round < document["round"]:
            return False
        if document["state"] == DEAD and document["round"] == round:
            return True
        key = BAR.join((DEAD, document["to"], document["at"], id))
        return await self._move(document, state=DEAD, key=key, reason=reason, round=round)

    async def mark_retried(self, id: str) -> bool:
        """A dead letter is to be judged anew; False if it is not dead."""
        document = await self._database.get(OUT, id)
        if document is None or document["state"] != DEAD:
            return False
        key = BAR.join((LOGGED, document["to"], f"n{document['stream']:06d}-{document['entry']:012d}"))
        return await self._move(document, state=LOGGED, key=key, round=document["round"] + 1)

    async def mark_annulled(self, id: str) -> bool:
        """A dead letter shall have no effect; False if it is not dead."""
        document = await self._database.get(OUT, id)
        if document is None or document["state"] != DEAD:
            return False
        return await self._move(document, state=ANNULLED, key=BAR.join((ANNULLED, document["to"], document["at"], id)))

    async def _move(self, document: Document, **fields: str | int) -> bool:
        version = max(document["version"], AFTERLIFE) + 1
        return await self._database.mark(
            OUT, Mark(document["_id"], {**fields, "version": version}, document["version"])
        )

    def _text(self, document: Document) -> Written:
        return Written(document["_id"], moment_of_key(document["at"]), letter_text(document, self._ring))

    def _label(self, document: Document) -> LetterLabel:
        return label_of(document, self._ring, peer="to", number="entry")

    def _sent(self, document: Document) -> SentLetter:
        return SentLetter(
            letter=opened_letter(document, self._ring),
            state=document["state"],
            position=Position(document["stream"] or STREAM, document["entry"]),
            reason=document["reason"],
            round=document["round"],
        )


def _unlogged_key(letter: Document) -> str:
    return BAR.join((UNLOGGED, letter["to"], letter["at"], letter["_id"]))
