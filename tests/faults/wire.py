"""HTTP by hand over one kept connection, so that a test can tell an answer from none and from half of one."""

import asyncio
import json
import socket
from collections.abc import Mapping
from enum import Enum
from typing import Any

ENDS = (ConnectionError, asyncio.IncompleteReadError)


class Fate(Enum):
    """What became of a request."""

    ANSWERED = "the whole answer came"
    NOT_SENT = "nobody took the connection"
    UNANSWERED = "it was sent, and not one byte came back"
    CUT = "the answer broke off"


class Wire:
    """One connection that is kept as long as the other side keeps it."""

    def __init__(self, port: int, *, receive_bytes: int = 0) -> None:
        self._port = port
        self._receive_bytes = receive_bytes
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, request: bytes) -> tuple[Fate, int, Any]:
        """Send a request and read its answer: what became of it, the status and the body."""
        try:
            await self.open()
        except ConnectionError:
            return Fate.NOT_SENT, 0, None
        try:
            self._writer.write(request)
            await self._writer.drain()
        except ConnectionError:
            await self.close()
            return Fate.UNANSWERED, 0, None
        return await self.read()

    async def open(self) -> None:
        """Connect, unless it is; raises ConnectionError."""
        if self._writer:
            return
        line = socket.socket()
        if self._receive_bytes:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_bytes)
        line.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(line, ("127.0.0.1", self._port))
        except ConnectionError:
            line.close()
            raise
        self._reader, self._writer = await asyncio.open_connection(sock=line, limit=4096)

    def send(self, request: bytes) -> None:
        """Send a part of a request, or more than one, without a look at the answers."""
        self._writer.write(request)

    async def read(self) -> tuple[Fate, int, Any]:
        """The next answer, if there still is a connection; that is closed if the answer says so, or if it ends."""
        if self._reader is None:
            return Fate.UNANSWERED, 0, None
        try:
            first = await self._reader.readexactly(1)
        except ENDS:
            await self.close()
            return Fate.UNANSWERED, 0, None
        try:
            head = first + await self._reader.readuntil(b"\r\n\r\n")
            status_line, *lines = head.decode("latin-1").splitlines()
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
            body = await self._reader.readexactly(int(headers["content-length"]))
        except ENDS:
            await self.close()
            return Fate.CUT, 0, None
        if headers.get("connection") == "close":
            await self.close()
        return Fate.ANSWERED, int(status_line.split()[1]), json.loads(body)

    async def close(self) -> None:
        """Hang up."""
        writer, self._reader, self._writer = self._writer, None, None
        if writer:
            writer.close()
            try:
                await writer.wait_closed()
            except ConnectionError:
                return


def request(method: str, path: str, *, headers: Mapping[str, str], body: Any = None) -> bytes:
    """A request as it goes over the wire, with a JSON body if there is one."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = {"Host": "test", "Content-Length": str(len(content)), "Content-Type": "application/json", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + content
