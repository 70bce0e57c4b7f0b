"""Verifying cases: whether each stands where its heads have seen it, told from their chain and from files outside.

The chain is read before the cases: so a running node raises no alarm.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice

from server.desk import apart
from server.desk.background.case_letters import letters_amiss
from server.desk.background.case_papers import papers_amiss
from server.desk.background.head_walking import Walked, take_heads, walk
from server.domain.aggregate.heads import OF_THE_CHAIN, HistoryFinding, HistoryHead, finding_of
from server.domain.aggregate.names import FIRST, kind_and_id
from server.domain.chains import ChainHead
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
    findings: tuple[HistoryFinding, ...]


class CaseWatch:
    """What a process of `work` does by itself: some links of the heads at a time, and then from the first on again.

    `rounds` is how often it has come to the end.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._steps = walk(node)
        self._found: set[HistoryFinding] = set()  # in this round
        self._told: set[HistoryFinding] = set()  # in the one before
        self.rounds = 0

    async def look(self) -> bool:
        """Look at the cases that the next links name; what is wrong is set apart. Never at once again.

        After a fault the next look is at the first links again, so that none is passed over.
        """
        try:
            await self._look()
        except BaseException:
            self._steps = walk(self._node)
            raise
        return False

    async def _look(self) -> None:
        heads: dict[str, HistoryHead] = {}
        is_over = False
        for _ in range(LINKS_AT_ONCE):
            step = await anext(self._steps)
            await self._tell(step.findings)
            is_over = not step.number
            if is_over:
                break
            if step.link:
                take_heads(step.link, heads)
        await self._tell(await _compared(self._node, _known(self._node, heads)))
        if is_over:
            self._steps = walk(self._node)
            self._told, self._found = self._found, set()
            self.rounds += 1

    async def _tell(self, findings: Iterable[HistoryFinding]) -> None:
        """Set each apart, and log and count what was not found in the round before."""
        for finding in findings:
            if finding not in self._found | self._told:
                self._node.log.error("case.untrue", **finding.model_dump())
                self._node.metrics.cases_untrue.labels(finding.trouble).inc()
            self._found.add(finding)
            place = "/".join(kind_and_id("heads" if finding.trouble in OF_THE_CHAIN else finding.place))
            await apart.set_apart(self._node, "stored", place, fault=NotAuthentic(place))


async def verify_cases(node: Node, *, only: str = "", told: Sequence[ChainHead] = (), tell: Tell) -> CaseVerification:
    """Look at each case (or `only` at the one of this id) and at the chain of heads; `tell` is told how far it is.

    `told` are heads of the chain that other nodes were told.

    For each case its newest head is held in memory while it runs.
    """
    count = _Count(tell)
    before = node.clock.now() - SOON
    newest: dict[str, HistoryHead] = {}
    async for step in walk(node, told):
        count.walked(step)
        if step.link:
            take_heads(step.link, newest)
    newest = _known(node, newest)
    if only:
        newest = {id: head for id, head in newest.items() if id == only}
    for some in _parts(newest):
        heads = {head.name: head for head in some}
        wrong = await _compared(node, heads)
        sound = heads.keys() - {finding.place for finding in wrong}
        count.found(wrong + await _beside(node, sorted(sound)), looked_at=len(heads))
    for late in [] if only else await _unlogged(node, newest, before=before):
        count.found([late], looked_at=0)
    return CaseVerification(
        links=count.links, cases=count.cases, troubles=count.troubles, findings=tuple(count.findings)
    )


class _Count:
    """How far a verification is, and what it has found."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.links = self.cases = self.troubles = 0
        self.findings: list[HistoryFinding] = []

    def walked(self, step: Walked) -> None:
        """One step along the chain."""
        self.links += step.number > 0
        self._tell("links", self.links)
        self.found(step.findings, looked_at=0)

    def found(self, findings: Sequence[HistoryFinding], *, looked_at: int) -> None:
        """These are wrong among so many more cases."""
        self.cases += looked_at
        self.troubles += len(findings)
        self.findings += findings[: MOST_FINDINGS - len(self.findings)]
        self._tell("cases", self.cases)


def _parts(newest: Mapping[str, HistoryHead]) -> Iterator[list[HistoryHead]]:
    left = iter(newest.values())
    while some := list(islice(left, CASES_AT_ONCE)):
        yield some


def _known(node: Node, heads: Mapping[str, HistoryHead]) -> dict[str, HistoryHead]:
    """Those of the heads, by name, that are of a kind that this program knows: a newer one may write more kinds."""
    return {name: head for name, head in heads.items() if node.store.heads.is_known(name)}


async def _compared(node: Node, heads: Mapping[str, HistoryHead]) -> list[HistoryFinding]:
    standings = await node.store.heads.standings(list(heads))
    findings = (finding_of(head, standings.get(id)) for id, head in heads.items())
    return [finding for finding in findings if finding]


async def _beside(node: Node, names: Sequence[str]) -> list[HistoryFinding]:
    """What is wrong with the letters and papers of cases among these, which stand where they had come to."""
    records = await node.store.cases.find_many([id for kind, id in map(kind_and_id, names) if kind == FIRST])
    found = [finding for record in records.values() async for finding in letters_amiss(node, record)]
    return found + [finding for record in records.values() async for finding in papers_amiss(node, record)]


async def _unlogged(node: Node, newest: Mapping[str, HistoryHead], *, before: Moment) -> list[HistoryFinding]:
    """Cases that stand further than the chain knew, although their last event was before this moment."""
    found = []
    async for page in node.store.heads.versions(before=before, at_once=CASES_AT_ONCE):
        for id, version in page.items():
            known = newest.get(id)
            if known is None or known.version < version:
                detail = f"it stands at event {version}, and the chain knows {known.version if known else 'none'}"
                found.append(HistoryFinding(trouble="unlogged", place=id, detail=detail))
    return found
