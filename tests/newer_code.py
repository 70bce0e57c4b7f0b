"""A newer version of the code: a copy of it in which pages of `docs/how-to` were followed."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.test_docs import ROOT, follow

ADD_ACT, ADD_LETTER = "docs/how-to/add-an-act.md", "docs/how-to/add-a-letter.md"
ROOMS = ("server", "handlers", "regions", "tests", "docs", "config")
PRODUCT = ("server", "handlers", "regions")


def newer_code(folder: Path, *pages: str) -> list[set[str]]:
    """Make the copy in this folder; the files of the product that each page has changed."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    changed = []
    for page in pages:
        files = [file.relative_to(folder) for kind in ("python", "diff") for file in follow(page, kind, folder)]
        changed.append({str(file) for file in files if file.parts[0] in PRODUCT})
    return changed


def run_newer(folder: Path, *words: str) -> str:
    """What `python WORDS` prints in the newer code; it ends well."""
    done = subprocess.run([sys.executable, *words], cwd=folder, env={}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
