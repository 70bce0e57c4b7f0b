"""What an operator sees of letters and does about those that could not be settled: judged anew, or annulled."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

from regions import bouncing
from regions.control_letters import NoSuchLetter
from server.domain.audit import AuditKind
from server.domain.errors import Conflict, StoredBroken
from server.domain.exchange.letters import ANNULLED, RETRY, About, Letter, about_letter, unique_id
from server.domain.exchange.log import BESIDE, LetterLabel, own_id
from server.domain.values import Moment, Value
from server.node import Node

Which = Literal["dead", "attention", "waiting"]


class LetterNotDead(Conflict):
    """This letter of ours was not refused by the other node, or it is over with."""

    code = "letter_not_dead"
    title = "这封函件没有被对方退回"


class LetterUnopened(Conflict):
    """This letter of ours does not open any more, so that the case at home cannot be told that it went again."""

    code = "letter_unopened"
    title = "这封函件的内容无法打开"


class LetterLine(Value):
    """A letter as an operator sees it: where it stands and why, and nothing of what it says.

    `way` is `out` for one of ours. It stands in batch `number` (0: in none yet) of the stream. `beside` is the id under
    which it is kept if another letter had its own; `digest` is SHA-256 of its canonical bytes, and empty for one that
    does not open.
    """

    way: Literal["out", "in"]
    peer: str
    id: str
    kind: str
    about: About | None
    at: Moment | None
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
        return [_line(each, "out") for each in await node.store.letters_out.dead(peer=peer, limit=limit)]
    if which == "attention":
        return [_line(each, "in") for each in await node.store.letters_in.listed(which, sender=peer, limit=limit)]
    waiting = await node.store.letters_in.listed(which, limit=limit)
    return [_line(each, "in") for each in waiting if peer in ("", each.peer)]


async def shown(node: Node, id: str) -> Sequence[LetterLine]:
    """The letter of this id, ours or another's; raises NoSuchLetter."""
    ours, theirs = await node.store.letters_out.label(id), await node.store.letters_in.labels(_with_senders(node, id))
    found = [*([_line(ours, "out")] if ours else []), *(_line(each, "in") for each in theirs)]
    if not found:
        raise NoSuchLetter("没有这封函件。")
    return found


def _with_senders(node: Node, id: str) -> list[str]:
    """The unique ids of the letters of all peers that have this id."""
    return [unique_id(peer.node, id) for peer in node.directory.peers_of(node.here)]


async def replay(node: Node, id: str, *, by: str) -> LetterLine:
    """Ask the other node to judge a dead letter anew; raises LetterNotDead and LetterUnopened."""
    dead = await _dead(node, id)
    if dead.letter is None:
        raise LetterUnopened("这封函件的内容无法打开，不能请对方重新处理；请撤销该函件。")
    again = about_letter(
        RETRY,
        id,
        between=(node.here, dead.peer),
        at=node.clock.now(),
        salt=node.chance.token(16),
        round=dead.round + 1,
    )
    await _note(node, dead, again, by=by)
    await bouncing.went_again(node, dead.letter, cause=again.id)
    await node.store.letters_out.answer(again)
    await node.store.letters_out.mark_retried(id)
    return _line(dead, "out")


async def annul(node: Node, id: str, *, by: str) -> LetterLine:
    """Tell the other node that a dead letter, be it one that does not open, has no effect; raises LetterNotDead."""
    dead = await _dead(node, id)
    said = about_letter(ANNULLED, id, between=(node.here, dead.peer), at=node.clock.now(), salt=node.chance.token(16))
    await _note(node, dead, said, by=by)
    await node.store.letters_out.answer(said)
    await node.store.letters_out.mark_annulled(id)
    return _line(dead, "out")


async def _dead(node: Node, id: str) -> LetterLabel:
    label = await node.store.letters_out.label(id)
    if label is None or label.state != "dead":
        raise LetterNotDead("这封函件没有被对方退回，或者已经处理过。")
    if not label.peer:
        raise StoredBroken("这封函件在数据库中被改动过，不能据此办理；请从备份恢复。")
    return label


async def _note(node: Node, dead: LetterLabel, said: Letter, *, by: str) -> None:
    """An operator's act is audited before it is done."""
    about = {
        "peer": dead.peer,
        "letter": dead.id,
        "kind": dead.kind,
        "about": dead.about.name if dead.about else "",
        "by": by,
    }
    kind: AuditKind = "letter.retry" if said.kind == RETRY else "letter.annulled"
    await node.store.audit.note(f"operator:{said.id}", kind, at=said.at, about=about | {"reason": dead.reason})


def _line(label: LetterLabel, way: Literal["out", "in"]) -> LetterLine:
    """What names a letter and is no personal data."""
    return LetterLine(
        way=way,
        peer=label.peer,
        id=own_id(label.id),
        kind=label.kind,
        about=label.about,
        at=label.at,
        state=label.state,
        reason=label.reason,
        round=label.round,
        stream=label.position.stream,
        number=label.position.number,
        beside=label.id if BESIDE in label.id else "",
        digest=sha256(label.letter.text().encode()).hexdigest() if label.letter else "",
    )
