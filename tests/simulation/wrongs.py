"""Wrongs: functions that stand in the place of one of the core's while a fault is planted, each with one error."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from regions import inbox, outbox, wire
from regions.retrying import longest_wait, probe_seconds
from server.crypto import merkle
from server.domain.aggregate.heads import HistoryHead
from server.domain.effects.commits import Commit
from server.domain.effects.letters_in import COURTESIES, may_be_ignored
from server.domain.effects.records import CaseRecord
from server.domain.errors import OutcomeUnknown, StaleVersion, Unavailable
from server.domain.exchange.circuit_breaker import breaker, probing
from server.domain.exchange.letters import Batch, Letter
from server.domain.exchange.log import Entry, Head, Position, Written
from server.store.cases.case_documents import CASES, CaseDocuments
from server.store.cases.cases import Cases
from server.store.database import Duplicate, Mark
from server.store.exchange.exchange import ExchangeLog
from server.store.exchange.letters_in import LettersIn
from server.store.exchange.letters_out import LettersOut
from server.store.exchange.peers import Peers
from server.store.numbered import NumberedLog, entry_id

append_theirs = ExchangeLog.append_theirs
append_ours = ExchangeLog.append_ours
after = ExchangeLog.after
mark_logged = LettersOut.mark_logged
admit = inbox.admit
commit_case = Cases.commit
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


async def is_eased_by_inbound(node: Any, *request: Any) -> Any:
    """Whoever calls us is thought to be reachable."""
    proof = await admit(node, *request)
    await node.store.peers.change(proof.sender, lambda state: replace(state, failures=0, next_attempt_at=None))
    return proof


async def counts_numbers(log: NumberedLog, number: int, document: Mapping[str, Any]) -> bool:
    """The number comes from a counter, which is written before the entry."""
    database, counter = log._database.bare, f"counter:{log._name}"  # type: ignore[attr-defined]
    found = await database.get("counters", counter)
    following = found["last"] + 1 if found else 1
    if found:
        await database.mark("counters", Mark(counter, {"last": following}))
    else:
        await database.insert("counters", {"_id": counter, "last": following})
    try:
        await log._database.insert(log._collection, {**document, "_id": entry_id(log._name, following)})
    except Duplicate:
        return False
    return True


async def marks_after_appending(node: Any, peer: Any) -> bool:
    """The courier with its steps 2 and 3 swapped: it appends a batch, and marks the letters of the head after that."""
    state = await node.store.peers.outbound(peer.node)
    if breaker(state, node.clock.now(), longest=longest_wait(node)) in ("open", "stopped"):
        return False
    log = node.store.log("out", peer.node)
    head = await log.head(state.head, stream=state.stream, genesis=state.genesis)
    is_idle = head.position <= state.acknowledged
    is_owed = is_idle and await outbox._is_heartbeat_due(node, peer.node, head)
    if is_idle and await outbox._append(node, peer.node, head, may_be_empty=is_owed) is None:
        return False
    if head.number and (of_head := await log.entry(head.position)):
        await node.store.letters_out.mark_logged(peer.node, of_head.letters, head.position)
    entry = await log.after(state.acknowledged)
    if entry is None or (attempt := await outbox._attempt(node, peer.node, state)) is None:
        return False
    return await outbox._send(node, peer, entry, written={}, attempt=attempt)


async def appends_in_memory(log: ExchangeLog, batch: Batch, letters: Sequence[Written], *, total: int) -> bool:
    """The courier takes an insert of unknown outcome for done, and remembers what it wanted to insert."""
    try:
        return await append_ours(log, batch, letters, total=total)
    except OutcomeUnknown:
        memory: dict[Any, Entry] = vars(log._database).setdefault("memory", {})
        ids, leaves = [each.id for each in letters], [merkle.leaf_hash(each.text).hex() for each in letters]
        memory[log._name, batch.stream, batch.number] = Entry(batch, batch.hash, ids, leaves, total, None)
        return True


async def remembers_appended(log: ExchangeLog, position: Position) -> Entry | None:
    """What is sent is not read back if it was remembered."""
    memory: dict[Any, Entry] = vars(log._database).setdefault("memory", {})
    remembered = memory.pop((log._name, position.stream, position.number + 1), None)
    return remembered or await after(log, position)


async def logs_from_memory(cases: Cases, record: CaseRecord | None, commit: Commit) -> CaseRecord:
    """After an unknown outcome the head of what was to be written is put, and then the case is looked at again."""
    if record is None:
        return await commit_case(cases, record, commit)
    document = cases._documents.continued(record, commit)
    try:
        if not await cases._database.replace(CASES, document, version=record.document["version"]):
            raise StaleVersion
    except OutcomeUnknown:
        head = HistoryHead(document["_id"], document["version"], document["link"])
        await cases.heads.put([head], at=commit.events[-1].at)
        raise
    return cases._documents.after(document, commit, before=record)


async def ignores_unknown_marks(letters: LettersOut, *batch: Any) -> None:
    """The courier goes on although it does not know whether the marks were made."""
    with suppress(OutcomeUnknown):
        await mark_logged(letters, *batch)


async def vouches_too_much(node: Any, peer: str, head: Head, *, may_be_empty: bool) -> Any:
    """The batch vouches for the time of letters that it leaves out."""
    complete_to = await outbox._complete_to(node)
    most = node.settings.batch_letters
    waiting = await node.store.letters_out.to_log(peer, limit=most + 1)
    chosen = outbox._fitting(waiting[:most])
    if not chosen and not may_be_empty:
        return None
    batch = Batch(
        sender=node.here,
        to=peer,
        stream=head.stream,
        number=head.number + 1,
        prev=head.hash,
        complete_to=complete_to,
        root=wire.root_of([each.text for each in chosen]).hex(),
    )
    await node.store.log("out", peer).append_ours(batch, chosen, total=head.total + len(chosen))
    return chosen


async def ignores_after(letters: LettersIn, ids: Iterable[str]) -> frozenset[str]:
    """Nothing holds a letter up."""
    return frozenset(ids)


def known_by_its_id_alone(sender: str, id: str) -> str:
    """Whoever gives a letter an id has it before all others."""
    return id


def ignores_what_it_knows(letter: Letter) -> bool:
    """A courtesy of an unknown kind waits for the day when this node knows it."""
    return may_be_ignored(letter) and letter.kind in COURTESIES


def replaces_effects(documents: CaseDocuments, before: Mapping[str, Any], commit: Any, key: Any) -> Any:
    """A commit forgets what the one before it has left to carry."""
    document = continued(documents, before, commit, key)
    return {**document, "effects": [each for each in document["effects"] if each["event"] > before["version"]]}


def never_done(record: CaseRecord, act_id: str) -> str | None:
    """Nobody looks whether the act was done before."""
    return None


async def lapses_at_once(node: Any, case: Any, checkpoint: Any) -> bool:
    """A deadline of a citizen abroad takes effect by our clock alone."""
    return True


async def marks_any_version(cases: Cases, records: Sequence[CaseRecord]) -> None:
    """The effects count as carried although the case has moved on meanwhile."""
    found = await cases._database.get_many("cases", [record.id for record in records])
    marks = [Mark(id, {"relayed": document["version"], "relay": "done"}) for id, document in found.items()]
    await cases._database.mark_many("cases", marks)


async def calls_without_a_take(node: Any, peer: str, state: Any) -> Any:
    """The courier makes the attempt although another was faster to take it."""
    if not state.failures:
        return state
    until = node.clock.now() + timedelta(seconds=probe_seconds(node))
    attempt = probing(state, until=until)
    await node.store.peers.take(peer, state, attempt)
    return attempt


def is_never_open(state: Any, now: Any, **more: Any) -> str:
    """A courier tries whenever it has something to send."""
    return "stopped" if state.stopped else "closed"


def heeds_nobody(attempt: Any, state: Any) -> bool:
    """A failed attempt ends the time of whoever probes meanwhile."""
    return False
