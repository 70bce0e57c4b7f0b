"""`python -m server COMMAND`."""

import sys

from server.cli import run

sys.exit(run(sys.argv[1:]))
