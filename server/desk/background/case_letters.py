"""The letters of a case: whether those that it has sent, and those that have moved it, are there as they were."""

import re
from collections.abc import AsyncIterator

from server.domain.aggregate.heads import HistoryFinding, HistoryTrouble
from server.domain.effects.records import CaseRecord
from server.domain.errors import NotAuthentic
from server.domain.exchange.letters import LetterErased
from server.node import Node

OF_A_LETTER = re.compile(r"[0-9]{6}:[0-9a-f]{64}")  # the act of a letter bears its sender and its id


async def letters_amiss(node: Node, record: CaseRecord) -> AsyncIterator[HistoryFinding]:
    """What is wrong with the letters of a case; nothing is said while effects of it are on their way.

    Ours hang together: the case names the last one to each node, and each names the one before. What came in is named
    by the events that it has brought about.
    """
    if record.pending:
        return
    for to, last in record.threads.items():
        id: str | None = last
        while id:
            try:
                sent = await node.store.letters_out.letter(id)
            except NotAuthentic:
                yield _finding(record, "letter_altered", f"our letter {id} to {to}")
                break
            except LetterErased:  # the case is being erased
                break
            if sent is None:
                yield _finding(record, "letter_missing", f"our letter {id} to {to}")
                break
            id = sent.letter.after
    brought = {event.act_id for event in record.events if OF_A_LETTER.fullmatch(event.act_id)}
    labels = {label.id: label for label in await node.store.letters_in.labels(sorted(brought))}
    for id in sorted(brought):
        if id not in labels:
            yield _finding(record, "letter_missing", f"the letter {id} that has moved it")
        elif not labels[id].peer:
            yield _finding(record, "letter_altered", f"the letter {id} that has moved it")


def _finding(record: CaseRecord, trouble: HistoryTrouble, detail: str) -> HistoryFinding:
    return HistoryFinding(trouble=trouble, place=record.id, detail=detail)
