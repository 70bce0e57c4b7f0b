"""Comparing letters that are done with, either way, with our cases: what counts as settled must stand in its case.

What marks a letter as settled is no part of its proof, and a letter or a case may have been removed or put back.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field

from regions.control_letters import CONTROL_LETTERS
from server.domain.aggregate.heads import HistoryStanding
from server.domain.case.case import local_id
from server.domain.effects.letters_in import may_be_ignored
from server.domain.exchange.letters import ANNULLED, CASE, Letter, letter_id, unique_id
from server.domain.exchange.log import BEGINNING, Entry, LetterLabel, Position
from server.domain.exchange.reconciliation import Difference, Direction, Reconciliation
from server.node import Node

ENTRIES_AT_ONCE = 8
ENOUGH = 100  # differences: then no further entry is looked at before these are put right
OPEN = ("waiting", "attention")  # a letter that came in and is not done with


@dataclass
class CaseComparison:
    """What differs, and up to where (`compared_to`) every letter is done with and as our cases say."""

    compared_to: Position
    differences: list[Difference] = field(default_factory=list)


async def last_found(node: Node, peer: str) -> Reconciliation | None:
    """What the last reconciliation with a peer found, if there was one."""
    return (await node.store.peers.reconciled([peer])).get(peer)


async def compare_cases(node: Node, peer: str, way: Direction, *, after: Position) -> CaseComparison:
    """Compare the letters behind a position that the receiver has receipted (`out`), or that are unpacked here (`in`).

    The letters are read first and the cases after them, so that what goes on meanwhile is no difference.
    """
    out, into = (await node.store.peers.states([peer]))[peer]
    last = out.acknowledged if way == "out" else into.spread
    done = CaseComparison(after if after <= last else BEGINNING)
    is_whole = True
    async for entry in _entries(node, peer, way, after=done.compared_to):
        if entry.position > last or len(done.differences) >= ENOUGH:
            break
        found = await (_of_ours(node, entry) if way == "out" else _of_theirs(node, peer, entry))
        is_whole = is_whole and found == {}
        if is_whole:
            done.compared_to = entry.position
        stream, number = entry.position
        done.differences += [
            Difference(kind="case_differs", way=way, stream=stream, number=number, words=words)
            for words in found.values()
            if words
        ]
    return done


async def _entries(node: Node, peer: str, way: Direction, *, after: Position) -> AsyncIterator[Entry]:
    """The entries behind a position, through all streams, up to the first that is missing or not as it was written.

    `receipts` names that one.
    """
    log = node.store.log(way, peer)
    while True:
        found = await log.following(after, limit=ENTRIES_AT_ONCE)
        for entry in found:
            if entry.position.number != after.number + 1:
                return
            yield entry
            after = entry.position
        if found.unreadable:
            return
        if not found:
            if await log.entry(Position(after.stream + 1, 1)) is None:
                return
            after = Position(after.stream + 1, 0)


async def _of_ours(node: Node, entry: Entry) -> Mapping[str, str]:
    """What is wrong with letters of ours, by id."""
    labels = {label.id: label for label in await node.store.letters_out.labels(entry.letters)}
    standings = await _standings(node, labels.values())
    found = {}
    for id in entry.letters:
        words = _is_not_there(labels.get(id)) or _was_not_said(node, labels[id].letter, standings)
        if words:
            found[id] = f"our letter {id} {words}"
    return found


async def _of_theirs(node: Node, peer: str, entry: Entry) -> Mapping[str, str]:
    """What is wrong with letters that came in, by id; without words those that are not done with yet."""
    ids = [unique_id(peer, letter["_id"]) for letter in entry.letters]
    labels = {label.id: label for label in await node.store.letters_in.labels(ids)}
    standings = await _standings(node, labels.values())
    found = {}
    for id in ids:
        label = labels.get(id)
        if label and label.peer and label.state in OPEN:
            found[id] = ""
            continue
        words = _is_not_there(label) or await _was_not_done(node, labels[id], standings)
        if words:
            found[id] = f"the letter {id} {words}"
    return found


async def _standings(node: Node, labels: Iterable[LetterLabel]) -> Mapping[str, HistoryStanding]:
    names = {label.about.name for label in labels if label.about and label.about.kind == CASE}
    return await node.store.heads.standings([local_id(name, node.here) for name in sorted(names)])


def _is_not_there(label: LetterLabel | None) -> str:
    if label is None:
        return "is not there any more"
    return "" if label.peer else "is not as this node wrote it"


def _standing(
    node: Node, letter: Letter, standings: Mapping[str, HistoryStanding]
) -> tuple[HistoryStanding | None, str]:
    """How its case stands, and else what is wrong; neither if the case was erased."""
    name = str(letter.case)
    standing = standings.get(local_id(name, node.here))
    if standing is None:
        return None, f"is about the case {name}, which is not there"
    if standing.links is None:
        return None, f"is about the case {name}, which is not as this node wrote it"
    return (standing if standing.acts is not None else None), ""


def _was_not_said(node: Node, letter: Letter | None, standings: Mapping[str, HistoryStanding]) -> str:
    """Whether no event of its case has said this letter of ours: its id is made of the number of the event."""
    if letter is None or letter.case is None:
        return ""
    standing, words = _standing(node, letter, standings)
    if standing is None or standing.links is None:
        return words
    numbers = range(len(standing.links), 0, -1)
    made = (letter_id(node.here, letter.to, CASE, letter.case, number, 1) for number in numbers)
    return "" if letter.id in made else f"was said by an event that the case {letter.case} has not"


async def _was_not_done(node: Node, label: LetterLabel, standings: Mapping[str, HistoryStanding]) -> str:
    """Whether what this letter says was not done, although it counts as settled or as annulled by its sender."""
    letter = label.letter
    if letter is None or letter.kind in CONTROL_LETTERS:
        return ""
    if label.state == "annulled":
        id = unique_id(letter.sender, letter_id(letter.sender, node.here, ANNULLED, letter.id))
        return "" if await node.store.letters_in.labels([id]) else "counts as annulled, and its sender never said so"
    if label.reason and may_be_ignored(letter):
        return ""
    standing, words = _standing(node, letter, standings)
    if standing is None or standing.acts is None:
        return words
    is_done = letter.unique_id in standing.acts or await _came_too_late(node, letter)
    return "" if is_done else f"counts as settled, and the case {letter.case} has no event of it"


async def _came_too_late(node: Node, letter: Letter) -> bool:
    """Whether the step had ended when the letter of its home came: then nothing remained to be done."""
    case = (await node.store.cases.case(local_id(str(letter.case), node.here))).case
    step = case.steps.get(letter.step or "")
    return step is not None and letter.sender == case.home and step.has_ended
