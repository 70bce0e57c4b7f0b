"""Settling kept letters: each is judged once, in its case's order, and what cannot be settled is answered by letter."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from regions import licence_letters
from regions.control_letters import CONTROL_LETTERS, handle
from server.desk import apart
from server.desk.acting import perform_many
from server.desk.relay import relay_soon
from server.domain.aggregate.acts import Act
from server.domain.case.case import local_id
from server.domain.effects.letters_in import act_of, known_kind, may_be_ignored
from server.domain.errors import CatalogueNotAtHand, Conflict, Refusal, StaleVersion, Unavailable
from server.domain.exchange.letters import REFUSED, Letter, about_letter, unique_id
from server.domain.exchange.log import Entry, KeptLetter, Position
from server.domain.licence.telling import LICENCE_TOLD
from server.domain.rules.decide import NotOurStep
from server.node import Node

BATCHES_AT_ONCE = 8
LETTERS_AT_ONCE = 200
FIRST_WAIT_SECONDS = 0.2
MOST_DOUBLINGS = 9
SETTLED, POSTPONED, ATTENTION, IGNORED = "settled", "postponed", "attention", "ignored"
KIND_UNKNOWN = "kind_unknown"
DOUBTS = (StaleVersion, Unavailable)  # no fault of the letter: it is tried again, and the sender is told nothing


@dataclass
class _Round:
    """One round of settling: each letter taken in, with its act or why it is ignored, and who holds nothing up."""

    free: set[str]
    taken: list[tuple[KeptLetter, Act | str]] = field(default_factory=list)


class LetterConflict(Conflict):
    """Another letter came under the same id, with other bytes."""

    code = "letter_conflict"
    title = "同一编号的函件内容不同"


async def unpack(node: Node, peer: str) -> bool:
    """Unpack a peer's kept batches into letters, in order of the log; True if there may be more.

    A batch or a letter that cannot be unpacked is set apart. The peer's log then counts as incomplete: its watermark
    alone no longer lets a deadline of an applicant take effect.
    """
    done = (await node.store.peers.inbound(peer)).spread
    found = await node.store.log("in", peer).following(done, limit=BATCHES_AT_ONCE)
    opened = {entry.batch.number: entry for entry in found}
    # In order and one by one: the kept position says that everything before it is unpacked, also after a crash.
    for number in range(done.number + 1, done.number + 1 + found.seen):
        position = Position(done.stream, number)
        if number in opened:
            is_whole = await _unpack_batch(node, peer, opened[number])
        else:
            fault = found.unreadable[node.store.log("in", peer).id_of(position)]
            is_whole = await apart.set_apart(node, "batch", _batch_id(peer, position), fault=fault)
        broken = {} if is_whole else {"is_broken": 1}
        await node.store.peers.keep_inbound(peer, spread=position, **broken)
    # The sender has opened its next stream, so that this one gets no more entries.
    if not found.seen and await node.store.log("in", peer).entry(Position(done.stream + 1, 1)):
        await node.store.peers.keep_inbound(peer, spread=Position(done.stream + 1, 0))
        return True
    return found.seen == BATCHES_AT_ONCE


async def unpack_again(node: Node, batch: str) -> None:
    """Unpack once more one letter of a batch, or a whole batch that did not open; raises what they raise."""
    peer, stream, number, *index = batch.split(":")
    entry = await node.store.log("in", peer).entry(Position(int(stream), int(number)))
    if entry is None:
        return
    if index:
        await _keep(node, peer, entry, indexes=[int(index[0])])
    else:
        await _unpack_batch(node, peer, entry)


def _batch_id(peer: str, position: Position) -> str:
    return f"{peer}:{position.stream}:{position.number}"


async def _unpack_batch(node: Node, peer: str, entry: Entry) -> bool:
    """Unpack all letters of an entry; False if some had to be set apart."""
    letters = {f"{_batch_id(peer, entry.position)}:{index}": index for index in range(len(entry.letters))}
    return await apart.all_or_each(node, letters, lambda some: _keep(node, peer, entry, indexes=some), kind="batch")


async def _keep(node: Node, peer: str, entry: Entry, *, indexes: Sequence[int]) -> None:
    """Keep these letters of an entry (all, or one) as letters to settle, and refuse those whose id another one has."""
    letters = [entry.letters[index] for index in indexes]
    first, at = indexes[0] if indexes else 0, node.clock.now()
    conflicts = await node.store.letters_in.keep(letters, sender=peer, at=at, position=entry.position, first=first)
    for letter in conflicts:
        # Control letters are never refused by letter, or two nodes could refuse each other's refusals for ever.
        if letter.kind not in CONTROL_LETTERS:
            await tell_refused(node, letter.id, LetterConflict.code, sender=peer, round=0)
        node.log.error("letter.conflict", peer=peer, letter=letter.id, kind=letter.kind, **_about(letter))


async def settle(node: Node) -> bool:
    """Settle the letters whose time has come, in order of the log; True if there may be more."""
    due = await node.store.letters_in.due(node.clock.now(), limit=LETTERS_AT_ONCE)
    await apart.set_apart_unread(node, due, kind="letter")
    await apart.all_or_each(node, {kept.id: kept for kept in due}, partial(_settle, node), kind="letter")
    return due.seen == LETTERS_AT_ONCE


async def _settle(node: Node, due: Sequence[KeptLetter]) -> None:
    """Judge each; a letter of a case that was stopped by an earlier one keeps its place and is judged next time."""
    # A letter waits for the one before it in its case (`after`), but not for one that is settled in this same round.
    before = {_before(each.letter) for each in due if each.letter.after} - {each.letter.unique_id for each in due}
    round = _Round(free=set(await node.store.letters_in.released(before) if before else ()))
    for kept in due:
        letter = kept.letter
        if kept.id != letter.unique_id:  # judged anew it is still not the letter that came first under its id
            await _refuse(node, kept, LetterConflict("同一编号的函件已经收到过，内容不同。"))
        elif letter.after and _before(letter) not in round.free:
            await _postpone(node, kept, "waits_on_earlier_letter")
        elif letter.kind in CONTROL_LETTERS:
            await _handle_control_letter(node, kept)
        elif letter.kind == LICENCE_TOLD:
            await _handle_licence_letter(node, kept, round)
        else:
            await _take_in(node, kept, round)
    await _do(node, round.taken)


def _before(letter: Letter) -> str:
    """The unique id of the letter that this one comes after."""
    return unique_id(letter.sender, str(letter.after))


async def _take_in(node: Node, kept: KeptLetter, round: _Round) -> None:
    """Take the letter's act into the round; one of an unknown kind is ignored, or waits until this node knows it."""
    letter, act, reason = kept.letter, None, KIND_UNKNOWN
    try:
        act = await _act_of(node, letter)
    except DOUBTS as doubt:
        await _postpone(node, kept, doubt.code)
        return
    except Refusal as refusal:
        if not may_be_ignored(letter):
            await _refuse(node, kept, refusal)
            return
        reason = refusal.code
    if act is None and not may_be_ignored(letter):
        await _postpone(node, kept, reason)
        return
    round.taken.append((kept, act or reason))
    round.free.add(letter.unique_id)


