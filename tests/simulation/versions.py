"""Versions: a node of the release before, which does not know a kind of letter that others already send."""

from dataclasses import replace
from datetime import datetime

from server.domain.apart import Found
from server.domain.exchange.log import KeptLetter
from server.node import Node
from server.store.exchange.letters_in import LettersIn
from tests.simulation.founding import keys_of

NEW_KINDS = frozenset(("step.urged",))


class LettersOfBefore(LettersIn):
    """Kept letters as the release before reads them: a kind that is newer is to it a word like any other."""

    async def due(self, now: datetime, *, limit: int) -> Found[KeptLetter]:
        found = await super().due(now, limit=limit)
        found[:] = [_unheard(each) if each.letter.kind in NEW_KINDS else each for each in found]
        return found


def of_before(node: Node) -> Node:
    """The same node as a process of the release before runs it."""
    letters = LettersOfBefore(node.store.database, keys_of(node.here).fields)
    return replace(node, store=replace(node.store, letters_in=letters))


def _unheard(kept: KeptLetter) -> KeptLetter:
    return replace(kept, letter=kept.letter.model_copy(update={"kind": f"unheard.{kept.letter.kind}"}))
