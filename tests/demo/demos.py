"""Demos as a person starts them: a process with its output, and every process that descends from it."""

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
MARK = "DEMO_MARK"
PATIENCE_SECONDS = 200.0


class DemoProcess:
    """`python -m server demo ...`, its output in a folder of its own; its processes all inherit a mark."""

    def __init__(self, folder: Path, *arguments: str, mongodb_uri: str = "") -> None:
        folder.mkdir(parents=True)
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self._mark = uuid.uuid4().hex
        self._out, self._err = folder / "out", folder / "err"
        environ = {**os.environ, MARK: self._mark, "TMPDIR": str(self.temporary), "MONGODB_URI": mongodb_uri}
        command = [sys.executable, "-m", "server", "demo", *arguments]
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = self._start(command, environ, out, err)

    @staticmethod
    def _start(command: list[str], environ: dict[str, str], out: IO[bytes], err: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=err)

    @property
    def output(self) -> str:
        """What it has printed."""
        return self._out.read_text(encoding="utf-8")

    @property
    def complaint(self) -> str:
        """What it has said on stderr."""
        return self._err.read_text(encoding="utf-8")

    def until(self, text: str) -> str:
        """Its output, once this text stands in it."""
        wait_until(lambda: text in self.output or self.process.poll() is not None)
        assert text in self.output, self.complaint
        return self.output

    def end(self, number: signal.Signals | None = None) -> int:
        """Its exit code, after this signal if one is named; and by then nothing of it is left."""
        if number:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE_SECONDS)
        assert self.left() == []
        return code

    def left(self) -> list[str]:
        """The command lines of its processes that run, itself included."""
        mark, found = f"{MARK}={self._mark}".encode(), []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return [line for line in found if line]

    def kill_everything(self) -> None:
        """For a test that fails on the way: the children follow their parent."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        wait_until(lambda: not self.left())


def wait_until(condition: object) -> None:
    """Ask again and again until it is true; TimeoutError."""
    assert callable(condition)
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)
