"""`python -m server COMMAND`."""

import sys

import server.tools.python  # noqa: F401 # first, for an old Python would fail in the next import without a word
from server.cli import run

sys.exit(run(sys.argv[1:]))
