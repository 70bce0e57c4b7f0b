"""Erasing a case here for good: its document becomes a tombstone, and what else stands here of what it said goes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from server.desk.recording import note, of_case
from server.domain.aggregate.names import name_of
from server.domain.audit import Doer
from server.domain.case.case import Case, full_name
from server.domain.case.erasure import CaseErased, CaseNotErasable, Erasure, check_over
from server.domain.case.fetches import KeptFetch
from server.domain.case.papers import GivenPaper
from server.domain.case.signings import Signing
from server.domain.case.visits import Visit
from server.domain.catalogue.results import MOST_HOLDERS
from server.domain.effects.clues import clues_ever
from server.domain.effects.effects import tasks_of
from server.domain.effects.records import CaseRecord
from server.domain.exchange.letters import CASE
from server.domain.exchange.log import LetterLabel, Position
from server.domain.licence.covering import REFERENCE
from server.domain.licence.telling import KNOWN, LICENCE, KnownLicence
from server.node import Node

MOST_VISITS = 1000
MOST_CLUES_OF_LICENCE = MOST_HOLDERS + 2  # the applicant, and the identifier
BESIDE = ("visits", "fetches", "claims", "clues", "papers", "known_licences")
OVER = ("settled", "annulled")


@dataclass(frozen=True)
class _Found:
    """What stands here of a case: its record, or when it was erased if it was; and what is beside it.

    `told` are the letters of other nodes about licences that it has led to, by their identifiers.
    """

    name: str
    record: CaseRecord | None
    erased_at: datetime | None
    out: Sequence[LetterLabel]
    come: Sequence[LetterLabel]
    visits: Sequence[Visit]
    fetches: Sequence[KeptFetch]
    claims: Sequence[str]
    clues: Sequence[str]
    papers: Sequence[GivenPaper]
    known_licences: Sequence[str]
    told: Mapping[str, Sequence[LetterLabel]]
    signings: Sequence[Signing]

    def erasure(self, id: str, erased_at: datetime | None) -> Erasure:
        of_licences = [letter for letters in self.told.values() for letter in letters]
        lists = {"letters_out": self.out, "letters_in": [*self.come, *of_licences]}
        lists |= {name: getattr(self, name) for name in BESIDE}
        counts = {name: len(each) for name, each in lists.items()}
        return Erasure(id=id, case=self.name, erased_at=erased_at, **counts)


async def erase(node: Node, id: str, *, by: Doer, reason: str, is_only_told: bool = False) -> Erasure:
    """Erase a case (by its id here) for good, or only tell what would be erased; noted before it is done.

    Whatever was cut off is finished by doing it again, as the case itself goes last. Of one that was erased before,
    what has come since goes. Raises NoSuchCase, CaseNotErasable, and StaleVersion if it has just moved.
    """
    found = await _found(node, id)
    await _check(node, found)
    if is_only_told:
        return found.erasure(id, found.erased_at)
    about = of_case(found.record.case) if found.record else {"case": found.name}
    await note(node, "case.erased", {**by.by, **about, "reason": reason})
    store, at = node.store, node.clock.now()
    for kind, name, come in ((CASE, found.name, found.come), *((LICENCE, *each) for each in found.told.items())):
        await store.letters_about.erase(name, at=at, kind=kind)
        for peer, positions in _by_peer(come).items():
            await store.log("in", peer).erase_about(positions, name, at=at, kind=kind)
    await store.visits.forget(found.visits)
    await store.fetches.forget(found.fetches)
    await store.claims.forget(found.claims)
    await store.clues.forget(found.clues)
    await _forget_papers(node, found.papers, found.signings)
    await store.known_licences.forget(found.known_licences)
    if found.record:
        await store.materials.forget_contents(_references(node, found.record.case))
        await store.cases.erase(found.record, at=at)
    else:  # a crash may have come between the tombstone and its head
        await store.heads.put_again(id, at=at)
    node.log.info("case.erased", case=id)
    return found.erasure(id, found.erased_at or at)


async def _found(node: Node, id: str) -> _Found:
    (record, erased_at), store = await _record(node, id), node.store
    name = record.case.name if record else full_name(id, node.here)
    steps = record.case.steps if record else {}
    known = await store.known_licences.find([f"{id}:{step}" for step in steps])
    return _Found(
        name=name,
        record=record,
        erased_at=erased_at,
        out=await store.letters_about.ours(name),
        come=await store.letters_about.theirs(name),
        visits=await store.visits.of_case(id, limit=MOST_VISITS),
        fetches=[each for step in steps for each in await store.fetches.of_step(id, step)],
        claims=list(await store.claims.claims(list(_tasks(node, record)))) if record else (),
        clues=[*_clues(node, record), *_clues_of_known(node, known)] if record else (),
        papers=record.case.given_papers if record else (),
        known_licences=list(known),
        signings=record.case.signings if record else (),
        told={name: await store.letters_about.theirs(name, kind=LICENCE) for name in _versions(known.values())},
    )


def _references(node: Node, case: Case) -> list[str]:
    """The contents that take the place of uploads: each is of this case alone, and nobody's upload."""
    before = [step.supplement.materials_before for step in case.steps.values() if step.supplement]
    given = [each for materials in (case.materials, *before) for each in materials]
    return [node.keys.material(each.sha256) for each in given if each.media_type == REFERENCE]


