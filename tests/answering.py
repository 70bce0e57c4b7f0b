"""A server of this process that answers what it is told to, byte by byte."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from loadtests.bench.loader import request_bytes

GET = request_bytes("GET", "/", headers={})
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BROKEN = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
UNCHANGED = b"HTTP/1.1 304 Not Modified\r\nEtag: x\r\n\r\n"


class Answering:
    """A server that answers each request with the next of these bytes, in small pieces; b"" closes the connection."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._answers = iter(answers)
        self.connections = 0
        self.asked: list[bytes] = []
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                self.asked.append(await reader.readuntil(b"\r\n\r\n"))
                answer = next(self._answers)
                for place in range(0, len(answer), 25):
                    writer.write(answer[place : place + 25])
                    await writer.drain()
                    await asyncio.sleep(0)
                if not answer:
                    break
        except asyncio.IncompleteReadError:
            pass  # the loader has closed
        finally:
            writer.close()


@asynccontextmanager
async def answering(answers: Sequence[bytes]) -> AsyncIterator[Answering]:
    made = Answering(answers)
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    async with server:
        made.port = server.sockets[0].getsockname()[1]
        yield made
