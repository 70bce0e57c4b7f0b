"""A child process that ends when its parent does, even if the parent is killed.

`python -m server.tools.children PARENT_PID CMD...` asks the kernel (Linux, prctl) for SIGTERM at the parent's
death and becomes CMD. To the kernel the parent is the thread that started the child: start children from one
that lives as long as they should.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1


def child_command(argv: Sequence[str]) -> list[str]:
    """The command that runs `argv` as a child of the calling process for no longer than that process lives.

    This file is started by its path and without site-packages: that is quick, and works in any folder.
    """
    return [sys.executable, "-I", "-S", str(Path(__file__).resolve()), str(os.getpid()), *argv]


def main() -> None:
    """Become the command, unless the parent died before the kernel was asked."""
    parent, argv = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() == parent:
        os.execvp(argv[0], argv)  # noqa: S606 # the command comes from child_command


if __name__ == "__main__":
    main()
