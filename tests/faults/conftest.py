"""What the tests with real processes share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where the processes of a test run keep their compiled modules, so that only the first compiles."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-") else base) / "compiled"
    folder.mkdir(exist_ok=True)
    return folder
