"""The shipped data, and a broken copy of it."""

import json
import shutil
import tomllib
from itertools import product
from pathlib import Path
from typing import Any

from server.domain.catalogue import Bundle
from server.tools.publications import load_catalogue

CONFIG = Path(__file__).parents[2] / "config"
CATALOGUE = load_catalogue(CONFIG / "catalogue")
NEWBORN = CATALOGUE.bundle("newborn")


def copy_with(target: Path, folder: str, file: str, edit: tuple[str, str]) -> Path:
    """A copy of config/`folder` in which one file has one text replaced, where it stands first."""
    copy = Path(shutil.copytree(CONFIG / folder, target / folder))
    old, new = edit
    text = (copy / file).read_text(encoding="utf-8")
    assert old in text, f"{file} has no {old!r}"
    (copy / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return copy


def documents(folder: Path) -> dict[str, Any]:
    """All TOML files of the folder by their relative path."""
    return {
        path.relative_to(folder).as_posix(): tomllib.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.toml"))
    }


def write_documents(folder: Path, contents: dict[str, Any]) -> None:
    """Write such documents as TOML."""
    for name, document in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{_toml(key)} = {_toml(value)}\n" for key, value in document.items()), "utf-8")


def every_answer(bundle: Bundle) -> list[dict[str, str]]:
    """Each way to answer the questions of a bundle."""
    offered = [["330100"] if question.type == "division" else list(question.choices) for question in bundle.questions]
    codes = [question.code for question in bundle.questions]
    return [dict(zip(codes, answers, strict=True)) for answers in product(*offered)]


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
