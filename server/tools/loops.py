"""The background loops of a process: each does one thing again and again until it is told to stop."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from secrets import SystemRandom

from server.tools.logs import log
from server.tools.metrics import Metrics

DOUBLINGS = 16
CUT_SECONDS = 1.0
GRACE_SECONDS = 60.0
AWAKE_SECONDS = 10.0  # after the last that was heard
TASK = "loop:"
Run = Callable[[], Awaitable[bool | None]]


def around(seconds: float) -> float:
    """The span give or take a fifth, so that loops of many processes do not march in step."""
    return seconds * SystemRandom().uniform(0.8, 1.2)


@dataclass(eq=False)
class _Loop:
    """One loop: what it runs, its pause, its longest pause after failures, how long a round of it may take, and when
    it must have succeeded again.
    """

    name: str
    run: Run
    every_seconds: float
    most_seconds: float
    round_seconds: float
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    failures: int = 0
    due_at: float = 0.0

    def pause_seconds(self) -> float:
        """How long it rests: after a failure, longer each time, but a loop with long pauses is tried again sooner."""
        if self.failures == 0:
            return self.every_seconds
        return min(self.every_seconds * (1 << min(self.failures, DOUBLINGS)), self.most_seconds)


@dataclass(frozen=True)
class Rest:
    """Which loops rest, and how long at a time, while nothing has woken them and none has found more to do for a while.

    It is for loops that look for what other processes do, where something wakes them when that is done.
    """

    loops: Collection[str] = ()
    seconds: float = 0.0


NO_REST = Rest()


class LoopEnded(RuntimeError):
    """A loop ended without being stopped: the process ends too, and its supervisor starts it again."""


class Loops:
    """The loops of one process."""

    def __init__(
        self,
        metrics: Metrics | None = None,
        *,
        jitter: Callable[[float], float] = around,
        now: Callable[[], float] = time.monotonic,
        rest: Rest = NO_REST,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._jitter = jitter
        self.now = now  # seconds that pass, from any beginning
        self._rest = rest
        self._awake_until = now() + AWAKE_SECONDS
        self._loops: dict[str, _Loop] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: asyncio.Queue[str] = asyncio.Queue()
        self._is_stopping = False

    def start(
        self,
        name: str,
        run: Run,
        *,
        every_seconds: float,
        most_seconds: float | None = None,
        round_seconds: float = 0.0,
    ) -> None:
        """Run `run` now and then about every so many seconds; at once again when it answers True (more to do).

        A failure is logged and counted, never ends the loop, and doubles the pause up to `most_seconds`. A round may
        take `round_seconds` longer than usual before the loop is overdue. ValueError if the name is taken.
        """
        if name in self._loops:
            raise ValueError(f"there is already a loop {name!r}")
        loop = self._loops[name] = _Loop(name, run, every_seconds, most_seconds or every_seconds, round_seconds)
        self._metrics.loop_failures.labels(name)  # shown from the start, as 0
        self._metrics.loop_last_success_timestamp_seconds.labels(name)
        self._expect(loop, after_seconds=0.0)
        task = asyncio.create_task(self._keep_running(loop), name=f"{TASK}{name}")
        self._tasks.add(task)
        task.add_done_callback(self._notice_end)

    def nudge(self, name: str) -> None:
        """End the pause of a loop; if it is running, it runs once more without a pause."""
        self._loops[name].wake.set()

    def wake(self) -> None:
        """There may be something to do: end the rest of all loops that rest, and let none rest for a while."""
        was_resting = self._is_resting()
        self._awake_until = self.now() + AWAKE_SECONDS
        for loop in self._loops.values() if was_resting else ():
            if loop.name in self._rest.loops:
                loop.wake.set()

    def overdue(self) -> tuple[str, ...]:
        """The loops that have not succeeded for a minute longer than they may rest, be it within one long round."""
        now = self.now()
        return tuple(loop.name for loop in self._loops.values() if now > loop.due_at)

    async def ended(self) -> str:
        """Wait until a loop has ended that was not told to, which is logged; answers its name."""
        return await self._ended.get()

    async def stop(self, within_seconds: float) -> None:
        """End all loops: what runs may finish within so many seconds and is cancelled after that."""
        self._is_stopping = True
        for loop in self._loops.values():
            loop.wake.set()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=within_seconds)
        for task in late:
            log.warning("loop.cut", loop=_name_of(task), after_seconds=within_seconds)
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=CUT_SECONDS)

    def _notice_end(self, task: asyncio.Task[None]) -> None:
        fault = asyncio.CancelledError() if task.cancelled() else task.exception()
        if not self._is_stopping:
            self._ended.put_nowait(_name_of(task))
            _tell("loop.ended", fault, loop=_name_of(task))

    async def _keep_running(self, loop: _Loop) -> None:
        while not self._is_stopping:
            loop.wake.clear()
            if await self._run_once(loop):
                self._awake_until = max(self._awake_until, self.now() + AWAKE_SECONDS)
                self._expect(loop, after_seconds=0.0)
                await asyncio.sleep(0)
            elif not self._is_stopping:
                rests = loop.name in self._rest.loops and self._is_resting()
                pause_seconds = self._jitter(max(loop.pause_seconds(), self._rest.seconds if rests else 0.0))
                if loop.failures == 0:
                    self._expect(loop, after_seconds=pause_seconds)
                await _wait(loop.wake, pause_seconds)

    def _is_resting(self) -> bool:
        return self.now() > self._awake_until

    def _expect(self, loop: _Loop, *, after_seconds: float) -> None:
        """It runs after so many seconds; one failure and the pause after it are still no reason to worry."""
        loop.due_at = self.now() + max(after_seconds, loop.most_seconds) + loop.round_seconds + GRACE_SECONDS

    async def _run_once(self, loop: _Loop) -> bool:
        """One round; whether there is more to do."""
        cancels = _cancels()
        try:
            has_more = await loop.run()
        except BaseException as fault:  # extension modules raise what is no Exception
            if _is_end(fault, cancels):
                raise
            loop.failures += 1
            self._metrics.loop_failures.labels(loop.name).inc()
            _tell("loop.failed", fault, loop=loop.name, failures=loop.failures)
            return False
        loop.failures = 0
        self._metrics.loop_last_success_timestamp_seconds.labels(loop.name).set_to_current_time()
        return bool(has_more)


def _name_of(task: asyncio.Task[None]) -> str:
    return task.get_name().removeprefix(TASK)


def _cancels() -> int:
    """How often this task was cancelled. A library may forget to take one of them back, so compare, not count."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def _is_end(fault: BaseException, cancels: int) -> bool:
    """Whether the loop itself was cancelled or closed, or the process ends; `cancels` is what it was before the run."""
    if isinstance(fault, asyncio.CancelledError):
        return _cancels() > cancels
    return isinstance(fault, KeyboardInterrupt | SystemExit | GeneratorExit)


def _tell(event: str, fault: BaseException | None, **about: object) -> None:
    """Log it, unless that is impossible; the loop has to go on."""
    try:
        log.error(event, exc_info=fault, **about)
    except BaseException as obstacle:
        if _is_end(obstacle, _cancels()):
            raise


async def _wait(wake: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        return
