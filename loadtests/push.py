"""Measures what connections of those who watch their cases cost one process of `serve` while nothing happens.

python -m loadtests.push --connections 10000

A node of its own with an embedded database; one `serve`, and no `work`. Citizens log in, a hundred connections each,
and answer the pings. Measured are the memory of the process (resident, so without what the kernel keeps for sockets),
its CPU time while nothing happens, and how soon one of them is told that a case was handed in. Both sides need one open
file for each connection: see `ulimit -n`.
"""

import argparse
import asyncio
import json
import os
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from loadtests.cpu import BearerClient, application
from regions.founding import found
from server.demo.database import database_server
from server.demo.people import fictitious_id_number
from server.demo.platform import PlatformUser
from server.demo.platform import listen as listen_platform
from server.demo.ports import HOST, reserved
from server.demo.processes import ready, start, stop

NODE, COUNTY = "320000", "320102"
APP_ID = "wx-measured"
EACH = 100
MOST = 20_000
REST_SECONDS, IDLE_SECONDS, LONGEST_SECONDS = 3.0, 30.0, 60.0
TOLD_TIMES = 10
PLACE = {"division": COUNTY, "answers": {"household": COUNTY, "maternity_insurance": "no"}}
HANDSHAKE = (
    "GET /api/v1/push HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
UNKNOWN = 1 << 20  # a length that is not here yet


class Phone(asyncio.Protocol):
    """One connection, as small as can be: `heard` is given each message, and what a closing says."""

    def __init__(self, host: str, token: str, heard: Callable[[bytes], object]) -> None:
        self._host = host
        self._token = token
        self._heard = heard
        self._taken = b""
        self._is_open = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            transport.write(HANDSHAKE.format(host=self._host).encode())

    def data_received(self, data: bytes) -> None:
        self._taken += data
        if not self._is_open:
            head, end, self._taken = self._taken.partition(b"\r\n\r\n")
            if not end:
                self._taken = head
                return
            self._is_open = True
            self._send(TEXT, json.dumps({"token": self._token}).encode())
        while len(self._taken) >= 2:
            length, start = self._taken[1], 2
            if length == 126:
                length, start = struct.unpack("!H", self._taken[2:4])[0] if len(self._taken) >= 4 else UNKNOWN, 4
            if len(self._taken) < start + length:
                return
            code, payload = self._taken[0] & 15, self._taken[start : start + length]
            self._taken = self._taken[start + length :]
            if code == PING:
                self._send(PONG, payload)
            elif code in (TEXT, CLOSE):
                self._heard(payload)

    def close(self) -> None:
        """Go away."""
        if self._transport:
            self._transport.close()

    def _send(self, code: int, payload: bytes) -> None:
        """A frame under a mask of zeros, which changes nothing."""
        size = bytes([128 + len(payload)]) if len(payload) < 126 else bytes([254]) + struct.pack("!H", len(payload))
        if self._transport:
            self._transport.write(bytes([128 + code]) + size + bytes(4) + payload)


@dataclass(frozen=True)
class Served:
    """A running node: where its `serve` answers, and its process id."""

    base_url: str
    pid: int
    citizens: tuple[PlatformUser, ...]

    def resident_bytes(self) -> int:
        """The memory that the process has now."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self) -> float:
        """The CPU time that it has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def served(folder: Path, *, people: int, connections: int) -> AsyncIterator[Served]:
    """A node with an empty database, and the people whom its platform knows; all processes end with the block."""
    citizens = tuple(_citizen(number) for number in range(people))
    async with AsyncExitStack() as stack:
        platform, platform_port = listen_platform(citizens)
        stack.callback(platform.stop)
        uri = await stack.enter_async_context(database_server(folder, None))
        port = stack.enter_context(reserved())
        base_url = f"http://{HOST}:{port}"
        key = found(folder / "keys", {NODE: base_url}, {}, at=datetime.now(UTC))
        (folder / "node.toml").write_text("")
        settings = {
            **{"division": NODE, "port": port, "origin": base_url, "mongodb_uri": uri, "data_folder": folder / NODE},
            **{"keys_file": folder / "keys" / f"{NODE}.keys.json", "directory_file": folder / "keys/directory.jws"},
            **{"publisher_key": key, "platform_url": f"http://{HOST}:{platform_port}", "platform_app_id": APP_ID},
            **{"platform_app_secret": "none", "config": folder / "node.toml", "log_level": "error"},
            **{"push_connections": connections + 10, "push_connections_each": EACH},
        }
        told = {f"TONGBAN_{name.upper()}": str(value) for name, value in settings.items()}
        command = [sys.executable, "-m", "server", "serve"]
        child = await start("serve", command, log=folder / "serve.log", environ=told)
        stack.push_async_callback(stop, child)
        await ready(child, f"{base_url}/ready")
        yield Served(base_url, child.process.pid, citizens)


def _citizen(number: int) -> PlatformUser:
    id_number = fictitious_id_number(NODE, date(1990, 1, 1), number)
    return PlatformUser(f"code-{number}", f"openid-{number}", f"测试{number}", id_number, f"face-{number}")


async def entered(http: aiohttp.ClientSession, node: Served, citizen: PlatformUser) -> BearerClient:
    """A citizen with a proven name."""
    client = BearerClient(http, node.base_url)
    await client.enter("/api/v1/sessions", {"app_id": APP_ID, "code": citizen.code})
    names = ("name", "id_number", "face_token")
    await client.enter("/api/v1/identity", {name: getattr(citizen, name) for name in names})
    return client


async def opened(node: Served, client: BearerClient, count: int) -> tuple[list[Phone], "asyncio.Queue[bytes]"]:
    """So many connections of one person, each of which was let in; and what they are told from now on."""
    where, heard = urlsplit(node.base_url), asyncio.Queue[bytes]()
    port, token = where.port or 0, client.authorization.removeprefix("Bearer ")
    loop = asyncio.get_running_loop()
    made = [
        loop.create_connection(lambda: Phone(where.netloc, token, heard.put_nowait), HOST, port) for _ in range(count)
    ]
    phones = [phone for _, phone in await asyncio.gather(*made)]
    async with asyncio.timeout(LONGEST_SECONDS):
        for _ in phones:
            first = await heard.get()
            if b'"type":"watching"' not in first:
                raise RuntimeError(f"not let in: {first!r}")
    return phones, heard


async def told_after_ms(client: BearerClient, heard: "asyncio.Queue[bytes]", wish: dict[str, Any]) -> float:
    """How long after the answer to a submission the first of the citizen's connections is told of the case."""
    while not heard.empty():
        heard.get_nowait()
    case = str((await client.ask("POST", "/api/v1/cases", json=wish))["id"])
    answered_at = time.perf_counter()
    async with asyncio.timeout(LONGEST_SECONDS):
        while case.encode() not in await heard.get():
            continue
    return (time.perf_counter() - answered_at) * 1000


async def measured(connections: int) -> dict[str, Any]:
    """The figures for so many connections."""
    people = -(-connections // EACH)
    with tempfile.TemporaryDirectory(prefix="push") as folder:
        async with (
            served(Path(folder), people=people, connections=connections) as node,
            aiohttp.ClientSession() as http,
        ):
            print(f"{people} citizens log in ...", file=sys.stderr)
            clients = [await entered(http, node, citizen) for citizen in node.citizens]
            wish = await application(clients[0], PLACE)
            await clients[0].ask("POST", "/api/v1/cases", json=wish)
            await asyncio.sleep(REST_SECONDS)
            before, alone = node.resident_bytes(), await _busy_ms_a_second(node)
            began = time.perf_counter()
            phones: list[Phone] = []
            first: asyncio.Queue[bytes] | None = None
            for place, client in enumerate(clients):
                some, heard = await opened(node, client, min(EACH, connections - place * EACH))
                phones, first = phones + some, first or heard
            opening_seconds = time.perf_counter() - began
            await asyncio.sleep(REST_SECONDS)
            after, idle = node.resident_bytes(), await _busy_ms_a_second(node)
            told = [await told_after_ms(clients[0], first or heard, wish) for _ in range(TOLD_TIMES)]
            for phone in phones:
                phone.close()
            return {
                "connections": connections,
                "opened_a_second": round(connections / opening_seconds),
                "bytes_for_each": round((after - before) / connections),
                "resident_mb": round(after / 1e6),
                "alone_cpu_ms_a_second": round(alone, 1),
                "idle_cpu_ms_a_second": round(idle, 1),
                "told_after_ms": round(statistics.median(told)),
                "told_after_ms_at_most": round(max(told)),
            }


async def _busy_ms_a_second(node: Served) -> float:
    """CPU time while nothing happens, over the time in which each connection is pinged once."""
    before, began = node.cpu_seconds(), time.perf_counter()
    await asyncio.sleep(IDLE_SECONDS)
    return (node.cpu_seconds() - before) / (time.perf_counter() - began) * 1000


def main() -> int:
    """Print the figures; 0 when they could be measured."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.push", description=__doc__)
    parser.add_argument("--connections", type=int, default=1000, help=f"how many (default %(default)s, at most {MOST})")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    chosen = parser.parse_args()
    figures = asyncio.run(measured(max(1, min(chosen.connections, MOST))))
    if chosen.json:
        print(json.dumps(figures))
        return 0
    print("\n".join(f"{name.replace('_', ' ')}: {value:,}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
