"""How many lines of one message may be written, so that what fails a thousand times a second fills no disk."""

import time
from collections.abc import Callable, Mapping

LINES, WINDOW_SECONDS, MESSAGES = 50, 10.0, 100
OTHERS = "(other messages)"


class Floods:
    """Counts lines by message within windows of some seconds. It has no lock of its own: the scribe's guards it.

    It knows `messages` different ones in a window; all further ones count as one.
    """

    def __init__(
        self,
        *,
        lines: int = LINES,
        seconds: float = WINDOW_SECONDS,
        messages: int = MESSAGES,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lines = lines
        self._seconds = seconds
        self._messages = messages
        self._now = now
        self._counts: dict[str, int] = {}
        self._ends_at = now() + seconds
        self.suppressed = 0

    def takes(self, message: str) -> bool:
        """Whether one more line of this message may be written; one that may not is counted."""
        known = message if message in self._counts or len(self._counts) < self._messages else OTHERS
        count = self._counts[known] = self._counts.get(known, 0) + 1
        is_too_many = count > self._lines
        self.suppressed += is_too_many
        return not is_too_many

    def is_over(self) -> bool:
        """Whether the window is over."""
        return self._now() >= self._ends_at

    def end(self) -> Mapping[str, int]:
        """Begin the next window; answers how many lines of each message were suppressed in this one."""
        ended, self._counts, self._ends_at = self._counts, {}, self._now() + self._seconds
        return {message: count - self._lines for message, count in ended.items() if count > self._lines}