async def _act_of(node: Node, letter: Letter) -> Act | None:
    """The act of a letter; the catalogue of its case is read if it is needed. Raises what `act_of` raises."""
    try:
        return act_of(letter, node.catalogue_of, node.context())
    except CatalogueNotAtHand as fault:
        await node.store.catalogues.load([fault.version])
        return act_of(letter, node.catalogue_of, node.context())


async def _do(node: Node, taken: Sequence[tuple[KeptLetter, Act | str]]) -> None:
    acts_by_case: dict[str, list[Act]] = {}
    for kept, act in taken:
        if isinstance(act, Act):
            acts_by_case.setdefault(local_id(str(kept.letter.case), node.here), []).append(act)
    done = await perform_many(node, acts_by_case)
    await relay_soon(node, *done.records)
    judged = list(_judged(taken, done.answers))
    # In one go and in their order, before those that stopped: no letter is done with before the one that it follows.
    settled = [(kept, answer) for kept, answer in judged if isinstance(answer, str)]
    ignored = {kept.id: reason for kept, reason in settled if reason}
    await node.store.letters_in.mark_settled([kept for kept, _ in settled], ignored=ignored)
    for kept, reason in settled:
        _tell_settled(node, kept, reason)
    for kept, answer in judged:
        if isinstance(answer, DOUBTS):
            await _postpone(node, kept, answer.code)
        elif isinstance(answer, Refusal):
            await _refuse(node, kept, answer)


