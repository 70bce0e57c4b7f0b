"""What an operator does about letters that could not be settled: see them, let them be judged anew, annul them."""

from regions import bouncing
from server.domain.errors import Conflict
from server.domain.exchange import SentLetter
from server.domain.letters import ANNULLED, RETRY, about_letter
from server.node import Node


class LetterNotDead(Conflict):
    """This letter of ours was not refused by the other node, or it is over with."""

    title = "这封函件没有被对方退回"


async def replay(node: Node, id: str) -> SentLetter:
    """Ask the other node to judge a dead letter anew; raises LetterNotDead."""
    dead = await _dead(node, id)
    again = about_letter(
        RETRY, dead.letter, here=node.here, at=node.clock.now(), salt=node.chance.token(16), round=dead.round + 1
    )
    await bouncing.went_again(node, dead.letter, cause=again.id)
    await node.store.letters_out.answer(again)
    await node.store.letters_out.mark_retried(id)
    return dead


async def annul(node: Node, id: str) -> SentLetter:
    """Tell the other node that a dead letter shall have no effect; raises LetterNotDead."""
    dead = await _dead(node, id)
    said = about_letter(ANNULLED, dead.letter, here=node.here, at=node.clock.now(), salt=node.chance.token(16))
    await node.store.letters_out.answer(said)
    await node.store.letters_out.mark_annulled(id)
    return dead


async def _dead(node: Node, id: str) -> SentLetter:
    letter = await node.store.letters_out.letter(id)
    if letter is None or letter.state != "dead":
        raise LetterNotDead("这封函件没有被对方退回，或者已经处理过。")
    return letter
