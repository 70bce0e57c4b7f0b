"""Reconciliation: two nodes' copies of one log, and in plain words what differs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pydantic import ConfigDict

from server.domain.exchange.log import Position
from server.domain.values import Moment, Value

PARTS = 8

Direction = Literal["out", "in"]
Kind = Literal[
    "receiver_behind",
    "sender_behind",
    "conflict",
    "totals",
    "refused",
    "waiting_long",
    "case_differs",
    "case_differs_there",
]
PASSING: frozenset[Kind] = frozenset({"receiver_behind", "sender_behind", "conflict", "totals"})  # with a new stream


class LogEntry(Value):
    """One entry of a log as both sides must have it: its hash, and the number of letters of its stream up to it."""

    hash: str
    total: int


class Heads(Value):
    """What one node tells of its copy of one stream of a log: where it ends, and how far its letters are settled.

    `acknowledged` is the number that the receiver has receipted, as the sender knows. What became of the letters
    (`waiting`, the first of them in batch `first_waiting`; refused and in `attention`; `annulled`) only a receiver
    tells. `case_differs` is how many letters of the stream it found to be other than its cases when it compared last.
    `versions` and `kinds` are those of the letters that it understands. `miles` are the entries that were asked
    for, by number, as far as there are any.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    last_stream: int
    stream: int
    number: int
    hash: str
    total: int
    acknowledged: int
    waiting: int = 0
    first_waiting: int = 0
    attention: int = 0
    annulled: int = 0
    case_differs: int = 0
    versions: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    miles: Mapping[int, LogEntry] = {}

    @property
    def settled(self) -> int:
        """How many of its letters are settled."""
        return self.total - self.waiting - self.attention - self.annulled


class Difference(Value):
    """One thing that is not as it should be, from batch `number` of the stream on, in words.

    `is_past` tells that a later stream was opened over it, so that nothing remains to be done.
    """

    kind: Kind
    way: Direction
    stream: int
    number: int
    words: str
    is_past: bool = False


class Compared(Value):
    """One stream of one way as the two sides have it; the counts are those of its receiver."""

    way: Direction
    stream: int
    ours: int
    theirs: int
    total: int
    settled: int
    waiting: int
    attention: int
    annulled: int
    differences: tuple[Difference, ...]


class Reconciliation(Value):
    """What a comparison with one peer found, in both directions.

    `unknown_kinds` are those of our letters that the peer does not understand yet. They are no difference: while nodes
    are upgraded one after the other, it is so. Up to `compared_to` all letters are settled and as our cases say.
    """

    peer: str
    at: Moment
    compared: tuple[Compared, ...]
    unknown_kinds: tuple[str, ...] = ()
    compared_to: Mapping[Direction, Position] = {}

    @property
    def differences(self) -> tuple[Difference, ...]:
        """All of them."""
        return tuple(each for one in self.compared for each in one.differences)

    @property
    def is_clean(self) -> bool:
        """Whether nothing remains to be done."""
        return all(each.is_past for each in self.differences)


class Comparison(Value):
    """One stream of one way: how its sender and its receiver told it.

    A batch in flight may be known to one side only, so this node reads its own side twice: `sender` and `receiver`
    after, `receipted` and `held` (what the sender knew as receipted, what the receiver had) before the other side told.
    """

    way: Direction
    sender: Heads
    receiver: Heads
    receipted: int
    held: int

    @property
    def ours(self) -> Heads:
        """How this node told it."""
        return self.sender if self.way == "out" else self.receiver

    @property
    def theirs(self) -> Heads:
        """How the peer told it."""
        return self.receiver if self.way == "out" else self.sender

    @property
    def common(self) -> int:
        """The last number that both have."""
        return min(self.sender.number, self.receiver.number)

    @property
    def is_past(self) -> bool:
        """Whether the sender has opened a later stream."""
        return self.sender.stream < self.sender.last_stream


def differences(comparison: Comparison, conflict: int, totals: tuple[int, int]) -> tuple[Difference, ...]:
    """What differs in a stream: `conflict` is the first number under which the two have other entries (0: none).

    `totals` are the letters up to the last common number, as the sender and the receiver count them.
    """
    found: list[tuple[Kind, int, str]] = []
    sender, receiver = comparison.sender, comparison.receiver
    side = ("this node", "the other node") if comparison.way == "out" else ("the other node", "this node")
    if conflict:
        text = (
            f"the logs contradict each other from batch {conflict} on; the sender has {sender.number} batches,"
            f" the receiver {receiver.number}"
        )
        found.append(("conflict", conflict, text))
    elif comparison.held > sender.number:
        text = (
            f"the sender ({side[0]}) is behind: it no longer knows batches {sender.number + 1} to {comparison.held},"
            f" in which the receiver has {receiver.total - totals[1]} letters"
        )
        found.append(("sender_behind", sender.number + 1, text))
    elif receiver.number < comparison.receipted:
        text = (
            f"the receiver ({side[1]}) is behind: it no longer has batches {receiver.number + 1} to"
            f" {comparison.receipted}, which it had receipted; they are sent again"
        )
        found.append(("receiver_behind", receiver.number + 1, text))
    if not conflict and totals[0] != totals[1]:
        text = f"up to batch {comparison.common} the sender counts {totals[0]} letters, the receiver {totals[1]}"
        found.append(("totals", comparison.common, text))
    if number := comparison.theirs.case_differs:
        text = f"the other node found {number} letters that are not as its cases say when it compared last"
        found.append(("case_differs_there", 0, text))
    if receiver.attention:
        text = f"{receiver.attention} letters were refused by {side[1]} and stand in attention there"
        found.append(("refused", 0, text))
    way, stream, is_past = comparison.way, sender.stream, comparison.is_past
    return tuple(
        Difference(way=way, stream=stream, kind=kind, number=number, words=words, is_past=is_past and kind in PASSING)
        for kind, number, words in found
    )


def between(low: int, high: int) -> list[int]:
    """A few numbers evenly spread between the two; none if nothing lies between them."""
    return list(range(low, high, max(1, -(-(high - low) // PARTS))))[1:]


def narrowed(bounds: tuple[int, int], tried: Sequence[int], equal: Iterable[int]) -> tuple[int, int]:
    """Bounds (the last number known as equal, the first known as different) after these numbers were compared.

    Entries are chained, so whatever lies before an equal one is equal too.
    """
    low, high = bounds
    same = set(equal)
    for number in tried:
        if number in same:
            low = number
        else:
            return low, number
    return low, high
