"""Garbage is looked for seldom from the start of a process on."""

import subprocess
import sys

from server.tools.collecting import COLLECT_AFTER

SCRIPT = """
import runpy, gc, sys
sys.argv = ["server", "graph"]
try:
    runpy.run_module("server", run_name="__main__")
except SystemExit as ended:
    print(ended.code, gc.get_threshold()[0])
"""


def test_a_process_looks_for_garbage_as_seldom_while_it_loads_as_later() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == f"0 {COLLECT_AFTER}"
