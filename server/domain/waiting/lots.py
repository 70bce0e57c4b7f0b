"""Lots (抽签): how many people have drawn one, told from the smallest of their lots alone.

A lot is a whole number below 2^63 that nobody can choose, the same for the same person each time. The smallest 1024
different ones tell how many there are: while they are fewer, that is their number, and beyond it the last of them
stands as far from zero as 1024 of so many would (k minimum values: Bar-Yossef and others, 2002). Two processes that
have met different people put theirs together by keeping the smallest of both; whoever draws again is the same lot.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass

LOT_BITS = 63
LOT_BYTES = 8
MOST_KEPT = 1024  # the estimate is off by about 1 in the square root of this: 3 in 100


@dataclass(frozen=True)
class Lots:
    """The smallest lots that were drawn, in order, each once."""

    smallest: tuple[int, ...] = ()

    @property
    def people(self) -> int:
        """How many people have drawn: exactly while they are fewer than 1024, about so many beyond."""
        if len(self.smallest) < MOST_KEPT:
            return len(self.smallest)
        return ((MOST_KEPT - 1) << LOT_BITS) // self.smallest[-1]

    def would_keep(self, lot: int) -> bool:
        """Whether these and that lot together are other lots than these, or may be."""
        return len(self.smallest) < MOST_KEPT or lot < self.smallest[-1]

    def together(self, lots: Iterable[int]) -> "Lots":
        """These and those, as if the same person had met them all."""
        return Lots(tuple(sorted({*self.smallest, *lots})[:MOST_KEPT]))

    def as_text(self) -> str:
        """All of them as text; `lots_of` reads it."""
        return base64.urlsafe_b64encode(b"".join(lot.to_bytes(LOT_BYTES) for lot in self.smallest)).decode("ascii")


def lot_of(digest: bytes) -> int:
    """The lot that a keyed digest of at least eight bytes stands for: as good as any other one."""
    return int.from_bytes(digest[:LOT_BYTES]) >> 1


def lots_of(text: str) -> Lots:
    """The lots that were written so; raises ValueError."""
    data = base64.urlsafe_b64decode(text)
    return Lots(tuple(int.from_bytes(data[at : at + LOT_BYTES]) for at in range(0, len(data), LOT_BYTES)))
