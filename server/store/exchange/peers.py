"""What this node remembers of each peer: how far both logs have come, how attempts went, which nonces were used."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from server.domain.chains import BEFORE_ALL, CHAINS, ChainHead
from server.domain.errors import StaleVersion
from server.domain.exchange.log import Head, Inbound, Outbound, Position
from server.domain.exchange.reconciliation import Reconciliation
from server.domain.values import moment_key, moment_of_key
from server.store.database import Database, Document, Duplicate, Fields
from server.store.members import read, read_text
from server.store.queries import hour_bucket

PEERS, NONCES, WITNESSED = "peers", "nonces", "witnessed"
MOMENTS = frozenset({"next_attempt_at", "succeeded_at", "failed_at", "kept_at"})
POSITIONS = frozenset({"acknowledged", "spread"})
ATTEMPTS = 5
MOST_CHANGES = 100


class Peers:
    """The state of our way to a peer changes by compare-and-set; the rest only saves work that the logs tell anew."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def outbound(self, peer: str) -> Outbound:
        """What is remembered of our way to this peer."""
        return _outbound(await self._database.get(PEERS, f"out:{peer}"))

    async def take(self, peer: str, before: Outbound, after: Outbound) -> bool:
        """Replace one state by another; False if another process has changed it."""
        written = _written(replace(after, version=before.version + 1))
        return await self._put(PEERS, {**before.beside, "_id": f"out:{peer}", **written}, version=before.version)

    async def change(self, peer: str, change: Callable[[Outbound], Outbound]) -> Outbound:
        """Change the state, whatever it is by now; raises StaleVersion if others are faster again and again."""
        for _ in range(ATTEMPTS):
            before = await self.outbound(peer)
            after = change(before)
            if after == before or await self.take(peer, before, after):
                return after
        raise StaleVersion("节点状态正被其他进程修改，请稍后重试。")

    async def inbound(self, peer: str) -> Inbound:
        """What is remembered of this peer's way to us."""
        return _inbound(await self._database.get(PEERS, f"in:{peer}"))

    async def states(self, peers: Sequence[str]) -> dict[str, tuple[Outbound, Inbound]]:
        """Both ways of all these peers in one read."""
        found = await self._database.get_many(PEERS, [f"{way}:{peer}" for peer in peers for way in ("out", "in")])
        return {peer: (_outbound(found.get(f"out:{peer}")), _inbound(found.get(f"in:{peer}"))) for peer in peers}

    async def keep_inbound(self, peer: str, **fields: Any) -> None:
        """Remember these fields of `Inbound`."""
        changed = {
            name: value for name, value in _written(replace(Inbound(), **fields)).items() if _base(name) in fields
        }
        await self._keep(f"in:{peer}", changed, absent=_written(Inbound()))

    async def want_heartbeat(self, peer: str, *, until: datetime) -> None:
        """Until this moment the peer needs heartbeats: batches, even empty ones, with the watermark of our letters."""
        await self._keep(f"owed:{peer}", {"until": moment_key(until)}, absent={})

    async def wants_heartbeat(self, peer: str, now: datetime) -> bool:
        """Whether the peer needs heartbeats now."""
        document = await self._database.get(PEERS, f"owed:{peer}")
        return document is not None and moment_key(now) < document["until"]

    async def keep_reconciled(self, peer: str, found: Reconciliation) -> None:
        """Remember what the last reconciliation with this peer found."""
        await self._keep(f"reconciled:{peer}", {"report": found.model_dump_json()}, absent={})

    async def reconciled(self, peers: Sequence[str]) -> dict[str, Reconciliation]:
        """What the last reconciliation with each of these found; those never made are left out."""
        found = await self._database.get_many(PEERS, [f"reconciled:{peer}" for peer in peers])
        return {id.partition(":")[2]: read_text(Reconciliation, document["report"]) for id, document in found.items()}

    async def witness(self, peer: str, chain: str, head: ChainHead) -> ChainHead:
        """Keep the head of a chain of this peer's if it is the newest; answers the one that was known before."""
        id = f"{peer}:{chain}"
        for _ in range(ATTEMPTS):
            document = await self._database.get(WITNESSED, id)
            known = read(ChainHead, document) if document else BEFORE_ALL
            if head.number <= known.number:
                return known
            version = document["version"] if document else 0
            told = {"_id": id, "peer": peer, "chain": chain, **vars(head), "version": version + 1}
            if await self._put(WITNESSED, {**(document or {}), **told}, version=version):
                return known
        raise StaleVersion("节点状态正被其他进程修改，请稍后重试。")

    async def witnessed(self, peers: Sequence[str]) -> dict[tuple[str, str], ChainHead]:
        """The newest heads of these peers' chains that they have told, by peer and chain."""
        found = await self._database.get_many(WITNESSED, [f"{peer}:{chain}" for peer in peers for chain in CHAINS])
        return {(each["peer"], each["chain"]): read(ChainHead, each) for each in found.values()}

    async def _put(self, collection: str, document: Document, *, version: int) -> bool:
        """Put it where one of this version stands, or where none does."""
        if version:
            return await self._database.replace(collection, document, version=version)
        try:
            await self._database.insert(collection, document)
        except Duplicate:
            return False
        return True

    async def use_nonce(self, key: str, nonce: str, *, until: datetime) -> bool:
        """Whether this nonce was never used under this key; from now on it was."""
        try:
            await self._database.insert(NONCES, {"_id": f"{key}:{nonce}", "bucket": hour_bucket(until)})
        except Duplicate:
            return False
        return True

    async def _keep(self, id: str, fields: Fields, *, absent: Fields) -> None:
        """Change these fields of a document, whatever else is changed in it meanwhile."""
        for _ in range(MOST_CHANGES):  # whoever is quicker each time has got something done
            document = await self._database.get(PEERS, id)
            if document is None:
                with suppress(Duplicate):
                    await self._database.insert(PEERS, {"_id": id, **absent, **fields, "version": 1})
                    return
            else:
                version = document["version"]
                changed = {**document, **fields, "version": version + 1}
                if await self._database.replace(PEERS, changed, version=version):
                    return
        raise StaleVersion("节点状态正被其他进程修改，请稍后重试。")


