"""Walking along the chain of heads: each link in order, and what is wrong with the chain itself."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import NamedTuple

from server.domain.aggregate.heads import HistoryFinding, HistoryHead, HistoryTrouble
from server.domain.chains import ChainHead, Link
from server.node import Node

AT_ONCE = 10


class Walked(NamedTuple):
    """A link, or None where it is not as this node wrote it, and what is wrong there.

    The last step stands behind the last link: its number is 0.
    """

    number: int
    link: Link | None
    findings: Sequence[HistoryFinding]


async def walk(node: Node, told: Iterable[ChainHead] = ()) -> AsyncIterator[Walked]:
    """Along all links to the end, however far it moves meanwhile. `told` are heads that other nodes were told.

    Links that are removed meanwhile are passed over: what they say is said again at the end before they go.
    """
    room = node.store.heads
    heads = await room.files.all() | {f"head {each.number} that was told": each for each in told}
    after, hint = (await room.chain.beginning()).after, await room.files.newest()
    is_behind = False
    while not is_behind:
        numbers = range(after.number + 1, after.number + 1 + AT_ONCE)
        found = await room.chain.links(numbers)
        if len(found) < AT_ONCE:
            beginning = (await room.chain.beginning()).after
            if beginning.number > after.number:
                after = beginning
                continue
            last, _ = await room.chain.last(hint)
            is_behind = last.number < numbers[-1]
            numbers = range(numbers[0], min(last.number, numbers[-1]) + 1)
            found |= await room.chain.links([number for number in numbers if number not in found])
        for number in numbers:
            link = found.get(number)
            step = Walked(number, link, _amiss(number, link, after=after, heads=heads))
            after = link.head if link else ChainHead(number=number, hash="")
            yield step
    yield Walked(0, None, _cut(heads, after))


def take_heads(link: Link, newest: dict[str, HistoryHead]) -> None:
    """Put the heads that a link names among the newest ones, each in the place of an older one of the same."""
    for named in link.entries:
        head = HistoryHead.of(named)
        if head.name not in newest or newest[head.name].version < head.version:
            newest[head.name] = head


def _amiss(number: int, link: Link | None, *, after: ChainHead, heads: Mapping[str, ChainHead]) -> list[HistoryFinding]:
    """What is wrong with a link; `after` is what it should follow, with an empty hash if that is not known."""
    found = []
    if link is None or (after.hash and link.prev != after.hash):
        found.append(_finding("chain", f"link {number}", "it is not as this node wrote it, or does not follow"))
    for name, head in heads.items():
        if link and head.number == number and head.hash != link.hash:
            found.append(_finding("chain", name, f"link {number} is another one now"))
    return found


def _cut(heads: Mapping[str, ChainHead], last: ChainHead) -> list[HistoryFinding]:
    return [
        _finding("cut", name, f"it knows link {head.number}, and the last one here is {last.number}")
        for name, head in heads.items()
        if head.number > last.number
    ]


def _finding(trouble: HistoryTrouble, place: str, detail: str) -> HistoryFinding:
    return HistoryFinding(trouble=trouble, place=place, detail=detail)
