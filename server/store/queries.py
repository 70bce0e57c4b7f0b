"""The one table of what is read by something else than `_id`; each row's field has an index of its own.

A range reads a composite key: parts with a bar between them, a moment (`t2026-...`) last, so that `under`
finds all that share the parts in front, in order of time.
"""

from datetime import datetime

from server.domain.names import moment_key
from server.store.database import Query

BAR = "|"
AFTER_BAR = "}"
PUBLISHED = "published"

# owner_key: owner | t<opened_at> | id
CASES_OF_OWNER = Query("cases_of_owner", "cases", "owner_key", is_range=True)
# relay: `done`, or the moment t... from which a sweeper may carry the effects
CASES_DUE_FOR_RELAY = Query("cases_due_for_relay", "cases", "relay", is_range=True)
# key: department | open | t<since>
TASKS_OF_DEPARTMENT = Query("tasks_of_department", "tasks", "key", is_range=True)
# key: unlogged | peer | t<at> | ... or logged | peer | ... or dead | peer | ...
LETTERS_TO_LOG = Query("letters_to_log", "letters_out", "key", is_range=True)
LETTERS_DEAD = Query("letters_dead", "letters_out", "key", is_range=True)
# key: waiting | t... or attention | ...
LETTERS_WAITING = Query("letters_waiting", "letters_in", "key", is_range=True)
# kind: `published` of every version
CATALOGUES = Query("catalogues", "catalogues", "kind")
# bucket: the hour after which it may go
EXPIRED_NONCES = Query("expired_nonces", "nonces", "bucket")
EXPIRED_SESSIONS = Query("expired_sessions", "sessions", "bucket")

EXPIRED: tuple[Query, ...] = (EXPIRED_NONCES, EXPIRED_SESSIONS)

QUERIES: tuple[Query, ...] = (
    CASES_OF_OWNER,
    CASES_DUE_FOR_RELAY,
    TASKS_OF_DEPARTMENT,
    LETTERS_TO_LOG,
    LETTERS_DEAD,
    LETTERS_WAITING,
    CATALOGUES,
    *EXPIRED,
)


def under(*parts: str) -> tuple[str, str]:
    """The bounds (low, high) of the keys whose first parts are these."""
    start = BAR.join(parts)
    return start + BAR, start + AFTER_BAR


def hour_bucket(at: datetime) -> str:
    """The bucket of the hour of a moment: `h2026-11-23T05`."""
    return "h" + moment_key(at)[1:14]
