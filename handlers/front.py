"""The front: what can be answered by the head of a request alone is answered before a door is made for it.

These are cached pages, and refusals while too many come: both must stay cheap when everybody comes at once.
"""

import time
from collections.abc import Awaitable
from functools import lru_cache
from typing import cast

import orjson
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
    format_timestamp,
)
from tornado.web import Application

from handlers.admission import OPEN, AdmissionControl, Busy, busy_for, group_of
from handlers.base import DEFAULT_HEADERS
from handlers.bodies import MOST_READ_BYTES, Incoming, declared_bytes, is_unsent, seconds_for
from handlers.in_flight import InFlight
from handlers.problems import PROBLEM, headers_with, problem_of
from handlers.response_cache import PUBLIC, Page, ResponseCache
from server.node import Node

OK = ResponseStartLine("HTTP/1.1", 200, "OK")
NOT_MODIFIED = ResponseStartLine("HTTP/1.1", 304, "Not Modified")
UNAVAILABLE = ResponseStartLine("HTTP/1.1", 503, "Service Unavailable")
PAGE_HEADERS = DEFAULT_HEADERS | {"Cache-Control": PUBLIC, "Vary": "Accept-Encoding"}
BUSY_HEADERS = DEFAULT_HEADERS | {"Content-Type": PROBLEM}


class Front(HTTPServerConnectionDelegate):
    """What stands before the application of one process."""

    def __init__(self, node: Node, in_flight: InFlight, application: Application) -> None:
        self.node = node
        self.in_flight = in_flight
        self.application = application
        self.cache: ResponseCache = application.settings["cache"]
        self.paths: frozenset[str] = application.settings["paths"]
        self.admission: AdmissionControl = application.settings["admission"]

    def page(self, path: str) -> Page | None:
        """The cached page at this path, if a door of this application gives it: the cache is that of the process."""
        page = self.cache.page(path)
        return page if page and page.door in self.paths else None

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        return _Arriving(self, server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        self.application.on_close(server_conn)


class _Arriving(HTTPMessageDelegate):
    """One request: answered here, or given to the application."""

    def __init__(self, front: Front, server_conn: object, connection: HTTPConnection) -> None:
        self._front = front
        self._server_conn = server_conn
        self._connection = connection
        self._began = time.perf_counter()
        self._page: Page | None = None
        self._busy_seconds = 0
        self._inner: HTTPMessageDelegate | None = None
        self._is_answered = False
        self._unread = Incoming(0, MOST_READ_BYTES)

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        asked = cast(RequestStartLine, start_line)  # a server is sent nothing else
        self._headers = headers
        path = asked.path.partition("?")[0]
        if asked.method == "GET" and path == asked.path:
            self._page = self._front.page(path)
        if self._page is None or not _is_plain(headers, self._page):
            self._page = None
            group = group_of(path)
            self._busy_seconds = 0 if group == OPEN else self._front.admission.retry_after_seconds(group)
        if self._page is None and not self._busy_seconds:
            self._inner = self._front.application.start_request(self._server_conn, self._connection)
            return self._inner.headers_received(start_line, headers)
        if self._busy_seconds:
            self._await_body()
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        if self._inner:
            return self._inner.data_received(chunk)
        self._unread.take(chunk)
        if self._unread.is_beyond_measure:
            self._cut_off()
        return None

    def finish(self) -> None:
        self._unread.end()
        if self._inner:
            self._inner.finish()
        elif not self._is_answered:
            self._answer(is_last=self._front.in_flight.is_draining)

    def on_connection_close(self) -> None:
        self._unread.end()
        if self._inner:
            self._inner.on_connection_close()

    def _await_body(self) -> None:
        """Refuse when the body has come, as doors do, for an earlier answer would not be read."""
        if is_unsent(self._headers) or declared_bytes(self._headers) > MOST_READ_BYTES:
            self._cut_off()
            return
        settings = self._front.node.settings
        seconds = seconds_for(
            self._headers,
            most_bytes=MOST_READ_BYTES,
            grace_seconds=settings.body_grace_seconds,
            least_rate=settings.body_least_rate,
        )
        if seconds:
            self._unread.begin(seconds, self._cut_off)

    def _cut_off(self) -> None:
        if not self._is_answered:
            self._answer(is_last=True)

    def _answer(self, *, is_last: bool) -> None:
        self._is_answered = True
        line, headers, body = self._busy() if self._page is None else self._page_of(self._page)
        headers["Date"] = _date(int(time.time()))
        headers["X-Request-Id"] = self._front.node.chance.token(8).hex()
        if is_last:
            headers["Connection"] = "close"
        self._connection.write_headers(line, HTTPHeaders(headers), body)
        self._connection.finish()
        self._count(line.code)

    def _page_of(self, page: Page) -> tuple[ResponseStartLine, dict[str, str], bytes]:
        response = page.response
        headers = {**PAGE_HEADERS, "Etag": response.etag}
        if self._headers.get("If-None-Match") == response.etag:
            del headers["Content-Type"]
            return NOT_MODIFIED, headers, b""
        body = response.plain
        if "gzip" in self._headers.get("Accept-Encoding", ""):
            body, headers["Content-Encoding"] = response.compressed, "gzip"
        headers["Content-Length"] = str(len(body))
        return OK, headers, body

    def _busy(self) -> tuple[ResponseStartLine, dict[str, str], bytes]:
        status, problem = problem_of(busy_for(self._busy_seconds), UNAVAILABLE.code)
        body = orjson.dumps(problem)
        headers = {**BUSY_HEADERS, **headers_with(status, problem), "Content-Length": str(len(body))}
        return UNAVAILABLE, headers, body

    def _count(self, status: int) -> None:
        metrics = self._front.node.metrics
        if self._page is None:
            metrics.refusals.labels(Busy.code).inc()
        else:
            metrics.http_requests.labels(self._page.door, "GET", str(status)).inc()
            metrics.http_request_seconds.labels(self._page.door).observe(time.perf_counter() - self._began)


@lru_cache(maxsize=2)
def _date(seconds: int) -> str:
    return format_timestamp(seconds)


def _is_plain(headers: HTTPHeaders, page: Page) -> bool:
    """Whether the answer follows without more thought: no body came, and of tags at most the one that is current."""
    tag = headers.get("If-None-Match")
    is_empty = "Content-Length" not in headers and "Transfer-Encoding" not in headers
    return is_empty and (tag is None or tag == page.response.etag)
