"""`python -m server COMMAND`."""

import sys

import server.tools.collecting  # before what is large, or much of the start goes into looking for garbage
import server.tools.python  # noqa: F401 # before all that is not as plain as these two, for an old Python would fail in the next import without a word
from server.cli import run

sys.exit(run(sys.argv[1:]))
