"""The one table of what a writer to the database without our keys would gain in each collection, and what stops it.

Whoever can write can always remove: what is said here is what cannot be made to look like ours. An older document of
ours put back is ours still; `ends` and `heads` tell of what must not come back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from server.store.apart import COLLECTION as APART
from server.store.audit_chain import AUDIT, CHAIN
from server.store.cases.case_documents import CASES
from server.store.cases.drafts import DRAFTS
from server.store.cases.heads import HEAD_CHAIN, HEADS
from server.store.cases.materials import MATERIALS
from server.store.cases.plans import PLANS
from server.store.cases.visits import VISITS
from server.store.clocks import COLLECTION as CLOCKS
from server.store.effects.alarms import ALARMS
from server.store.effects.checkpoints import CHECKPOINTS
from server.store.effects.claims import CLAIMS
from server.store.effects.clues import CLUES
from server.store.effects.counts import COUNTS
from server.store.effects.deeds import DEEDS
from server.store.effects.fetches import FETCHES
from server.store.effects.notices import NOTICES
from server.store.effects.projection import CALENDAR
from server.store.effects.tasks import TASKS
from server.store.effects.warnings import WARNINGS
from server.store.ends import ENDS
from server.store.exchange.directories import DIRECTORIES
from server.store.exchange.exchange import EVIDENCE, LOG
from server.store.exchange.letters_in import IN
from server.store.exchange.letters_out import OUT
from server.store.exchange.peers import NONCES, PEERS, WITNESSED
from server.store.identity import NODE
from server.store.people.accounts import OFFICERS
from server.store.people.attempts import ATTEMPTS
from server.store.people.desk_sessions import DESK_SESSIONS
from server.store.people.dishonest import DISHONEST
from server.store.people.mandates import MANDATES
from server.store.people.people import PERSONS, SESSIONS
from server.store.people.posts import POSTS
from server.store.queries import CATALOGUES

Means = Literal["proof", "recomputed", "harmless"]
QUEUED = frozenset({"key", "version"})


@dataclass(frozen=True)
class Trust:
    """What is known of one collection: what a writer would gain by its documents, and by which means that fails.

    A `proof` covers a whole document but for what its `marks` change (`why` that is harmless) and what is `elsewhere`
    proven. `recomputed` is compared with what it was made from; what is `harmless` gains nothing (`why` says the same
    of both).
    """

    gain: str
    means: Means = "proof"
    marks: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()
    why: str = ""


TRUST: Mapping[str, Trust] = {
    ALARMS: Trust(
        "clockwork looks at a case at another moment",
        "harmless",
        why="what is due is read from the case; a look too many finds nothing, and removing is not forging",
    ),
    APART: Trust("an operator lets go of what was never set apart"),
    ATTEMPTS: Trust("passwords may be tried without a pause"),
    AUDIT: Trust(
        "somebody looked at what they never did, or did not at what they did",
        marks=frozenset({"chain", "times", "version"}),
        why="`times` counts how often a stranger tried within an hour; `chain` says where the entry is chained, and "
        "`audit verify` looks there",
    ),
    CHAIN: Trust("what is on record looks as if it had never been"),
    CALENDAR: Trust("all dates follow another calendar"),
    CASES: Trust(
        "a step is approved, a case is shown to a stranger, a letter is sent",
        marks=frozenset({"relayed", "relay", "key"}),
        elsewhere=frozenset({"events", "line"}),
        why="marks tell which effects were carried, and carried again they change nothing; the chain of events ends in "
        "the `link`; lines are sealed for their place; a key that is not this case's opens nothing",
    ),
    CATALOGUES.collection: Trust("an item asks for other things, or another department decides it"),
    CHECKPOINTS: Trust(
        "something is done by law about a day that has not come",
        marks=QUEUED | {"outcome"},
        why="what is done about a checkpoint is an act under its id, and happens once",
    ),
    CLAIMS: Trust("another officer holds a task, with a hand-over note that nobody wrote"),
    CLUES: Trust("a case is found by what it does not say"),
    CLOCKS: Trust("a machine's clock agrees with ours, or does not"),
    COUNTS: Trust(
        "a head is shown figures of nothing",
        marks=QUEUED,
        why="they tell when it is counted anew",
    ),
    DEEDS: Trust("an officer is shown as having done what they did not"),
    DESK_SESSIONS: Trust("a session of an officer is proven anew, or does not end"),
    DIRECTORIES: Trust("letters go to another address", "recomputed", why="its publisher has signed it"),
    DISHONEST: Trust("a person may make no undertaking, or may again"),
    DRAFTS: Trust("a citizen is shown what they did not write"),
    ENDS: Trust("a right counts as ended that was not"),
    FETCHES: Trust(
        "another node is asked for a content that is not for us",
        marks=QUEUED | {"kept", "failures", "thrown_away", "outcome", "reason"},
        why="what arrives counts by its digest only",
    ),
    HEADS: Trust(
        "a case has come further than it has",
        marks=frozenset({"chain"}),
        why="it tells which heads wait: one that does not is named as missing where the case is verified",
    ),
    HEAD_CHAIN: Trust("a case is said to be older than it is"),
    IN: Trust(
        "a letter is settled that no node sent",
        marks=QUEUED | {"state", "reason", "tries", "round"},
        why="a letter that is settled again changes nothing, and one that is held up is a removal",
    ),
    LOG: Trust(
        "a batch was sent or kept that never was",
        marks=EVIDENCE,
        why="a receipt is the other node's signature",
    ),
    MANDATES: Trust("somebody acts for another"),
    MATERIALS: Trust("a file counts as handed in by somebody else"),
    NODE: Trust("the node takes the data for that of another format", "recomputed", why="compared at each start"),
    NONCES: Trust("a request of another node counts as used", "harmless", why="it is refused, and comes again"),
    NOTICES: Trust(
        "a citizen is told what did not happen",
        marks=QUEUED | {"state", "attempts", "tried_at", "errcode", "reason", "ended_at"},
        why="a notice that is sent again says the same",
    ),
    OFFICERS: Trust("somebody becomes an officer, or knows the password of one"),
    OUT: Trust(
        "a letter goes to another node",
        marks=QUEUED | {"state", "stream", "entry", "reason", "round"},
        why="a letter that is sent again is the same letter, and one that is held up is a removal",
    ),
    PEERS: Trust("letters of a peer count as taken out, and an applicant's time passes while the answer waits"),
    PERSONS: Trust(
        "a person has another name",
        marks=frozenset({"openid"}),
        why="it is sealed for this person",
    ),
    PLANS: Trust("a step goes by other rules", "recomputed", why="each text is found by its digest"),
    POSTS: Trust("an officer has the rights of another post"),
    SESSIONS: Trust("a phone speaks for another person"),
    TASKS: Trust("an officer's worklist shows what is not there"),
    VISITS: Trust("somebody came to a window who never did"),
    WARNINGS: Trust("a head is warned of nothing"),
    WITNESSED: Trust("another node is said to have told a head that it never told"),
}
