"""`work` on a machine whose clock is off, until SIGUSR1 sets it right: `python -m tests.faults.shifted work 864000`."""

import signal
import sys
from datetime import datetime, timedelta
from types import FrameType

from server import cli, main
from server.tools.clock import SystemClock

OFF = {"now": timedelta(seconds=float(sys.argv[2]))}


class ShiftedClock(SystemClock):
    """The clock of this machine, so far off."""

    def now(self) -> datetime:
        return super().now() + OFF["now"]


def set_right(_number: int, _frame: FrameType | None) -> None:
    """As an operator or a time server does."""
    OFF["now"] = timedelta()


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, set_right)
    main.SystemClock = ShiftedClock  # type: ignore[misc]
    sys.exit(cli.run(sys.argv[1:2]))
