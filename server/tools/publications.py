"""Reads what a province publishes: its catalogue, and the divisions, authorities, windows, nodes and peaks it knows."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from server.domain.catalogue.alike import Pool
from server.domain.catalogue.authorities import Authorities, NamedAuthority, NextLevel
from server.domain.catalogue.bundles import Bundle
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.delegations import Delegation
from server.domain.catalogue.divisions import CODE, Division, Divisions, parent_of, prefix, province_of
from server.domain.catalogue.items import Field, Item, Material, Sourced, Text
from server.domain.catalogue.lists import YearlyList
from server.domain.catalogue.naming import Naming
from server.domain.catalogue.peaks import Peak, Peaks
from server.domain.catalogue.results import Result
from server.domain.catalogue.variants import BundleVariant, ItemVariant
from server.domain.catalogue.windows import Window, Windows
from server.domain.catalogue_checks.announcing import peak_faults
from server.domain.catalogue_checks.checking import catalogue_faults
from server.domain.catalogue_checks.deciding import authority_faults, decider_faults
from server.domain.catalogue_checks.faults import Fault
from server.domain.catalogue_checks.receiving import receiving_faults, window_faults
from server.domain.rules.undertakings import UndertakingText
from server.domain.time.calendar import Calendar
from server.tools.datafiles import Reading

Entry = TypeVar("Entry", Field, Material, Item, Bundle, ItemVariant, BundleVariant)
LEVELS = {2: ("province",), 4: ("city", "grouping"), 6: ("county", "zone", "town", "grouping")}


class Heading(Sourced):
    """The head of a catalogue: its version, and the names behind the codes of departments, results, places, stages."""

    version: Text
    departments: dict[str, Text]
    results: dict[str, Result]
    delivery_field: str = ""
    jurisdictions: dict[str, Text]
    stages: dict[Literal["person", "enterprise"], tuple[Text, ...]]


class DivisionsHeading(Sourced):
    """The head of the divisions: the last day up to which changes of them are known."""

    known_to: date


class NodeArea(Sourced):
    """A node that may be started, and the divisions it decides for."""

    node: str
    name: Text
    divisions: tuple[str, ...]


@dataclass(frozen=True)
class Publications:
    """What a province publishes, as its folders hold it."""

    catalogue: Catalogue
    lists: tuple[YearlyList, ...]
    divisions: Divisions
    authorities: Authorities
    windows: Windows
    calendar: Calendar
    undertakings: tuple[UndertakingText, ...]
    peaks: Peaks


def load_catalogue(folder: Path) -> Catalogue:
    """The catalogue of the folder: catalogue.toml, and fields/, materials/, items/, bundles/ and variants/*.toml.

    Raises BrokenData with every fault: those of entries that cannot be read, or if there are none, those of
    meaning (server/domain/catalogue_checks/checking.py), each with its rule.
    """
    reading = Reading(Pool())
    files = _Files(reading, folder)
    heading = reading.whole(folder / "catalogue.toml", Heading)
    entries: dict[str, Any] = {
        "fields": files.entries("fields", Field, table="field"),
        "materials": files.entries("materials", Material, table="material"),
        "items": files.entries("items", Item, table="item"),
        "bundles": files.entries("bundles", Bundle, table="bundle"),
        "item_variants": files.entries("variants", ItemVariant, table="item_variant"),
        "bundle_variants": files.entries("variants", BundleVariant, table="bundle_variant"),
    }
    reading.finish()
    catalogue = Catalogue(**(heading.model_dump() if heading else {}), **entries)
    for fault in catalogue_faults(catalogue):
        path = files.path_of.get((fault.table, fault.entry), folder / "catalogue.toml")
        reading.refuse(path, fault.text, table=fault.table, entry=fault.entry, what_to_do=fault.what_to_do)
    reading.finish()
    return catalogue


def load_lists(folder: Path) -> tuple[YearlyList, ...]:
    """The yearly lists of the catalogue's folder, lists/<year>.toml; raises BrokenData."""
    reading = Reading()
    found = _lists(reading, folder / "lists")
    reading.finish()
    return found


def load_publications(catalogue: Path, regions: Path, *, known: Catalogue | None = None) -> Publications:
    """All of what these two folders hold; raises BrokenData. `known` is the catalogue, if it need not be read."""
    divisions = load_divisions(regions)
    authorities = load_authorities(regions, divisions)
    loaded = known or load_catalogue(catalogue)
    return Publications(
        catalogue=loaded,
        lists=load_lists(catalogue),
        divisions=divisions,
        authorities=authorities,
        windows=load_windows(regions, authorities),
        calendar=load_calendar(regions),
        undertakings=load_undertakings(regions),
        peaks=load_peaks(regions, loaded, divisions),
    )


def load_divisions(folder: Path) -> Divisions:
    """The divisions of the folder: divisions.csv, and where they are from in divisions.toml; raises BrokenData."""
    reading = Reading()
    heading = reading.whole(folder / "divisions.toml", DivisionsHeading)
    divisions = _divisions(reading, folder)
    reading.finish()
    head = heading.model_dump() if heading else {}
    return Divisions(**head, divisions=tuple(divisions.values()))


def load_nodes(folder: Path) -> tuple[NodeArea, ...]:
    """The nodes of the folder's nodes.toml, each named after a division of divisions.csv; raises BrokenData."""
    reading = Reading()
    known = _divisions(reading, folder).keys()
    path = folder / "nodes.toml"
    nodes = reading.tables(path, NodeArea, table="node")
    for name, reason in _node_faults(nodes, known):
        reading.refuse(path, reason, table="node", entry=name, what_to_do="correct the node")
    reading.finish()
    return tuple(nodes)


def load_authorities(folder: Path, divisions: Divisions) -> Authorities:
    """Who decides, by the folder's authorities.toml; raises BrokenData."""
    return _authorities(Reading(), folder / "authorities.toml", divisions)


def check_authorities(folder: Path, catalogue: Catalogue, divisions: Divisions) -> None:
    """Raise BrokenData for what is wrong with who decides.

    So is what does not fit the catalogue, and what nobody decides in some division of a node of nodes.toml.
    """
    reading, path = Reading(), folder / "authorities.toml"
    authorities = _authorities(reading, path, divisions)
    provinces = {province_of(code) for area in load_nodes(folder) for code in area.divisions}
    _refuse_all(reading, path, decider_faults(catalogue, authorities, provinces))


def load_windows(folder: Path, authorities: Authorities) -> Windows:
    """Where one may hand in, by the folder's windows.toml; raises BrokenData."""
    return _windows(Reading(), folder / "windows.toml", authorities)


def check_windows(folder: Path, catalogue: Catalogue, authorities: Authorities) -> None:
    """Raises BrokenData for what is wrong with the folder's windows.toml, also for what does not fit the catalogue."""
    reading, path = Reading(), folder / "windows.toml"
    windows = _windows(reading, path, authorities)
    _refuse_all(reading, path, receiving_faults(catalogue, authorities, windows))


def load_calendar(folder: Path) -> Calendar:
    """The working days of the folder's calendar.toml; raises BrokenData."""
    reading = Reading()
    calendar = reading.whole(folder / "calendar.toml", Calendar)
    reading.finish()
    return cast(Calendar, calendar)  # where there is none, finish has raised


def load_undertakings(folder: Path) -> tuple[UndertakingText, ...]:
    """The texts of the folder's undertakings.toml, of each kind the one in force; raises BrokenData."""
    reading, path = Reading(), folder / "undertakings.toml"
    texts = reading.tables(path, UndertakingText, table="undertaking")
    for kind in (kind for kind, times in Counter(text.kind for text in texts).items() if times > 1):
        reading.refuse(path, f"duplicate: there are two texts of the kind {kind!r}", table="undertaking")
    reading.finish()
    return tuple(texts)


def load_peaks(folder: Path, catalogue: Catalogue, divisions: Divisions) -> Peaks:
    """The peaks that the folder's peaks.toml announces, none if there is no such file; raises BrokenData.

    Also for what does not fit the catalogue: what is wrong with a peak would show at its hour only.
    """
    reading, path = Reading(), folder / "peaks.toml"
    peaks = Peaks(peaks=tuple(reading.tables(path, Peak, table="peak")) if path.exists() else ())
    reading.finish()
    _refuse_all(reading, path, peak_faults(catalogue, divisions, peaks))
    return peaks


class _Files:
    """Remembers in which file each entry stands."""

    def __init__(self, reading: Reading, folder: Path) -> None:
        self._reading = reading
        self._folder = folder
        self.path_of: dict[tuple[str, str], Path] = {}

    def entries(self, part: str, kind: type[Entry], *, table: str) -> tuple[Entry, ...]:
        found: list[Entry] = []
        for path in sorted((self._folder / part).glob("*.toml")):
            values = self._reading.tables(path, kind, table=table)
            self.path_of |= {(table, value.code): path for value in values}
            found += values
        return tuple(found)


def _lists(reading: Reading, folder: Path) -> tuple[YearlyList, ...]:
    found: list[YearlyList] = []
    names: set[str] = set()
    for path in sorted(folder.glob("*.toml")):
        each = reading.whole(path, YearlyList)
        if each is None:
            continue
        if path.stem != str(each.year):
            reading.refuse(path, f"year: the file is not called {each.year}.toml", table="", what_to_do="rename it")
        for batch, reason in _list_faults(each, names):
            reading.refuse(path, reason, table="batches", entry=batch, what_to_do="correct the list")
        found.append(each)
    return tuple(found)


def _list_faults(known: YearlyList, names: set[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with each batch, by its name; `names` are those of the lists before, and grow."""
    numbers: set[int] = set()
    for batch in known.batches:
        if batch.batch in numbers:
            yield batch.name, f"duplicate: there is a batch {batch.batch} already"
        if len(batch.entries) > batch.official_count:
            yield batch.name, f"count: {len(batch.entries)} names are more than the official {batch.official_count}"
        for entry in batch.entries:
            if entry.name in names:
                yield batch.name, f"duplicate: {entry.name} is on a list already"
            names.add(entry.name)
        numbers.add(batch.batch)
    if not known.batches:
        yield "", "empty: the year has no batch"


def _divisions(reading: Reading, folder: Path) -> dict[str, Division]:
    path = folder / "divisions.csv"
    found = reading.rows(path, Division, table="division", lists=("successors",))
    by_code = {division.code: division for division in found}
    faults = [fault for division in found for fault in _division_faults(division, by_code)]
    for code, times in Counter(division.code for division in found).items():
        faults += [(code, f"duplicate: {code} is defined more than once")] if times > 1 else []
    for code, reason in faults:
        reading.refuse(path, reason, table="division", entry=code, what_to_do="correct the division")
    return by_code


def _division_faults(division: Division, known: Mapping[str, Division]) -> Iterator[tuple[str, str]]:
    code, parent = division.code, parent_of(division.code)
    if not CODE.fullmatch(code):
        yield code, f"code: {code!r} is no six-digit code"
        return
    if division.kind not in LEVELS[len(prefix(code))]:
        yield code, f"kind: {code} cannot be a {division.kind}"
    if parent and parent not in known:
        yield code, f"unknown_reference: there is no division {parent!r} around it"
    if division.valid_from and division.valid_to and division.valid_to < division.valid_from:
        yield code, "days: valid_to is before valid_from"
    if division.successors and not division.valid_to:
        yield code, "days: what has successors needs its last day in valid_to"
    for successor in division.successors:
        if successor not in known or successor == code:
            yield code, f"unknown_reference: there is no division {successor!r} to succeed it"


def _authorities(reading: Reading, path: Path, divisions: Divisions) -> Authorities:
    authorities = Authorities(
        divisions=divisions,
        namings=tuple(reading.tables(path, Naming, table="naming")),
        next_levels=tuple(reading.tables(path, NextLevel, table="next_level")),
        named=tuple(reading.tables(path, NamedAuthority, table="authority")),
        delegations=tuple(reading.tables(path, Delegation, table="delegation")),
    )
    reading.finish()
    _refuse_all(reading, path, authority_faults(authorities))
    return authorities


def _windows(reading: Reading, path: Path, authorities: Authorities) -> Windows:
    windows = Windows(windows=tuple(reading.tables(path, Window, table="window")))
    reading.finish()
    _refuse_all(reading, path, window_faults(windows, authorities))
    return windows


def _refuse_all(reading: Reading, path: Path, faults: Sequence[Fault]) -> None:
    for fault in faults:
        reading.refuse(path, fault.text, table=fault.table, entry=fault.entry, what_to_do=fault.what_to_do)
    reading.finish()


def _node_faults(nodes: Sequence[NodeArea], known: Collection[str]) -> Iterator[tuple[str, str]]:
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
