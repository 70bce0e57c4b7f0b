"""How seldom garbage is looked for: `python -m server` imports this early, as all that is loaded after it stays."""

import gc

COLLECT_AFTER = 50_000  # new objects, where CPython says 700: each collection also ages what a request still holds


def keep_what_is_here() -> None:
    """Let no collection look again at what has been loaded, catalogue and index: it stays until the end."""
    gc.collect()
    gc.freeze()


gc.set_threshold(COLLECT_AFTER)
