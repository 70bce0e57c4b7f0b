"""Reads what a province publishes: its catalogue, and the divisions and nodes it knows."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar, get_args

from server.domain.catalogue import Bundle, Catalogue, Field, Item, Material, Sourced, Status, Text
from server.domain.checking import catalogue_faults
from server.domain.divisions import CODE, Division
from server.tools.datafiles import Reading

Entry = TypeVar("Entry", Field, Material, Item, Bundle)
KNOWN_STATUS = get_args(Status)


class Heading(Sourced):
    """The head of a catalogue: its version, and the names of departments and licences by their codes."""

    version: Text
    departments: dict[str, Text]
    licences: dict[str, Text]


class NodeArea(Sourced):
    """A node that may be started, and the divisions it decides for."""

    node: str
    name: Text
    divisions: tuple[str, ...]


def load_catalogue(folder: Path) -> Catalogue:
    """The catalogue of the folder: catalogue.toml, fields.toml, materials.toml, items/*.toml, bundles/*.toml.

    Raises BrokenData with every fault: those of entries that cannot be read, or if there are none, those of
    meaning (server/domain/checking.py), each with its rule.
    """
    reading = Reading()
    files = _Files(reading)
    heading = reading.whole(folder / "catalogue.toml", Heading)
    fields = files.entries([folder / "fields.toml"], Field, table="field")
    materials = files.entries([folder / "materials.toml"], Material, table="material")
    items = files.entries(sorted((folder / "items").glob("*.toml")), Item, table="item")
    bundles = files.entries(sorted((folder / "bundles").glob("*.toml")), Bundle, table="bundle")
    reading.finish()
    head = heading.model_dump() if heading else {}
    catalogue = Catalogue(**head, fields=fields, materials=materials, items=items, bundles=bundles)
    for fault in catalogue_faults(catalogue):
        path = files.path_of.get((fault.table, fault.entry), folder / "catalogue.toml")
        reason = f"{fault.rule}: {fault.reason}"
        reading.refuse(path, reason, table=fault.table, entry=fault.entry, what_to_do=fault.what_to_do)
    reading.finish()
    return catalogue


def load_divisions(folder: Path) -> tuple[Division, ...]:
    """The divisions of the folder's divisions.toml; raises BrokenData."""
    reading = Reading()
    divisions = _divisions(reading, folder)
    reading.finish()
    return divisions


def load_nodes(folder: Path) -> tuple[NodeArea, ...]:
    """The nodes of the folder's nodes.toml, each named after a division of divisions.toml; raises BrokenData."""
    reading = Reading()
    known = {division.code for division in _divisions(reading, folder)}
    path = folder / "nodes.toml"
    nodes = reading.tables(path, NodeArea, table="node")
    for name, reason in _node_faults(nodes, known):
        reading.refuse(path, reason, table="node", entry=name, what_to_do="correct the node")
    reading.finish()
    return tuple(nodes)


class _Files:
    """Remembers in which file each entry stands."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self.path_of: dict[tuple[str, str], Path] = {}

    def entries(self, paths: Sequence[Path], kind: type[Entry], *, table: str) -> tuple[Entry, ...]:
        found: list[Entry] = []
        for path in paths:
            values = self._reading.tables(path, kind, table=table)
            self.path_of |= {(table, value.code): path for value in values}
            found += values
        return tuple(found)


def _divisions(reading: Reading, folder: Path) -> tuple[Division, ...]:
    path = folder / "divisions.toml"
    divisions = reading.tables(path, Division, table="division")
    seen: set[str] = set()
    for division in divisions:
        for reason in _division_faults(division, seen):
            reading.refuse(path, reason, table="division", entry=division.code, what_to_do="correct the division")
        seen.add(division.code)
    return tuple(divisions)


def _division_faults(division: Division, seen: set[str]) -> Iterator[str]:
    if not CODE.fullmatch(division.code):
        yield f"code: {division.code!r} is no six-digit code"
    if division.code in seen:
        yield f"duplicate: {division.code} is defined more than once"
    if division.status not in KNOWN_STATUS:
        yield f"status: {division.status!r} is none of {', '.join(KNOWN_STATUS)}"


def _node_faults(nodes: Sequence[NodeArea], known: set[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with each node, by its name."""
    holders: dict[str, str] = {}
    for number, node in enumerate(nodes):
        if node.node not in known:
            yield node.name, f"unknown_reference: there is no division {node.node!r}"
        if any(node.node == other.node for other in nodes[:number]):
            yield node.name, f"duplicate: the node {node.node} is defined more than once"
        if not node.divisions:
            yield node.name, "empty: it decides for no division"
        for code in node.divisions:
            if not CODE.fullmatch(code):
                yield node.name, f"code: {code!r} is no six-digit code"
            if code in holders:
                yield node.name, f"duplicate: {holders[code]} decides for {code} already"
            holders.setdefault(code, node.node)
