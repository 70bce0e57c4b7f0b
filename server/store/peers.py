"""What this node remembers of each peer: how far both logs have come, how attempts went, which nonces were used."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from server.domain.exchange import Inbound, Outbound
from server.domain.names import moment_key, moment_of_key
from server.store.database import Database, Document, Duplicate, Mark
from server.store.queries import hour_bucket

PEERS, NONCES = "peers", "nonces"


class Peers:
    """Marks overwrite each other without harm: each field only saves work that the logs can tell anew."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def outbound(self, peer: str) -> Outbound:
        """What is remembered of our way to this peer."""
        return _outbound(await self._database.get(PEERS, f"out:{peer}"))

    async def keep_outbound(self, peer: str, state: Outbound) -> None:
        """Remember it."""
        due = moment_key(state.next_attempt_at) if state.next_attempt_at else ""
        fields = vars(replace(state, next_attempt_at=None)) | {"next_attempt": due}
        del fields["next_attempt_at"]
        await self._keep(f"out:{peer}", fields)

    async def inbound(self, peer: str) -> Inbound:
        """What is remembered of this peer's way to us."""
        return _inbound(await self._database.get(PEERS, f"in:{peer}"))

    async def states(self, peers: Sequence[str]) -> dict[str, tuple[Outbound, Inbound]]:
        """Both ways of all these peers in one read."""
        found = await self._database.get_many(PEERS, [f"{way}:{peer}" for peer in peers for way in ("out", "in")])
        return {peer: (_outbound(found.get(f"out:{peer}")), _inbound(found.get(f"in:{peer}"))) for peer in peers}

    async def keep_inbound(self, peer: str, **fields: int) -> None:
        """Remember these fields of `Inbound`."""
        await self._keep(f"in:{peer}", fields, absent=vars(Inbound()))

    async def owe(self, peer: str, *, until: datetime) -> None:
        """Until this moment the peer is owed our word again and again, up to when our letters are complete."""
        await self._keep(f"owed:{peer}", {"until": moment_key(until)})

    async def is_owed(self, peer: str, now: datetime) -> bool:
        """Whether the peer is owed that word now."""
        document = await self._database.get(PEERS, f"owed:{peer}")
        return document is not None and moment_key(now) < document["until"]

    async def use_nonce(self, key: str, nonce: str, *, until: datetime) -> bool:
        """Whether this nonce was never used under this key; from now on it was."""
        try:
            await self._database.insert(NONCES, {"_id": f"{key}:{nonce}", "bucket": hour_bucket(until)})
        except Duplicate:
            return False
        return True

    async def _keep(
        self, id: str, fields: Mapping[str, int | str], *, absent: Mapping[str, int | str] | None = None
    ) -> None:
        if await self._database.mark(PEERS, Mark(id, fields)):
            return
        try:
            await self._database.insert(PEERS, {"_id": id, **(absent or {}), **fields})
        except Duplicate:
            await self._database.mark(PEERS, Mark(id, fields))


def _outbound(document: Document | None) -> Outbound:
    if document is None:
        return Outbound()
    due = document["next_attempt"]
    return Outbound(
        head=document["head"],
        acknowledged=document["acknowledged"],
        failures=document["failures"],
        next_attempt_at=moment_of_key(due) if due else None,
        reason=document["reason"],
    )


def _inbound(document: Document | None) -> Inbound:
    return Inbound(head=document["head"], spread=document["spread"]) if document else Inbound()
