"""What an operator sees of letters and does about those that could not be settled: judged anew, or annulled."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Literal

from regions import bouncing
from regions.control_letters import NoSuchLetter
from server.domain.audit import AuditKind
from server.domain.errors import Conflict
from server.domain.exchange.letters import ANNULLED, RETRY, About, Letter, about_letter, unique_id
from server.domain.exchange.log import KeptLetter, SentLetter
from server.domain.values import Moment, Value
from server.node import Node

Which = Literal["dead", "attention", "waiting"]


class LetterNotDead(Conflict):
    """This letter of ours was not refused by the other node, or it is over with."""

    code = "letter_not_dead"
    title = "这封函件没有被对方退回"


class LetterLine(Value):
    """A letter as an operator sees it: where it stands and why, and nothing of what it says.

    `way` is `out` for one of ours. It stands in batch `number` (0: in none yet) of the stream. `beside` is the id under
    which it is kept if another letter had its own; `digest` is SHA-256 of its canonical bytes.
    """

    way: Literal["out", "in"]
    peer: str
    id: str
    kind: str
    about: About | None
    at: Moment
    state: str
    reason: str
    round: int
    stream: int
    number: int
    beside: str
    digest: str


async def listed(node: Node, which: Which, *, peer: str = "", limit: int) -> Sequence[LetterLine]:
    """Letters of ours that were refused (`dead`), or of others that stand in `attention` or are `waiting`."""
    if which == "dead":
        return [_sent(each) for each in await node.store.letters_out.dead(peer=peer, limit=limit)]
    if which == "attention":
        return [_kept(each) for each in await node.store.letters_in.in_attention(sender=peer, limit=limit)]
    waiting = await node.store.letters_in.waiting(limit=limit)
    return [_kept(each) for each in waiting if peer in ("", each.letter.sender)]


async def shown(node: Node, id: str) -> Sequence[LetterLine]:
    """The letter of this id, ours or another's; raises NoSuchLetter."""
    ours, theirs = await node.store.letters_out.letter(id), await node.store.letters_in.kept(_with_senders(node, id))
    found = [*([_sent(ours)] if ours else []), *(_kept(each) for each in theirs.values())]
    if not found:
        raise NoSuchLetter("没有这封函件。")
    return found


def _with_senders(node: Node, id: str) -> list[str]:
    """The unique ids of the letters of all peers that have this id."""
    return [unique_id(peer.node, id) for peer in node.directory.peers_of(node.here)]


async def replay(node: Node, id: str, *, by: str) -> LetterLine:
    """Ask the other node to judge a dead letter anew; raises LetterNotDead."""
    dead = await _dead(node, id)
    again = about_letter(
        RETRY,
        id,
        between=(node.here, dead.letter.to),
        at=node.clock.now(),
        salt=node.chance.token(16),
        round=dead.round + 1,
    )
    await _note(node, dead, again, by=by)
    await bouncing.went_again(node, dead.letter, cause=again.id)
    await node.store.letters_out.answer(again)
    await node.store.letters_out.mark_retried(id)
    return _sent(dead)


async def annul(node: Node, id: str, *, by: str) -> LetterLine:
    """Tell the other node that a dead letter shall have no effect; raises LetterNotDead."""
    dead = await _dead(node, id)
    said = about_letter(
        ANNULLED, id, between=(node.here, dead.letter.to), at=node.clock.now(), salt=node.chance.token(16)
    )
    await _note(node, dead, said, by=by)
    await node.store.letters_out.answer(said)
    await node.store.letters_out.mark_annulled(id)
    return _sent(dead)


async def _dead(node: Node, id: str) -> SentLetter:
    letter = await node.store.letters_out.letter(id)
    if letter is None or letter.state != "dead":
        raise LetterNotDead("这封函件没有被对方退回，或者已经处理过。")
    return letter


async def _note(node: Node, dead: SentLetter, said: Letter, *, by: str) -> None:
    """An operator's act is audited before it is done."""
    letter = dead.letter
    about = {
        "peer": letter.to,
        "letter": letter.id,
        "kind": letter.kind,
        "about": letter.about.name if letter.about else "",
        "by": by,
    }
    kind: AuditKind = "letter.retry" if said.kind == RETRY else "letter.annulled"
    await node.store.audit.note(f"operator:{said.id}", kind, at=said.at, about=about | {"reason": dead.reason})


def _sent(sent: SentLetter) -> LetterLine:
    return LetterLine(
        way="out",
        peer=sent.letter.to,
        state=sent.state,
        reason=sent.reason,
        round=sent.round,
        stream=sent.position.stream,
        number=sent.position.number,
        beside="",
        **_named(sent.letter),
    )


def _kept(kept: KeptLetter) -> LetterLine:
    return LetterLine(
        way="in",
        peer=kept.letter.sender,
        state=kept.state,
        reason=kept.reason,
        round=kept.round,
        stream=kept.position.stream,
        number=kept.position.number,
        beside=kept.id if kept.id != kept.letter.unique_id else "",
        **_named(kept.letter),
    )


def _named(letter: Letter) -> dict[str, Any]:
    """What names a letter and is no personal data."""
    digest = sha256(letter.text().encode()).hexdigest()
    return {"id": letter.id, "kind": letter.kind, "digest": digest, "about": letter.about, "at": letter.at}
