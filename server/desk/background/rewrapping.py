"""Re-wrapping: the data keys of all cases come under the current field key, and nothing else of them changes."""

from collections.abc import Callable

from server.domain.case.erasure import Rewrapping
from server.node import Node

AT_ONCE = 200


async def rewrap(node: Node, *, is_only_told: bool, tell: Callable[[int], object]) -> Rewrapping:
    """Wrap the keys of all cases anew that another field key wraps, or only count them; `tell` hears how far it is.

    Again it does what is left. A process that read a case before may write its old key again: `moved` counts some of
    these, and who retires a key first runs this until nothing is old.
    """
    keys = node.store.cases.keys
    cases = erased = old = rewrapped = 0
    unreadable: list[str] = []
    async for seen in keys.seen(at_once=AT_ONCE):
        cases, erased, old = cases + seen.cases, erased + seen.erased, old + len(seen.old)
        unreadable += seen.unreadable
        rewrapped += 0 if is_only_told else await keys.rewrap(seen)
        tell(cases)
    moved = 0 if is_only_told else old - rewrapped
    return Rewrapping(
        current=keys.current,
        cases=cases,
        erased=erased,
        old=old,
        rewrapped=rewrapped,
        moved=moved,
        unreadable=tuple(unreadable),
    )
