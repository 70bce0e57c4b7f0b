"""Ranges: which part of a content a Range header asks for (RFC 9110, 14), in the one form that nodes use."""

import re
from dataclasses import dataclass

from server.domain.errors import Malformed, OutOfRange

_RANGE = re.compile(r"bytes=(0|[1-9][0-9]{0,14})-(0|[1-9][0-9]{0,14})?")


class RangeUnreadable(Malformed):
    """A range between nodes is `bytes=first-last` or `bytes=first-`, and one at a time."""

    code = "range_unreadable"
    title = "Range 格式不正确"


class RangeBeyondEnd(OutOfRange):
    """The range begins where the content has ended."""

    code = "range_beyond_end"
    title = "请求范围超出内容长度"


@dataclass(frozen=True)
class Span:
    """The bytes from `first` up to and including `last` of a content of this size."""

    first: int
    last: int
    size: int

    @property
    def text(self) -> str:
        """The value of Content-Range."""
        return f"bytes {self.first}-{self.last}/{self.size}"


def span_of(text: str, size: int) -> Span | None:
    """What this Range header asks for of a content of this size, cut off at its end; None if it asks for the whole.

    Raises RangeUnreadable and RangeBeyondEnd.
    """
    if not text:
        return None
    found = _RANGE.fullmatch(text)
    if found is None or (found[2] and int(found[2]) < int(found[1])):
        raise RangeUnreadable("Range 应为 bytes=起始-结束。")
    first, last = int(found[1]), int(found[2] or size)
    if first >= size:
        raise RangeBeyondEnd(f"内容共 {size} 字节。", more={"size": size})
    return Span(first, min(last, size - 1), size)
