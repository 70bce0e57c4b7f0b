"""Settling kept letters: each is judged once, in its case's order, and what cannot be settled is answered by letter."""

import re
from datetime import timedelta

from server.desk.acting import perform, take_up
from server.desk.relay import relay
from server.domain.acts import Act, Request
from server.domain.case import local_id
from server.domain.deciding import NotOurStep
from server.domain.errors import Refusal, StaleVersion, Unavailable
from server.domain.exchange import KeptLetter
from server.domain.letters import REFUSED, refusal_of
from server.domain.settling import LetterUnreadable, act_of, known_kind
from server.node import Node

BATCHES_AT_ONCE = 8
LETTERS_AT_ONCE = 100
FIRST_WAIT_SECONDS = 0.2
MOST_DOUBLINGS = 9
LETTER_ID = re.compile(r"[0-9a-f]{64}")


async def spread(node: Node, peer: str) -> bool:
    """Spread the letters of a peer's kept batches, in order of the log; True if there may be more."""
    done = (await node.store.peers.inbound(peer)).spread
    entries = await node.store.log("in", peer).entries(range(done + 1, done + 1 + BATCHES_AT_ONCE))
    for number in range(done + 1, done + 1 + len(entries)):
        at = node.clock.now()
        await node.store.letters.keep(entries[number].letters, sender=peer, at=at, number=number)
        await node.store.peers.keep_inbound(peer, spread=number)
    return len(entries) == BATCHES_AT_ONCE


async def settle(node: Node) -> bool:
    """Settle the letters whose time has come, in order of the log; True if there may be more."""
    due = await node.store.letters.due(node.clock.now(), limit=LETTERS_AT_ONCE)
    for kept in due:
        outcome = await settle_one(node, kept)
        node.metrics.letters_settled.labels(known_kind(kept.letter.kind), outcome).inc()
    return len(due) == LETTERS_AT_ONCE


async def settle_one(node: Node, kept: KeptLetter) -> str:
    """Settle one letter; answers `settled`, `postponed` or `attention`."""
    letter = kept.letter
    if letter.after:
        before = (await node.store.letters.kept([letter.after])).get(letter.after)
        if before is None or before.state != "settled":
            return await _postpone(node, kept, "waits_on_earlier_letter")
    try:
        if letter.kind == REFUSED:
            return await _note_refusal(node, kept)
        act = act_of(letter, node.catalogue_of)
        if act is None:
            return await _postpone(node, kept, "kind_unknown")
        await _do(node, str(letter.case), act)
    except (StaleVersion, Unavailable) as fault:
        return await _postpone(node, kept, fault.code)
    except Refusal as refusal:
        return await _refuse(node, kept, refusal)
    await node.store.letters.mark_settled(kept)
    return "settled"


async def _do(node: Node, case: str, act: Act) -> None:
    id = local_id(case, node.here)
    record = await (take_up if isinstance(act, Request) else perform)(node, id, act)
    await relay(node, record)


async def _note_refusal(node: Node, kept: KeptLetter) -> str:
    """A letter of ours was refused: it is dead, and stands there with the reason."""
    body = kept.letter.body
    id, code = str(body.get("id", "")), str(body.get("code", ""))[:60]
    if not LETTER_ID.fullmatch(id):
        await node.store.letters.mark_attention(kept, reason=LetterUnreadable.code)
        return "attention"
    is_ours = await node.store.letters.mark_dead(kept.letter.sender, id, reason=code)
    node.log.error("letter.dead", peer=kept.letter.sender, letter=id, code=code, is_ours=is_ours)
    await node.store.letters.mark_settled(kept)
    return "settled"


async def _postpone(node: Node, kept: KeptLetter, reason: str) -> str:
    wait = timedelta(seconds=FIRST_WAIT_SECONDS * 2 ** min(kept.tries, MOST_DOUBLINGS))
    await node.store.letters.postpone(kept, until=node.clock.now() + wait, reason=reason)
    return "postponed"


async def _refuse(node: Node, kept: KeptLetter, refusal: Refusal) -> str:
    """Tell the sender, note a peer that spoke on a foreign matter, and leave the letter where people see it."""
    letter, at = kept.letter, node.clock.now()
    await node.store.letters.answer(refusal_of(letter, refusal.code, at=at, salt=node.chance.token(16)))
    if isinstance(refusal, NotOurStep):
        about = {"peer": letter.sender, "case": str(letter.case), "step": str(letter.step), "kind": letter.kind}
        await node.store.audit.note(f"foreign:{letter.id}", "peer.overstepped", at=at, about=about)
    await node.store.letters.mark_attention(kept, reason=refusal.code)
    node.log.error(
        "letter.refused",
        peer=letter.sender,
        letter=letter.id,
        case=letter.case,
        kind=letter.kind,
        code=refusal.code,
    )
    return "attention"
