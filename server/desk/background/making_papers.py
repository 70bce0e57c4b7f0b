"""Making papers (文书): each that a case has asked for is sealed outside of this process, kept, and noted in the case.

Killed anywhere, a paper is recorded once: what is to be made stands in one row, which is moved by compare-and-set.
First it has its number, then the digest of its file before the file is kept, then the case notes it. Whoever goes on
finds how far it came. What its applicant signs first is made with empty places and waits for them; what they have
signed is another order, which is sealed in the same way.
"""

import asyncio
from base64 import b32encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

from server.desk import apart
from server.desk.acting import perform
from server.desk.relay import relay_soon
from server.domain.aggregate.actors import Actor
from server.domain.case.acts import AskSignature, FilePaper
from server.domain.case.case import NoSuchCase
from server.domain.case.erasure import CaseErased
from server.domain.case.papers import PaperAsked, PaperFile
from server.domain.case.signings import PaperSigned, Signing
from server.domain.catalogue.items import SignedKind
from server.domain.effects.records import CaseRecord
from server.domain.errors import NotAuthentic, StaleVersion
from server.domain.papers.data import PaperData, paper_digest
from server.domain.papers.making import PapersWait, PaperToMake, pause_seconds
from server.domain.papers.numbers import RunName, number_text
from server.domain.papers.signing import PAPER_OF
from server.domain.papers.signing_jobs import ContractToSeal, SignedToProve
from server.domain.paperwork.kept import KeptPaper
from server.domain.paperwork.signing_requests import request_of
from server.domain.paperwork.telling import data_again, signing_name
from server.domain.spoken_numbers import in_groups
from server.node import Node

TAKEN = timedelta(minutes=3)  # more than the longest paper takes
AT_ONCE = 8  # a round is over in seconds
SIGNED_WITHIN = timedelta(days=30)  # as long an applicant has to sign what they are shown
KINDS: Mapping[str, SignedKind] = {code: kind for kind, code in PAPER_OF.items()}  # what is signed first, by its code


class PaperMaker(Protocol):
    """Makes papers outside of this process, some at once."""

    @property
    def at_once(self) -> int:
        """How many it makes at the same time."""

    def missing(self) -> Sequence[str]:
        """What this machine lacks to make papers, one sentence each."""

    async def make(self, paper: PaperToMake) -> bytes:
        """The sealed file, or that which its applicant is shown, if they sign it first.

        Raises PapersWait; what raises anything else of one paper says nothing about the next.
        """

    @property
    def may_sign(self) -> bool:
        """Whether signatures of people could be judged: without that nobody is asked for one."""

    async def seal(self, asked: ContractToSeal) -> bytes:
        """What its applicant has signed, sealed; raises as `make`, and SignatureUnproven."""


class PaperUnfit(RuntimeError):
    """The data of the paper, made again from the case, is not that whose digest the case has."""


async def make_papers(node: Node, maker: PaperMaker) -> bool:
    """Make the papers that are due, some at once; True if there may be more. Where this machine lacks something
    they all wait for it, and where only a seal is missing those that need it."""
    if maker.missing():
        return False
    due = await node.store.papers.due(node.clock.now(), limit=AT_ONCE)
    await apart.set_apart_unread(node, due, kind="paper")
    for first in range(0, len(due), maker.at_once):
        await _some(node, maker, due[first : first + maker.at_once])
    return due.seen == AT_ONCE


async def give_up(node: Node, id: str, *, why: str) -> None:
    """Note in the run of its number why no paper has it, once it is sure that the paper of this id is never made."""
    kept = await node.store.papers.find(id)
    if kept and kept.run:
        await node.store.papers.runs.move(kept.run, lambda run: run.given_up(id, why))


