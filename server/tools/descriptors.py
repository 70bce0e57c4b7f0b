"""The three descriptors that every library expects to be stdin, stdout and stderr."""

import os

STDERR = 2


def occupy_standard() -> None:
    """Open nothing (/dev/null) in place of those that the process was started without.

    A socket would get their numbers: what a library writes to stderr would go into it, and libuv aborts the process
    when it closes one.
    """
    while (opened := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        continue
    os.close(opened)
