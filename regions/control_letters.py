"""Control letters: what the other node says about a letter between the two, or about a chain of its own."""

import re
from typing import Any

from regions import bouncing
from server.domain.canonical import LARGEST_INTEGER
from server.domain.chains import CHAINS, ChainHead
from server.domain.effects.letters_in import COURTESIES, LetterUnreadable
from server.domain.errors import Missing
from server.domain.exchange.letters import ANNULLED, REFUSED, RETRY, WITNESSED, Letter, unique_id
from server.domain.exchange.log import KeptLetter
from server.node import Node

MOST_IN_ATTENTION = 1000
LETTER_ID = re.compile(r"[0-9a-f]{64}")
HASH = re.compile(r"[0-9a-f]{64}")
CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")


class NoSuchLetter(Missing):
    """There is no such letter between the two nodes, or it is not in attention."""

    code = "no_such_letter"
    title = "没有这封函件，或者它不需要处理"


async def handle(node: Node, message: Letter) -> None:
    """Let a control letter take effect; handling it twice changes nothing more. Raises LetterUnreadable, NoSuchLetter,
    and what a commit raises.
    """
    is_marked = message.may_ignore == (message.kind in COURTESIES)
    if not is_marked or message.about or not set(message.body) <= MEMBERS[message.kind]:
        raise LetterUnreadable("函件内容与其类型不符。")
    await CONTROL_LETTERS[message.kind](node, message)


async def _refused(node: Node, message: Letter) -> None:
    """A letter of ours was refused: it is dead, and stands there with the reason, unless it was retried since."""
    id, code, round = _named(message), str(message.body.get("code", "")), _round(message)
    ours = await node.store.letters_out.letter(id)
    if not ours or ours.letter.to != message.sender:
        return
    code = code if CODE.fullmatch(code) else "unknown"
    if await node.store.letters_out.mark_dead(id, reason=code, round=round):
        await bouncing.came_back(node, ours.letter, code, cause=message.unique_id)
        node.log.error("letter.dead", peer=message.sender, letter=id, code=code)


async def _retry(node: Node, message: Letter) -> None:
    """The sender lets a letter that stands in attention here be judged anew."""
    round = _round(message)
    theirs = await _theirs(node, message)
    if theirs.round >= round:
        return
    if theirs.state != "attention":
        raise NoSuchLetter("这封函件不需要处理。")
    await node.store.letters_in.retry(theirs, at=node.clock.now())


async def _annul(node: Node, message: Letter) -> None:
    """The sender wants no effect of a letter that stands in attention here; what waits on it goes on."""
    theirs = await _theirs(node, message)
    if theirs.state == "annulled":
        return
    if theirs.state != "attention":
        raise NoSuchLetter("这封函件不需要处理。")
    await node.store.letters_in.mark_annulled(theirs)


async def _witness(node: Node, message: Letter) -> None:
    """The sender tells how far a chain of its own has come; nobody can take that back from here."""
    chain, number, hash = (message.body.get(name) for name in ("chain", "number", "hash"))
    is_number = type(number) is int and 0 < number < LARGEST_INTEGER
    if chain not in CHAINS or not is_number or not isinstance(hash, str) or not HASH.fullmatch(hash):
        raise LetterUnreadable("函件没有正确指明所见证的内容。")
    head = ChainHead(number=int(str(number)), hash=hash)
    known = await node.store.peers.witness(message.sender, str(chain), head)
    if (known.number == head.number and known.hash != head.hash) or known.number > head.number:
        node.log.error("head.contradicts", peer=message.sender, chain=chain, known=known.number, told=head.number)


CONTROL_LETTERS = {REFUSED: _refused, RETRY: _retry, ANNULLED: _annul, WITNESSED: _witness}
MEMBERS = {
    REFUSED: {"id", "code", "round"},
    RETRY: {"id", "round"},
    ANNULLED: {"id"},
    WITNESSED: {"chain", "number", "hash"},
}


def _named(message: Letter) -> str:
    """The letter that this one is about; raises LetterUnreadable."""
    id = str(message.body.get("id", ""))
    if not LETTER_ID.fullmatch(id):
        raise LetterUnreadable("函件没有正确指明所涉及的函件。")
    return id


def _round(message: Letter) -> int:
    """How often the letter had been judged anew; raises LetterUnreadable."""
    round: Any = message.body.get("round", 0)
    if type(round) is not int or not 0 <= round < 2**31:
        raise LetterUnreadable("函件没有正确指明第几次处理。")
    return round


async def _theirs(node: Node, message: Letter) -> KeptLetter:
    """The letter of the same sender that this one is about: one that came under its id and stands in attention, or
    else the first that came; raises NoSuchLetter.
    """
    id = _named(message)
    first = next(iter((await node.store.letters_in.kept([unique_id(message.sender, id)])).values()), None)
    if first and first.state == "attention":
        return first
    for kept in await node.store.letters_in.in_attention(sender=message.sender, limit=MOST_IN_ATTENTION):
        if kept.letter.id == id:
            return kept
    if first:
        return first
    raise NoSuchLetter("没有这封函件，或者它不需要处理。")
