"""Trials: the tests of a module run against each mutant of it, in a process that knows the module as that mutant.

A mutant exists in the memory of its process alone; no file is written. A change inside a function is made in a process
that has collected the tests already, by other code for that function. Any other change is there when the module is
imported, so that its process imports everything anew.
"""

import importlib.machinery
import importlib.util
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import hypothesis
import pytest

from tests.mutation.mutants import Mutant, mutated

ROOT = Path(__file__).parents[2]
PLAIN = ("-x", "-q", "-s", "-n0", "-p", "no:cacheprovider", "--assert=plain", "--timeout=60")
LIMIT_SECONDS = 180.0  # for a trial; a single test that hangs is ended sooner, by its own limit
LOOK_SECONDS = 0.01
AHEAD = ("aiohttp", "hypothesis", "jieba", "motor.motor_asyncio", "pydantic", "pytest", "tornado.web", __name__)


class Unfit(Exception):
    """The trials would tell nothing: the tests fail without a change, or an exemption is not what it says."""


@dataclass(frozen=True)
class Subject:
    """A module under trial, and the tests that should notice any change of it; the quickest stand first."""

    path: str
    tests: tuple[str, ...]

    @property
    def module(self) -> str:
        """Its name when it is imported."""
        return self.path.removesuffix(".py").replace("/", ".")


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module as one mutant of it."""

    def __init__(self, name: str, path: str, number: int) -> None:
        super().__init__(name, path)
        self.number = number

    def get_code(self, fullname: str) -> Any:
        source = Path(self.path).read_text(encoding="utf-8")
        return compile(mutated(source, self.number), self.path, "exec")


@dataclass(frozen=True)
class _Finder(MetaPathFinder):
    """Finds one module as a mutant, and nothing else."""

    name: str
    path: str
    number: int

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=_Loader(name, self.path, self.number))


class _Haste:
    """A plugin of pytest: tests of one example stand first, and of many examples the first that fails is enough."""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        quick = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
        hypothesis.settings.register_profile("mutation", hypothesis.settings(phases=quick, max_examples=50))
        hypothesis.settings.load_profile("mutation")

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items.sort(key=lambda item: hypothesis.is_hypothesis_test(item.obj))


def trials(subject: Subject, mutants: Sequence[Mutant], *, root: Path, workers: int) -> Iterator[tuple[Mutant, bool]]:
    """Whether each is killed, as it becomes known; raises Unfit if a fork fails without any change."""
    with ThreadPoolExecutor(workers) as pool:
        others = [mutant for mutant in mutants if not mutant.is_inside]
        yield from zip(
            others, pool.map(lambda mutant: is_killed(subject, mutant.number, root=root), others), strict=True
        )
    inside = {mutant.number: mutant for mutant in mutants if mutant.is_inside}
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = _start(_try_inside, subject, _Forks(subject, [None, *inside], str(root), workers, theirs), str(root))
    theirs.close()
    for _ in range(1 + len(inside)):
        number, is_dead = ours.recv()
        if number is not None:
            yield inside[number], is_dead
        elif is_dead:
            raise Unfit(f"{subject.path}: its tests fail in a fork without any change")
    process.join()


def is_killed(subject: Subject, number: int | None, *, root: Path) -> bool:
    """Whether the tests fail with this mutant, or with the module as it is; what takes too long is killed."""
    process = _start(_try, subject, number, str(root))
    process.join(LIMIT_SECONDS)
    if process.exitcode is None:
        process.kill()
        process.join()
    return process.exitcode != 0


def _start(what: Any, *arguments: Any) -> Any:
    """A process that has imported what others have made, and nothing of ours that could be mutated."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(list(AHEAD))
    process = processes.Process(target=what, args=arguments)
    process.start()
    return process


def _try(subject: Subject, number: int | None, root: str) -> None:
    """In a process of its own: import the module as the mutant, run the tests, end with the exit code of pytest."""
    if number is not None:
        sys.meta_path.insert(0, _Finder(subject.module, f"{root}/{subject.path}", number))
    _run(subject, root)


def _try_inside(subject: Subject, forks: "_Forks", root: str) -> None:
    """In a process of its own: collect the tests, then run them in forks, one for each mutant."""
    _run(subject, root, forks)


def _run(subject: Subject, root: str, *plugins: object) -> None:
    os.chdir(root)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    os._exit(pytest.main([*PLAIN, *subject.tests], plugins=[_Haste(), *plugins]))


@dataclass(frozen=True)
class _Forks:
    """A plugin of pytest: in the place of one run of the tests, a run in a fork for each mutant, some at once.

    None among the numbers is the module as it is.
    """

    subject: Subject
    numbers: Sequence[int | None]
    root: str
    workers: int
    told: Connection

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> bool | None:
        """None in a fork, where pytest goes on to run the tests; true where that is done."""
        running: dict[int, tuple[int | None, float]] = {}
        for number in self.numbers:
            while len(running) >= self.workers:
                self._look(running)
            child = os.fork()
            if child == 0:
                if number is not None:
                    _change(self.subject, number, self.root)
                return None
            running[child] = number, time.monotonic() + LIMIT_SECONDS
        while running:
            self._look(running)
        return True

    def _look(self, running: dict[int, tuple[int | None, float]]) -> None:
        """Tell of those that have ended, and end those that take too long."""
        for child, (number, until) in list(running.items()):
            if time.monotonic() > until:
                os.kill(child, signal.SIGKILL)
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                del running[child]
                self.told.send((number, status != 0))
        time.sleep(LOOK_SECONDS)


def _change(subject: Subject, number: int, root: str) -> None:
    """Give each function of the imported module the code that it has in the mutant."""
    path = f"{root}/{subject.path}"
    code = compile(mutated(Path(path).read_text(encoding="utf-8"), number), path, "exec")
    for function, other in _functions(sys.modules[subject.module], code):
        function.__code__ = other


def _functions(holder: Any, code: CodeType) -> Iterator[tuple[FunctionType, CodeType]]:
    """The functions of a module or class as they live, each with its code in this other one."""
    for part in code.co_consts:
        if isinstance(part, CodeType):
            live = vars(holder).get(part.co_name)
            if isinstance(live, type):
                yield from _functions(live, part)
            live = getattr(live, "fget", None) or getattr(live, "__func__", live)
            if isinstance(live, FunctionType):
                yield live, part
