"""Tomorrow's code: a copy of `server` in which each value that the store keeps has one optional member more."""

import ast
import asyncio
import inspect
import shutil
import sys
from pathlib import Path

import orjson

from tests.store import side_by_side
from tests.test_docs import ROOT


def make(folder: Path) -> None:
    """Put tomorrow's code into this folder, beside what is asked of it."""
    shutil.copytree(ROOT / "server", folder / "server", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(side_by_side.__file__, folder)
    for kind, _ in side_by_side.VALUES.values():
        file = folder / Path(inspect.getfile(kind)).relative_to(ROOT)
        text = file.read_text(encoding="utf-8")
        lines, tree = text.splitlines(), ast.parse(text)
        body = next(each.body for each in tree.body if isinstance(each, ast.ClassDef) and each.name == kind.__name__)
        last = [each for each in body if isinstance(each, ast.AnnAssign)][-1]
        lines.insert(last.end_lineno or 0, f'    {side_by_side.MEMBER}: str = ""')
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")


async def ask(folder: Path, uri: str, what: str, *names: str) -> list[dict[str, str]]:
    """What tomorrow's code does, or reads, in these databases; it ends well."""
    words = ["side_by_side.py", uri, str(folder / "files"), what, *names]
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=folder, env={}, stdout=pipe, stderr=pipe)
    told, faults = await child.communicate()
    assert child.returncode == 0, faults.decode()
    found: list[dict[str, str]] = orjson.loads(told)
    return found
