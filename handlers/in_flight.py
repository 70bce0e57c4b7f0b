"""The requests in flight, which a stopping process drains."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from weakref import WeakSet

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPConnection
from tornado.iostream import IOStream
from tornado.web import RequestHandler

SENDING_SECONDS = 0.02


class InFlight:
    """Requests in flight, answers that are still being sent, and tasks that run on after an answer.

    While it is draining, answers tell the caller to close the connection; once it is over, nothing is begun.
    """

    def __init__(self) -> None:
        self._running: set[asyncio.Task[object]] = set()
        self._requests: set[RequestHandler] = set()
        self._sending: WeakSet[IOStream] = WeakSet()
        self._quiet = asyncio.Event()
        self.lasting: list[Callable[[], Coroutine[Any, Any, object]]] = []  # each closes connections that would last
        self.is_draining = False
        self.is_over = False

    def enter(self, request: RequestHandler) -> None:
        """A request begins."""
        self._requests.add(request)

    def leave(self, request: RequestHandler) -> None:
        """A request has its answer."""
        self._requests.discard(request)
        if not self._requests:
            self._quiet.set()

    def sent(self, connection: HTTPConnection | None) -> None:
        """An answer was given to this connection; a slow reader may not have taken all of it yet."""
        if isinstance(connection, HTTP1Connection) and connection.stream.writing():
            self._sending.add(connection.stream)

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Let it run; a failure is left to the sweepers."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def begin_end(self) -> None:
        """The process is about to end: from now on it drains, and connections that would last are closed."""
        self.is_draining = True
        for close in self.lasting:
            self.start(close())

    async def drain(self) -> None:
        """Wait until all of it is done; connections are closed with the answers that are still to come."""
        self.is_draining = True
        while self._requests:
            self._quiet.clear()
            await self._quiet.wait()
        while self._running:
            await asyncio.wait(self._running)
        while any(stream.writing() for stream in self._sending):  # noqa: ASYNC110 # a stream tells nobody when it is done
            await asyncio.sleep(SENDING_SECONDS)
