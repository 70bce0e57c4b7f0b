"""Whether this machine can make papers, and what it lacks."""

import ctypes
import importlib.util
from collections.abc import Sequence
from pathlib import Path

FONT_PACKAGE, FONT_FILE = "noto_cjk_sans_otc", "NotoSansCJK-Regular.ttc"
PACKAGES = ("weasyprint", "pyhanko", "segno", FONT_PACKAGE)
# What weasyprint calls, and the package of Debian that has it. It can do without libharfbuzz-subset, but then cuts the
# font in Python, and a paper costs seconds.
LIBRARIES = {
    "libgobject-2.0.so.0": "libglib2.0-0",
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz.so.0": "libharfbuzz0b",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
    "libfontconfig.so.1": "libfontconfig1",
}


class PapersUnavailable(OSError):
    """This machine cannot make papers; `missing` says what it lacks, one sentence each."""

    code = "papers_unavailable"

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(f"{self.code}: {'; '.join(missing)}")
        self.missing = tuple(missing)


def missing() -> tuple[str, ...]:
    """What this machine lacks to make papers, one sentence each; empty if it lacks nothing.

    It loads small libraries of the system, and none of the packages: a process that never makes papers may ask.
    """
    lacking = list(missing_packages(PACKAGES))
    lacking += [f"the library {name} is missing (Debian: {deb})" for name, deb in LIBRARIES.items() if not _has(name)]
    if _has_package(FONT_PACKAGE) and not font_file().is_file():
        lacking.append(f"the font {font_file()} is missing")
    return tuple(lacking)


def missing_packages(names: Sequence[str]) -> tuple[str, ...]:
    """Which of these Python packages are not installed, one sentence each."""
    return tuple(f"the Python package {name} is not installed" for name in names if not _has_package(name))


def check_available() -> None:
    """Raise PapersUnavailable if anything is missing."""
    if lacking := missing():
        raise PapersUnavailable(lacking)


def font_file() -> Path:
    """Where the one font of papers lies, by its package; raises PapersUnavailable without the package."""
    found = importlib.util.find_spec(FONT_PACKAGE)
    if found is None or found.origin is None:
        raise PapersUnavailable([f"the Python package {FONT_PACKAGE} is not installed"])
    return Path(found.origin).parent / FONT_FILE


def _has_package(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _has(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
