"""The baselines as processes, and one row of the measurement: whom it asks for what, and whose CPU time that is."""

import json
import subprocess
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from loadtests.bench.loader import request_bytes

ROOT = Path(__file__).parents[2]
LOAD_PYTHON = ROOT / ".venv-load/bin/python"
BASELINES = ("bare_tornado", "fast_api", "bare_aiohttp")
WISHES = "/wishes"
PAGE = "/page"
BODY_BYTES = 1200
LONG_FIELD = "home_address"
FILLING = "东"  # three bytes; what is left of a thousand goes by letters
GRACE_SECONDS = 60


class BaselineDidNotStart(RuntimeError):
    """A baseline ended before it was ready; what was wrong stands on stderr."""


class BodyTooLong(ValueError):
    """The wish is longer than all bodies are to be."""


@dataclass(frozen=True)
class StartedBaseline:
    """A running baseline: what it is called, its process and its port."""

    name: str
    pid: int
    port: int


@dataclass(frozen=True)
class Contestant:
    """One row: what is asked how often in a round, and the processes whose CPU time counts as the application's.

    `requests` makes those of a round; `settle` waits until what follows the answers is done. `against` names the row
    that this one is compared with (empty: none).
    """

    name: str
    section: str
    port: int
    pids: tuple[int, ...]
    count: int
    status: int
    requests: Callable[[int], Sequence[bytes]] = field(repr=False)
    settle: Callable[[], Awaitable[None]] | None = field(default=None, repr=False)
    against: str = ""


@contextmanager
def started_baseline(
    name: str, uri: str, database: str, *, page: Path | None = None, python: Path = LOAD_PYTHON
) -> Iterator[StartedBaseline]:
    """The baseline of this name as a process of its own, ready, and ended with the block; raises BaselineDidNotStart.

    `page` is the file that `bare_tornado` answers at `/page`.
    """
    if not python.exists():
        raise BaselineDidNotStart(f"there is no {python}, in which baselines run: `make bench` makes it")
    command = [str(python), "-m", f"loadtests.baselines.{name}", "--uri", uri, "--database", database]
    if page is not None:
        command += ["--page", str(page)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        try:
            line = process.stdout.readline() if process.stdout else b""
            if not line:
                raise BaselineDidNotStart(f"the baseline {name} did not start")
            yield StartedBaseline(name, process.pid, int(line))
        finally:
            process.terminate()
            process.wait(GRACE_SECONDS)


def body_of(wish: Mapping[str, Any], size: int = BODY_BYTES) -> bytes:
    """The wish as a phone would send it, its home address written at such length that the body has this many bytes.

    Raises BodyTooLong.
    """
    missing = size - len(_encoded(wish))
    if missing < 0:
        raise BodyTooLong(f"the wish has {size - missing} bytes, more than {size}")
    wide = len(FILLING.encode())
    address = wish["form"][LONG_FIELD] + FILLING * (missing // wide) + "1" * (missing % wide)
    return _encoded({**wish, "form": {**wish["form"], LONG_FIELD: address}})


def submissions(path: str, *, bodies: Sequence[bytes], authorization: str) -> Callable[[int], list[bytes]]:
    """What makes so many submissions: the bodies in turns, each request under a key of its own.

    All servers are sent the same headers, whether they read them or not.
    """

    def made(count: int) -> list[bytes]:
        return [
            request_bytes(
                "POST", path, headers={"Authorization": authorization, "Idempotency-Key": uuid.uuid4().hex}, body=body
            )
            for body in islice(cycle(bodies), count)
        ]

    return made


def repeated(request: bytes) -> Callable[[int], list[bytes]]:
    """What makes so many times the same request."""
    return lambda count: [request] * count


def _encoded(wish: Mapping[str, Any]) -> bytes:
    return json.dumps(wish, ensure_ascii=False, separators=(",", ":")).encode()
