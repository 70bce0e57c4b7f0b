"""What each collection and each query would be on a sharded MongoDB whose shard key is the hashed `_id`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from server.store.database import Query
from server.store.queries import CASES_BY_CLUE

Ids = Literal["random", "case in front", "digest in front", "kind and moment in front", "numbered", "named"]
Grows = Literal["cases", "acts", "letters", "people", "use", "staff", "nothing"]
Asks = Literal["request", "loop", "command"]
HOT: Mapping[Ids, str] = {"numbered": "the last of each log", "kind and moment in front": "the last of each kind"}
STAYS_SMALL: frozenset[Grows] = frozenset({"staff", "nothing"})


@dataclass(frozen=True)
class Growth:
    """What the `_id`s of a collection look like, and what it grows with."""

    ids: Ids
    grows: Grows

    @property
    def is_sharded(self) -> bool:
        """Whether it is worth to be dealt out: what stays small stays on one shard, and its queries ask that one."""
        return self.grows not in STAYS_SMALL


COLLECTIONS: Mapping[str, Growth] = {
    "apart": Growth("named", "use"),
    "attempts": Growth("random", "use"),
    "audit": Growth("kind and moment in front", "acts"),
    "audit_chain": Growth("numbered", "acts"),
    "calendar": Growth("named", "nothing"),
    "cases": Growth("random", "cases"),
    "catalogues": Growth("named", "nothing"),
    "claims": Growth("case in front", "use"),
    "clocks": Growth("named", "nothing"),
    "clues": Growth("case in front", "cases"),
    "counts": Growth("named", "staff"),
    "deeds": Growth("case in front", "acts"),
    "desk_sessions": Growth("random", "staff"),
    "directories": Growth("named", "nothing"),
    "dishonest": Growth("random", "people"),
    "drafts": Growth("digest in front", "use"),
    "ends": Growth("numbered", "use"),
    "fetches": Growth("case in front", "letters"),
    "head_chain": Growth("numbered", "acts"),
    "heads": Growth("case in front", "use"),
    "letters_in": Growth("random", "letters"),
    "letters_out": Growth("random", "letters"),
    "known_licences": Growth("case in front", "cases"),
    "licence_showings": Growth("random", "use"),
    "licence_uses": Growth("named", "acts"),
    "licences": Growth("named", "cases"),
    "log": Growth("numbered", "letters"),
    "mandates": Growth("random", "people"),
    "materials": Growth("random", "cases"),
    "node": Growth("named", "nothing"),
    "nonces": Growth("random", "use"),
    "notices": Growth("case in front", "acts"),
    "number_blocks": Growth("numbered", "cases"),
    "officers": Growth("named", "staff"),
    "paper_runs": Growth("named", "staff"),
    "papers": Growth("random", "acts"),
    "peers": Growth("named", "nothing"),
    "persons": Growth("random", "people"),
    "plans": Growth("random", "nothing"),
    "posts": Growth("named", "staff"),
    "rungs": Growth("case in front", "cases"),
    "sessions": Growth("random", "use"),
    "tasks": Growth("case in front", "cases"),
    "visits": Growth("random", "cases"),
    "waiting": Growth("named", "nothing"),
    "warnings": Growth("case in front", "cases"),
    "witnessed": Growth("named", "nothing"),
}
ASKED: Mapping[str, tuple[Asks, str]] = {
    "cases_of_owner": ("request", "an applicant's list"),
    "cases_of_agent": ("request", "an agent's list"),
    "cases_due_for_relay": ("loop", "what a process left behind"),
    "cases_by_number": ("request", "an officer searches"),
    "cases_by_event": ("loop", "comparing cases, the newest moment"),
    "visits_of_case": ("request", "a case"),
    "visits_of_window": ("request", "a head's figures"),
    "tasks_of_authority": ("request", "a worklist"),
    "tasks_of_node": ("loop", "a new calendar, figures"),
    "tasks_of_window": ("request", "a window's worklist"),
    "claims_of_holder": ("request", "a worklist"),
    "desk_sessions_of_officer": ("request", "an officer is ended"),
    **{query.name: ("request", "an officer searches") for query in CASES_BY_CLUE},
    "deeds_of_officer": ("request", "what an officer has done"),
    "counts_to_make": ("loop", "figures made anew"),
    "letters_to_log": ("loop", "letters for a peer"),
    "letters_dead": ("command", "dead letters"),
    "letters_out_about": ("command", "erasing a case"),
    "letters_in_about": ("command", "erasing a case"),
    "letters_waiting": ("loop", "letters to settle"),
    "notices_by_state": ("loop", "notices to send"),
    "alarms_due": ("loop", "what falls due"),
    "licences_due_for_relay": ("loop", "what a process left behind"),
    "licences_by_event": ("loop", "the newest moment"),
    "licence_alarms_due": ("loop", "what falls due"),
    "known_alarms_due": ("loop", "what falls due"),
    "rungs_claimed": ("loop", "what falls due"),
    "warnings_of_authority": ("request", "warnings"),
    "apart": ("loop", "what is set apart"),
    "drafts_of_owner": ("request", "an applicant's drafts"),
    "drafts_expiring": ("loop", "reminders of drafts"),
    "showings_of_owner": ("request", "what asks a holder to confirm"),
    "uses_of_licence": ("request", "the uses of a licence"),
    "mandates_of_principal": ("request", "mandates"),
    "mandates_of_agent": ("request", "mandates, an agent's list"),
    "fetches_due": ("loop", "materials to fetch"),
    "fetches_of_step": ("loop", "a step's materials"),
    "papers_due": ("loop", "papers to make"),
    "blocks_taken": ("request", "the first submission of a process"),
    "catalogues": ("loop", "the start of a process"),
    "officers_listed": ("request", "the list of accounts"),
    "audit_by_time": ("request", "the audit"),
    "audit_of_kind": ("request", "the audit"),
    "audit_by_officer": ("request", "the audit"),
    "audit_of_case": ("request", "the audit"),
    "audit_of_person": ("request", "the audit"),
    "catalogues_listed": ("loop", "the start of a process"),
    "clocks": ("loop", "the clocks of machines"),
    "audit_unchained": ("loop", "the chain of the audit"),
    "heads_unchained": ("loop", "the chain of heads"),
    "posts_of_officer": ("request", "every request of an officer"),
    "posts_at": ("request", "who works where"),
    "expired_nonces": ("loop", "forgetting"),
    "expired_sessions": ("loop", "forgetting"),
    "expired_desk_sessions": ("loop", "forgetting"),
    "expired_drafts": ("loop", "forgetting"),
    "expired_attempts": ("loop", "forgetting"),
    "expired_clocks": ("loop", "forgetting"),
    "expired_showings": ("loop", "forgetting"),
}


def query_row(query: Query) -> str:
    """A row for a query; KeyError for one of which nobody has said who asks, or how its collection grows."""
    asks, what = ASKED[query.name]
    reach = "all shards" if COLLECTIONS[query.collection].is_sharded else "one shard"
    how = "range" if query.is_range else "equal"
    return f"| `{query.collection}` | `{query.field}` | {how} | {asks}: {what} | {reach} |\n"


def collection_row(name: str) -> str:
    """A row for a collection; KeyError for one of which nobody has said how it grows."""
    growth = COLLECTIONS[name]
    by_range = HOT.get(growth.ids, "any") if growth.is_sharded else "one shard"
    dealt = "hashed `_id`" if growth.is_sharded else "no"
    return f"| `{name}` | {growth.ids} | {growth.grows} | {dealt} | {by_range} |\n"