def _judged(
    taken: Sequence[tuple[KeptLetter, Act | str]], answers: Mapping[str, Refusal | None]
) -> Iterator[tuple[KeptLetter, Refusal | str]]:
    """The letters that were judged, each with its refusal, why it is ignored, or nothing if it is settled.

    One that was not tried, as an earlier act on its case failed, keeps its place in the order, and so does a courtesy
    that follows what is not settled: done with, it would let what comes after it pass that one.
    """
    stopped: set[str] = set()
    for kept, act in taken:
        letter = kept.letter
        answer: Refusal | str
        if isinstance(act, Act):
            is_tried, answer = act.id in answers, answers.get(act.id) or ""
        else:
            is_tried, answer = not letter.after or _before(letter) not in stopped, act
        if isinstance(answer, Refusal) and not isinstance(answer, DOUBTS) and may_be_ignored(letter):
            answer = answer.code
        if isinstance(answer, Refusal) or not is_tried:
            stopped.add(letter.unique_id)
        if is_tried:
            yield kept, answer


async def _handle_control_letter(node: Node, kept: KeptLetter) -> None:
    """A control letter takes effect; it is never answered by letter.refused."""
    try:
        await handle(node, kept.letter)
    except DOUBTS as doubt:
        await _postpone(node, kept, doubt.code)
        return
    except Refusal as refusal:
        await node.store.letters_in.mark_attention(kept, reason=refusal.code)
        _count(node, kept, ATTENTION)
        return
    await node.store.letters_in.mark_settled([kept])
    _count(node, kept, SETTLED)


async def _handle_licence_letter(node: Node, kept: KeptLetter, round: _Round) -> None:
    """What is told of a licence is kept; it waits until the decision that it comes from is settled."""
    try:
        is_kept = await licence_letters.keep(node, kept.letter)
    except DOUBTS as doubt:
        await _postpone(node, kept, doubt.code)
        return
    except Refusal as refusal:
        await _refuse(node, kept, refusal)
        return
    if not is_kept:
        await _postpone(node, kept, "waits_on_decision")
        return
    await node.store.letters_in.mark_settled([kept])
    round.free.add(kept.letter.unique_id)
    _count(node, kept, SETTLED)


async def _postpone(node: Node, kept: KeptLetter, reason: str) -> None:
    wait = timedelta(seconds=FIRST_WAIT_SECONDS * 2 ** min(kept.tries, MOST_DOUBLINGS))
    await node.store.letters_in.postpone(kept, until=node.clock.now() + wait, reason=reason)
    _count(node, kept, POSTPONED)


def _tell_settled(node: Node, kept: KeptLetter, ignored: str) -> None:
    """Count it; of a letter that is ignored only our own log tells why."""
    letter = kept.letter
    if ignored:
        node.log.info("letter.ignored", peer=letter.sender, letter=letter.id, code=ignored, **_about(letter))
    _count(node, kept, IGNORED if ignored else SETTLED)


async def _refuse(node: Node, kept: KeptLetter, refusal: Refusal) -> None:
    """Tell the sender, note a peer that spoke on a foreign matter, and leave the letter where people see it."""
    letter = kept.letter
    # The sender first: after a crash the letter is judged again, and telling it again changes nothing.
    await tell_refused(node, letter.id, refusal.code, sender=letter.sender, round=kept.round)
    if isinstance(refusal, NotOurStep):
        about = {"peer": letter.sender, "kind": letter.kind, **_about(letter)}
        await node.store.audit.note(f"foreign:{letter.unique_id}", "peer.overstepped", at=node.clock.now(), about=about)
    await node.store.letters_in.mark_attention(kept, reason=refusal.code)
    named = {"letter": letter.id, "kind": letter.kind, **_about(letter)}
    node.log.error("letter.refused", peer=letter.sender, code=refusal.code, **named)
    _count(node, kept, ATTENTION)


async def tell_refused(node: Node, id: str, code: str, *, sender: str, round: int) -> None:
    """Tell the sender that its letter of this id cannot be settled, for this reason: it is a dead letter there."""
    body = {"code": code} | ({"round": round} if round else {})
    at, salt = node.clock.now(), node.chance.token(16)
    message = about_letter(REFUSED, id, between=(node.here, sender), at=at, salt=salt, **body)
    await node.store.letters_out.answer(message)


def _about(letter: Letter) -> dict[str, str]:
    """What the letter is about, for log and audit; a peer's words are values here and never names."""
    return {"case": letter.case or "", "step": letter.step or ""}


def _count(node: Node, kept: KeptLetter, outcome: str) -> None:
    node.metrics.letters_settled.labels(known_kind(kept.letter.kind), outcome).inc()
