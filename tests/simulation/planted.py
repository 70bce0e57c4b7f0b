"""Planted faults: each replaces something of the core for one run, and the simulation must find it.

`seed` is the first at which it is found, and `invariant` the one that does not hold then; without the fault it holds.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from regions import control_letters, inbox, letters, outbox, settling
from server.desk.background import clockwork
from server.domain.effects.records import CaseRecord
from server.domain.exchange import letters as naming
from server.store.cases.case_documents import CaseDocuments
from server.store.cases.cases import Cases
from server.store.exchange import letters_in
from server.store.exchange.exchange import ExchangeLog
from server.store.exchange.letters_in import LettersIn
from server.store.exchange.letters_out import LettersOut
from server.store.exchange.peers import Peers
from server.store.numbered import NumberedLog
from tests.simulation import course, reckoning, wrongs
from tests.simulation.running import Outcome, simulate

# Where a letter is known by its unique id; those of the simulation too, so that without taken ids nothing changes.
NAMES_OF_LETTERS = (naming, letters_in, settling, letters, control_letters, course, reckoning)
Replacement = tuple[Any, str, Callable[..., Any]]


@dataclass(frozen=True)
class Fault:
    """One fault: what goes wrong, in which places what stands instead, and how it was found."""

    name: str
    wrong: str
    instead: Sequence[Replacement]
    invariant: str
    seed: int

    @contextmanager
    def plant(self) -> Iterator[None]:
        """Let the fault stand in the core for a while."""
        with ExitStack() as planted:
            for where, name, instead in self.instead:
                planted.callback(setattr, where, name, getattr(where, name))
                setattr(where, name, instead)
            yield


FAULTS: Sequence[Fault] = (
    Fault(
        name="acknowledge before storing",
        wrong="a receipt goes out although nobody knows whether the batch is on disk",
        instead=[(ExchangeLog, "append_theirs", wrongs.acknowledges_unstored)],
        invariant="no head is acknowledged before it is stored",
        seed=0,
    ),
    Fault(
        name="nonce forgotten at restart",
        wrong="nonces live in the memory of one process",
        instead=[(Peers, "use_nonce", wrongs.forgets_nonces)],
        invariant="no nonce is accepted twice",
        seed=1,
    ),
    Fault(
        name="breaker cleared by inbound",
        wrong="a request from a peer ends our waiting for it",
        instead=[(inbox, "admit", wrongs.is_eased_by_inbound)],
        invariant="only an outbound success closes the breaker",
        seed=1,
    ),
    Fault(
        name="a number from a counter",
        wrong="a counter is written, then the entry",
        instead=[(NumberedLog, "append", wrongs.counts_numbers)],
        invariant="no hole in a log",
        seed=0,
    ),
    Fault(
        name="steps 2 and 3 swapped",
        wrong="the courier appends a batch, and marks the letters of the head after that",
        instead=[(outbox, "deliver", wrongs.marks_after_appending)],
        invariant="a letter is in one batch",
        seed=0,
    ),
    Fault(
        name="sent from memory",
        wrong="after an insert of unknown outcome the batch is sent without being read back",
        instead=[
            (ExchangeLog, "append_ours", wrongs.appends_in_memory),
            (ExchangeLog, "after", wrongs.remembers_appended),
        ],
        invariant="a batch is stored before it is sent",
        seed=8,
    ),
    Fault(
        name="unknown marks ignored",
        wrong="the courier goes on although the marks may not have been made",
        instead=[(LettersOut, "mark_logged", wrongs.ignores_unknown_marks)],
        invariant="a letter is in one batch",
        seed=58,
    ),
    Fault(
        name="complete_to past letters left out",
        wrong="a batch vouches for the time of letters that did not fit into it",
        instead=[(outbox, "_append", wrongs.vouches_too_much)],
        invariant="complete_to holds",
        seed=167,
    ),
    Fault(
        name="after ignored",
        wrong="a letter is settled before the one that it follows",
        instead=[(LettersIn, "released", wrongs.ignores_after)],
        invariant="after is heeded",
        seed=12,
    ),
    Fault(
        name="letters known by id alone",
        wrong="the key of a letter is its id, without its sender: whoever takes another's ids blocks its letters",
        instead=[(room, "unique_id", wrongs.known_by_its_id_alone) for room in NAMES_OF_LETTERS],
        invariant="every letter arrives once",
        seed=4,
    ),
    Fault(
        name="unknown courtesies wait",
        wrong="a letter that may be ignored waits for the day when its kind is known",
        instead=[(settling, "may_be_ignored", wrongs.ignores_what_it_knows)],
        invariant="a courtesy holds nothing up",
        seed=2,
    ),
    Fault(
        name="effects replaced",
        wrong="a commit drops the effects that were not yet carried",
        instead=[(CaseDocuments, "_continued", wrongs.replaces_effects)],
        invariant="effects wait until they are carried",
        seed=0,
    ),
    Fault(
        name="act ids not looked up",
        wrong="an act is done again when it comes again",
        instead=[(CaseRecord, "done_by", wrongs.never_done)],
        invariant="every act is done once",
        seed=0,
    ),
    Fault(
        name="lapse without the home's word",
        wrong="a deadline takes effect before the home's letters are complete",
        instead=[(clockwork, "_is_complete", wrongs.lapses_at_once)],
        invariant="an answer in time counts",
        seed=67,
    ),
    Fault(
        name="another's probe ended",
        wrong="a failed attempt that began before lets a second courier probe beside the first",
        instead=[(outbox, "is_superseded", wrongs.heeds_nobody)],
        invariant="one courier probes a broken way",
        seed=1,
    ),
    Fault(
        name="a lost take ignored",
        wrong="a courier calls a broken peer although another has taken the attempt",
        instead=[(outbox, "_attempt", wrongs.calls_without_a_take)],
        invariant="attempts keep to the back-off",
        seed=1,
    ),
    Fault(
        name="back-off ignored",
        wrong="a courier calls a broken peer before its time",
        instead=[(outbox, "breaker", wrongs.is_never_open)],
        invariant="attempts keep to the back-off",
        seed=1,
    ),
    Fault(
        name="effects of another version marked",
        wrong="the relay marks what it has not carried",
        instead=[(Cases, "mark_relayed", wrongs.marks_any_version)],
        invariant="effects wait until they are carried",
        seed=0,
    ),
    Fault(
        name="a head from memory",
        wrong="after a commit of unknown outcome the head of what was to be written is logged",
        instead=[(Cases, "commit", wrongs.logs_from_memory)],
        invariant="a head is of what is stored",
        seed=0,
    ),
)


def simulated(seed: int, *, fault: str = "") -> Outcome:
    """What comes of a seed, with the planted fault of this name if one is named."""
    if not fault:
        return simulate(seed)
    return simulate(seed, planted=next(each.plant for each in FAULTS if each.name == fault))


def row(fault: Fault) -> str:
    """The row of the table in docs/reliability.md."""
    return f"| {fault.name} | {fault.wrong} | {fault.invariant} | {fault.seed} |\n"
