"""Fetches in the store: what is still to come from other nodes, how far each content has come, and its parts, sealed.

A fetch is `due` until it has `ended`; a worker that takes one puts it off for a while, so that no second one takes it
at the same time. Twice would do no harm: a part is kept under a name of its own, and only the whole counts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from server.crypto.fields import DataKey, FieldRing
from server.domain.apart import Found
from server.domain.case.case import Offered
from server.domain.case.fetches import Fetch, KeptFetch
from server.domain.values import moment_key
from server.store.blobs import Blobs
from server.store.database import Database, Document, Fields, Mark
from server.store.members import known, read_text
from server.store.queries import BAR, FETCHES_DUE, FETCHES_OF_STEP
from server.store.reading import read_each

FETCHES = "fetches"
DUE, ENDED = "due", "ended"
MOST_OF_STEP = 200
MOST_BROUGHT = 200


class Fetches:
    """One document for each content of each event that asks for one, insert-only but for its marks."""

    def __init__(self, database: Database, ring: FieldRing, blobs: Blobs) -> None:
        self._database = database
        self._ring = ring
        self._blobs = blobs

    async def put(self, *fetches: Mapping[str, Any]) -> None:
        """Note what `sealed_fetch` wrote, each content by itself, unless it is noted already."""
        await self._database.insert_many(FETCHES, [each for fetch in fetches for each in _documents(fetch)])

    async def due(self, node: str, now: datetime, *, limit: int) -> Found[KeptFetch]:
        """What is to be fetched from this node now, the longest due first."""
        low, high = BAR.join((DUE, node, "t")), BAR.join((DUE, node, moment_key(now), "~"))
        return read_each(await self._database.between(FETCHES_DUE, low, high, limit=limit), self._kept)

    async def of_step(self, case: str, step: str) -> list[KeptFetch]:
        """All that was ever to be fetched for a step, in no order."""
        found = await self._database.equal(FETCHES_OF_STEP, f"{case}:{step}", limit=MOST_OF_STEP)
        return [self._kept(document) for document in found]

    async def forget(self, fetches: Iterable[KeptFetch]) -> None:
        """Delete these fetches, which have ended."""
        await self._database.delete(FETCHES, [fetch.id for fetch in fetches])

    async def take(self, fetch: KeptFetch, *, until: datetime) -> bool:
        """Claim a fetch for this worker until this moment; False if another worker was first."""
        fields: Fields = {"key": _due(fetch, until), "version": fetch.version + 1}
        return await self._database.mark(FETCHES, Mark(fetch.id, fields, fetch.version))

    async def keep_part(self, fetch: KeptFetch, part: bytes, *, address: str, kept: int) -> None:
        """Keep a part; with it so many bytes are here, from the beginning on."""
        await self._blobs.put(address, part)
        await self._database.mark(FETCHES, Mark(fetch.id, {"kept": kept}))

    async def whole(self, addresses: Sequence[str]) -> bytes:
        """The parts together; raises NoSuchBlob."""
        return b"".join([await self._blobs.get(address) for address in addresses])

    async def begin_anew(self, fetch: KeptFetch, addresses: Sequence[str]) -> None:
        """Throw all parts away."""
        await self._database.mark(FETCHES, Mark(fetch.id, {"kept": 0, "thrown_away": fetch.thrown_away + 1}))
        await self._blobs.remove(addresses)

    async def postpone(self, fetch: KeptFetch, *, until: datetime, reason: str) -> None:
        """An attempt failed; the next is at this moment."""
        fields: Fields = {"key": _due(fetch, until), "failures": fetch.failures + 1, "reason": reason}
        await self._database.mark(FETCHES, Mark(fetch.id, fields))

    async def bring_forward(self, node: str, now: datetime) -> None:
        """Whatever is to be fetched from this node later is due now."""
        low, high = BAR.join((DUE, node, moment_key(now), "~")), BAR.join((DUE, node, "u"))
        while waiting := await self._database.between(FETCHES_DUE, low, high, limit=MOST_BROUGHT):
            await self._database.mark_many(FETCHES, [_brought_forward(each, now) for each in waiting])

    async def finish(self, fetch: KeptFetch, addresses: Sequence[str], *, outcome: str) -> None:
        """Nothing more is to be fetched; its parts are not needed any more."""
        await self._database.mark(FETCHES, Mark(fetch.id, {"key": ENDED, "outcome": outcome, "reason": ""}))
        await self._blobs.remove(addresses)

    def _kept(self, document: Document) -> KeptFetch:
        key = self._ring.key(document["data_key"], document["name"])
        content = read_text(Offered, key.open(document["content"], _place(document)))
        return KeptFetch(**known(KeptFetch, document) | {"id": document["_id"], "content": content})


def _documents(fetch: Mapping[str, Any]) -> Iterator[Document]:
    asked = {name: told for name, told in fetch.items() if name not in ("contents", "at")}
    counts = {"kept": 0, "failures": 0, "thrown_away": 0, "outcome": "", "reason": "", "version": 1}
    step_key = f"{fetch['case']}:{fetch['step']}"
    for index, content in enumerate(fetch["contents"]):
        id = f"{step_key}:{fetch['event']}:{index}"
        key = BAR.join((DUE, fetch["node"], fetch["at"], id))
        yield {"_id": id, "key": key, "step_key": step_key, "content": content, **asked, **counts}


def sealed_fetch(fetch: Fetch, key: DataKey) -> dict[str, Any]:
    """A fetch as it waits in its case, whose key seals what it tells of the contents."""
    written: dict[str, Any] = fetch.model_dump(mode="json", exclude={"contents"})
    contents = [
        key.seal(orjson.dumps(each.model_dump(mode="json")).decode(), _place(written)) for each in fetch.contents
    ]
    return {**written, "at": moment_key(fetch.at), "contents": contents, "data_key": key.wrapped}


def _place(document: Mapping[str, Any]) -> str:
    return f"{document['name']}/fetch/{document['step']}/{document['event']}"


def _due(fetch: KeptFetch, at: datetime) -> str:
    return BAR.join((DUE, fetch.node, moment_key(at), fetch.id))


def _brought_forward(document: Document, at: datetime) -> Mark:
    key = BAR.join((DUE, document["node"], moment_key(at), document["_id"]))
    return Mark(document["_id"], {"key": key, "version": document["version"] + 1}, document["version"])
