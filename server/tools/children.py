"""A child process that ends when its parent does, even if the parent is killed.

`python -m server.tools.children PARENT_PID SIGNAL CMD...` asks the kernel (Linux, prctl) to send the signal at the
parent's death, and becomes CMD. To the kernel the parent is the thread that started the child: start children from
one that lives as long as they should.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1


def child_command(argv: Sequence[str], at_death: signal.Signals = signal.SIGTERM) -> list[str]:
    """The command that runs `argv` as a child of the calling process, to be sent a signal at that one's death.

    This file is started by its path and without site-packages: that is quick, and works in any folder.
    """
    return [sys.executable, "-I", "-S", str(Path(__file__).resolve()), str(os.getpid()), str(int(at_death)), *argv]


def main() -> None:
    """Become the command, unless the parent died before the kernel was asked."""
    parent, at_death, argv = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, at_death, 0, 0, 0)
    if os.getppid() == parent:
        os.execvp(argv[0], argv)  # noqa: S606 # the command comes from child_command


if __name__ == "__main__":
    main()
