"""The background loops of a process: each does one thing again and again until it is told to stop."""

import asyncio
from collections.abc import Awaitable, Callable
from secrets import SystemRandom

from server.tools.logs import log

DOUBLINGS = 16
CUT_SECONDS = 1.0


def around(seconds: float) -> float:
    """The span give or take a fifth, so that loops of many processes do not march in step."""
    return seconds * SystemRandom().uniform(0.8, 1.2)


class Loops:
    """The loops of one process."""

    def __init__(self, *, jitter: Callable[[float], float] = around) -> None:
        self._jitter = jitter
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._wakes: dict[str, asyncio.Event] = {}
        self._is_stopping = False

    def start(
        self,
        name: str,
        run: Callable[[], Awaitable[bool | None]],
        *,
        every_seconds: float,
        most_seconds: float | None = None,
    ) -> None:
        """Run `run` now and then about every so many seconds; at once again when it answers True (more to do).

        A failure is logged, never ends the loop, and doubles the pause up to `most_seconds`. ValueError if the
        name is taken.
        """
        if name in self._tasks:
            raise ValueError(f"there is already a loop {name!r}")
        self._wakes[name] = asyncio.Event()
        keep = self._keep_running(name, run, every_seconds=every_seconds, most_seconds=most_seconds or every_seconds)
        self._tasks[name] = asyncio.create_task(keep, name=f"loop:{name}")

    def nudge(self, name: str) -> None:
        """End the pause of a loop; if it is running, it runs once more without a pause."""
        self._wakes[name].set()

    async def stop(self, within_seconds: float) -> None:
        """End all loops: what runs may finish within so many seconds and is cancelled after that."""
        self._is_stopping = True
        for wake in self._wakes.values():
            wake.set()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks.values(), timeout=within_seconds)
        for task in late:
            log.warning("loop.cut", loop=task.get_name().removeprefix("loop:"), after_seconds=within_seconds)
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=CUT_SECONDS)

    async def _keep_running(
        self, name: str, run: Callable[[], Awaitable[bool | None]], *, every_seconds: float, most_seconds: float
    ) -> None:
        wake = self._wakes[name]
        failures = 0
        while not self._is_stopping:
            wake.clear()
            cancels = _cancels()
            try:
                has_more = await run()
                failures = 0
            except BaseException as fault:  # extension modules raise what is no Exception
                if _is_end(fault, cancels):
                    raise
                failures += 1
                has_more = False
                _tell_failure(name, failures, fault)
            if has_more:
                await asyncio.sleep(0)
            elif not self._is_stopping:
                pause = every_seconds * 2 ** min(failures, DOUBLINGS)
                await _wait(wake, self._jitter(min(pause, max(most_seconds, every_seconds))))


def _cancels() -> int:
    """How often this task was cancelled. A library may forget to take one of them back, so compare, not count."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def _is_end(fault: BaseException, cancels: int) -> bool:
    """Whether the loop itself was cancelled or closed, or the process ends; `cancels` is what it was before the run."""
    if isinstance(fault, asyncio.CancelledError):
        return _cancels() > cancels
    return isinstance(fault, KeyboardInterrupt | SystemExit | GeneratorExit)


def _tell_failure(name: str, failures: int, fault: BaseException) -> None:
    try:
        log.error("loop.failed", loop=name, failures=failures, exc_info=fault)
    except BaseException as obstacle:
        if _is_end(obstacle, _cancels()):
            raise


async def _wait(wake: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        return
