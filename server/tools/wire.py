"""The wire to other nodes over HTTP: kept connections, bounded times."""

from typing import Protocol

import aiohttp

from server.domain.exchange.wire import NoAnswer, WireAnswer, WireRequest

CHUNK_BYTES = 65_536


class Wire(Protocol):
    """The way to other nodes."""

    async def send(self, request: WireRequest) -> WireAnswer:
        """Send it and wait for the whole answer; raises NoAnswer. Whether it arrived is unknown then."""


class HttpWire:
    """The wire over HTTP; redirects are answers like any other."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, request: WireRequest) -> WireAnswer:
        asked = {"data": request.body or None, "headers": request.headers, "allow_redirects": False}
        try:
            async with self._session.request(request.method, request.url, **asked) as answer:  # type: ignore[arg-type]
                return WireAnswer(answer.status, answer.headers, await _whole(answer.content, request.most_bytes))
        except TimeoutError as fault:
            raise NoAnswer("timed_out") from fault
        except (aiohttp.ClientError, OSError) as fault:
            raise NoAnswer("unreachable") from fault


async def _whole(content: aiohttp.StreamReader, most_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in content.iter_chunked(CHUNK_BYTES):
        body += chunk
        if len(body) > most_bytes:
            raise NoAnswer("answer_too_long")
    return bytes(body)
