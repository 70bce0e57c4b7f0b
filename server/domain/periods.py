"""Periods: the days on which something holds, from midnight to midnight in China."""

from datetime import date

from server.domain.values import Value


class Period(Value):
    """The days on which something holds, each from midnight to midnight in China; none: without beginning, or end."""

    from_day: date | None = None
    to_day: date | None = None

    def holds(self, on: date) -> bool:
        """Whether it holds on this day."""
        return (self.from_day is None or self.from_day <= on) and (self.to_day is None or on <= self.to_day)

    def meets(self, other: "Period") -> bool:
        """Whether there is a day on which both hold."""
        return (self.from_day or date.min) <= (other.to_day or date.max) and (
            (other.from_day or date.min) <= (self.to_day or date.max)
        )