async def _forget_papers(node: Node, papers: Sequence[GivenPaper], signings: Sequence[Signing]) -> None:
    """Their rows, and their files, which are like no other file: the seal or the signature in each is random."""
    rows = [await node.store.papers.find(each.paper) for each in signings]
    files = [each.file for each in papers] + [row.signed for row in rows if row]
    files += [file for each in signings for file in (each.shown, each.signed)]
    await node.store.materials.forget_contents([node.keys.material(each.sha256) for each in files if each])
    await node.store.papers.forget([each.id for each in papers] + [each.id for each in signings])


async def _record(node: Node, id: str) -> tuple[CaseRecord | None, datetime | None]:
    """The case, or when it was erased; raises NoSuchCase."""
    try:
        return await node.store.cases.case(id), None
    except CaseErased as refusal:
        return None, datetime.fromisoformat(refusal.more["erased_at"])


def _tasks(node: Node, record: CaseRecord) -> Mapping[str, bool]:
    """The tasks of a case by id, and whether each is open."""
    facts, last = node.facts(), record.events[-1]
    steps = record.case.steps.values()
    tasks = [each for step in steps for each in tasks_of(record.case, step, event=last, facts=facts)]
    return {task.id: task.is_open for task in tasks}


def _clues(node: Node, record: CaseRecord) -> Sequence[str]:
    """The documents by which the case may be found, by their ids."""
    return node.store.clues.ids(record.id, clues_ever(record.case, record.events, here=node.here))


def _versions(known: Iterable[KnownLicence]) -> list[str]:
    """The identifiers of all versions of these licences so far."""
    parts = [each.told.parts for each in known]
    return [
        each.model_copy(update={"version": version}).text for each in parts for version in range(1, each.version + 1)
    ]


def _clues_of_known(node: Node, known: Mapping[str, KnownLicence]) -> Sequence[str]:
    """The documents by which a licence of another node may be found: at most so many for each version of it."""
    versions = {id: range(1, each.told.parts.version + 1) for id, each in known.items()}
    return [
        clue
        for id, told in versions.items()
        for clue in node.store.clues.ids(name_of(KNOWN, id), dict.fromkeys(told, MOST_CLUES_OF_LICENCE))
    ]


async def _check(node: Node, found: _Found) -> None:
    """Nothing about it may be under way; raises CaseNotErasable."""
    if record := found.record:
        check_over(record.case, here=node.here)
        if record.pending:
            raise CaseNotErasable("办件还有未送出的后续事项。")
        if any(_tasks(node, record).values()):
            raise CaseNotErasable("办件还有未完成的待办事项。")
    for paper in found.papers:
        kept = await node.store.papers.find(paper.id) if paper.file is None else None
        if kept and not kept.outcome:
            raise CaseNotErasable("办件还有正在制作的文书。")
    if not all(fetch.outcome for fetch in found.fetches):
        raise CaseNotErasable("办件还有未收齐的材料。")
    come = [*found.come, *(letter for letters in found.told.values() for letter in letters)]
    if not all(letter.state in OVER for letter in come):
        raise CaseNotErasable("还有关于该办件的来函没有处理完毕。")
    for letter in found.out:
        if not await _has_arrived(node, letter):
            raise CaseNotErasable("还有关于该办件的去函没有送达，或者被对方退回。")


async def _has_arrived(node: Node, letter: LetterLabel) -> bool:
    """Whether a letter of ours needs its text no more: its batch has a receipt, and it was not refused."""
    if letter.state == "annulled":
        return True
    entry = await node.store.log("out", letter.peer).entry(letter.position) if letter.state == "logged" else None
    return entry is not None and entry.evidence is not None


def _by_peer(letters: Sequence[LetterLabel]) -> Mapping[str, set[Position]]:
    """In which batches of whom the letters stand."""
    found: dict[str, set[Position]] = {}
    for letter in letters:
        found.setdefault(letter.peer, set()).add(letter.position)
    return found
