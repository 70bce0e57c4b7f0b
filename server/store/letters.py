"""Letters in the store: those that go out and those that came in, sealed, insert-only, never deleted.

An outgoing letter is `unlogged` until it stands in a batch, then `logged`; it becomes `dead` only when the other node
has refused it by letter. An incoming one is `waiting` until it is `settled`; what cannot be settled is in `attention`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from server.crypto.fields import FieldRing
from server.domain.exchange import KeptLetter
from server.domain.letters import Letter
from server.domain.names import moment_key
from server.store.database import Database, Document, Duplicate, Fields, Mark
from server.store.queries import BAR, LETTERS_DEAD, LETTERS_TO_LOG, LETTERS_WAITING, under
from server.store.sealing import opened_letter, sealed_letter

OUT = "letters_out"
IN = "letters_in"
UNLOGGED, LOGGED, DEAD = 1, 2, 3
MOST_WAITING = 500
UNLOGGED_KEY, DEAD_KEY = "unlogged", "dead"
WAITING, SETTLED, ATTENTION = "waiting", "settled", "attention"


class Letters:
    """Both directions; every mark may be repeated without harm."""

    def __init__(self, database: Database, ring: FieldRing) -> None:
        self._database = database
        self._ring = ring

    async def put(self, letter: Document) -> None:
        """Put a sealed letter among those to send, unless it is there already."""
        key = BAR.join((UNLOGGED_KEY, letter["to"], letter["at"], letter["_id"]))
        try:
            await self._database.insert(OUT, {**letter, "key": key, "version": UNLOGGED, "entry": 0, "reason": ""})
        except Duplicate:
            return

    async def answer(self, letter: Letter) -> None:
        """Put a letter without a case (such as `letter.refused`) among those to send."""
        await self.put(sealed_letter(letter, self._ring.new_key(letter.id), context=letter.id))

    async def to_log(self, peer: str, *, limit: int) -> list[Letter]:
        """Letters to this node that stand in no batch yet, oldest first."""
        documents = await self._database.between(LETTERS_TO_LOG, *under(UNLOGGED_KEY, peer), limit=limit)
        return [opened_letter(document, self._ring) for document in documents]

    async def destinations(self) -> list[str]:
        """The nodes to which letters wait that stand in no batch yet; one read for each, and one more."""
        found: list[str] = []
        low, high = under(UNLOGGED_KEY)
        while documents := await self._database.between(LETTERS_TO_LOG, low, high, limit=1):
            found.append(documents[0]["to"])
            _, low = under(UNLOGGED_KEY, found[-1])
        return found

    async def mark_logged(self, peer: str, ids: Sequence[str], entry: int) -> None:
        """These letters stand in the batch of this number."""
        fields: Fields = {
            "key": BAR.join(("logged", peer, f"n{entry:012d}")),
            "entry": entry,
            "version": LOGGED,
        }
        await self._database.mark_many(OUT, [Mark(id, fields, UNLOGGED) for id in ids])

    async def mark_dead(self, peer: str, id: str, *, reason: str) -> bool:
        """The other node refused this letter of ours; False if there is no such letter to it, or it is dead already."""
        document = await self._database.get(OUT, id)
        if document is None or document["to"] != peer or document["version"] == DEAD:
            return False
        fields: Fields = {
            "key": BAR.join((DEAD_KEY, peer, document["at"])),
            "reason": reason,
            "version": DEAD,
        }
        return await self._database.mark(OUT, Mark(id, fields, document["version"]))

    async def dead(self, peer: str, *, limit: int) -> list[Document]:
        """Letters of ours that this node refused, with the reason; still sealed."""
        return await self._database.between(LETTERS_DEAD, *under(DEAD_KEY, peer), limit=limit)

    async def sent(self, ids: Sequence[str]) -> list[Letter]:
        """Letters of ours by their ids, in that order."""
        found = await self._database.get_many(OUT, ids)
        return [opened_letter(found[id], self._ring) for id in ids]

    async def keep(self, letters: Sequence[Document], *, sender: str, at: datetime, number: int) -> None:
        """Spread the sealed letters of a batch, to be settled in the order of the log; those kept before stay."""
        documents = [
            {
                **letter,
                "from": sender,
                "key": BAR.join((WAITING, moment_key(at), f"{number:012d}", f"{index:04d}")),
                "state": WAITING,
                "reason": "",
                "version": 1,
                "tries": 0,
            }
            for index, letter in enumerate(letters)
        ]
        if documents:
            await self._database.insert_many(IN, documents)

    async def due(self, now: datetime, *, limit: int) -> list[KeptLetter]:
        """Letters that wait to be settled and whose time has come, in the order of the log."""
        low = WAITING + BAR
        documents = await self._database.between(LETTERS_WAITING, low, low + moment_key(now) + "}", limit=limit)
        return [self._kept(document) for document in documents]

    async def may_wait(self, case: str) -> bool:
        """Whether a letter about this case waits to be settled; also if too many wait to look at them all."""
        documents = await self._database.between(LETTERS_WAITING, *under(WAITING), limit=MOST_WAITING)
        return len(documents) == MOST_WAITING or any(document["case"] == case for document in documents)

    async def in_attention(self, *, limit: int) -> list[KeptLetter]:
        """Letters that could not be settled, with the reason."""
        documents = await self._database.between(LETTERS_WAITING, *under(ATTENTION), limit=limit)
        return [self._kept(document) for document in documents]

    async def kept(self, ids: Sequence[str]) -> Mapping[str, KeptLetter]:
        """Those of these letters that have come in, by id."""
        found = await self._database.get_many(IN, ids)
        return {id: self._kept(document) for id, document in found.items()}

    async def mark_settled(self, kept: KeptLetter) -> None:
        """The letter's act is done, or nothing remained to be done."""
        await self._move(kept, SETTLED, "")

    async def mark_attention(self, kept: KeptLetter, *, reason: str) -> None:
        """The letter cannot be settled, for this reason."""
        await self._move(kept, ATTENTION, reason)

    async def postpone(self, kept: KeptLetter, *, until: datetime, reason: str) -> None:
        """The letter waits on something else, and is looked at again then."""
        key = BAR.join((WAITING, moment_key(until), kept.letter.id))
        fields: Fields = {
            "key": key,
            "reason": reason,
            "version": kept.version + 1,
            "tries": kept.tries + 1,
        }
        await self._database.mark(IN, Mark(kept.letter.id, fields, kept.version))

    async def _move(self, kept: KeptLetter, state: str, reason: str) -> None:
        key = BAR.join((state, kept.letter.id))
        fields: Fields = {"key": key, "state": state, "reason": reason, "version": kept.version + 1}
        await self._database.mark(IN, Mark(kept.letter.id, fields, kept.version))

    def _kept(self, document: Document) -> KeptLetter:
        return KeptLetter(
            letter=opened_letter(document, self._ring),
            state=document["state"],
            reason=document["reason"],
            version=document["version"],
            tries=document["tries"],
        )
