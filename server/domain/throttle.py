"""How fast a password may be tried: attempts queue in lanes, and each failure spaces them out.

An attempt stands in two lanes: that of its address, and that of the name it tries. It takes the next free moment of
each, and counts as failed until it has succeeded, so that a thousand guesses at once queue up like a thousand in a row.

The bounds. Three failures of a name are free; then a pause of one second doubles to at most 60. Twenty failures of an
address are free; then the same. A lane is forgotten after a day without an attempt. Who would have to wait for more
than five seconds is refused instead, and takes no place.

A stranger cannot lock an officer out: an address from which an officer has signed in during the last 30 days is
familiar. There each name has a lane of its own, which failures elsewhere do not touch, and each failure of another name
keeps this one for one second at most. Who guesses at the name from that very address can take its places, one a
minute; but they can be found there. At other addresses a name has one lane for all of them, and an officer there waits
with the strangers for as long as these go on. An address is familiar for any name, so that it tells nobody whether a
name exists.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Self

from server.domain.errors import TooMany
from server.domain.values import Moment, Value

PATIENCE = timedelta(seconds=5)
FORGOTTEN_AFTER = timedelta(days=1)
FAMILIAR_FOR = timedelta(days=30)
CLOCKS_APART = timedelta(minutes=1)  # no two processes are further apart than this, unless one is wrong
MOST_DOUBLINGS = 16
HOST_BITS = 64  # of an IPv6 address: one subscriber has all of them


class TooManyAttempts(TooMany):
    """Name or address have failed too often; `retry_after_seconds` tells when the next attempt may be made."""

    code = "too_many_attempts"
    title = "登录尝试过于频繁"


def too_many(seconds: int) -> TooManyAttempts:
    """The refusal of an attempt that may be made after so many seconds."""
    return TooManyAttempts(f"请在 {seconds} 秒后重试。", more={"retry_after_seconds": seconds})


@dataclass(frozen=True)
class Pace:
    """How many failures are free, and the longest pause that more of them lead to."""

    free: int
    most_seconds: int

    def pause(self, failures: int) -> timedelta:
        """How long after an attempt the next one may be made, which is then the one after so many failures."""
        if failures <= self.free:
            return timedelta(0)
        return timedelta(seconds=min(2 ** min(failures - self.free - 1, MOST_DOUBLINGS), self.most_seconds))


OF_NAME, OF_ADDRESS, OF_FAMILIAR_ADDRESS = Pace(3, 60), Pace(20, 60), Pace(20, 1)


class Lane(Value):
    """Where attempts queue up: how many have failed in a row, the moment of the last, and when the next may be made.

    An address is familiar until `familiar_until`. `version` counts the changes; 0 stands for a lane that nobody used.
    """

    id: str
    failures: int = 0
    tried_at: Moment | None = None
    free_at: Moment | None = None
    familiar_until: Moment | None = None
    version: int = 0

    def is_familiar(self, at: datetime) -> bool:
        """Whether an officer has signed in from this address of late."""
        return self.familiar_until is not None and at < self.familiar_until

    def next_slot(self, at: datetime) -> datetime:
        """When an attempt that comes now may be made; raises TooManyAttempts if that is too far off.

        What a clock that ran ahead has written here holds nobody up.
        """
        is_ahead = self.tried_at is not None and self.tried_at - at > CLOCKS_APART
        slot = at if is_ahead else max(at, self.free_at or at)
        if slot - at > PATIENCE:
            raise too_many(math.ceil((slot - at).total_seconds()))
        return slot

    def taken(self, pace: Pace, at: datetime, *, not_before: datetime) -> Self:
        """The next slot is taken by an attempt that comes now; its moment is `tried_at`. Raises TooManyAttempts."""
        slot = max(self.next_slot(at), not_before)
        is_forgotten = self.tried_at is not None and at - self.tried_at > FORGOTTEN_AFTER
        failures = 1 if is_forgotten else self.failures + 1
        pause = pace.pause(failures)
        return self._changed(failures=failures, tried_at=slot, free_at=slot + pause if pause else None)

    def cleared(self) -> Self:
        """An attempt of this name has succeeded: its failures are over."""
        return self._changed(failures=0, free_at=None)

    def forgiven(self, at: datetime) -> Self:
        """An attempt of this address has succeeded: it was no failure, and the address is familiar from now on."""
        failures = max(self.failures - 1, 0)
        pause = OF_FAMILIAR_ADDRESS.pause(failures)
        free_at = min(self.free_at or at, at + pause) if pause else None
        return self._changed(failures=failures, free_at=free_at, familiar_until=at + FAMILIAR_FOR)

    def kept_until(self, at: datetime) -> datetime:
        """How long the lane says anything; the moment of the change is `at`."""
        return max(at + FORGOTTEN_AFTER, self.familiar_until or at)

    def _changed(self, **change: object) -> Self:
        return self.model_copy(update={**change, "version": self.version + 1})


def slot_of(lanes: Sequence[Lane], at: datetime) -> datetime:
    """When an attempt that comes now may be made in all of these lanes; raises TooManyAttempts."""
    return max(lane.next_slot(at) for lane in lanes)


def network_of(address: str) -> str:
    """What one caller has of addresses: one of IPv4, a whole network of IPv6; any other text stays as it is."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or ip_network((found, HOST_BITS), strict=False))
    return str(found)
