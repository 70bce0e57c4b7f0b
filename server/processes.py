"""How a process of the node of the settings runs until it is stopped."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

from server.tools.descriptors import occupy_standard
from server.tools.logs import SCRIBE, configure
from server.tools.settings import Settings, load_settings


def run_process(
    body: Callable[[Settings], Coroutine[Any, Any, None]],
    *,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop,
) -> int:
    """Run it in a loop of its own; answers the exit code, and raises what it raises."""
    occupy_standard()
    settings = load_settings()
    configure(settings.log_level)
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(body(settings))
    finally:
        SCRIBE.catch_up(is_last=True)
    return 0
