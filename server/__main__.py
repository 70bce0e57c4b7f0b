"""`python -m server COMMAND`."""

import sys

import server.tools.python  # before all that is less plain, where an old Python would fail without a word

# isort: split
import server.tools.memory  # noqa: F401 # before what is large: it would be looked through for garbage while it loads
from server.cli import run

sys.exit(run(sys.argv[1:]))
