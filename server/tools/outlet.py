"""Where log lines go: one open file, whose failures are answers and never exceptions."""

import os


class Outlet:
    """Writes whole lines to a file descriptor; to none, if the process was started without one.

    It writes past Python's buffers, which would keep what failed and write it later, after lines that came after it.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self.descriptor = descriptor
        self._is_cut = False

    def put(self, line: bytes) -> bool:
        """Write a line; whether all of it was written. After one that was cut, the next begins on a line of its own."""
        if self.descriptor is None:
            return False
        left = b"\n" + line if self._is_cut else line
        try:
            while left:
                written = os.write(self.descriptor, left)
                self._is_cut = not left[:written].endswith(b"\n")
                left = left[written:]
        except OSError:  # no room, nobody reads, closed
            return False
        return True
