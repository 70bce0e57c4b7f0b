"""Letters of other nodes in the store: sealed, insert-only, never deleted, each `waiting` until it is `settled`.

Each stands under its sender and its id, for no sender can take the ids of another.
What cannot be settled is in `attention` with its reason, until its sender lets it be judged anew or annuls it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from server.crypto.fields import FieldRing
from server.domain.apart import Found
from server.domain.exchange.letters import Letter, says_the_same, unique_id
from server.domain.exchange.log import BESIDE, KeptLetter, LetterLabel, Position, Standing
from server.domain.values import moment_key
from server.store.database import Database, Document, Fields, Mark, is_safe
from server.store.exchange.labels import label_of
from server.store.keys import keys_between
from server.store.queries import BAR, LETTERS_WAITING, under
from server.store.reading import read_each
from server.store.sealing import is_erased_letter, letter_text, opened_letter
from server.store.unproven import is_proven

IN = "letters_in"
MOST_WAITING = 500
MOST_KEYS = 100_000
WAITING: Standing = "waiting"
SETTLED: Standing = "settled"
ATTENTION: Standing = "attention"
ANNULLED: Standing = "annulled"
CONFLICT = "letter_conflict"


class LettersIn:
    """What came in; every mark may be repeated without harm."""

    def __init__(self, database: Database, ring: FieldRing) -> None:
        self._database = database
        self._ring = ring

    async def keep(
        self, letters: Sequence[Document], *, sender: str, at: datetime, position: Position, first: int = 0
    ) -> list[Letter]:
        """Spread the sealed letters of a batch, to be settled in the order of the log; those kept before stay.

        `first` is the index in the batch of the first of them.

        Answers those whose id was kept with other bytes: each stands in attention under an `_id` of its own.
        """
        documents = [
            _arrived(letter, sender, at, place=(*position, index)) for index, letter in enumerate(letters, first)
        ]
        if not documents:
            return []
        places = await self._database.insert_many(IN, documents)
        return await self._conflicts([documents[place] for place in sorted(places)]) if places else []

    async def due(self, now: datetime, *, limit: int) -> Found[KeptLetter]:
        """Letters that wait to be settled and whose time has come, in the order of the log."""
        low = WAITING + BAR
        documents = await self._database.between(LETTERS_WAITING, low, low + moment_key(now) + "}", limit=limit)
        return read_each(documents, self._kept)

    async def may_wait(self, about: str) -> bool:
        """Whether a letter about this (`kind:name`) waits to be settled; also if too many wait to look at them all."""
        documents = await self._database.between(LETTERS_WAITING, *under(WAITING), limit=MOST_WAITING)
        return len(documents) == MOST_WAITING or any(_may_be_about(document, about) for document in documents)

    async def listed(self, state: Standing, *, limit: int, sender: str = "") -> list[LetterLabel]:
        """What stands outside of letters in this state; `sender` (or any) does not go with those that wait."""
        parts = (state, sender) if sender else (state,)
        documents = await self._database.between(LETTERS_WAITING, *under(*parts), limit=limit)
        return [self._label(document) for document in documents]

    async def labels(self, ids: Sequence[str]) -> list[LetterLabel]:
        """What stands outside of those of these letters (unique ids, which come from outside) that have come in."""
        found = await self._database.get_many(IN, [id for id in ids if is_safe(id)])
        return [self._label(document) for document in found.values()]

    async def in_attention(self, *, limit: int, sender: str = "") -> Found[KeptLetter]:
        """Letters (of this node, or of any) that could not be settled, with the reason."""
        parts = (ATTENTION, sender) if sender else (ATTENTION,)
        documents = await self._database.between(LETTERS_WAITING, *under(*parts), limit=limit)
        return read_each(documents, self._kept)

    async def positions(self, state: Standing, sender: str, *, most: int = MOST_KEYS) -> list[Position]:
        """The batches of the letters of this node that are in this state, as their keys tell, one for each letter.

        For a state other than `settled`, in which few letters stand; of all that wait here `most` are looked at.
        """
        bounds = under(WAITING) if state == WAITING else under(state, sender)
        keys = await keys_between(self._database, LETTERS_WAITING, bounds, most=most)
        told = [_peer_and_place(key.split(BAR)) for key in keys]
        return sorted(_position(place) for peer, place in told if peer == sender)

    async def kept(self, ids: Sequence[str]) -> Mapping[str, KeptLetter]:
        """Those of these letters that have come in, by their unique ids, which come from outside."""
        found = await self._database.get_many(IN, [id for id in ids if is_safe(id)])
        return {id: self._kept(document) for id, document in found.items()}

    async def released(self, ids: Iterable[str]) -> frozenset[str]:
        """Those of these letters (unique ids) that hold nothing up any more: settled or annulled."""
        found = await self._database.get_many(IN, list(ids))
        return frozenset(id for id, document in found.items() if document["state"] in (SETTLED, ANNULLED))

    async def mark_settled(self, letters: Iterable[KeptLetter], *, ignored: Mapping[str, str] = {}) -> None:
        """The letters' acts are done, or nothing remained to be done; `ignored` tells by id why one was ignored."""
        await self._database.mark_many(IN, [_move(each, SETTLED, ignored.get(each.id, "")) for each in letters])

    async def mark_attention(self, kept: KeptLetter, *, reason: str) -> None:
        """The letter cannot be settled, for this reason."""
        await self._database.mark_many(IN, [_move(kept, ATTENTION, reason)])

    async def mark_annulled(self, kept: KeptLetter) -> None:
        """The sender wants no effect of this letter, which stood in attention."""
        await self._database.mark_many(IN, [_move(kept, ANNULLED, kept.reason)])

    async def retry(self, kept: KeptLetter, *, at: datetime) -> None:
        """The sender wants this letter, which stands in attention, to be judged anew."""
        again: Fields = {"tries": 0, "round": kept.round + 1}
        await self._database.mark_many(IN, [_waiting(kept, at, "", more=again)])

    async def postpone(self, kept: KeptLetter, *, until: datetime, reason: str) -> None:
        """The letter waits on something else, and is looked at again then."""
        await self._database.mark_many(IN, [_waiting(kept, until, reason, more={"tries": kept.tries + 1})])

    async def _conflicts(self, again: Sequence[Document]) -> list[Letter]:
        """Those of the letters whose bytes are not those that were kept under their ids."""
        first = await self._database.get_many(IN, [document["_id"] for document in again])
        conflicts = []
        for document in again:
            before = first[document["_id"]]
            if is_erased_letter(before) or is_erased_letter(document):  # what it said is not known any more
                continue
            text = letter_text(document, self._ring)
            if letter_text(before, self._ring) == text:
                continue
            letter = opened_letter(document, self._ring)
            if not says_the_same(opened_letter(before, self._ring), letter):
                conflicts.append(letter)
                await self._database.insert_many(IN, [_kept_as(document, text)])
        return conflicts

    def _label(self, document: Document) -> LetterLabel:
        return label_of(document, self._ring, peer="from", number="number")

    def _kept(self, document: Document) -> KeptLetter:
        return KeptLetter(
            letter=opened_letter(document, self._ring),
            state=document["state"],
            reason=document["reason"],
            version=document["version"],
            tries=document["tries"],
            round=document["round"],
            position=Position(document["stream"], document["number"]),
            index=document["index"],
            id=document["_id"],
        )


