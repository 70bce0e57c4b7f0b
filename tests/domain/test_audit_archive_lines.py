"""A file of the archive proves itself: whatever is done to its lines is told from the file alone."""

from collections.abc import Callable

import pytest

from server.domain.audit_archive import (
    ArchiveBegins,
    ArchivedEntry,
    ArchivedLink,
    ArchiveEnds,
    entry_of,
    line_of,
    verified,
)
from server.domain.audit_chain import said_by
from server.domain.chains import BEFORE_ALL, Chained, ChainHead, Link, next_link
from tests.world import JIANGSU, MONDAY

Lines = list[bytes]


def entry(number: int) -> ArchivedEntry:
    document = {
        "_id": f"audit:{number}",
        "kind": "audit.read",
        "at": "2026-11-23T04:00:00.000Z",
        "about": {"by": "anna"},
    }
    return entry_of(document)


def named(one: ArchivedEntry) -> Chained:
    return Chained(id=one.id, sha256=said_by({**one.model_dump(), "_id": one.id}))


def lines() -> Lines:
    """Two links with two entries each, between a first and a last line."""
    head, links = BEFORE_ALL, []
    for numbers in ((1, 2), (3, 4)):
        entries = tuple(entry(number) for number in numbers)
        link = next_link(head, map(named, entries), at=MONDAY)
        links.append(ArchivedLink(link=link, entries=entries))
        head = link.head
    begins = ArchiveBegins(division=JIANGSU, archived_at=MONDAY, after=BEFORE_ALL)
    return [line_of(each) for each in (begins, *links, ArchiveEnds(head=head, links=2, entries=4))]


def without_an_entry(told: Lines) -> Lines:
    link = ArchivedLink.model_validate_json(told[1])
    return [told[0], line_of(link.model_copy(update={"entries": link.entries[:1]})), *told[2:]]


def with_an_entry_more(told: Lines) -> Lines:
    link = ArchivedLink.model_validate_json(told[1])
    return [told[0], line_of(link.model_copy(update={"entries": (*link.entries, entry(9))})), *told[2:]]


def test_a_file_that_nobody_touched_is_whole():
    found = verified(lines())
    assert (found.troubles, found.first, found.links, found.entries) == (0, 1, 2, 4)
    assert found.head == ArchivedLink.model_validate_json(lines()[2]).link.head


@pytest.mark.parametrize(
    ("change", "troubles"),
    [
        (lambda told: [], {"cut"}),
        (lambda told: told[:-1], {"cut"}),
        (lambda told: [told[0], *told[2:]], {"moved", "altered"}),
        (lambda told: [told[0], told[2], told[1], told[3]], {"moved", "altered"}),
        (lambda told: [told[0], told[1], told[1], told[2], told[3]], {"moved", "altered"}),
        (lambda told: [told[0], b"{", *told[1:]], {"altered"}),
        (lambda told: [told[0], b"7", *told[1:]], {"altered"}),
        (lambda told: [*told, told[1]], {"altered"}),
        (lambda told: [told[0], told[1].replace(b"anna", b"bert", 1), *told[2:]], {"altered"}),
        (without_an_entry, {"missing", "altered"}),
        (with_an_entry_more, {"doubled", "altered"}),
        (lambda told: [*told[:-1], told[-1].replace(b'"entries":4', b'"entries":5')], {"altered"}),
    ],
)
def test_what_was_done_to_its_lines_is_told(change: Callable[[Lines], Lines], troubles: set[str]):
    found = verified(change(lines()))
    assert {each.trouble for each in found.findings} == troubles
    assert found.troubles == len(found.findings)


def test_how_often_an_entry_was_counted_is_kept_and_is_no_part_of_what_it_says():
    counted = entry_of({"_id": "audit:1", "kind": "peer.refused", "at": "x", "about": {}, "times": 7})
    assert counted.times == 7
    once = counted.model_copy(update={"times": 1})
    assert named(counted) == named(once)


def test_a_link_follows_a_head_and_its_hash_covers_all_that_it_says():
    link = next_link(BEFORE_ALL, [named(entry(1))], at=MONDAY)
    assert link.head == ChainHead(number=1, hash=link.hash)
    assert (link.number, link.prev) == (1, BEFORE_ALL.hash)
    others: list[Link] = [
        link.model_copy(update=change)
        for change in ({"number": 2}, {"prev": "1" * 64}, {"at": MONDAY.replace(year=2025)}, {"entries": ()})
    ]
    assert len({link.hash, *(other.hash for other in others)}) == 5
