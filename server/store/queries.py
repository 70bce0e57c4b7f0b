"""The one table of what is read by something else than `_id`; each row's field has an index of its own.

A range reads a composite key: parts with a bar between them, a moment (`t2026-...`) last, so that `under`
finds all that share the parts in front, in order of time. Whether a collection is empty is asked by any one key.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from server.domain.values import moment_key
from server.store.database import Query

BAR = "|"
AFTER_BAR = "}"
JUST_AFTER = "!"
PUBLISHED = "published"
TYPES = "types"
FILES = "files"
NEVER = "u"  # in the place of a moment t...: after all of them
HELD = "s"  # in front of a moment t...: before all of them


class AggregateQueries(NamedTuple):
    """How the aggregates of a kind are found: by the effects that wait, the last event, and the alarm."""

    due_for_relay: Query
    by_event: Query
    alarms_due: Query


# owner_key: owner | t<opened_at> | id
CASES_OF_OWNER = Query("cases_of_owner", "cases", "owner_key", is_range=True)
# agent_key: agent | t<opened_at> | id, and nothing without an agent
CASES_OF_AGENT = Query("cases_of_agent", "cases", "agent_key", is_range=True)
# relay: `done`, or the moment t... from which a sweeper may carry the effects; behind an s: set apart, and not carried
CASES_DUE_FOR_RELAY = Query("cases_due_for_relay", "cases", "relay", is_range=True)
# number_key: digest of the number that people say, and nothing without one
CASES_BY_NUMBER = Query("cases_by_number", "cases", "number_key")
# event_key: t<at> of the last event, by our clock, also where another node tells when it was done
CASES_BY_EVENT = Query("cases_by_event", "cases", "event_key", is_range=True)
# case_key: case | t<at> | id; window_key: window | t<at> | id
VISITS_OF_CASE = Query("visits_of_case", "visits", "case_key", is_range=True)
VISITS_OF_WINDOW = Query("visits_of_window", "visits", "window_key", is_range=True)
# key: authority | open or ended | d<due on> | t<opened_at> | id; node_key: the same without the authority; window_key:
# the same with the window in front, and nothing without a window
TASKS_OF_AUTHORITY = Query("tasks_of_authority", "tasks", "key", is_range=True)
TASKS_OF_NODE = Query("tasks_of_node", "tasks", "node_key", is_range=True)
TASKS_OF_WINDOW = Query("tasks_of_window", "tasks", "window_key", is_range=True)
# holder_key: o:<holder> | t<until> | task
CLAIMS_OF_HOLDER = Query("claims_of_holder", "claims", "holder_key", is_range=True)
# officer_key: o:<officer> | t<ends_at> | id
DESK_SESSIONS_OF_OFFICER = Query("desk_sessions_of_officer", "desk_sessions", "officer_key", is_range=True)
# key_...: digest of a clue | t<opened_at> | case; a document has as many as a newborn's case
CASES_BY_CLUE = tuple(Query(f"cases_by_clue_{place}", "clues", f"key_{place}", is_range=True) for place in range(1, 5))
# key: o:<officer> | t<at> | case | number of the event
DEEDS_OF_OFFICER = Query("deeds_of_officer", "deeds", "key", is_range=True)
# key: stale | t<from when> | authority, or counting | t<until> | authority, or counted | d<day> | authority, or empty
COUNTS_TO_MAKE = Query("counts_to_make", "counts", "key", is_range=True)
# key: unlogged | peer | t<at> | id, or dead | ... or annulled | ..., or logged | peer | n<stream>-<number>
LETTERS_TO_LOG = Query("letters_to_log", "letters_out", "key", is_range=True)
LETTERS_DEAD = Query("letters_dead", "letters_out", "key", is_range=True)
# about: case:<name> of the letter's case, or nothing
LETTERS_OUT_ABOUT = Query("letters_out_about", "letters_out", "about")
LETTERS_IN_ABOUT = Query("letters_in_about", "letters_in", "about")
# key: waiting | t<next look> | place | peer | id, or (settled or attention or annulled) | peer | place | id, where the
# place is <stream>-<number>-<index>
LETTERS_WAITING = Query("letters_waiting", "letters_in", "key", is_range=True)
# key: waiting | t<next attempt> | id, or sending | ... or sent | ... or refused | ... or unknown | ...
NOTICES_BY_STATE = Query("notices_by_state", "notices", "key", is_range=True)
# alarm: t<at> | id, or done
ALARMS_DUE = Query("alarms_due", "cases", "alarm", is_range=True)
CASES_ALL = AggregateQueries(CASES_DUE_FOR_RELAY, CASES_BY_EVENT, ALARMS_DUE)
# relay, event_key, alarm: as in cases
LICENCES_ALL = AggregateQueries(
    Query("licences_due_for_relay", "licences", "relay", is_range=True),
    Query("licences_by_event", "licences", "event_key", is_range=True),
    Query("licence_alarms_due", "licences", "alarm", is_range=True),
)
AGGREGATES = (CASES_ALL, LICENCES_ALL)
# alarm: t<at> | id, or done
KNOWN_ALARMS_DUE = Query("known_alarms_due", "known_licences", "alarm", is_range=True)
# key: claimed | t<until> | id, or done
CHECKPOINTS_CLAIMED = Query("rungs_claimed", "rungs", "key", is_range=True)
# key: authority | reader | t<at> | id
WARNINGS_OF_AUTHORITY = Query("warnings_of_authority", "warnings", "key", is_range=True)
# key: pending | t<next> | kind:thing, or apart | ... or ended | ...
APART = Query("apart", "apart", "key", is_range=True)
# owner_key: owner | t<changed_at> | id, and nothing when the draft is gone
DRAFTS_OF_OWNER = Query("drafts_of_owner", "drafts", "owner_key", is_range=True)
# expiry_key: kept | t<expires_at> | owner:id, or gone
DRAFTS_EXPIRING = Query("drafts_expiring", "drafts", "expiry_key", is_range=True)
# owner_key: owner | t<made_at> | id
SHOWINGS_OF_OWNER = Query("showings_of_owner", "licence_showings", "owner_key", is_range=True)
# licence_key: identifier | t<at> | id
USES_OF_LICENCE = Query("uses_of_licence", "licence_uses", "licence_key", is_range=True)
# principal_key: principal | t<given_at> | id; agent_key: agent | t<given_at> | id
MANDATES_OF_PRINCIPAL = Query("mandates_of_principal", "mandates", "principal_key", is_range=True)
MANDATES_OF_AGENT = Query("mandates_of_agent", "mandates", "agent_key", is_range=True)
# key: due | from | t<next attempt> | id, or ended; step_key: case:step
FETCHES_DUE = Query("fetches_due", "fetches", "key", is_range=True)
FETCHES_OF_STEP = Query("fetches_of_step", "fetches", "step_key")
# key: due | t<next attempt> | id, or ended
PAPERS_DUE = Query("papers_due", "papers", "key", is_range=True)
# place: n<number of the block>
BLOCKS_TAKEN = Query("blocks_taken", "number_blocks", "place", is_range=True)
# kind: `published` of every version, `types` of what stands beside it, `files` of what a version was read from
CATALOGUES = Query("catalogues", "catalogues", "kind")
# digest: that of every version, hexadecimal
CATALOGUES_LISTED = Query("catalogues_listed", "catalogues", "digest", is_range=True)
# list_key: state | role | name, where the state is active or ended
OFFICERS_LISTED = Query("officers_listed", "officers", "list_key", is_range=True)
# time_key: t<at> | digest of the id; kind_key, officer_key (who did it), case_key and person_key: the same behind kind,
# officer, case or person, and nothing without one
AUDIT_BY_TIME = Query("audit_by_time", "audit", "time_key", is_range=True)
AUDIT_OF_KIND = Query("audit_of_kind", "audit", "kind_key", is_range=True)
AUDIT_BY_OFFICER = Query("audit_by_officer", "audit", "officer_key", is_range=True)
AUDIT_OF_CASE = Query("audit_of_case", "audit", "case_key", is_range=True)
AUDIT_OF_PERSON = Query("audit_of_person", "audit", "person_key", is_range=True)
# kind: `machine`, or `accepted` of the one that no machine wrote
CLOCKS = Query("clocks", "clocks", "kind")
# chain: unchained | t<at> | digest of the id, or chained | n<number of the link>, or broken | id
AUDIT_UNCHAINED = Query("audit_unchained", "audit", "chain", is_range=True)
# chain: unchained | t<at> | case | version
HEADS_UNCHAINED = Query("heads_unchained", "heads", "chain", is_range=True)
# officer_key: officer | d<last day> or ended | id; authority_key: authority or window | the same | officer | id
POSTS_OF_OFFICER = Query("posts_of_officer", "posts", "officer_key", is_range=True)
POSTS_AT = Query("posts_at", "posts", "authority_key", is_range=True)
# bucket: the hour after which it may go
EXPIRED_NONCES = Query("expired_nonces", "nonces", "bucket", is_range=True)
EXPIRED_SESSIONS = Query("expired_sessions", "sessions", "bucket", is_range=True)
EXPIRED_DESK_SESSIONS = Query("expired_desk_sessions", "desk_sessions", "bucket", is_range=True)
EXPIRED_DRAFTS = Query("expired_drafts", "drafts", "bucket", is_range=True)
EXPIRED_ATTEMPTS = Query("expired_attempts", "attempts", "bucket", is_range=True)
EXPIRED_CLOCKS = Query("expired_clocks", "clocks", "bucket", is_range=True)
EXPIRED_SHOWINGS = Query("expired_showings", "licence_showings", "bucket", is_range=True)

EXPIRED: Mapping[str, Query] = {
    each.collection: each
    for each in (
        *(EXPIRED_NONCES, EXPIRED_SESSIONS, EXPIRED_DESK_SESSIONS, EXPIRED_DRAFTS, EXPIRED_ATTEMPTS),
        *(EXPIRED_CLOCKS, EXPIRED_SHOWINGS),
    )
}

QUERIES: tuple[Query, ...] = (
    CASES_OF_OWNER,
    CASES_OF_AGENT,
    CASES_DUE_FOR_RELAY,
    CASES_BY_EVENT,
    CASES_BY_NUMBER,
    VISITS_OF_CASE,
    VISITS_OF_WINDOW,
    TASKS_OF_AUTHORITY,
    TASKS_OF_NODE,
    TASKS_OF_WINDOW,
    CLAIMS_OF_HOLDER,
    DESK_SESSIONS_OF_OFFICER,
    *CASES_BY_CLUE,
    DEEDS_OF_OFFICER,
    COUNTS_TO_MAKE,
    LETTERS_TO_LOG,
    LETTERS_DEAD,
    LETTERS_OUT_ABOUT,
    LETTERS_IN_ABOUT,
    LETTERS_WAITING,
    NOTICES_BY_STATE,
    ALARMS_DUE,
    *LICENCES_ALL,
    KNOWN_ALARMS_DUE,
    CHECKPOINTS_CLAIMED,
    WARNINGS_OF_AUTHORITY,
    APART,
    DRAFTS_OF_OWNER,
    DRAFTS_EXPIRING,
    SHOWINGS_OF_OWNER,
    USES_OF_LICENCE,
    MANDATES_OF_PRINCIPAL,
    MANDATES_OF_AGENT,
    FETCHES_DUE,
    FETCHES_OF_STEP,
    PAPERS_DUE,
    BLOCKS_TAKEN,
    CATALOGUES,
    CATALOGUES_LISTED,
    OFFICERS_LISTED,
    AUDIT_BY_TIME,
    AUDIT_OF_KIND,
    AUDIT_BY_OFFICER,
    AUDIT_OF_CASE,
    CLOCKS,
    AUDIT_OF_PERSON,
    AUDIT_UNCHAINED,
    HEADS_UNCHAINED,
    POSTS_OF_OFFICER,
    POSTS_AT,
    *EXPIRED.values(),
)


def under(*parts: str) -> tuple[str, str]:
    """The bounds (low, high) of the keys whose first parts are these."""
    start = BAR.join(parts)
    return start + BAR, start + AFTER_BAR


def named(officer: str) -> str:
    """An officer's name as a part of a key: without a bar, and never like a date."""
    return "o:" + quote(officer, safe="")


def hour_bucket(at: datetime) -> str:
    """The bucket of the hour of a moment: `h2026-11-23T05`."""
    return "h" + moment_key(at)[1:14]
