"""The scheduler: runs coroutines in virtual time without an event loop, the same way for the same seed."""

import heapq
import itertools
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any


class Later:
    """An outcome that is not there yet; a coroutine awaits it, an event gives it."""

    __slots__ = ("fault", "is_there", "result", "waiting")

    def __init__(self) -> None:
        self.is_there = False
        self.result: Any = None
        self.fault: BaseException | None = None
        self.waiting: Callable[[], None] | None = None

    def give(self, result: Any = None, *, fault: BaseException | None = None) -> None:
        """Give the outcome; a second one is not heard."""
        if self.is_there:
            return
        self.is_there, self.result, self.fault = True, result, fault
        if self.waiting:
            self.waiting()

    def __await__(self) -> Generator["Later", None, Any]:
        if not self.is_there:
            yield self
        if self.fault:
            raise self.fault
        return self.result


@dataclass(eq=False)
class Task:
    """One coroutine on its way; `over` is given when it ended, or was killed."""

    coroutine: Coroutine[Any, Any, Any]
    owner: "Owner"
    name: str
    over: Later = field(default_factory=Later)


@dataclass(eq=False)
class Owner:
    """Whom tasks belong to; `may_die` is asked before each step of one of them."""

    name: str
    may_die: Callable[[], bool] = lambda: False
    tasks: dict[Task, None] = field(default_factory=dict)


class Killed(Exception):
    """The process of the task was killed."""


class Scheduler:
    """Virtual time in seconds, and what is to happen at which moment of it; ties go in the order of asking.

    Every await of a coroutine is a `Later`. `faults` are exceptions that nobody caught, with the task's name.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.faults: list[tuple[str, BaseException]] = []
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Let this happen so many seconds from now."""
        heapq.heappush(self._heap, (self.now + seconds, next(self._count), do))

    def sleep(self, seconds: float) -> Later:
        """What comes after so many seconds."""
        later = Later()
        self.after(seconds, later.give)
        return later

    def start(self, coroutine: Coroutine[Any, Any, Any], owner: Owner, name: str) -> Task:
        """Run the coroutine as a task of this owner."""
        task = Task(coroutine, owner, name)
        owner.tasks[task] = None
        self.after(0.0, lambda: self._step(task))
        return task

    def kill(self, owner: Owner) -> None:
        """End all tasks of the owner where they stand; what they have asked of others goes on."""
        tasks, owner.tasks = list(owner.tasks), {}
        for task in tasks:
            task.coroutine.close()
        for task in tasks:
            task.over.give(fault=Killed(owner.name))

    def run(self, until: Callable[[], bool], *, most_seconds: float) -> bool:
        """Let things happen until this is so, looked at after each; False if the time was over before."""
        while not until():
            if not self._heap or self._heap[0][0] > most_seconds or self.faults:
                return False
            self.now, _, do = heapq.heappop(self._heap)
            do()
        return True

    def _step(self, task: Task) -> None:
        owner = task.owner
        if task not in owner.tasks or owner.may_die():
            return
        try:
            awaited = task.coroutine.send(None)
        except StopIteration as end:
            owner.tasks.pop(task, None)
            task.over.give(end.value)
        except Exception as fault:  # noqa: BLE001 # the outermost shell of a task
            owner.tasks.pop(task, None)
            self.faults.append((f"{owner.name} {task.name}", fault))
            task.over.give(fault=fault)
        else:
            awaited.waiting = lambda: self.after(0.0, lambda: self._step(task))
