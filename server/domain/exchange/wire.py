"""What goes over the wire to another node: one request, one whole answer, or none."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class WireRequest:
    """A request as it goes out; `most_bytes` bounds the answer's body."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    most_bytes: int = 65_536


@dataclass(frozen=True)
class WireAnswer:
    """A complete answer as it came; the caller judges its content."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswer(Exception):
    """No whole answer came; `reason` is `unreachable`, `timed_out` or `answer_too_long`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
