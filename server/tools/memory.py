"""How a process takes memory and gives it back: `python -m server` imports this before all that is large."""

import ctypes
import gc

COLLECT_AFTER = 50_000  # new objects, where CPython says 700: each collection also ages what a request still holds
M_ARENA_MAX = -8  # from glibc's malloc.h


def keep_what_is_here() -> None:
    """Let no collection look again at what has been loaded, catalogue and index: it stays until the end.

    What loading took beside that, for the texts that were parsed, goes back to the system where the C library can do so
    (glibc): it would keep it as free memory of this process.
    """
    gc.collect()
    gc.freeze()
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if give_back is not None:
        give_back(0)


def share_one_heap() -> None:
    """Let all threads take memory from one heap of the C library, where it is glibc.

    It gives each new thread a heap of its own, so that they need not wait for each other. What they hand to one another
    leaves holes in all of them, which grow for hours. Our threads wait for CPython's lock anyway.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(M_ARENA_MAX, 1)


gc.set_threshold(COLLECT_AFTER)
share_one_heap()
