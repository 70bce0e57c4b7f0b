"""Verifying cases: whether each stands where its heads have seen it, told from their chain and from files outside.

The chain is read before the cases: so a running node raises no alarm.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice

from server.desk import apart
from server.desk.background.case_letters import letters_amiss
from server.domain.case.heads import CaseFinding, CaseHead, CaseStanding, CaseTrouble, finding_of
from server.domain.chains import ChainHead, Link
from server.domain.errors import NotAuthentic
from server.domain.values import Moment, Value
from server.node import Node

CASES_AT_ONCE = 200
LINKS_AT_ONCE = 10
MOST_FINDINGS = 1000
SOON = timedelta(minutes=1)  # until then a head may still be on its way into the chain
Tell = Callable[[str, int], None]


class CaseVerification(Value):
    """What was found of the cases: how many links of heads and how many cases were looked at, and what is wrong.

    `findings` has the first of them; `troubles` is how many there are.
    """

    links: int
    cases: int
    troubles: int
    findings: tuple[CaseFinding, ...]


class CaseWatch:
    """What a process of `work` does by itself: some links of the heads at a time, and then from the first on again."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._last = 0

    async def look(self) -> bool:
        """Look at the cases that the next links name; what is wrong is logged and set apart. Never at once again."""
        chain = self._node.store.case_heads.chain
        heads: dict[str, CaseHead] = {}
        for number in range(self._last + 1, self._last + 1 + LINKS_AT_ONCE):
            link = await chain.link(number)
            self._last = number if link else 0
            if link is None:
                await self._tell_of_gap(number)
                break
            _newest(heads, link)
        for finding in _compared(heads, await self._node.store.case_heads.standings(list(heads))):
            await _set_apart(self._node, finding)
        return False

    async def _tell_of_gap(self, number: int) -> None:
        """Behind the last link there is none; one that is missing before it, or that a file knows, was removed."""
        chain = self._node.store.case_heads.chain
        head, last = await chain.last(number)
        newest = await self._node.store.case_heads.heads.newest()
        is_gap = number <= max(head.number, newest) or (last is None and head.number > 0)
        if is_gap and await chain.link(number) is None:  # another process may have appended it meanwhile
            detail = f"link {number} is not as this node wrote it"
            await _set_apart(self._node, CaseFinding(trouble="chain", place="heads", detail=detail))


async def verify_cases(node: Node, *, only: str = "", told: Sequence[ChainHead] = (), tell: Tell) -> CaseVerification:
    """Look at each case (or `only` at the one of this id) and at the chain of heads; `tell` is told how far it is.

    `told` are heads of the chain that other nodes were told.

    For each case its newest head is held in memory while it runs.
    """
    walk = _Walk(tell)
    before = node.clock.now() - SOON
    newest = await walk.along(node, told)
    if only:
        newest = {id: head for id, head in newest.items() if id == only}
    for some in _parts(newest):
        heads = {head.case: head for head in some}
        wrong = _compared(heads, await node.store.case_heads.standings(list(heads)))
        sound = heads.keys() - {finding.place for finding in wrong}
        walk.found(wrong + await _letters_of(node, sorted(sound)), looked_at=len(heads))
    for late in [] if only else await _unlogged(node, newest, before=before):
        walk.found([late], looked_at=0)
    return CaseVerification(links=walk.links, cases=walk.cases, troubles=walk.troubles, findings=tuple(walk.findings))


class _Walk:
    """Once along the links, and then through the cases."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.links = self.cases = self.troubles = 0
        self.findings: list[CaseFinding] = []

    async def along(self, node: Node, told: Sequence[ChainHead]) -> dict[str, CaseHead]:
        """The newest head of each case that the chain knows; what is wrong with the chain is found on the way."""
        room = node.store.case_heads
        heads = await room.heads.all() | {f"head {each.number} that was told": each for each in told}
        after = (await room.chain.beginning()).after
        last, _ = await room.chain.last(await room.heads.newest())
        newest: dict[str, CaseHead] = {}
        for number in range(after.number + 1, last.number + 1):
            link = await room.chain.link(number)
            if link is None or (after.hash and link.prev != after.hash):
                self._find("chain", f"link {number}", "it is not as this node wrote it, or does not follow")
            after = link.head if link else ChainHead(number=number, hash="")
            self._compare(heads, after)
            if link:
                _newest(newest, link)
            self.links += 1
            self._tell("links", self.links)
        for name, head in heads.items():
            if head.number > after.number:
                self._find("cut", name, f"it knows link {head.number}, and the last one here is {after.number}")
        return newest

    def found(self, findings: Sequence[CaseFinding], *, looked_at: int) -> None:
        """These are wrong among so many more cases."""
        self.cases += looked_at
        self.troubles += len(findings)
        self.findings += findings[: MOST_FINDINGS - len(self.findings)]
        self._tell("cases", self.cases)

    def _compare(self, heads: Mapping[str, ChainHead], link: ChainHead) -> None:
        for name, head in heads.items():
            if link.hash and head.number == link.number and head.hash != link.hash:
                self._find("chain", name, f"link {link.number} is another one now")

    def _find(self, trouble: CaseTrouble, place: str, detail: str) -> None:
        self.found([CaseFinding(trouble=trouble, place=place, detail=detail)], looked_at=0)


def _newest(known: dict[str, CaseHead], link: Link) -> dict[str, CaseHead]:
    for named in link.entries:
        head = CaseHead.of(named)
        if head.case not in known or known[head.case].version < head.version:
            known[head.case] = head
    return known


def _parts(newest: Mapping[str, CaseHead]) -> Iterator[list[CaseHead]]:
    left = iter(newest.values())
    while some := list(islice(left, CASES_AT_ONCE)):
        yield some


def _compared(heads: Mapping[str, CaseHead], standings: Mapping[str, CaseStanding]) -> list[CaseFinding]:
    findings = (finding_of(head, standings.get(id)) for id, head in heads.items())
    return [finding for finding in findings if finding]


async def _letters_of(node: Node, ids: Sequence[str]) -> list[CaseFinding]:
    """What is wrong with the letters of cases that stand where they had come to."""
    records = await node.store.cases.find_many(ids)
    return [finding for record in records.values() async for finding in letters_amiss(node, record)]


async def _unlogged(node: Node, newest: Mapping[str, CaseHead], *, before: Moment) -> list[CaseFinding]:
    """Cases that stand further than the chain knew, although their last event was before this moment."""
    found = []
    async for page in node.store.case_heads.versions(before=before, at_once=CASES_AT_ONCE):
        for id, version in page.items():
            known = newest.get(id)
            if known is None or known.version < version:
                detail = f"it stands at event {version}, and the chain knows {known.version if known else 'none'}"
                found.append(CaseFinding(trouble="unlogged", place=id, detail=detail))
    return found


async def _set_apart(node: Node, finding: CaseFinding) -> None:
    node.log.error("case.untrue", trouble=finding.trouble, place=finding.place, detail=finding.detail)
    node.metrics.cases_untrue.labels(finding.trouble).inc()
    await apart.set_apart(node, "stored", f"cases/{finding.place}", fault=NotAuthentic(f"cases/{finding.place}"))
