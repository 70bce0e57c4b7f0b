"""Planted faults: each replaces one function of the core for one run, and the simulation must find it.

`seed` is one at which it is found, and `invariant` the one that does not hold then; without the fault it holds.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from regions import inbox, settling
from server.desk import clockwork
from server.domain.errors import OutcomeUnknown, Unavailable
from server.domain.records import Record
from server.store.case_documents import CaseDocuments
from server.store.cases import Cases
from server.store.database import Duplicate, Mark
from server.store.exchange import ExchangeLog
from server.store.letters_in import LettersIn
from server.store.letters_out import LettersOut
from server.store.numbered import NumberedLog, entry_id
from server.store.peers import Peers
from tests.simulation.running import Outcome, simulate


@dataclass(frozen=True)
class Fault:
    """One fault: what goes wrong, in place of which function, what stands there, and how it was found."""

    name: str
    wrong: str
    where: Any
    function: str
    instead: Callable[..., Any]
    invariant: str
    seed: int

    def plant(self) -> AbstractContextManager[None]:
        """Let the fault stand in the core for a while."""
        return replaced(self.where, self.function, self.instead)


@contextmanager
def replaced(where: Any, name: str, instead: Any) -> Iterator[None]:
    """One attribute is another meanwhile."""
    before = getattr(where, name)
    setattr(where, name, instead)
    try:
        yield
    finally:
        setattr(where, name, before)


append_theirs = ExchangeLog.append_theirs
mark_logged = LettersOut.mark_logged
admit = inbox.admit
continued = CaseDocuments._continued


async def acknowledges_unstored(log: ExchangeLog, *batch: Any, **more: Any) -> bool:
    """The receipt goes out whether or not the store has answered."""
    try:
        return await append_theirs(log, *batch, **more)
    except Unavailable:
        return True


async def forgets_nonces(peers: Peers, key: str, nonce: str, *, until: Any) -> bool:
    """Nonces are remembered by the process alone."""
    known: dict[str, None] = vars(peers).setdefault("known", {})
    is_new = f"{key}:{nonce}" not in known
    known[f"{key}:{nonce}"] = None
    return is_new


async def is_eased_by_inbound(node: Any, **request: Any) -> Any:
    """Whoever calls us is thought to be reachable."""
    proof = await admit(node, **request)
    await node.store.peers.change(proof.sender, lambda state: replace(state, failures=0, next_attempt_at=None))
    return proof


async def counts_numbers(log: NumberedLog, number: int, document: Mapping[str, Any]) -> bool:
    """The number comes from a counter, which is written before the entry."""
    database, counter = log._database, f"counter:{log._name}"
    found = await database.get("counters", counter)
    following = found["last"] + 1 if found else 1
    if found:
        await database.mark("counters", Mark(counter, {"last": following}))
    else:
        await database.insert("counters", {"_id": counter, "last": following})
    try:
        await database.insert(log._collection, {**document, "_id": entry_id(log._name, following)})
    except Duplicate:
        return False
    return True


async def ignores_unknown_marks(letters: LettersOut, *batch: Any) -> None:
    """The courier goes on although it does not know whether the marks were made."""
    try:
        await mark_logged(letters, *batch)
    except OutcomeUnknown:
        return


async def ignores_after(letters: LettersIn, ids: Iterable[str]) -> frozenset[str]:
    """Nothing holds a letter up."""
    return frozenset(ids)


def replaces_effects(documents: CaseDocuments, before: Mapping[str, Any], commit: Any, **key: Any) -> Any:
    """A commit forgets what the one before it has left to carry."""
    document = continued(documents, before, commit, **key)
    return {**document, "effects": [each for each in document["effects"] if each["event"] > before["version"]]}


def never_done(record: Record, act_id: str) -> tuple[Any, ...]:
    """Nobody looks whether the act was done before."""
    return ()


async def lapses_at_once(node: Any, case: Any, rung: Any) -> bool:
    """A deadline of a citizen abroad takes effect by our clock alone."""
    return True


async def marks_any_version(cases: Cases, records: Sequence[Record]) -> None:
    """The effects count as carried although the case has moved on meanwhile."""
    found = await cases._database.get_many("cases", [record.id for record in records])
    marks = [Mark(id, {"relayed": document["version"], "relay": "done"}) for id, document in found.items()]
    await cases._database.mark_many("cases", marks)


FAULTS: Sequence[Fault] = (
    Fault(
        name="acknowledge before storing",
        wrong="a receipt goes out although nobody knows whether the batch is on disk",
        where=ExchangeLog,
        function="append_theirs",
        instead=acknowledges_unstored,
        invariant="",
        seed=0,
    ),
    Fault(
        name="nonce forgotten at restart",
        wrong="nonces live in the memory of one process",
        where=Peers,
        function="use_nonce",
        instead=forgets_nonces,
        invariant="",
        seed=0,
    ),
    Fault(
        name="breaker cleared by inbound",
        wrong="a request from a peer ends our waiting for it",
        where=inbox,
        function="admit",
        instead=is_eased_by_inbound,
        invariant="",
        seed=0,
    ),
    Fault(
        name="a number from a counter",
        wrong="a counter is written, then the entry",
        where=NumberedLog,
        function="append",
        instead=counts_numbers,
        invariant="",
        seed=0,
    ),
    Fault(
        name="unknown marks ignored",
        wrong="the courier goes on although the marks may not have been made",
        where=LettersOut,
        function="mark_logged",
        instead=ignores_unknown_marks,
        invariant="",
        seed=0,
    ),
    Fault(
        name="after ignored",
        wrong="a letter is settled before the one that it follows",
        where=LettersIn,
        function="released",
        instead=ignores_after,
        invariant="",
        seed=0,
    ),
    Fault(
        name="effects replaced",
        wrong="a commit drops the effects that were not yet carried",
        where=CaseDocuments,
        function="_continued",
        instead=replaces_effects,
        invariant="",
        seed=0,
    ),
    Fault(
        name="act ids not looked up",
        wrong="an act is done again when it comes again",
        where=Record,
        function="done_by",
        instead=never_done,
        invariant="",
        seed=0,
    ),
    Fault(
        name="lapse without the home's word",
        wrong="a deadline takes effect before the home's letters are complete",
        where=clockwork,
        function="_is_complete",
        instead=lapses_at_once,
        invariant="",
        seed=0,
    ),
    Fault(
        name="effects of another version marked",
        wrong="the relay marks what it has not carried",
        where=Cases,
        function="mark_relayed",
        instead=marks_any_version,
        invariant="",
        seed=0,
    ),
)


def simulated(seed: int, *, fault: str = "") -> Outcome:
    """What comes of a seed, with the planted fault of this name if one is named."""
    if not fault:
        return simulate(seed)
    return simulate(seed, planted=next(each.plant for each in FAULTS if each.name == fault))
