"""Marks of an aggregate's document: from when a sweeper, and from when clockwork, must look at it."""

from datetime import datetime

from server.domain.values import moment_key
from server.store.queries import BAR

ALARM = "alarm"
DONE = "done"
MARKS = frozenset({"relayed", "relay", ALARM, "key"})  # and the key, which is wrapped anew: no proof covers these


def alarm_key(at: datetime | None, id: str) -> str:
    """By which an aggregate is found when clockwork must look at it at this moment, or never."""
    return BAR.join((moment_key(at), id)) if at else DONE