def _arrived(letter: Document, sender: str, at: datetime, *, place: tuple[int, int, int]) -> Document:
    """A sealed letter as it waits to be settled."""
    id = unique_id(sender, letter["_id"])
    stream, number, index = place
    return {
        **letter,
        **{"_id": id, "from": sender, "stream": stream, "number": number, "index": index},
        **{"key": _waiting_key(at, sender, place, id=id), "state": WAITING},
        **{"reason": "", "version": 1, "tries": 0, "round": 0},
    }


def _kept_as(document: Document, text: bytes) -> Document:
    """The letter as it is kept beside the one whose id it has."""
    id = f"{document['_id']}{BESIDE}{sha256(text).hexdigest()[:16]}"
    place = (document["stream"], document["number"], document["index"])
    return {**document, "_id": id, "key": _key(ATTENTION, document["from"], place, id=id)} | {
        "state": ATTENTION,
        "reason": CONFLICT,
    }


def _may_be_about(document: Document, about: str) -> bool:
    """What is not ours as it stands may have been about anything."""
    return not is_proven(document) or bool(document["about"] == about)


def _move(kept: KeptLetter, state: Standing, reason: str) -> Mark:
    key = _key(state, kept.letter.sender, (*kept.position, kept.index), id=kept.id)
    return Mark(kept.id, {"key": key, "state": state, "reason": reason, "version": kept.version + 1}, kept.version)


def _waiting(kept: KeptLetter, until: datetime, reason: str, *, more: Fields) -> Mark:
    key = _waiting_key(until, kept.letter.sender, (*kept.position, kept.index), id=kept.id)
    fields: Fields = {"key": key, "state": WAITING, "reason": reason, "version": kept.version + 1}
    return Mark(kept.id, {**fields, **more}, kept.version)


def _waiting_key(at: datetime, sender: str, place: tuple[int, int, int], *, id: str) -> str:
    return BAR.join((WAITING, moment_key(at), _place(place), sender, id))


def _key(state: Standing, sender: str, place: tuple[int, int, int], *, id: str) -> str:
    return BAR.join((state, sender, _place(place), id))


def _place(place: tuple[int, int, int]) -> str:
    """Where a letter stands in the sender's log, so that it sorts: stream, number of the batch, index in it."""
    stream, number, index = place
    return f"{stream:06d}-{number:012d}-{index:04d}"


def _position(place: str) -> Position:
    stream, number, _ = place.split("-")
    return Position(int(stream), int(number))


def _peer_and_place(parts: Sequence[str]) -> tuple[str, str]:
    """Both as a key tells them."""
    return (parts[3], parts[2]) if parts[0] == WAITING else (parts[1], parts[2])
