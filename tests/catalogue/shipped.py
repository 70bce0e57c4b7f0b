"""The shipped data, and a broken copy of it."""

import json
import shutil
import tomllib
from itertools import product
from pathlib import Path
from typing import Any

from server.domain.catalogue.answers import is_asked, questions_of
from server.domain.catalogue.bundles import Bundle
from server.domain.catalogue.catalogue import Catalogue
from server.tools.publications import load_catalogue

CONFIG = Path(__file__).parents[2] / "config"
CATALOGUE = load_catalogue(CONFIG / "catalogue")
NEWBORN = CATALOGUE.bundle("newborn")


# What one bundle needs of the catalogue, which stands for all of it where the rest would only take time.
SMALL = (
    "catalogue.toml",
    "fields/10-applicant.toml",
    "fields/20-newborn.toml",
    "fields/90-delivery.toml",
    "materials/newborn.toml",
    *(f"items/{name}.toml" for name in ("disease_control", "health", "human_resources", "public_security")),
    "items/medical_insurance_bureau.toml",
    "bundles/newborn.toml",
    *(f"lists/{year}.toml" for year in (2024, 2025, 2026)),
)


def copy_with(target: Path, folder: str, file: str, edit: tuple[str, str]) -> Path:
    """A copy of config/`folder` in which one file has one text replaced, where it stands first, or (no text) is new.

    Of the catalogue only what the bundle newborn needs is copied.
    """
    copy = target / folder
    if folder == "catalogue":
        copy_small(copy)
    else:
        shutil.copytree(CONFIG / folder, copy)
    old, new = edit
    text = (copy / file).read_text(encoding="utf-8") if old else ""
    assert old in text, f"{file} has no {old!r}"
    (copy / file).parent.mkdir(exist_ok=True)
    (copy / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return copy


def copy_small(target: Path) -> None:
    """The bundle newborn and what it needs, in a folder of its own."""
    for file in SMALL:
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CONFIG / "catalogue" / file, target / file)


def documents() -> dict[str, Any]:
    """The TOML files of the bundle newborn and what it needs, by their relative path."""
    return {name: tomllib.loads((CONFIG / "catalogue" / name).read_text(encoding="utf-8")) for name in SMALL}


def write_documents(folder: Path, contents: dict[str, Any]) -> None:
    """Write such documents as TOML."""
    for name, document in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{_toml(key)} = {_toml(value)}\n" for key, value in document.items()), "utf-8")


def every_answer(catalogue: Catalogue, bundle: Bundle) -> list[dict[str, str]]:
    """Each way to answer the questions of a bundle."""
    asked = questions_of(catalogue, bundle)
    offered = [["330106"] if question.type == "division" else list(question.choices) for question in asked]
    ways = [dict(zip([each.code for each in asked], answers, strict=True)) for answers in product(*offered)]
    return [{each.code: way[each.code] for each in asked if is_asked(each, way)} for way in ways]


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
