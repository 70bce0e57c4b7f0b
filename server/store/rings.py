"""What stands under which key of the two rings, document by document, and the same written anew under the current ones.

A proof names its key, and so does a wrapped key. Both are members of documents; a file has its wrapped key in front.
Whoever changes a document meanwhile changes its proof, and then it is left as it is.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

from server.crypto.fields import FieldRing
from server.domain.errors import NotAuthentic
from server.domain.licence.telling import KNOWN
from server.store.aggregates.links import place_of
from server.store.blobs import Blobs
from server.store.cases.case_documents import CASES
from server.store.cases.drafts import DRAFTS
from server.store.cases.materials import MATERIALS
from server.store.cases.visits import VISITS
from server.store.database import Document, Renewal
from server.store.effects.claims import CLAIMS
from server.store.effects.fetches import FETCHES
from server.store.exchange.exchange import LOG
from server.store.exchange.letters_in import IN
from server.store.exchange.letters_out import OUT
from server.store.licences.licences import LICENCES
from server.store.licences.showings import SHOWINGS
from server.store.licences.uses import USES
from server.store.people.accounts import OFFICERS
from server.store.people.mandates import MANDATES
from server.store.people.people import PERSONS, SESSIONS
from server.store.proven import PROOF, ProvenDatabase
from server.store.reading import read_each
from server.store.trust import TRUST

FILES = "files"


@dataclass(frozen=True)
class Place:
    """Where a wrapped key stands: as `member` of what is `within` the document, bound to what `context` finds there."""

    context: Callable[[Mapping[str, Any]], str]
    member: str = "data_key"
    within: tuple[str, ...] = ()


_OWN, _LETTER, _FETCH, _ISSUE = map(itemgetter, ("_id", "context", "name", "act_id"))


def _of_aggregates(collection: str) -> tuple[Place, ...]:
    """The keys of an aggregate, and of the effects that wait in it."""
    own = Place(lambda document: place_of(collection, document["_id"]), member="key")
    within = (("letter", _LETTER), ("fetch", _FETCH), ("issue", _ISSUE))
    return (own, *(Place(context, within=("effects", effect)) for effect, context in within))


WRAPPED: Mapping[str, tuple[Place, ...]] = {
    CASES: _of_aggregates(CASES),
    LICENCES: _of_aggregates(LICENCES),
    LOG: (Place(_LETTER, within=("letters",)),),
    OFFICERS: (Place(_OWN, member="totp_key"),),
    FETCHES: (Place(_FETCH),),
    **dict.fromkeys((IN, OUT), (Place(_LETTER),)),
    **dict.fromkeys((CLAIMS, DRAFTS, KNOWN, MANDATES, MATERIALS, PERSONS, SESSIONS, VISITS), (Place(_OWN),)),
    **dict.fromkeys((SHOWINGS, USES), (Place(_OWN),)),
}


class RoomSeen(NamedTuple):
    """Some documents or files: how many stand under which key (`fields:<key id>`), which are broken, and what is to be
    done so that the others stand under the current keys.
    """

    number: int
    under: Counter[str]
    broken: Sequence[str]
    old: Sequence[Renewal | str]


class Rings:
    """Everything that stands under a key of a ring: collections, by name, and `files`."""

    def __init__(self, database: ProvenDatabase, ring: FieldRing, blobs: Blobs) -> None:
        self._database = database
        self._ring = ring
        self._blobs = blobs
        self.rooms = (*sorted(name for name, trust in TRUST.items() if trust.means == "proof"), FILES)

    async def seen(self, room: str, *, at_once: int) -> AsyncIterator[RoomSeen]:
        """What stands in a room, so many documents or one folder of files at once."""
        if room == FILES:
            async for addresses in self._blobs.folders():
                yield self._files(await self._blobs.key_ids(addresses))
            return
        after = ""
        while page := await self._database.bare.walk(room, after, limit=at_once):
            yield self._documents(room, page)
            after = page[-1]["_id"]

    async def renew(self, room: str, seen: RoomSeen) -> int:
        """Write anew what is old of it; answers how many were: what has changed since stays as it is."""
        if room == FILES:
            return await self._blobs.rewrap([each for each in seen.old if isinstance(each, str)])
        renewals = [each for each in seen.old if isinstance(each, Renewal)]
        return await self._database.bare.renew_many(room, renewals)

    def _files(self, key_ids: Mapping[str, str]) -> RoomSeen:
        known = {address: id for address, id in key_ids.items() if id in self._ring.keys}
        old = [address for address, id in known.items() if id != self._ring.current]
        under = Counter(f"fields:{id}" for id in known.values())
        return RoomSeen(len(key_ids), under, sorted(key_ids.keys() - known.keys()), old)

    def _documents(self, collection: str, page: Sequence[Document]) -> RoomSeen:
        looked_at = read_each(page, partial(self._look, collection))
        under = Counter(name for names, _ in looked_at for name in names)
        old = [renewal for _, renewal in looked_at if renewal.members]
        return RoomSeen(len(page), under, sorted(looked_at.unreadable), old)

    def _look(self, collection: str, document: Document) -> tuple[set[str], Renewal]:
        """The keys under which a document stands, and what is to be changed; raises what is wrong with a broken one."""
        if not self._database.is_ours(collection, document):
            raise NotAuthentic(f"{collection}/{document['_id']}")
        return self._names(document), self._renewal(collection, document)

    def _names(self, document: Document) -> set[str]:
        """The keys under which a document of ours stands, wherever they are named."""
        wrapping = {f"fields:{id}" for text in _texts(document) if (id := self._ring.key_of(text))}
        return {f"integrity:{document[PROOF].partition('.')[0]}", *wrapping}

    def _renewal(self, collection: str, document: Document) -> Renewal:
        """What is to be changed; nothing if all is current. Raises SealBroken for a key that does not unwrap."""
        places = WRAPPED.get(collection, ())
        tops = {(*each.within, each.member)[0] for each in places}
        fresh = {**document, **deepcopy({name: document[name] for name in tops & document.keys()})}
        for place in places:
            for holder in _holders(fresh, place.within):
                if wrapped := holder.get(place.member):
                    holder[place.member] = self._ring.rewrapped(wrapped, place.context(holder))
        fresh[PROOF] = self._database.proof_of(collection, fresh)
        members = {name: value for name, value in fresh.items() if value != document[name]}
        return Renewal(document["_id"], document[PROOF], members)


def _holders(value: Any, within: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What is within a document, and in each place of its lists."""
    if isinstance(value, list):
        for each in value:
            yield from _holders(each, within)
    elif isinstance(value, dict) and not within:
        yield value
    elif isinstance(value, dict) and within[0] in value:
        yield from _holders(value[within[0]], within[1:])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
