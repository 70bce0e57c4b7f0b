"""Reads TOML tables and rows of cells into values, and gathers what is wrong so that one error tells all."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from server.domain.values import Value

V = TypeVar("V", bound=BaseModel)
Where = tuple[str | int, ...]  # a table, and the place of an entry if there are several
ROWS, FIRST_ROW = ".csv", 2  # such a file is one row a line, below the line of its keys

WHAT_TO_DO = {
    "missing": "add the key",
    "extra_forbidden": "remove the key, or correct its spelling",
}


class DataFault(Value):
    """One fault: the file, the line where its table begins (0: unknown), the table, the reason, what to do."""

    file: str
    line: int = 0
    table: str = ""
    reason: str
    what_to_do: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.table, self.reason) if part)


class BrokenData(ValueError):
    """Data files that a node cannot run on; the text is one line for each fault."""

    def __init__(self, faults: Sequence[DataFault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


class Reading:
    """One reading of several files.

    Each method answers what could be read and notes the faults of the rest; `finish` raises BrokenData if there
    were any. A top-level table that nobody asked for is a fault too: most likely it is misspelled. `context` is given
    to pydantic with each entry.
    """

    def __init__(self, context: Any = None) -> None:
        self._context = context
        self._faults: list[DataFault] = []
        self._texts: dict[Path, str] = {}
        self._documents: dict[Path, dict[str, Any]] = {}
        self._asked: dict[Path, set[str]] = {}

    def tables(self, path: Path, kind: type[V], *, table: str) -> list[V]:
        """The values of all `[[table]]` in the file; empty if it has none."""
        entries = self._ask(path, table).get(table, [])
        if not isinstance(entries, list):
            self._note(path, f"must be written [[{table}]]", table=(table,))
            return []
        return self._values(path, entries, kind, table=table)

    def rows(self, path: Path, kind: type[V], *, table: str, lists: Sequence[str] = ()) -> list[V]:
        """The values of a file of rows (`divisions.csv`), its first line the keys.

        What is empty is left out; nothing is quoted; the cells of `lists` hold several words.
        """
        entries = self._rows(path, table, lists=lists)
        return self._values(path, entries, kind, table=table)

    def whole(self, path: Path, kind: type[V]) -> V | None:
        """The whole file as one value; None if it is broken."""
        document = self._document(path)
        self._asked[path].update(document)
        if path not in self._texts:
            return None
        try:
            return kind.model_validate(document)
        except ValidationError as fault:
            self._note_all(path, fault)
            return None

    def refuse(self, path: Path, reason: str, *, table: str, entry: str = "", what_to_do: str = "") -> None:
        """Note a fault that the caller found, with the `[[table]]` whose id or code is `entry`."""
        entries = self._document(path).get(table, [])
        places = [place for place, raw in enumerate(entries) if _name_of(raw) == entry] if entry else []
        where: Where = (table, places[0]) if places else (table,)
        self._note(path, reason, table=where, what_to_do=what_to_do)

    def finish(self) -> None:
        """Raise BrokenData with every fault of every file, if there are any."""
        for path, document in self._documents.items():
            for name in sorted(document.keys() - self._asked[path]):
                self._note(path, "nobody reads this", table=(name,), what_to_do="remove it, or correct its name")
        if self._faults:
            raise BrokenData(self._faults)

    def _ask(self, path: Path, table: str) -> dict[str, Any]:
        document = self._document(path)
        self._asked[path].add(table)
        return document

    def _document(self, path: Path) -> dict[str, Any]:
        if path not in self._documents:
            self._documents[path] = {}
            self._asked[path] = set()
            try:
                text = path.read_text(encoding="utf-8")
                self._documents[path] = tomllib.loads(text)
                self._texts[path] = text
            except OSError as fault:
                self._note(path, f"cannot be read: {fault.strerror}")
            except ValueError as fault:
                self._note(path, f"is not TOML: {fault}", what_to_do="correct the syntax")
        return self._documents[path]

    def _values(self, path: Path, entries: Sequence[Any], kind: type[V], *, table: str) -> list[V]:
        values = []
        for place, raw in enumerate(entries):
            try:
                values.append(kind.model_validate(raw, context=self._context))
            except ValidationError as fault:
                self._note_all(path, fault, inside=(table, place))
        return values

    def _rows(self, path: Path, table: str, *, lists: Sequence[str]) -> list[dict[str, Any]]:
        self._documents[path], self._asked[path] = {}, {table}
        try:
            head, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
        except OSError as fault:
            self._note(path, f"cannot be read: {fault.strerror}")
            return []
        except ValueError as fault:
            self._note(path, f"is not UTF-8: {fault}", what_to_do="save it as UTF-8")
            return []
        keys = head.split(",")
        entries: list[dict[str, Any]] = []
        for line in lines:
            cells = line.split(",")
            entry: dict[str, Any] = {key: cell for key, cell in zip(keys, cells, strict=False) if cell}
            entry |= {key: entry[key].split() for key in lists if key in entry}
            entry |= {"more": cells[len(keys) :]} if len(cells) > len(keys) else {}
            entries.append(entry)
        self._documents[path][table] = entries
        return entries

    def _note_all(self, path: Path, fault: ValidationError, *, inside: Where = ()) -> None:
        for error in fault.errors(include_url=False, include_input=False):
            table, key = _split(inside + error["loc"])
            message = error["msg"].removeprefix("Value error, ")
            reason = f"{key}: {message}" if key else message
            self._note(path, reason, table=table, what_to_do=WHAT_TO_DO.get(error["type"], "correct the value"))

    def _note(self, path: Path, reason: str, *, table: Where = (), what_to_do: str = "") -> None:
        label, line = self._label(path, table), self._line(path, table)
        self._faults.append(DataFault(file=str(path), line=line, table=label, reason=reason, what_to_do=what_to_do))

    def _label(self, path: Path, table: Where) -> str:
        """`item[3] social_card`: the third `[[item]]`, whose id is social_card."""
        if len(table) < 2:
            return str(table[0]) if table else ""
        name, place = str(table[0]), int(table[1])
        entries = self._documents[path].get(name)
        entry = _name_of(entries[place]) if isinstance(entries, list) else ""
        return f"{name}[{place + 1}] {entry}".rstrip()

    def _line(self, path: Path, table: Where) -> int:
        """The line of the table's header; 0 when the file writes it otherwise than with a header of its own."""
        if not table:
            return 0
        place = int(table[1]) if len(table) > 1 else 0
        if path.suffix == ROWS:
            return place + FIRST_ROW
        header = re.compile(rf"^\s*\[\[?\s*{re.escape(str(table[0]))}\s*\]\]?", re.MULTILINE)
        found = list(header.finditer(self._texts.get(path, "")))
        return self._texts[path].count("\n", 0, found[place].end()) + 1 if place < len(found) else 0


def _name_of(raw: Any) -> str:
    """What an entry is called: its id, code or name; a province's variant after both that and what it varies."""
    if not isinstance(raw, Mapping):
        return ""
    if "province" in raw:
        return f"{raw['province']}/{raw.get('item', raw.get('bundle', ''))}"
    return str(raw.get("id", raw.get("code", raw.get("name", ""))))


def _split(where: Where) -> tuple[Where, str]:
    """The table part of an error's location (`item`, 2) and the key path inside it (`materials[1].name`)."""
    is_entry = len(where) > 1 and isinstance(where[1], int)
    table = where[:2] if is_entry else where[:1] if len(where) > 1 else ()
    key = ""
    for part in where[len(table) :]:
        key += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if key else str(part)
    return table, key
