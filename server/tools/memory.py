"""How seldom garbage is looked for: `python -m server` imports this early, as all that is loaded after it stays."""

import ctypes
import gc

COLLECT_AFTER = 50_000  # new objects, where CPython says 700: each collection also ages what a request still holds


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


gc.set_threshold(COLLECT_AFTER)
