"""Projecting: which calendar the dates of all open steps follow, and how far they have come to follow another."""

from typing import Self

from server.domain.canonical import digest
from server.domain.time.calendar import Calendar
from server.domain.values import Value


class Projection(Value):
    """The digest and version of the calendar that all dates follow, and those of the one that they come to follow.

    `cursor` is the place of the last task seen on the way, `changed` how many dates have been changed, `version` how
    often this was written.
    """

    digest: str = ""
    calendar: str = ""
    next_digest: str = ""
    next_calendar: str = ""
    cursor: str = ""
    changed: int = 0
    version: int = 0

    def follows(self, calendar: Calendar) -> bool:
        """Whether all dates follow this calendar, and none is on its way to another."""
        return self.digest == digest_of(calendar) and not self.next_digest

    def is_on_the_way_to(self, calendar: Calendar) -> bool:
        """Whether it is this calendar that they come to follow."""
        return self.next_digest == digest_of(calendar)

    def begun(self, calendar: Calendar) -> Self:
        """The beginning of the way to this calendar."""
        way = {"next_digest": digest_of(calendar), "next_calendar": calendar.version, "cursor": "", "changed": 0}
        return self.model_copy(update=way)

    def ended(self) -> Self:
        """The end of the way."""
        arrived = {"digest": self.next_digest, "calendar": self.next_calendar}
        return self.model_copy(update={**arrived, "next_digest": "", "next_calendar": "", "cursor": "", "changed": 0})


def digest_of(calendar: Calendar) -> str:
    """SHA-256 (hex) of all that the calendar says."""
    return digest(calendar.model_dump(mode="json"))
