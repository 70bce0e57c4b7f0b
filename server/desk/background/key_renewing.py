"""Renewing: everything comes under the current keys of the rings, so that those before them can be taken away."""

from collections import Counter, defaultdict
from collections.abc import Callable

from server.domain.audit import AuditKind, Doer
from server.domain.keys import KeysOfADrill, KeyUse, KeyWalk, NoSuchKey, Ring, check_unused
from server.node import Node

AT_ONCE = 200
MOST_BROKEN = 100
Tell = Callable[[str, int], object]


async def walk(node: Node, *, is_only_told: bool, tell: Tell) -> KeyWalk:
    """Write everything anew that is not under the current keys, or only count it; `tell` hears how far it is.

    It does what is left when it runs again. A process that has read something before may write its old key back.
    """
    rings, stands = node.store.rings, defaultdict[str, Counter[str]](Counter)
    seen = old = renewed = broken = 0
    places: list[str] = []
    for room in rings.rooms:
        looked_at = 0
        async for each in rings.seen(room, at_once=AT_ONCE):
            looked_at, broken, old = looked_at + each.number, broken + len(each.broken), old + len(each.old)
            places += [f"{room}/{id}" for id in each.broken[: MOST_BROKEN - len(places)]]
            for name, number in each.under.items():
                stands[name][room] += number
            renewed += 0 if is_only_told or not each.old else await rings.renew(room, each)
            tell(room, looked_at)
        seen += looked_at
    return KeyWalk(
        keys=tuple(
            KeyUse(ring=ring, key=key, is_current=key == held.current, stands=dict(stands[f"{ring}:{key}"]))
            for ring, held in node.keys.rings.items()
            for key in held.keys
        ),
        seen=seen,
        old=old,
        renewed=renewed,
        moved=0 if is_only_told else old - renewed,
        broken=broken,
        broken_places=tuple(places),
    )


async def note(node: Node, kind: AuditKind, *, ring: Ring, key: str, by: Doer) -> None:
    """Put on record that a key is about to be added, chosen or retired; raises KeysOfADrill."""
    held = await node.store.identity.held()
    if held is not None and held.use == "drill":
        raise KeysOfADrill("this database is a drill: keys are changed beside the node's own database only")
    about = {"key": key, "ring": ring, **by.by}
    await node.store.audit.note(f"{kind}:{node.chance.token(8).hex()}", kind, at=node.clock.now(), about=about)
    node.log.info(kind, ring=ring, key=key)


def ring_of(node: Node, key: str) -> Ring:
    """The ring of the key file that has this key; raises NoSuchKey."""
    for ring, held in node.keys.rings.items():
        if key in held.keys:
            return ring
    raise NoSuchKey(f"no ring of {node.settings.keys_file} has a key {key}")


async def retire(node: Node, key: str, *, by: Doer, tell: Tell) -> Ring:
    """Let a key be missing from now on under which nothing stands; answers its ring.

    It is on record before, and the key file still has it. Raises NoSuchKey, KeyInUse and KeysOfADrill.
    """
    ring = ring_of(node, key)
    found = await walk(node, is_only_told=True, tell=tell)
    check_unused(next(each for each in found.keys if each.key == key))
    await note(node, "key.retired", ring=ring, key=key, by=by)
    await node.store.identity.retire(f"{ring}:{key}")
    return ring
