"""A node with nothing but a store, a clock and a log, on which the audit is chained and verified."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from server.crypto.keyring import NodeKeys
from server.domain.audit import AuditKind
from server.node import Node
from server.store.audit_chain import AUDIT
from server.store.store import open_store
from server.tools.logs import log
from server.tools.metrics import Metrics
from tests.nodes import HandClock
from tests.world import JIANGSU

READ: AuditKind = "case.read"


def node_on(database: Any, keys: NodeKeys, folder: Path, *, process: int = 1) -> Node:
    """A process of `work`, as far as the audit needs one."""
    store = open_store(database, keys, folder, here=JIANGSU, relay_due_seconds=5.0)
    settings = SimpleNamespace(work_port=process, audit_keep_days=184)
    chance = SimpleNamespace(token=bytes)
    one = {"store": store, "settings": settings, "clock": HandClock(), "log": log, "metrics": Metrics()}
    return SimpleNamespace(**one, chance=chance, keys=keys, here=JIANGSU)  # type: ignore[return-value]


async def note(node: Node, *names: str, officer: str = "ann") -> None:
    """One entry for each name, each a second after the one before."""
    for name in names:
        node.clock.wait(seconds=1)  # type: ignore[attr-defined]
        await node.store.audit.note(name, READ, at=node.clock.now(), about={"officer": officer, "case": f"1/{name}"})


def later(node: Node, **span: float) -> None:
    """Move on: what still waits should be chained by now."""
    node.clock.wait(**(span or {"minutes": 2}))  # type: ignore[attr-defined]


def id_of(name: str) -> str:
    """The id of an entry in the database."""
    return f"{AUDIT}:{name}"