async def _some(node: Node, maker: PaperMaker, papers: Sequence[KeptPaper]) -> None:
    works = [apart.attempt(node, "paper", each.id, work=_try(node, maker, each)) for each in papers]
    outcomes = await asyncio.gather(*works, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _try(node: Node, maker: PaperMaker, kept: KeptPaper) -> str:
    """Make one attempt, unless somebody else makes it: what came of it."""
    now = node.clock.now()
    taken = await node.store.papers.move(kept, until=now + TAKEN)
    if taken is None:
        return "taken"
    try:
        outcome = await _make(node, maker, taken)
    except PapersWait as fault:
        until = node.clock.now() + timedelta(seconds=pause_seconds(kept.failures))
        current = await node.store.papers.find(kept.id) or taken
        await node.store.papers.move(current, until=until, failures=kept.failures + 1, reason=str(fault)[:200])
        node.log.warning("paper.postponed", case=kept.case, step=kept.step, reason=str(fault)[:200])
        return "waits"
    node.log.info("paper.ended", case=kept.case, step=kept.step, outcome=outcome)
    return outcome


async def _make(node: Node, maker: PaperMaker, kept: KeptPaper) -> str:
    """Bring one paper further: `made`, or `moot` if its case is gone; one to be signed is `shown`, or has `lapsed`."""
    try:
        record = await node.store.cases.case(kept.case)
    except (NoSuchCase, CaseErased):
        await _end(node, kept, outcome="moot")
        return "moot"
    event = _event(record, kept)
    if isinstance(event, PaperSigned):
        return await _seal(node, maker, kept, event=event, record=record)
    asked = event
    given = record.case.paper(kept.id)
    if asked.paper_kind in KINDS:
        return await _let_sign(node, maker, kept, asked=asked, record=record)
    if given is None or given.file is None:
        numbered = await _numbered(node, kept, asked)
        filed = await _filed(node, maker, numbered, asked=asked, record=record)
        await _note(node, filed, asked)
        kept = filed
    await _end(node, kept, outcome="made")
    return "made"


async def _let_sign(node: Node, maker: PaperMaker, kept: KeptPaper, *, asked: PaperAsked, record: CaseRecord) -> str:
    """Make what the applicant is shown and ask them to sign it; later see whether they have, while they may."""
    signing = record.case.signing_of(kept.id)
    if signing is None:
        if not maker.may_sign:
            raise PapersWait("no signing service")
        numbered = await _numbered(node, kept, asked)
        kept = await _filed(node, maker, numbered, asked=asked, record=record)
        signing = await _ask_signature(node, kept, asked)
    if signing.signed or node.clock.now() >= signing.ends_at:
        outcome = "made" if signing.signed else "lapsed"
        if kept.signed and not signing.signed:  # somebody was cut off who had just signed, and never came again
            await node.store.materials.forget_contents([node.keys.material(kept.signed.sha256)])
        await _end(node, kept, outcome=outcome)
        return outcome
    await _moved(node, kept, until=signing.ends_at)
    return "shown"


async def _ask_signature(node: Node, kept: KeptPaper, asked: PaperAsked) -> Signing:
    """The request to sign what is shown, which the case has once, whatever is drawn for it here."""
    if kept.file is None:
        raise PaperUnfit(f"{kept.id} has no file")
    act = AskSignature(
        id=f"signature:{kept.id}",
        by=Actor(node=node.here, part="node"),
        step=asked.step,
        paper=asked.paper,
        request=b32encode(node.chance.token(10)).decode("ascii"),
        signed_kind=KINDS[asked.paper_kind],
        shown=kept.file,
        ends_at=node.clock.now() + SIGNED_WITHIN,
    )
    record = await perform(node, kept.case, act)
    await relay_soon(node, record)
    signing = record.case.signing_of(kept.id)
    if signing is None:
        raise NotAuthentic(f"cases/{kept.case}")
    return signing


async def _seal(node: Node, maker: PaperMaker, kept: KeptPaper, *, event: PaperSigned, record: CaseRecord) -> str:
    """Seal what the applicant has signed, as the last of both, and note the contract in the case, once."""
    asked = next(each for each in record.events if isinstance(each, PaperAsked) and each.paper == event.paper)
    given = record.case.paper(event.paper)
    if given and given.file is None:
        if kept.file is None or await node.store.materials.missing([node.keys.material(kept.file.sha256)]):
            kept = await _numbered_as_shown(node, kept, event)
            kept = await _kept(node, kept, await maker.seal(await _contract(node, record, event)))
        await _note(node, kept, asked)
    await _end(node, kept, outcome="made")
    return "made"


async def _numbered_as_shown(node: Node, kept: KeptPaper, event: PaperSigned) -> KeptPaper:
    """The row with the numbers that stand on what was signed; those are in the row by which that was made."""
    shown = await node.store.papers.find(event.paper)
    if kept.number or shown is None:
        return kept
    return await _moved(node, kept, number=shown.number, place=shown.place)


async def _contract(node: Node, record: CaseRecord, event: PaperSigned) -> ContractToSeal:
    """What is to be sealed; raises NotAuthentic if the case has no such signing, and NoSuchBlob."""
    case, authority = record.case, record.case.step(event.step).authority
    signing = case.signing_of(event.paper)
    if signing is None or case.applicant is None or authority is None:
        raise NotAuthentic(f"cases/{record.id}")
    content = await node.store.materials.content(node.keys.material(event.signed.sha256))
    request = request_of(signing, case.applicant)
    return ContractToSeal(
        signed=SignedToProve(signed=content, signatory=request.signatory, shown=request.paper),
        authority=authority.id,
        authority_name=signing_name(authority),
        at=node.clock.now(),
    )


def _event(record: CaseRecord, kept: KeptPaper) -> PaperAsked | PaperSigned:
    """The event that asks for the paper, or for the seal below what was signed; raises NotAuthentic without one."""
    event = record.events[kept.event - 1] if 0 < kept.event <= len(record.events) else None
    if isinstance(event, PaperAsked) and event.paper == kept.id:
        return event
    if isinstance(event, PaperSigned) and event.request == kept.id:
        return event
    raise NotAuthentic(f"papers/{kept.id}")


async def told(node: Node, record: CaseRecord, asked: PaperAsked) -> PaperData:
    """The data of the paper as the case has it, without its numbers; raises PaperUnfit if its digest is another one."""
    await node.store.catalogues.load({asked.catalogue} - {node.catalogue.version})
    data = data_again(record.events, asked, node.catalogue_of(asked.catalogue))
    if paper_digest(data, texts=asked.texts, layout=asked.layout) != asked.data_digest:
        raise PaperUnfit(f"{record.id}: {asked.paper}")
    return data


async def _numbered(node: Node, kept: KeptPaper, asked: PaperAsked) -> KeptPaper:
    """The row with its number (文号), which is taken from the run of its authority, class and year, and the place of
    the one that people say, which is lost if the row is not ours any more.
    """
    if kept.number:
        return kept
    texts = node.published.paper_texts
    if texts is None:
        raise PapersWait("no texts of papers")
    name = RunName(authority=asked.authority, word=texts.by_code[asked.paper_kind].word, year=asked.dated_on.year)
    run = await node.store.papers.runs.move(name, lambda run: run.taken(kept.id))
    place = await node.store.numbers.take_beside()
    return await _moved(node, kept, run=name, number=number_text(run, kept.id), place=place)


async def _filed(node: Node, maker: PaperMaker, kept: KeptPaper, *, asked: PaperAsked, record: CaseRecord) -> KeptPaper:
    """The row with its file, which is kept here: what an earlier attempt has kept is not made again."""
    if kept.file and not await node.store.materials.missing([node.keys.material(kept.file.sha256)]):
        return kept
    data = await told(node, record, asked)
    numbers = {"number": kept.number, "spoken_number": in_groups(node.store.numbers.of(kept.place)) or None}
    numbered = data.model_copy(update={"frame": data.frame.model_copy(update=numbers)})
    authority = record.case.step(asked.step).authority
    id = authority.id if authority else ""
    return await _kept(node, kept, await maker.make(PaperToMake(data=numbered, authority=id, at=node.clock.now())))


async def _kept(node: Node, kept: KeptPaper, content: bytes) -> KeptPaper:
    """The row with its file, whose digest it has before the file is kept."""
    file = PaperFile(sha256=sha256(content).hexdigest(), size=len(content), number=kept.number)
    filed = await _moved(node, kept, file=file)
    await node.store.materials.keep_content(node.keys.material(file.sha256), content)
    return filed


async def _note(node: Node, kept: KeptPaper, asked: PaperAsked) -> None:
    """Note in the case that the paper is made, once."""
    if kept.file is None:
        raise PaperUnfit(f"{kept.id} has no file")
    act = FilePaper(
        id=f"paper:{kept.id}",
        by=Actor(node=node.here, part="node"),
        step=asked.step,
        of=asked.of,
        paper=asked.paper,
        paper_kind=asked.paper_kind,
        title=asked.title,
        authority=asked.authority,
        dated_on=asked.dated_on,
        data_digest=asked.data_digest,
        file=kept.file,
        spoken_number=node.store.numbers.of(kept.place),
    )
    await relay_soon(node, await perform(node, kept.case, act))


async def _end(node: Node, kept: KeptPaper, *, outcome: str) -> None:
    """Let the run of numbers know what became of the number, and end the row."""
    if kept.run:
        is_made, id = outcome == "made", kept.id
        await node.store.papers.runs.move(kept.run, lambda run: run.used(id) if is_made else run.given_up(id, outcome))
    await node.store.papers.end(kept, outcome)


async def _moved(node: Node, kept: KeptPaper, *, until: datetime | None = None, **change: object) -> KeptPaper:
    """The row with this change, due anew then; raises StaleVersion if another worker has taken it."""
    moved = await node.store.papers.move(kept, until=until or node.clock.now() + TAKEN, **change)
    if moved is None:
        raise StaleVersion("文书正在由另一个进程制作。")
    return moved
