"""Taking: a node gives letters of its own the ids of another node's letters, which anybody can compute."""

from dataclasses import dataclass

from server.domain.exchange.letters import CASE, Letter, letter_id, letter_salt
from server.node import Node

KIND = "step.unheard"
EVENTS = range(1, 7)  # of these a case tells another node in its first hour
INDEX = 1


@dataclass(frozen=True)
class Taking:
    """The node `by` takes the ids of what `sender` writes to `to` about one case, at a moment in seconds."""

    by: str
    sender: str
    to: str
    at: float


async def take(node: Node, taking: Taking, case: str) -> None:
    """Write letters under these ids that the receiver may ignore: of a kind that no node knows, and about nothing."""
    for event in EVENTS:
        letter = Letter(
            id=letter_id(taking.sender, taking.to, CASE, case, event, INDEX),
            sender=taking.by,
            to=taking.to,
            after=None,
            about=None,
            kind=KIND,
            may_ignore=True,
            at=node.clock.now(),
            salt=letter_salt(node.chance.token(16), event, INDEX),
            body={},
        )
        await node.store.letters_out.answer(letter)
