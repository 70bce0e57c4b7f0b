"""The exchange with a peer as it stands: heads and entries of the logs, kept letters, and what is known of each way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from server.domain.exchange.letters import GENESIS, About, Batch, Letter

STREAM = 1
BESIDE = "~"  # in the `_id` of a letter that came under another one's id, between that id and its own part

Standing = Literal["waiting", "settled", "attention", "annulled"]


class Position(NamedTuple):
    """A place in all streams of one direction, in their order; number 0 is before the first entry of a stream."""

    stream: int
    number: int


BEGINNING = Position(STREAM, 0)


@dataclass(frozen=True)
class Head:
    """The last entry of a log: its number and hash; of an empty one 0 and the hash that its first entry will follow.

    `total` is the number of letters of its stream up to it, which each side counts for itself.
    """

    stream: int
    number: int
    hash: str
    total: int = 0

    @property
    def position(self) -> Position:
        """Where it is."""
        return Position(self.stream, self.number)

    def told(self) -> dict[str, str | int]:
        """What the other node is told of it."""
        return {"stream": self.stream, "number": self.number, "hash": self.hash}


@dataclass(frozen=True)
class Entry:
    """One batch of a log; `letters` are the ids of ours in an outgoing one, sealed letters in an incoming one.

    `leaves` are the hashes (hex) by which they stand in the tree of the batch's root, also once one of them is erased.
    """

    batch: Batch
    hash: str
    letters: Sequence[Any]
    leaves: Sequence[str]
    total: int
    evidence: "Evidence | None"

    @property
    def position(self) -> Position:
        """Where it is."""
        return Position(self.batch.stream, self.batch.number)


@dataclass(frozen=True)
class Evidence:
    """What proves that a batch went and was kept: both signature bases and signatures, base64url, and the key ids."""

    request_key: str
    request_base: str
    request_signature: str
    answer_key: str
    answer_base: str
    answer_signature: str


@dataclass(frozen=True)
class Written:
    """A letter of ours as it goes out: the canonical bytes that were made at the commit."""

    id: str
    at: datetime
    text: bytes


@dataclass(frozen=True)
class SentLetter:
    """A letter of ours: `unlogged`, `logged`, `dead` with the code of the refusal, or `annulled` after that.

    It stands in the batch of `position`; `round` counts how often it was judged anew.
    """

    letter: Letter
    state: str
    position: Position
    reason: str
    round: int


@dataclass(frozen=True)
class KeptLetter:
    """A letter as it came in, and where it stands; `tries` counts postponements, `round` retries at its sender's wish.

    It came in the batch of `position`, there at `index`. `id` is its `unique_id`, and more if its sender gave the id of
    the letter twice.
    """

    id: str
    letter: Letter
    state: Standing
    reason: str
    version: int
    tries: int
    round: int
    position: Position
    index: int


@dataclass(frozen=True)
class LetterLabel:
    """What stands outside of a letter that is stored, and can be told whether or not it opens.

    `id` is the one under which it is kept, `peer` who sent it or to whom it goes. Of a letter that does not open
    `letter` is None, and `about` knows no part. Of one that is not what was stored `peer` and `kind` are empty and `at`
    is None.
    """

    id: str
    peer: str
    kind: str
    about: About | None
    at: datetime | None
    state: str
    reason: str
    round: int
    position: Position
    letter: Letter | None


@dataclass(frozen=True)
class Outbound:
    """Our way to a peer.

    We append to `stream`, whose first entry follows the hash `genesis`; `head` is a hint. `acknowledged` is where the
    peer's head is. `failures` counts attempts since the last success; `probe` tells whether the next one is an `early`
    one, a regular one is `under_way`, or the early one is `spent`. `stopped` says why only an operator can make it go
    on, and `theirs` is the head that the peer named then. `skew_seconds` is their clock minus ours, where the last
    failure told it, and `skew_by` the machine whose clock that was. `beside` is what a newer program remembers of it.
    """

    stream: int = STREAM
    genesis: str = GENESIS
    head: int = 0
    acknowledged: Position = BEGINNING
    failures: int = 0
    next_attempt_at: datetime | None = None
    probe: Literal["", "early", "under_way", "spent"] = ""
    reason: str = ""
    stopped: str = ""
    theirs: Head | None = None
    skew_seconds: int = 0
    skew_by: str = ""
    succeeded_at: datetime | None = None
    failed_at: datetime | None = None
    version: int = 0
    beside: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Inbound:
    """A peer's way to us: `stream` and `head` are hints, and up to `spread` the letters are spread.

    `is_broken` is 1 once something up to there had to be set apart instead.
    """

    stream: int = STREAM
    head: int = 0
    spread: Position = BEGINNING
    conflict: str = ""
    is_broken: int = 0
    kept_at: datetime | None = None

    @property
    def head_position(self) -> Position:
        """Where the head was seen last."""
        return Position(self.stream, self.head)


def own_id(stored: str) -> str:
    """The id that a letter itself names, by the `_id` under which it is stored."""
    return stored.partition(BESIDE)[0].rpartition(":")[2]
