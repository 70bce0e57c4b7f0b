"""The one table of what a writer to the database without our keys would gain in each collection, and what stops it.

Whoever can write can always remove, and put an older document of ours back. `ends` and `heads` tell of what must not
come back; of everything else the table says what is lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from server.domain.licence.telling import KNOWN
from server.store.aggregates.heads import HEAD_CHAIN, HEADS
from server.store.aggregates.marks import MARKS
from server.store.apart import COLLECTION as APART
from server.store.audit_chain import AUDIT, CHAIN
from server.store.cases.case_documents import CASES
from server.store.cases.drafts import DRAFTS
from server.store.cases.materials import MATERIALS
from server.store.cases.plans import PLANS
from server.store.cases.visits import VISITS
from server.store.clocks import COLLECTION as CLOCKS
from server.store.effects.checkpoints import CHECKPOINTS
from server.store.effects.claims import CLAIMS
from server.store.effects.clues import CLUES
from server.store.effects.counts import COUNTS
from server.store.effects.deeds import DEEDS
from server.store.effects.fetches import FETCHES
from server.store.effects.notices import NOTICES
from server.store.effects.papers import PAPERS, RUNS
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
from server.store.licences.licences import LICENCES
from server.store.licences.showings import SHOWINGS
from server.store.licences.uses import USES
from server.store.numbers import BLOCKS
from server.store.people.accounts import OFFICERS
from server.store.people.attempts import ATTEMPTS
from server.store.people.desk_sessions import DESK_SESSIONS
from server.store.people.dishonest import DISHONEST
from server.store.people.mandates import MANDATES
from server.store.people.people import PERSONS, SESSIONS
from server.store.people.posts import POSTS
from server.store.queries import CATALOGUES
from server.store.waiting import WAITING

Means = Literal["proof", "recomputed", "harmless"]
QUEUED = frozenset({"key", "version"})


@dataclass(frozen=True)
class Trust:
    """What is known of one collection: what a writer would gain by its documents, and by which means that fails.

    A `proof` covers a whole document but for what its `marks` change (`why` that is harmless) and what is `elsewhere`
    proven. `recomputed` is compared with what it was made from; what is `harmless` gains nothing (`why` says the same
    of both). `removed` is what comes of it if documents are removed, and what tells that.
    """

    gain: str
    removed: str
    means: Means = "proof"
    marks: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()
    why: str = ""


TRUST: Mapping[str, Trust] = {
    APART: Trust(
        "an operator lets go of what was never set apart",
        "what was set apart is not tried again, and a deadline that waits for a batch waits no longer",
    ),
    ATTEMPTS: Trust(
        "passwords may be tried without a pause",
        "each process goes on from what it has met itself, and tells it; a restart, and another process, begin anew",
    ),
    AUDIT: Trust(
        "somebody looked at what they never did, or did not at what they did",
        "`audit verify` names it",
        marks=frozenset({"chain", "times", "version"}),
        why="`times` counts how often a stranger tried within an hour; `chain` says where the entry is chained, and "
        "`audit verify` looks there",
    ),
    CHAIN: Trust(
        "what is on record looks as if it had never been",
        "`audit verify` names it",
    ),
    CALENDAR: Trust(
        "all dates follow another calendar",
        "nothing: dates are brought to follow the calendar once more",
    ),
    CASES: Trust(
        "a step is approved, a case is shown to a stranger, a letter is sent",
        "`cases verify` names it",
        marks=MARKS,
        elsewhere=frozenset({"events", "line"}),
        why="marks tell which effects were carried, and carried again they change nothing, and when clockwork looks at "
        "the case, which finds in its events what is due: without a look nobody is warned, and silence accepts "
        "nothing; the chain of events ends in the `link`; lines are sealed for their place; a key that is not this "
        "case's opens nothing",
    ),
    CATALOGUES.collection: Trust(
        "an item asks for other things, or another department decides it",
        "our own cases of that version are refused; those from elsewhere go by the catalogue in force",
    ),
    CHECKPOINTS: Trust(
        "something is done by law about a day that has not come",
        "nothing: what is done about one happens once",
        marks=QUEUED | {"outcome"},
        why="what is done about a checkpoint is an act under its id, and happens once",
    ),
    CLAIMS: Trust(
        "another officer holds a task, with a hand-over note that nobody wrote",
        "another officer may take the task, and what was handed over with it is gone",
    ),
    CLUES: Trust(
        "a case is found by what it does not say",
        "the case is not found by that name or number",
    ),
    CLOCKS: Trust(
        "a machine's clock agrees with ours, or does not",
        "one clock less contradicts a machine that is ahead",
    ),
    COUNTS: Trust(
        "a head is shown figures of nothing",
        "a head has no figures of the authority before something moves there",
        marks=QUEUED,
        why="they tell when it is counted anew",
    ),
    DEEDS: Trust(
        "an officer is shown as having done what they did not",
        "the officer's own list lacks what they did; the audit has it",
    ),
    DESK_SESSIONS: Trust(
        "a session of an officer is proven anew, or does not end",
        "nothing: the officer signs in again",
    ),
    DIRECTORIES: Trust(
        "letters go to another address",
        "a process that starts takes the file of its settings, be it older",
        "recomputed",
        why="its publisher has signed it",
    ),
    DISHONEST: Trust(
        "a person may make no undertaking, or may again",
        "nothing: what is left is not believed",
    ),
    DRAFTS: Trust(
        "a citizen is shown what they did not write",
        "the draft is gone",
    ),
    ENDS: Trust(
        "a right counts as ended that was not",
        "no process starts (`ends_broken`)",
    ),
    FETCHES: Trust(
        "another node is asked for a content that is not for us",
        "the content does not come, and its step waits",
        marks=QUEUED | {"kept", "failures", "thrown_away", "outcome", "reason"},
        why="what arrives counts by its digest only",
    ),
    HEADS: Trust(
        "a case has come further than it has",
        "`cases verify` names it as `unlogged`",
        marks=frozenset({"chain"}),
        why="it tells which heads wait: one that does not is named as missing where the case is verified",
    ),
    HEAD_CHAIN: Trust(
        "a case is said to be older than it is",
        "`cases verify` names it",
    ),
    IN: Trust(
        "a letter is settled that no node sent",
        "one that waits is never settled, and a deadline of the applicant that waits for it waits no longer; one that "
        "has moved a case `cases verify` names",
        marks=QUEUED | {"state", "reason", "tries", "round"},
        why="a letter that is settled again changes nothing, and one that is held up is a removal",
    ),
    KNOWN: Trust(
        "a licence of another province looks valid that is not",
        "the home shows none until that node tells of it again",
        marks=frozenset({"alarm"}),
        why="it says when clockwork looks at it, which finds in it what is due: without a look nobody is reminded",
    ),
    LICENCES: Trust(
        "somebody holds a licence that nobody granted, or one that was revoked is valid",
        "`cases verify` names it",
        marks=MARKS,
        elsewhere=frozenset({"events"}),
        why="as in cases; without a look of clockwork a licence whose last day is over counts as expired all the same",
    ),
    SHOWINGS: Trust(
        "an officer is shown licences whose holder did not confirm it; put back as it was, a code is redeemed once "
        "more within its minute, and asks its holder again",
        "the code counts as unknown, and an answer of the holder as never given",
    ),
    USES: Trust(
        "a holder is told of a use that never was",
        "a holder is not told of a use; the audit has it",
    ),
    LOG: Trust(
        "a batch was sent or kept that never was",
        "`receipts` names it, and `reconcile` if `peers` does not know of it any more",
        marks=EVIDENCE,
        why="a receipt is the other node's signature",
    ),
    MANDATES: Trust(
        "somebody acts for another",
        "nobody acts by it any more",
    ),
    MATERIALS: Trust(
        "a file counts as handed in by somebody else",
        "the file counts as never handed in; a case that has it keeps it",
    ),
    NODE: Trust(
        "the node takes the data for that of another format",
        "no process starts",
        "recomputed",
        why="compared at each start",
    ),
    NONCES: Trust(
        "a request of another node counts as used",
        "who has captured a request of another node on its way gets it answered again, for some minutes",
        "harmless",
        why="it is refused, and comes again",
    ),
    NOTICES: Trust(
        "a citizen is told what did not happen",
        "a citizen is not told",
        marks=QUEUED | {"state", "attempts", "tried_at", "errcode", "reason", "ended_at"},
        why="a notice that is sent again says the same",
    ),
    BLOCKS: Trust(
        "numbers that people say are passed over, at most all that are left: new cases have none then",
        "numbers may be given a second time; a search by one shows both cases",
        "harmless",
        why="a block says nothing but that somebody has taken it, and a case is found by its id all the same",
    ),
    OFFICERS: Trust(
        "somebody becomes an officer, or knows the password of one",
        "the officer cannot sign in",
    ),
    OUT: Trust(
        "a letter goes to another node",
        "one about a case `cases verify` names; another is never sent",
        marks=QUEUED | {"state", "stream", "entry", "reason", "round"},
        why="a letter that is sent again is the same letter, and one that is held up is a removal",
    ),
    PAPERS: Trust(
        "another file is taken for that of a paper, or another number stands on it",
        "the paper is not made: `cases verify` names what was asked for and never came",
        marks=QUEUED | {"outcome"},
        why="they tell when it is made; a paper is made once, and its case says of which file it is",
    ),
    RUNS: Trust(
        "a number is given twice, or one that was never taken counts as unused",
        "the run begins anew: numbers are given twice, and papers tell it",
    ),
    PEERS: Trust(
        "letters of a peer count as taken out, and an applicant's time passes while the answer waits",
        "nothing is lost: all is sent and unpacked once more; a way that was in a later stream stops",
    ),
    PERSONS: Trust(
        "a person has another name",
        "the person has to prove who they are again",
        marks=frozenset({"openid"}),
        why="it is sealed for this person",
    ),
    PLANS: Trust(
        "a step goes by other rules",
        "the cases that refer to it are not read",
        "recomputed",
        why="each text is found by its digest",
    ),
    POSTS: Trust(
        "an officer has the rights of another post",
        "the officer has that right no more",
    ),
    SESSIONS: Trust(
        "a phone speaks for another person",
        "nothing: the citizen signs in again",
    ),
    TASKS: Trust(
        "an officer's worklist shows what is not there",
        "the step is on no worklist; its deadline is seen to all the same",
    ),
    VISITS: Trust(
        "somebody came to a window who never did",
        "the case counts a visit less",
    ),
    WAITING: Trust(
        "more or fewer are said to have drawn a lot, or to have come late, so that turns come sooner or later",
        "each process goes on from what it has met itself; if all of them begin anew as well, those who come late are "
        "numbered from the first again, or from the one whose turn it is",
    ),
    WARNINGS: Trust(
        "a head is warned of nothing",
        "a head does not see that a step is late; figures tell it",
    ),
    WITNESSED: Trust(
        "another node is said to have told a head that it never told",
        "a lower head that the other node tells contradicts nothing; its letters still say what it told before",
    ),
}
