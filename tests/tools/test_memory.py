"""Garbage is looked for seldom from the start of a process on, and what is free goes back to the system."""

import ctypes
import subprocess
import sys

import pytest

from server.tools.memory import COLLECT_AFTER

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


FREED = """
import os
from pathlib import Path
from server.tools.memory import keep_what_is_here

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

blocks = [bytearray(2000) for _ in range(20_000)]
stays = blocks.pop()
del blocks
before = resident_mb()
keep_what_is_here()
print(before - resident_mb())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another C library than glibc")
def test_what_loading_took_and_left_goes_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", FREED], check=True, capture_output=True, text=True, timeout=60)
    assert float(done.stdout) > 30


HEAPS = """
import ctypes, threading
import {module}

def take():
    held.append([bytearray(2000) for _ in range(2000)])
    taken.wait()

held, taken = [], threading.Barrier(9)
threads = [threading.Thread(target=take) for _ in range(8)]
for thread in threads:
    thread.start()
taken.wait()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
libc.fopen.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.malloc_info(0, libc.fopen(b"/dev/stdout", b"w"))
libc.fflush(None)
"""


def _heaps(module: str) -> int:
    script = HEAPS.format(module=module)
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.count("<heap nr=")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="another C library than glibc")
def test_threads_share_one_heap_where_each_would_have_its_own() -> None:
    assert _heaps("json") > 1
    assert _heaps("server.tools.memory") == 1
