"""Verifying: whether the audit is as it was written, told from its chain and from the heads outside of the database."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from server.domain.audit_chain import AuditFinding, EntryFound, LinkFound, Trouble, Verification
from server.domain.chains import Chained, ChainHead, Link
from server.domain.values import moment_key
from server.node import Node

LINKS_AT_ONCE = 10
ENTRIES_AT_ONCE = 500
LINKS_KNOWN = 200
MOST_FINDINGS = 1000
SOON = timedelta(minutes=1)
Tell = Callable[[str, int], None]


def silent(_what: str, _number: int) -> None:
    """Tells nobody how far it is."""


async def verify(node: Node, *, told: Sequence[ChainHead] = (), tell: Tell = silent) -> Verification:
    """Look at each link and each entry that is kept; `tell` is told how many `links` or `entries` have been looked at.

    `told` are heads that other nodes were told.

    Both are read in batches, and no more is remembered than some links and the first findings.
    """
    beginning = await node.store.audit.chain.beginning()
    head, _ = await node.store.audit.chain.last(await node.store.audit.files.newest())
    heads = {f"head of {name}": each for name, each in (await node.store.audit.files.all()).items()}
    heads |= {f"head {each.number} that was told": each for each in told}
    walk = _Walk(node, head, tell)
    await walk.along(beginning.after, heads)
    await walk.in_time(removing_below=beginning.first if beginning.is_removing else 0)
    return Verification(
        first=beginning.first,
        head=head,
        links=walk.links,
        entries=walk.entries,
        troubles=walk.troubles,
        findings=tuple(walk.findings),
    )


class _Walk:
    """Once along the links, and once through the entries in the order of time."""

    def __init__(self, node: Node, head: ChainHead, tell: Tell) -> None:
        self._node = node
        self._evidence = node.store.audit_evidence
        self._head = head
        self._tell = tell
        self._seen = range(0)  # the numbers that were looked for along the chain
        self._named: dict[int, frozenset[str] | None] = {}
        self.links = self.entries = self.troubles = 0
        self.findings: list[AuditFinding] = []
        self._told: set[str] = set()  # of what is wrong at one place the first is told

    async def along(self, after: ChainHead, heads: Mapping[str, ChainHead]) -> None:
        """Whether each link follows the one before, each entry is as its link says, and each of these heads is there.

        The links behind a hole are looked at too, as far as anybody knows of any.
        """
        seen, hash, first = after.number, after.hash, after.number + 1
        last = max([self._head.number, *(each.number for each in heads.values())])
        for start in range(first, last + 1, LINKS_AT_ONCE):
            found = await self._evidence.links(range(start, min(start + LINKS_AT_ONCE, last + 1)))
            entries = await self._entries_of(found)
            for number in sorted(found):
                if number > seen + 1:
                    self._find("missing", _span(seen + 1, number - 1), "there is no link of this number")
                    hash = ""
                link = self._believed(number, found[number], after=hash)
                seen, hash = number, link.hash if link else ""
                if link:
                    await self._check(link, entries, heads)
            self._tell("links", self.links)
        self._seen = range(first, seen + 1)
        for name, each in heads.items():
            if each.number > seen:
                self._find("cut", name, f"it knows link {each.number}, and the last one here is {seen}")

    async def in_time(self, *, removing_below: int) -> None:
        """Whether each entry stands in the link that its mark names; those of lower links are being removed."""
        place, there = "", frozenset[str]()
        while True:
            page = await self._evidence.in_time(place, limit=ENTRIES_AT_ONCE)
            fresh = [each for each in page if each.id not in there]
            places = {each.time_key for each in page if each.is_in_place}
            self.entries += len(fresh)
            for each in fresh:
                if not 0 < each.link < removing_below:
                    await self._place(each, places)
            self._tell("entries", self.entries)
            if len(page) < ENTRIES_AT_ONCE:
                return
            last = page[-1].time_key
            place = last if fresh else self._evidence.behind(last)
            there = frozenset(each.id for each in page if each.time_key == last)

    async def _entries_of(self, found: Mapping[int, LinkFound]) -> Mapping[str, EntryFound]:
        return await self._evidence.entries(
            [one.id for each in found.values() if each.link for one in each.link.entries]
        )

    def _believed(self, number: int, found: LinkFound, *, after: str) -> Link | None:
        """The link, if it can be believed; `after` is the hash of the one before, empty if that is not known."""
        place = f"link {number}"
        self.links += 1
        if found.link is None:
            is_moved = found.says not in (0, number)
            detail = f"it says that it is link {found.says}" if is_moved else "it is not as this node wrote it"
            self._find("moved" if is_moved else "altered", place, detail)
        elif after and found.link.prev != after:
            self._find("moved", place, "it does not follow the link before")
        return found.link

    async def _check(self, link: Link, entries: Mapping[str, EntryFound], heads: Mapping[str, ChainHead]) -> None:
        by = f"link {link.number} names it"
        ids: set[str] = set()
        for each in link.entries:
            if each.id in ids:
                self._find("doubled", each.id, f"{by} twice")
            elif each.id not in entries:
                self._find("missing", each.id, by)
            else:
                await self._compare(link, each, entries[each.id])
            ids.add(each.id)
        for name, head in heads.items():
            if head.number == link.number and head.hash != link.hash:
                self._find("altered", name, f"link {link.number} is another one now")

    async def _compare(self, link: Link, named: Chained, found: EntryFound) -> None:
        """Whether an entry is as its link says. The entries of the last link may not be marked yet."""
        if not found.is_in_place:
            self._find("moved", found.id, "what stands there was written as another entry")
        elif not found.is_ours or found.sha256 != named.sha256:
            self._find("altered", found.id, f"it is not as link {link.number} says")
        elif found.link != link.number and (found.link or link.number < self._head.number):
            if found.link and await self._names(found.link, found.id):
                self._find("doubled", found.id, f"links {found.link} and {link.number} name it")
            else:
                self._find("altered", found.id, f"its mark does not name link {link.number}")

    async def _place(self, found: EntryFound, places: set[str]) -> None:
        """Whether an entry stands in a link; what is wrong with those that do is told along the chain."""
        if found.link and await self._names(found.link, found.id):
            return
        if not found.is_in_place:
            is_copy = found.time_key in places
            self._find("doubled" if is_copy else "moved", found.id, "it was written as another entry")
        elif not found.is_ours:
            self._find("altered", found.id, "it was altered before it was chained, or inserted")
        elif found.time_key < moment_key(self._node.clock.now() - SOON) and not await self._is_in_last(found.id):
            self._find("unchained", found.id, "no link names it")

    async def _names(self, number: int, id: str) -> bool:
        """Whether a link names an entry; also if that link is one of those of which something else was told."""
        if number not in self._named:
            if len(self._named) >= LINKS_KNOWN:
                self._named.clear()
            found = (await self._evidence.links([number])).get(number)
            link = found.link if found else None
            self._named[number] = frozenset(each.id for each in link.entries) if link else None
        ids = self._named[number]
        return id in ids if ids is not None else number in self._seen

    async def _is_in_last(self, id: str) -> bool:
        _, last = await self._node.store.audit.chain.last(self._head.number)
        return last is not None and id in {each.id for each in last.entries}

    def _find(self, trouble: Trouble, place: str, detail: str) -> None:
        if place not in self._told:
            self.troubles += 1
            if len(self.findings) < MOST_FINDINGS:
                self.findings.append(AuditFinding(trouble=trouble, place=place, detail=detail))
                self._told.add(place)


def _span(first: int, last: int) -> str:
    return f"link {first}" if first == last else f"links {first} to {last}"