def _written(state: Outbound | Inbound) -> Fields:
    """The state as top-level texts and integers, which is all that a mark may change."""
    fields: Fields = {}
    for name, value in vars(state).items():
        if name == "beside":
            continue
        if name in MOMENTS:
            fields[name] = moment_key(value) if value else ""
        elif name in POSITIONS:
            fields |= {name: value.number, f"{name}_stream": value.stream}
        elif name == "theirs":
            told = value.told() if value else Head(0, 0, "").told()
            fields |= {f"theirs_{part}": said for part, said in told.items()}
        else:
            fields[name] = value
    return fields


def _base(name: str) -> str:
    """The field of the state that a written one belongs to."""
    stem = name.removesuffix("_stream")
    return stem if stem in POSITIONS else name


def _read(document: Mapping[str, Any], kind: type[Outbound] | type[Inbound]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name in kind.__dataclass_fields__:
        if name in MOMENTS:
            fields[name] = moment_of_key(document[name]) if document[name] else None
        elif name in POSITIONS:
            fields[name] = Position(document[f"{name}_stream"], document[name])
        elif name == "theirs":
            told = Head(document["theirs_stream"], document["theirs_number"], document["theirs_hash"])
            fields[name] = told if told.stream else None
        elif name in document:  # what was added since it was written is as in a new state
            fields[name] = document[name]
    return fields


def _outbound(document: Document | None) -> Outbound:
    if document is None:
        return Outbound()
    told = _written(Outbound())
    beside = {name: member for name, member in document.items() if name not in told}
    return Outbound(**_read(document, Outbound) | {"beside": beside})


def _inbound(document: Document | None) -> Inbound:
    return Inbound(**_read(document, Inbound)) if document else Inbound()
