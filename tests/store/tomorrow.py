"""Tomorrow's code: a copy of ours in which each value that the store keeps, at every depth, has a member more."""

import ast
import asyncio
import inspect
import shutil
import sys
from pathlib import Path

import orjson

from server.domain.case.events import Event
from server.domain.case.fetches import KeptFetch
from server.domain.exchange.letters import Letter
from server.domain.exchange.log import Head
from tests.store.examples import kinds_in
from tests.store.side_by_side import KINDS, MEMBER
from tests.test_docs import ROOT

ROOMS = ("server", "tests", "config")
STRICT = kinds_in(Letter) | {Head}  # the room names each member of a head
GROWING = kinds_in(Event, KeptFetch, *KINDS.values()) - STRICT  # a fetch is read as it has come so far
IMPORTS = "from typing import Annotated as Noted", "from server.domain.values import SENSITIVE as SEALED"


def make(folder: Path) -> None:
    """Put tomorrow's code into this folder; where a room seals what is sensitive, the member is."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    for kind in GROWING:
        file = folder / Path(inspect.getfile(kind)).relative_to(ROOT)
        text = file.read_text(encoding="utf-8")
        lines, tree = text.splitlines(), ast.parse(text)
        end = next(
            each.end_lineno for each in tree.body if isinstance(each, ast.ClassDef) and each.name == kind.__name__
        )
        lines.insert(end or 0, f'    {MEMBER}: Noted[str, SEALED] = ""')
        first = next(each.lineno for each in tree.body if isinstance(each, ast.Import | ast.ImportFrom))
        lines[first - 1 : first - 1] = () if IMPORTS[0] in text else IMPORTS
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")


async def ask(folder: Path, uri: str, what: str, *names: str) -> list[dict[str, list[str]]]:
    """What tomorrow's code does, or reads, in these databases; it ends well."""
    words = ["-m", "tests.store.side_by_side", uri, str(folder / "files"), what, *names]
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=folder, env={}, stdout=pipe, stderr=pipe)
    told, faults = await child.communicate()
    assert child.returncode == 0, faults.decode()
    found: list[dict[str, list[str]]] = orjson.loads(told)
    return found
