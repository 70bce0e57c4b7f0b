"""The exchange with a peer as it stands: heads and entries of the logs, kept letters, and how attempts went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.domain.letters import Batch, Letter

STREAM = 1


@dataclass(frozen=True)
class Head:
    """The last entry of a log: its number and hash; of an empty one 0 and 64 zeros."""

    stream: int
    number: int
    hash: str


@dataclass(frozen=True)
class Entry:
    """One batch of a log; `letters` are the ids of ours in an outgoing one, sealed letters in an incoming one."""

    batch: Batch
    hash: str
    letters: Sequence[Any]
    evidence: "Evidence | None"


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
class KeptLetter:
    """A letter as it came in, and where it stands: `waiting`, `settled`, or `attention` with the reason."""

    letter: Letter
    state: str
    reason: str
    version: int
    tries: int


@dataclass(frozen=True)
class Outbound:
    """Our way to a peer. `head` is a hint, `acknowledged` the number the peer has receipted."""

    head: int = 0
    acknowledged: int = 0
    failures: int = 0
    next_attempt_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True)
class Inbound:
    """A peer's way to us. `head` is a hint, `spread` the number of the last batch whose letters are spread."""

    head: int = 0
    spread: int = 0
