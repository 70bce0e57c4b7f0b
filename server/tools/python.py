"""Refuses a Python that is too old; `python -m server` imports this first, so any Python 3 must be able to read it."""

import sys

OLDEST = (3, 11)


def refuse_older(version: "tuple[int, int, int]") -> None:  # in quotes, for an old Python cannot make this type
    """Leave with a plain sentence if this version is older than the oldest that will do."""
    if version[:2] < OLDEST:
        sys.exit(
            "tongban: Python %d.%d or newer is needed, and this is %d.%d. Try: python3.%d -m server"  # noqa: UP031
            % (OLDEST + version[:2] + OLDEST[1:])
        )


refuse_older(sys.version_info[:3])
