"""Provinces as real processes: `serve` and `work` of each, started, killed and started again by the tests."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import aiohttp

from regions.founding import found
from server import main
from server.demo.platform import listen as listen_platform
from server.demo.processes import Child, ready, start, stop
from server.demo.proxy import Proxy, proxied
from server.domain.people.persons import Officer
from server.domain.people.posts import Post
from server.node import Node
from server.tools.publications import Publications, load_publications
from server.tools.settings import Settings
from tests.catalogue.shipped import copy_small
from tests.faults.books import AT_HOME, DEPARTMENT_ABROAD
from tests.nodes import APP_ID, CHEAP, CITIZENS, NAMES, PASSWORD, WORKING, Answer, Caller, desks_of, reserved_port

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
SECRET = "test-only"
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 0.4
PATIENCE_SECONDS = 100.0
NOT_YET = frozenset({404, 409, 412, 503})
BUSY = frozenset({503})
A_COUNTY = 106
DEPARTMENTS = sorted({DEPARTMENT_ABROAD, *AT_HOME.values()})
QUICK: Mapping[str, Any] = {
    "regions_folder": ROOT / "config/regions",
    "platform_app_id": APP_ID,
    "platform_app_secret": SECRET,
    "poll_seconds": 0.05,
    "relay_due_seconds": 0.2,
    "retry_first_seconds": 0.05,
    "retry_most_seconds": 0.4,
}
Launch = Callable[..., Awaitable[Child]]


async def command(name: str, *, log: Path, environ: Mapping[str, str], more: Mapping[str, str]) -> Child:
    """Start `python -m server NAME`; `more` is added to the environment."""
    return await start(name, [sys.executable, "-m", "server", name], log=log, environ={**environ, **more})


@dataclass
class Province:
    """One node: its settings, how its processes (`serve`, `work`) are started, and those that run.

    Other provinces reach it through its wire; those who call its doors, and `ready`, do not.
    """

    settings: Settings
    http: aiohttp.ClientSession
    folder: Path
    launch: Launch
    wire: Proxy
    children: dict[str, Child] = field(default_factory=dict)

    @property
    def division(self) -> str:
        """Which province it is."""
        return self.settings.division

    def log(self, command: str) -> Path:
        """What this process has written to stderr, over all its lives."""
        return self.folder / f"{self.division}-{command}.log"

    async def start(self, *commands: str) -> None:
        """Start these processes, and wait until they are ready."""
        for command in commands:
            self.children[command] = await self.launch(command, log=self.log(command), environ=self.environ())
        await asyncio.gather(*(ready(self.children[command], self._url(command) + "/ready") for command in commands))

    async def kill(self, command: str) -> None:
        """End a process as a crash does, and see it gone."""
        child = self.children.pop(command)
        child.kill()
        await child.process.wait()

    async def stop(self, command: str) -> int:
        """Ask a process to end; its exit code."""
        return await stop(self.children.pop(command))

    def caller(self) -> Caller:
        """Somebody without a token."""
        return Caller(self.http, self._url("serve"))

    async def citizen(self) -> Caller:
        """A citizen with a proven name, who holds out while processes die."""
        who = CITIZENS[0]
        caller = self.caller()
        admission = await insist(caller, "/api/v1/sessions", {"app_id": APP_ID, "code": who.code}, key="log-in")
        caller.token = admission.body["access_token"]
        wish = {"name": who.name, "id_number": who.id_number, "face_token": who.face_token}
        caller.token = (await insist(caller, "/api/v1/identity", wish, key="name")).body["access_token"]
        return caller

    async def officer(self, department: str) -> Caller:
        """An officer of a department, signed in."""
        caller = self.caller()
        wish = {"name": department, "password": PASSWORD}
        again = BUSY | {429}  # attempts that broke off count as failed
        answer = await insist(caller, "/desk/v1/sessions", wish, key="sign-in", again=again)
        caller.token = answer.body["access_token"]
        return caller

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Node]:
        """The node inside this process, to look at what is stored."""
        async with main.opened(patient(self.settings)) as node:
            yield node

    def environ(self) -> Mapping[str, str]:
        """The settings, as its processes get them."""
        chosen = {
            f"TONGBAN_{key.upper()}": str(value) for key, value in self.settings.model_dump(exclude_none=True).items()
        }
        return {
            **chosen,
            "TONGBAN_PLATFORM_APP_SECRET": SECRET,
            "TONGBAN_CONFIG": str(self.folder / "node.toml"),
        }

    def _url(self, command: str) -> str:
        port = self.settings.port if command == "serve" else self.settings.work_port
        return f"http://{HOST}:{port}"


@asynccontextmanager
async def provinces(
    folder: Path, database_uri: str, *, launch: Launch, peer_database_uri: str = "", **settings: Any
) -> AsyncIterator[list[Province]]:
    """Two provinces with their officers, none of whose processes runs yet; those that run are stopped at the end.

    `settings["database"]` is what the names of both databases begin with. `peer_database_uri` is the server of the
    second province, if it has another.
    """
    (folder / "node.toml").write_text("")
    copy_small(folder / "catalogue")  # one bundle: every process that starts again reads it
    async with AsyncExitStack() as stack:
        ports = {node: [stack.enter_context(reserved_port()) for _ in ("serve", "work")] for node in NAMES}
        wires = {node: await stack.enter_async_context(proxied(serving)) for node, (serving, _) in ports.items()}
        origins = {node: f"http://{HOST}:{wire.port}" for node, wire in wires.items()}
        common = {
            "catalogue_folder": folder / "catalogue",
            "directory_file": folder / "keys" / "directory.jws",
            "publisher_key": found(folder / "keys", origins, NAMES, at=datetime.now(UTC)),
            "platform_url": f"http://{HOST}:{_platform(stack)}",
        }
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)))
        both: list[Province] = []
        data: Publications | None = None
        for node, (port, work_port) in ports.items():
            own = {
                "division": node,
                "mongodb_uri": (peer_database_uri if both else "") or database_uri,
                "port": port,
                "work_port": work_port,
                "origin": origins[node],
                "data_folder": folder / node,
                "keys_file": folder / "keys" / f"{node}.keys.json",
            }
            name = f"{settings['database']}_{node}"
            chosen = Settings(**{**QUICK, **common, **own, **settings, "database": name})
            data = data or load_publications(chosen.catalogue_folder, chosen.regions_folder)
            await _seat(chosen, data)
            both.append(Province(chosen, http, folder, launch, wires[node]))
            stack.push_async_callback(_stop_all, both[-1])
        yield both


async def _seat(settings: Settings, data: Publications) -> None:
    """Give the node an officer of each department, with posts at all desks of it that are for a county."""
    async with main.opened(patient(settings), data=data) as node:
        for name in DEPARTMENTS:
            await node.store.accounts.add(Officer(name=name), PASSWORD, cost=CHEAP)
            for at, role in product(desks_of(node, name, county_of(settings.division)), WORKING):
                await node.store.posts.add(Post(id=f"{name}:{at}:{role}", officer=name, authority=at, role=role))


def county_of(province: str) -> str:
    """A county in the capital of a province, in which cases of these tests are."""
    return str(int(province) + A_COUNTY)


def patient(settings: Settings) -> Settings:
    """The settings by which a test itself looks into a database, however busy the machine is."""
    return settings.model_copy(update={"database_timeout_seconds": PATIENCE_SECONDS})


def _platform(stack: AsyncExitStack) -> int:
    server, port = listen_platform(CITIZENS)
    stack.callback(server.stop)
    return port


async def insist(
    caller: Caller,
    path: str,
    body: Any = None,
    *,
    key: str,
    again: Collection[int] = BUSY,
    seconds: float = PATIENCE_SECONDS,
) -> Answer:
    """POST under one key, again and again, until it succeeds; a broken connection or a status of `again` is no end."""
    answer, pause = None, PAUSE_SECONDS
    try:
        async with asyncio.timeout(seconds):
            while (answer := await _tried(caller, path, body, key=key)).status in again:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
    except TimeoutError:
        raise AssertionError(f"patience ended at {path} {key}, which was last answered {answer}") from None
    assert answer.status < 300, (path, key, answer)
    return answer


async def _tried(caller: Caller, path: str, body: Any, *, key: str) -> Answer:
    """One attempt; nobody there, or a connection that breaks, is as good as 503."""
    try:
        return await caller.post(path, body, key=key)
    except aiohttp.ClientConnectionError as fault:
        return Answer(503, repr(fault), {})


async def _stop_all(province: Province) -> None:
    for command in tuple(province.children):
        await province.stop(command)
