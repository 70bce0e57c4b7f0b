"""A catalogue as large as one likes: that of a folder, and copies of its bundles under other codes and names."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import product
from math import ceil
from pathlib import Path
from shutil import copytree
from typing import Any, NamedTuple

STEMS, BRANCHES = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥"
MARKS = tuple(f"{stem}{branch}片" for stem, branch in product(STEMS, BRANCHES))
OWN_TEXTS = ("name", "summary", "guidance", "source")  # what a copy has of its own, so that nothing is equal by chance
CATALOGUE = "catalogue.toml"
Table = dict[str, Any]


class TooManyBundles(ValueError):
    """There are not so many names for copies."""


class EnlargedCatalogue(NamedTuple):
    """What was written: the version of the catalogue, and how many bundles and items it has."""

    version: str
    bundles: int
    items: int


def enlarge(folder: Path, into: Path, *, bundles: int) -> EnlargedCatalogue:
    """Copy a catalogue's folder, and add copies of its bundles until it has so many, if it has fewer.

    `into` must not exist. The version is another one, for it is another catalogue. Raises TooManyBundles.
    """
    copytree(folder, into)
    known = {table: list(_entries(folder, table)) for table in ("bundle", "item", "bundle_variant", "item_variant")}
    shipped, items = len(known["bundle"]), len(known["item"])
    missing = max(bundles - shipped, 0)
    if missing > len(MARKS) * shipped:
        raise TooManyBundles(f"there are at most {(len(MARKS) + 1) * shipped} bundles")
    for number in range(1, ceil(missing / shipped) + 1):
        copies = copies_of(known, known["bundle"][: missing - (number - 1) * shipped], number=number)
        _write(into, copies, number=number)
        items += len(copies["item"])
    return EnlargedCatalogue(_rename(into / CATALOGUE, f"-{shipped + missing}"), shipped + missing, items)


def _rename(head: Path, ending: str) -> str:
    """Give the catalogue another version; answers it."""
    text = head.read_text(encoding="utf-8")
    version = tomllib.loads(text)["version"]
    head.write_text(text.replace(f'version = "{version}"', f'version = "{version}{ending}"', 1), encoding="utf-8")
    return f"{version}{ending}"


def copies_of(known: Mapping[str, Sequence[Table]], bundles: Sequence[Table], *, number: int) -> dict[str, list[Table]]:
    """The copies of these bundles by table, with their items and the variants of both, all under other codes."""
    mark = MARKS[number - 1]
    own = {entry["code"] for entry in bundles}
    varied = [entry for entry in known["bundle_variant"] if entry["bundle"] in own]
    items = {step["item"] for entry in (*bundles, *varied) for step in entry.get("steps", ())}
    renamed = {code: f"{code}_{number}" for code in own | items}
    chosen = {
        "bundle": bundles,
        "item": [entry for entry in known["item"] if entry["code"] in items],
        "bundle_variant": varied,
        "item_variant": [entry for entry in known["item_variant"] if entry["item"] in items],
    }
    return {table: [_marked(_renamed(entry, renamed), mark) for entry in entries] for table, entries in chosen.items()}


def text_of(table: str, entries: Sequence[Table]) -> str:
    """These entries as TOML, each of them a `[[table]]` whose values stand on one line each."""
    lines: list[str] = []
    for entry in entries:
        lines += [f"[[{table}]]", *(f"{key} = {_toml(value)}" for key, value in entry.items()), ""]
    return "\n".join(lines)


def _write(folder: Path, copies: Mapping[str, Sequence[Table]], *, number: int) -> None:
    parts = {"bundles": ("bundle",), "items": ("item",), "variants": ("bundle_variant", "item_variant")}
    for part, tables in parts.items():
        text = "".join(text_of(table, copies[table]) for table in tables)
        (folder / part / f"zz-copies-{number:03}.toml").write_text(text, encoding="utf-8")


def _entries(folder: Path, table: str) -> Iterator[Table]:
    part = {"bundle": "bundles", "item": "items"}.get(table, "variants")
    for path in sorted((folder / part).glob("*.toml")):
        yield from tomllib.loads(path.read_text(encoding="utf-8")).get(table, ())


def _renamed(entry: Table, renamed: Mapping[str, str]) -> Table:
    """The entry with its own code and the items that it names as they are called in the copy."""
    changed = dict(entry)
    for key in ("code", "item", "bundle"):
        if key in changed:
            changed[key] = renamed[changed[key]]
    if "without" in changed:
        changed["without"] = [renamed.get(code, code) for code in changed["without"]]
    if "steps" in changed:
        changed["steps"] = [
            step
            | {"item": renamed[step["item"]]}
            | ({"needs": [renamed[code] for code in step["needs"]]} if "needs" in step else {})
            for step in changed["steps"]
        ]
    return changed


def _marked(entry: Table, mark: str) -> Table:
    texts = {key: f"{mark}{entry[key]}" for key in OWN_TEXTS if entry.get(key)}
    words = {"words": [f"{mark}{word}" for word in entry["words"]]} if "words" in entry else {}
    return entry | texts | words


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)
