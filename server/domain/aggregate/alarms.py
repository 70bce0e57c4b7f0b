"""Alarms: that the moment has come at which clockwork must look at an aggregate."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DueAlarm:
    """A due alarm: the id of its aggregate, and the event that set it."""

    id: str
    event: int
