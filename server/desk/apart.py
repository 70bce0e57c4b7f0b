"""Setting apart what cannot be handled: tried again a few times out of its queue, then left to an operator.

A loop hands each thing it handles to `attempt`, or all of a round to `all_or_each`. What raises anything that does not
pass by itself is noted, held, and released into its queue later; only that thing and its case wait.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from traceback import walk_tb
from typing import TypeVar

from server.domain.apart import Found, Kind, SetApart, failed, id_of, over, released
from server.domain.errors import StaleVersion, Unavailable
from server.node import Node

RELEASED_AT_ONCE = 100
ATTEMPTS = 3
OURS = ("server", "regions")
T = TypeVar("T")

# Of one thing of a kind whose queue cannot simply be given it back: how it is done again.
Again = Callable[[Node, str], Awaitable[None]]


async def attempt(node: Node, kind: Kind, thing: str, *, work: Awaitable[T]) -> T | None:
    """What the work answers; None if it raised and the thing is set apart. A busy database is raised as it is."""
    try:
        return await work
    except (StaleVersion, Unavailable):
        raise
    except Exception as fault:  # noqa: BLE001 # whatever it is, it must not stop the others
        await set_apart(node, kind, thing, fault=fault)
        return None


async def all_or_each(
    node: Node, things: Mapping[str, T], handle: Callable[[Sequence[T]], Awaitable[None]], *, kind: Kind
) -> bool:
    """Handle all things (by id) at once; if that raises, each alone, so that only those are set apart that raise.

    False if one was set apart.

    `handle` must be such that what it did before it raised may be done again.
    """
    try:
        await handle(list(things.values()))
        return True
    except (StaleVersion, Unavailable):
        raise
    except Exception as fault:  # noqa: BLE001 # which of them it was is found out now
        node.log.warning("round.divided", kind=kind, things=len(things), fault=name_of(fault), trace=trace_of(fault))
    done = [await attempt(node, kind, thing, work=_handled(handle, value)) for thing, value in things.items()]
    return None not in done


async def _handled(handle: Callable[[Sequence[T]], Awaitable[None]], value: T) -> bool:
    await handle([value])
    return True


async def each_in_turn(things: Iterable[T], work: Callable[[T], Awaitable[object]]) -> None:
    """Do the work for each thing: what one raises stops no other, and is raised in the end for the loop to count."""
    faults: list[Exception] = []
    for thing in things:
        try:
            await work(thing)
        except Exception as fault:  # noqa: BLE001 # raised below
            faults.append(fault)
    if faults:
        raise faults[0]


async def set_apart_unread(node: Node, found: Found[T], *, kind: Kind) -> None:
    """Set apart the documents that did not open."""
    for thing, fault in found.unreadable.items():
        await set_apart(node, kind, thing, fault=fault)


async def set_apart(node: Node, kind: Kind, thing: str, *, fault: Exception) -> bool:
    """Note that the thing raised, and take it out of its queue; the row is written first, so that no crash loses it.

    Always False: the thing is not handled.
    """
    row = await _noted(node, kind, thing, fault=(name_of(fault), trace_of(fault)[-1]))
    await node.store.apart.hold(kind, thing)
    if row:
        named = {"kind": kind, "thing": thing, "tries": row.tries, "fault": row.fault, "trace": trace_of(fault)}
        if row.state == "apart":
            node.log.error("thing.set_apart", **named)
        else:
            node.log.warning("thing.failed", **named)
        node.metrics.things_failed.labels(kind, row.state).inc()
    return False


async def release_due(node: Node, again: Mapping[Kind, Again]) -> bool:
    """Release what has waited long enough; True if there may be more.

    `again` holds the kinds that are not only put back into a queue. What did not fail again for long is over; it is
    released once more before, for a crash may have come between its row and its release.
    """
    now = node.clock.now()
    due = await node.store.apart.due(now, limit=RELEASED_AT_ONCE)
    for row in due:
        if row.state == "released":
            await _free(node, row, again)
            await node.store.apart.put(over(row, at=now))
        else:
            await release(node, row, again, is_anew=False)
    return due.seen == RELEASED_AT_ONCE


async def release(node: Node, row: SetApart, again: Mapping[Kind, Again], *, is_anew: bool) -> bool:
    """Let the thing be handled again, `is_anew` with all its tries before it; False if somebody else was first."""
    if not await node.store.apart.put(released(row, at=node.clock.now(), is_anew=is_anew)):
        return False
    await _free(node, row, again)
    return True


async def _free(node: Node, row: SetApart, again: Mapping[Kind, Again]) -> None:
    await node.store.apart.release(row.kind, row.thing, at=node.clock.now())
    if row.kind in again:
        await attempt(node, row.kind, row.thing, work=again[row.kind](node, row.thing))


async def _noted(node: Node, kind: Kind, thing: str, *, fault: tuple[str, str]) -> SetApart | None:
    """The row of the thing after this failure; None if nothing is new in that, or others note it at this moment."""
    for _ in range(ATTEMPTS):
        before = await node.store.apart.find(id_of(kind, thing))
        after = failed(before, kind, thing, fault=fault, at=node.clock.now())
        if after is before:
            return None
        if await node.store.apart.put(after):
            return after
    return None


def name_of(fault: Exception) -> str:
    """The name of the exception's class: its text may hold personal data, and goes into no log and no row."""
    return type(fault).__name__


def trace_of(fault: Exception) -> list[str]:
    """Our functions that it came through, the innermost last: `server.domain.time.clock.due:88`. Never empty."""
    frames = [(str(frame.f_globals.get("__name__")), frame, line) for frame, line in walk_tb(fault.__traceback__)]
    ours = [f"{module}.{frame.f_code.co_name}:{line}" for module, frame, line in frames if _is_ours(module)]
    return ours or ["unknown"]


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in OURS
