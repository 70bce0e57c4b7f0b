"""Running nodes for tests: real doors over real HTTP, a real database, a stand-in for the platform, all in one loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import aiohttp
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from handlers import routes
from handlers.application import Surroundings
from handlers.in_flight import InFlight
from regions import fetching, outbox, settling
from regions.founding import found
from server import answering, main, working
from server.crypto.passwords import Cost
from server.demo.platform import PlatformUser
from server.demo.platform import listen as listen_platform
from server.desk import relay
from server.desk.citizen.pushing import Pushes
from server.desk.citizen.signing import SigningTools
from server.domain.catalogue.desks import find_desk
from server.domain.catalogue.divisions import parent_of, province_of
from server.domain.catalogue.pinning import PREFIX
from server.domain.people.persons import AccountRole, Officer
from server.domain.people.posts import Post, PostRole
from server.domain.values import CHINA, china_day
from server.node import Node
from server.papering import signing_offered
from server.store.people.accounts import OfficerExists
from server.tools.clock import Clock
from server.tools.loops import Loops
from server.tools.publications import Publications, load_publications
from server.tools.settings import Settings
from tests.world import GUANGDONG, JIANGSU, MONDAY, ZHEJIANG, person

APP_ID = "wx-test"
HOSPITALS = "江苏省南京市玄武区医疗卫生机构"
NAMES = {JIANGSU: "江苏省", ZHEJIANG: "浙江省"}
PASSWORD = "test-only-password"
CHEAP = Cost(rounds=1, memory_kib=64, lanes=1)  # production takes 0.2 s for each sign-in
MOTHER, STRANGER = person("测试母亲", sequence="002"), person("测试路人", sequence="004")
AGENT = person("测试代理", sequence="006")
CITIZENS = (
    PlatformUser("mother", "openid-mother", MOTHER.name, MOTHER.id_number, "face-mother"),
    PlatformUser("stranger", "openid-stranger", STRANGER.name, STRANGER.id_number, "face-stranger"),
    PlatformUser("agent", "openid-agent", AGENT.name, AGENT.id_number, "face-agent"),
)
PNG = b"\x89PNG\r\n\x1a\n" + b"a made-up picture"
HERE, THERE = "320102", "330106"  # a county of Jiangsu, and one of Zhejiang
COUNTIES = {JIANGSU: HERE, ZHEJIANG: THERE, GUANGDONG: "440106"}
WORKING: tuple[PostRole, ...] = ("window", "handler", "approver")
ANSWERS = {"household": THERE, "maternity_insurance": "no"}
SETTLE_SECONDS = 6
DATA: dict[tuple[Path, Path], Publications] = {}


@dataclass(frozen=True)
class Answer:
    """What a door answered."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        """The stable code of a refusal."""
        return str(self.body["code"])


class Writes(CommandListener):
    """Counts what a node has written, and all that it has asked its database."""

    def __init__(self) -> None:
        self.count = 0
        self.asked = 0

    def started(self, event: CommandStartedEvent) -> None:
        self.asked += 1
        self.count += event.command_name in ("insert", "update", "delete")

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


class HandClock:
    """A clock that stands still until a test moves it; it begins on a Monday at noon in China."""

    machine = "tests"

    def __init__(self, at: datetime = MONDAY) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def wait(self, **span: float) -> None:
        self.at += timedelta(**span)

    def to(self, month: int, day: int, hour: int = 0, minute: int = 0) -> None:
        """Move it to this minute of 2026 in China."""
        self.at = datetime(2026, month, day, hour, minute, tzinfo=CHINA).astimezone(UTC)


@dataclass
class Caller:
    """Somebody who calls the doors of one node, with a bearer token once he has one."""

    http: aiohttp.ClientSession
    base_url: str
    token: str = ""

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        """One request; `key` is the Idempotency-Key (a fresh one for a POST when absent, none for None)."""
        headers = dict(more.pop("headers", {}))
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        key = more.pop("key", uuid4().hex)
        if method == "POST" and key is not None:
            headers.setdefault("Idempotency-Key", key)
        async with self.http.request(method, self.base_url + path, headers=headers, **more) as answer:
            is_json = "json" in answer.headers.get("Content-Type", "")
            body = await answer.json(content_type=None) if is_json else await answer.read()
            return Answer(answer.status, body, answer.headers)

    async def get(self, path: str, **more: Any) -> Answer:
        """GET."""
        return await self.call("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        """POST with a JSON body."""
        return await self.call("POST", path, json={} if body is None else body, **more)

    async def upload(
        self, content: bytes | BinaryIO = PNG, *, name: str = "photo.png", path: str = "/api/v1/materials"
    ) -> Answer:
        """Hand in a file, as `wx.uploadFile` sends it."""
        form = aiohttp.FormData()
        form.add_field("file", content, filename=name, content_type="application/octet-stream")
        return await self.call("POST", path, data=form)


@dataclass
class Running:
    """One running node."""

    node: Node
    base_url: str
    in_flight: InFlight
    writes: Writes
    pushes: Pushes
    signing: SigningTools | None = None


@dataclass
class Places:
    """All running nodes, and everyone who calls them."""

    http: aiohttp.ClientSession
    nodes: dict[str, Running] = field(default_factory=dict)
    desk_tokens: dict[tuple[str, str], str] = field(default_factory=dict)
    is_fetching: bool = True

    def caller(self, division: str = JIANGSU) -> Caller:
        """Somebody without a token."""
        return Caller(self.http, self.nodes[division].base_url)

    async def citizen(self, code: str = "mother", division: str = JIANGSU, *, is_real_name: bool = True) -> Caller:
        """A citizen, logged in and by default with a proven name."""
        caller = self.caller(division)
        answer = await caller.post("/api/v1/sessions", {"app_id": APP_ID, "code": code})
        caller.token = answer.body["access_token"]
        if is_real_name:
            who = next(each for each in CITIZENS if each.code == code)
            wish = {"name": who.name, "id_number": who.id_number, "face_token": who.face_token}
            answer = await caller.post("/api/v1/identity", wish)
            caller.token = answer.body["access_token"]
        return caller

    async def officer(
        self,
        department: str,
        division: str = JIANGSU,
        *,
        name: str = "",
        roles: Sequence[PostRole] = WORKING,
        county: str = "",
    ) -> Caller:
        """An officer with posts in these roles at every desk of a department that is for one county, signed in.

        Seeded when first asked for, and signed in again only when need be. Unless another name is given, they are
        called after the department, and the county is the one of these tests.
        """
        caller, name = self.caller(division), name or department
        caller.token = self.desk_tokens.get((division, name), "")
        if caller.token and (await caller.get("/desk/v1/tasks")).status == 200:
            return caller
        with contextlib.suppress(OfficerExists):
            await self.nodes[division].node.store.accounts.add(Officer(name=name), PASSWORD, cost=CHEAP)
        for desk in desks_of(self.nodes[division].node, department, county or COUNTIES[division]):
            await self.appoint(name, desk, roles, division=division)
        answer = await caller.post("/desk/v1/sessions", {"name": name, "password": PASSWORD})
        caller.token = self.desk_tokens[division, name] = answer.body["access_token"]
        return caller

    async def appoint(
        self, name: str, authority: str, roles: Sequence[PostRole] = WORKING, *, division: str = JIANGSU
    ) -> None:
        """Give an officer a post at an authority in each of these roles."""
        for role in roles:
            post = Post(id=f"{name}:{authority}:{role}", officer=name, authority=authority, role=role)
            await self.nodes[division].node.store.posts.add(post)

    async def administrator(self, role: AccountRole, name: str = "", division: str = JIANGSU) -> Caller:
        """One of the three administrators, signed in a moment ago."""
        caller, name = self.caller(division), name or f"{role} administrator"
        with contextlib.suppress(OfficerExists):
            officer = Officer(name=name, role=role)
            await self.nodes[division].node.store.accounts.add(officer, PASSWORD, cost=CHEAP)
        answer = await caller.post("/desk/v1/sessions", {"name": name, "password": PASSWORD})
        caller.token = answer.body["access_token"]
        return caller

    async def settle(self) -> None:
        """Let every loop of every node run until nothing is left to do, and move the clock of tests on.

        Each node moves a HandClock by SETTLE_SECONDS. A node whose last round wrote nothing, and whose database and
        clock are as they were, is not asked again, and where nothing waits for its time the clock moves in one go:
        else most of what tests ask of databases is asked here.
        """
        clocks = [each.node.clock for each in self.nodes.values() if isinstance(each.node.clock, HandClock)]
        left = SETTLE_SECONDS if clocks else 0
        quiet: dict[str, int] = {}
        for _ in range(2 * SETTLE_SECONDS):
            await self._round(quiet)
            if quiet == {division: running.writes.count for division, running in self.nodes.items()}:
                if not left or not await self._waits(timedelta(seconds=left * len(clocks))):
                    break
                quiet.clear()
                left -= 1
                for clock in clocks:
                    clock.wait(seconds=1)  # what is tried again later comes to its turn
        for clock in clocks:
            clock.wait(seconds=left)

    async def _waits(self, span: timedelta) -> bool:
        return any([await waits_within(running.node, span) for running in self.nodes.values()])

    async def _round(self, quiet: dict[str, int]) -> None:
        """A round of each node but those that are quiet: they stand there with how much they had written then."""
        for division, running in self.nodes.items():
            before = running.writes.count
            if quiet.get(division) != before:
                await settle_here(running, is_fetching=self.is_fetching)
                if running.writes.count == before:
                    quiet[division] = before

    async def decide(self, case: str, step: str, *, department: str, division: str = JIANGSU) -> None:
        """Receive, accept and approve a step, and carry what follows."""
        officer = await self.officer(department, division)
        for act in ("receive", "accept", "approve"):
            answer = await officer.post(f"/desk/v1/cases/{case}/steps/{step}/{act}")
            assert answer.status == 200, answer.body
        await self.settle()


def desks_of(node: Node, department: str, county: str) -> list[str]:
    """The ids of all desks where a case of this department may lie that is for this county."""
    around = [county, parent_of(county), province_of(county)]
    ids = [f"{kind}{department}/{code}" for kind in PREFIX.values() for code in around]
    authorities, on = node.published.authorities, china_day(node.clock.now())
    return [id for id in ids if find_desk(authorities, id, province=province_of(county), on=on)]


async def settle_here(running: Running, *, is_fetching: bool = True) -> None:
    """One round of all loops of one node."""
    node = running.node
    await running.in_flight.drain()
    running.in_flight.is_draining = False
    await relay.sweep(node)
    for peer in node.directory.peers_of(node.here):
        while await outbox.deliver(node, peer):
            pass
        while await settling.unpack(node, peer.node):
            pass
    await settling.settle(node)
    for peer in node.directory.peers_of(node.here) if is_fetching else ():
        await fetching.fetch(node, peer.node)


async def waits_within(node: Node, span: timedelta) -> bool:
    """Whether anything that this node is to do has its time within this span."""
    store, until = node.store, node.clock.now() + span
    if await store.letters_in.due(until, limit=1) or await store.cases.due_for_relay(until, limit=1):
        return True
    peers = [peer.node for peer in node.directory.peers_of(node.here)]
    return any([await store.fetches.due(peer, until, limit=1) for peer in peers]) or any(
        [(await store.peers.outbound(peer)).failures for peer in peers]
    )


@asynccontextmanager
async def running_nodes(
    folder: Path,
    database_uri: str,
    database_name: str,
    *,
    divisions: Sequence[str] = (JIANGSU, ZHEJIANG),
    clock: Clock | None = None,
    is_working: bool = False,
    is_pushing: bool = False,
    **settings: Any,
) -> AsyncIterator[Places]:
    """Nodes that serve, and with `is_working` also run the loops of `work`; without, tests call `settle`.

    Those who watch are told of something only with `is_pushing`.
    """
    async with AsyncExitStack() as stack:
        ports = {division: stack.enter_context(reserved_port()) for division in divisions}
        origins = {division: f"http://127.0.0.1:{port}" for division, port in ports.items()}
        at = datetime.now(UTC) if clock is None else clock.now()
        publisher_key = found(folder / "keys", origins, NAMES, at=at)
        platform, platform_port = listen_platform(CITIZENS)
        stack.callback(platform.stop)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        places = Places(http)
        for division in divisions:
            chosen = Settings(
                division=division,
                port=ports[division],
                origin=origins[division],
                mongodb_uri=database_uri,
                database=f"{database_name}_{division}",
                data_folder=folder / division,
                keys_file=folder / "keys" / f"{division}.keys.json",
                directory_file=folder / "keys" / "directory.jws",
                publisher_key=publisher_key,
                platform_url=f"http://127.0.0.1:{platform_port}",
                platform_app_id=APP_ID,
                platform_app_secret="test-only",
                **{"poll_seconds": 0.05, "retry_first_seconds": 0.1, **settings},
            )
            places.nodes[division] = await stack.enter_async_context(
                running_node(chosen, clock, is_working=is_working, is_pushing=is_pushing)
            )
        yield places


@asynccontextmanager
async def running_node(
    settings: Settings,
    clock: Clock | None = None,
    *,
    is_working: bool = False,
    is_pushing: bool = False,
    listeners: Sequence[object] = (),
) -> AsyncIterator[Running]:
    """One node of these settings."""
    writes = Writes()
    data = data_of(settings)
    async with (
        main.opened(settings, clock=clock, data=data, listeners=[writes, *listeners]) as node,
        signing_offered(node) as signing,
    ):
        in_flight, loops, pushes = InFlight(), Loops(), Pushes(node)
        around = Surroundings(pushes=pushes, signing=signing)
        server, _ = main.listen(node, in_flight, doors=routes.DOORS, port=settings.port, surroundings=around)
        if is_working:
            working.start(node, loops)
        try:
            async with answering.pushing(node, loops, pushes) if is_pushing else contextlib.nullcontext():
                yield Running(node, f"http://127.0.0.1:{settings.port}", in_flight, writes, pushes, signing)
        finally:
            await loops.stop(5.0)
            await main.stop_listening(server, in_flight, 5.0)


def data_of(settings: Settings) -> Publications:
    """What these folders hold, read once in a process."""
    folders = settings.catalogue_folder, settings.regions_folder
    if folders not in DATA:
        DATA[folders] = load_publications(*folders)
    return DATA[folders]


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port for a process that dies and comes back: nobody else is given it in between, as this never listens."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def newborn_form() -> dict[str, str]:
    """A complete form of the bundle, with made-up persons."""
    return {
        "mobile": "13800000000",
        "mother_name": MOTHER.name,
        "mother_id_number": MOTHER.id_number,
        "child_name": "测试宝宝",
        "child_sex": "female",
        "child_birth_date": "2026-11-02",
        "child_birth_place": "320100",
        "child_birth_hospital": "测试医院",
        "home_address": "测试路1号",
    }


async def newborn_wish(citizen: Caller, *, division: str = HERE) -> dict[str, Any]:
    """A complete application in this county, its materials handed in."""
    uploaded = await citizen.upload()
    codes = ("mother_identity_card", "mother_household_register")
    return {
        "bundle": "newborn",
        "division": division,
        "answers": ANSWERS,
        "form": newborn_form(),
        "materials": [{"code": code, "id": uploaded.body["id"]} for code in codes],
    }


async def until(condition: Any, *, seconds: float = 20.0) -> Any:
    """The first true answer of an async condition, asked again and again; TimeoutError."""
    async with asyncio.timeout(seconds):
        while not (answer := await condition()):
            await asyncio.sleep(0.05)
        return answer
