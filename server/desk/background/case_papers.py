"""The papers of a case: whether each that was asked for still says what it did, and its file is the one recorded."""

from collections.abc import AsyncIterator
from hashlib import sha256

from server.desk.background.making_papers import PaperUnfit, told
from server.domain.aggregate.heads import HistoryFinding, HistoryTrouble
from server.domain.case.events import Event
from server.domain.case.papers import PaperAsked, PaperFile, PaperMade
from server.domain.case.signings import PaperSigned, SignatureAsked
from server.domain.effects.records import CaseRecord
from server.domain.errors import Missing, NotAuthentic
from server.node import Node


async def papers_amiss(node: Node, record: CaseRecord) -> AsyncIterator[HistoryFinding]:
    """What is wrong with the papers of a case: with those that are made here, and the files that have come here."""
    for event in record.events:
        if isinstance(event, PaperAsked):
            try:
                await told(node, record, event)
            except (PaperUnfit, ValueError, KeyError):
                yield _finding(record, "paper_unfit", f"the paper {event.paper} is not what event {event.of} says")
        elif file := _file_of(event):
            trouble = await _trouble(node, file, is_ours=event.by.node == node.here)
            if trouble:
                yield _finding(record, trouble, f"the file of event {event.number}, a paper")


def _file_of(event: Event) -> PaperFile | None:
    """The file that is kept with this event: a paper, what is shown to who signs it, or what they have signed."""
    match event:
        case PaperMade(file=file) | SignatureAsked(shown=file) | PaperSigned(signed=file):
            return file
        case _:
            return None


async def _trouble(node: Node, file: PaperFile, *, is_ours: bool) -> HistoryTrouble | None:
    """What is wrong with the file; one that another node has sealed may still be on its way."""
    try:
        content = await node.store.materials.content(node.keys.material(file.sha256))
    except Missing:
        return "paper_missing" if is_ours else None
    except NotAuthentic:
        return "paper_altered"
    return None if sha256(content).hexdigest() == file.sha256 else "paper_altered"


def _finding(record: CaseRecord, trouble: HistoryTrouble, detail: str) -> HistoryFinding:
    return HistoryFinding(trouble=trouble, place=record.id, detail=detail)
