"""Telling a peer how far our copies of the logs between us have come, so that both can be compared."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from regions.answering import SignedReply, signed_value
from regions.case_comparing import last_found
from server.crypto.signatures import Proven
from server.domain.canonical import LARGEST_INTEGER
from server.domain.effects.letters_in import KINDS
from server.domain.exchange.letters import VERSION
from server.domain.exchange.log import Head, Position
from server.domain.exchange.reconciliation import Direction, Heads, LogEntry
from server.domain.values import Value
from server.node import Node

PATH = "/peer/v1/heads"
MOST_NUMBERS = 16


class HeadsAsked(Value):
    """`way`: the log that we keep of the asker's letters (`in`) or of ours to the asker (`out`); `stream` 0 is the
    last.

    `at` are the numbers of up to sixteen entries, with dots between them.
    """

    way: Literal["in", "out"]
    stream: Annotated[int, Field(ge=0, lt=10**6)] = 0
    at: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,12}){0,15}$")] | None = None

    @property
    def numbers(self) -> list[int]:
        """The numbers in `at`."""
        return [int(number) for number in self.at.split(".")] if self.at else []


async def tell(node: Node, proven: Proven, asked: HeadsAsked) -> SignedReply:
    """The signed answer to a peer about a log between the two of us."""
    told = await heads(node, proven.sender, asked.way, stream=asked.stream, numbers=asked.numbers)
    return signed_value(node, proven, told)


async def heads(node: Node, peer: str, way: Direction, *, stream: int = 0, numbers: Sequence[int] = ()) -> Heads:
    """How far our copy of a stream (0: the last) of this way has come, with these of its entries."""
    log = node.store.log(way, peer)
    out, into = (await node.store.peers.states([peer]))[peer]
    if way == "out":
        last_stream, acknowledged, hint = out.stream, out.acknowledged, out.head
    else:
        last = await log.last_head(into.head_position)
        last_stream, acknowledged, hint = last.stream, last.position, last.number
    chosen = stream or last_stream
    head = await log.head(hint if chosen == last_stream else 0, stream=chosen)
    found = await log.entries([number for number in numbers if 0 < number < LARGEST_INTEGER], stream=chosen)
    before = await last_found(node, peer)
    differing = [each for each in before.differences if each.kind == "case_differs"] if before else []
    told = Heads(
        last_stream=last_stream,
        stream=chosen,
        number=head.number,
        hash=head.hash,
        total=head.total,
        acknowledged=acknowledged.number if acknowledged.stream == chosen else 0,
        case_differs=sum(each.way == way and each.stream == chosen for each in differing),
        versions=(VERSION,),
        kinds=tuple(sorted(KINDS)),
        miles={number: LogEntry(hash=entry.hash, total=entry.total) for number, entry in found.items()},
    )
    return told if way == "out" else await _with_fates(node, peer, told, head=head, spread=into.spread)


async def _with_fates(node: Node, peer: str, told: Heads, *, head: Head, spread: Position) -> Heads:
    """The same with what became of the letters: none that is settled is looked at."""
    states: tuple[Literal["waiting", "attention", "annulled"], ...] = ("waiting", "attention", "annulled")
    found = {state: await node.store.letters_in.positions(state, peer) for state in states}
    numbers = {state: [each.number for each in found[state] if each.stream == head.stream] for state in states}
    done = min(spread, head.position) if spread.stream == head.stream else Position(head.stream, 0)
    entry = await node.store.log("in", peer).entry(done) if done.number else None
    unspread = 0 if spread >= head.position else head.total - (entry.total if entry else 0)
    first = min([*numbers["waiting"], *([done.number + 1] if unspread else [])], default=0)
    counts = {"waiting": len(numbers["waiting"]) + unspread, "attention": len(numbers["attention"])}
    return told.model_copy(update={**counts, "annulled": len(numbers["annulled"]), "first_waiting": first})
