"""What a stopping process waits for."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from tornado.web import RequestHandler


class Aftermath:
    """Requests under way, and what goes on after an answer has gone out."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._requests: set[RequestHandler] = set()
        self._quiet = asyncio.Event()
        self.is_draining = False

    def enter(self, request: RequestHandler) -> None:
        """A request begins."""
        self._requests.add(request)

    def leave(self, request: RequestHandler) -> None:
        """A request has its answer."""
        self._requests.discard(request)
        if not self._requests:
            self._quiet.set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let it run; a failure is left to the sweepers."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def drain(self) -> None:
        """Wait until all of it is done; connections are closed with the answers that are still to come."""
        self.is_draining = True
        while self._requests:
            self._quiet.clear()
            await self._quiet.wait()
        while self._running:
            await asyncio.wait(self._running)
