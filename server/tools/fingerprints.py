"""Tells whether the files of a catalogue, and the program that reads and judges them, are those of before."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

SERVER = Path(__file__).parents[1]
JUDGING = ("domain/**/*.py", "tools/publications.py", "tools/datafiles.py")


def fingerprint(folder: Path) -> str:
    """SHA-256 (hexadecimal) of all TOML files of a catalogue's folder and of all code that decides what they mean.

    So whoever has seen it before knows what comes of these files. Empty if one of them cannot be read.
    """
    told = hashlib.sha256()
    try:
        told.update(_digest(SERVER, (path for pattern in JUDGING for path in SERVER.glob(pattern))))
        told.update(_digest(folder, folder.rglob("*.toml")))
    except OSError:
        return ""
    return told.hexdigest()


def _digest(folder: Path, paths: Iterable[Path]) -> bytes:
    """Of names and bytes, each of a length of its own, so that nothing can pass from one file to the next unseen."""
    told = hashlib.sha256()
    for path in sorted(paths):
        for part in (str(path.relative_to(folder)).encode(), path.read_bytes()):
            told.update(hashlib.sha256(part).digest())
    return told.digest()
