"""`serve` or `work` in which SIGUSR1 ends the task of one loop: `python -m tests.faults.unlucky work relay`."""

import asyncio
import signal
import sys
from types import FrameType

from server import cli


def end_its_task(_number: int, _frame: FrameType | None) -> None:
    """Cancel the loop's task, as no one does who wants the process to stop."""
    loop = asyncio.get_running_loop()
    task = next(task for task in asyncio.all_tasks(loop) if task.get_name() == f"loop:{sys.argv[2]}")
    loop.call_soon_threadsafe(task.cancel)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, end_its_task)
    sys.exit(cli.run(sys.argv[1:2]))
