"""The provinces of a demo: platform, database, keys and each node's processes, started and stopped in order."""

import ssl
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from server.demo import platform, signing
from server.demo.database import database_server
from server.demo.desks import REGIONS
from server.demo.folder import DemoPlan, PlannedNode, keep_plan
from server.demo.people import DemoOfficer
from server.demo.platform import PlatformUser
from server.demo.ports import HOST
from server.demo.processes import Child, children, output_of, ready, start, together
from server.tools.publications import load_nodes

APP_ID = "wx-tongban-demo"
SEALS = "seals"
SERVER = (sys.executable, "-m", "server")
HASTE = {
    "TONGBAN_POLL_SECONDS": "0.1",
    "TONGBAN_RETRY_FIRST_SECONDS": "0.2",
    "TONGBAN_RETRY_MOST_SECONDS": "5",
    "TONGBAN_DRAIN_SECONDS": "5",
}


@dataclass(frozen=True)
class Province:
    """A node: where it is, its officers, and the environment and log folder of its processes."""

    division: str
    name: str
    base_url: str
    work_url: str
    officers: tuple[DemoOfficer, ...] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    logs: Path

    async def command(self, *arguments: str, given: bytes = b"") -> bytes:
        """What a command of this node prints (`python -m server ...`); raises ChildFailed."""
        name = f"{self.division} {' '.join(arguments)}"
        command = [*SERVER, *arguments]
        return await output_of(name, command, log=self._log(arguments[0]), environ=self.environ, given=given)

    async def process(self, what: str) -> Child:
        """One of its processes, `serve` or `work`, just started."""
        return await start(f"{self.division} {what}", [*SERVER, what], log=self._log(what), environ=self.environ)

    def _log(self, what: str) -> Path:
        return self.logs / f"{self.division}-{what}.log"


@dataclass(frozen=True)
class Demo:
    """Everything that runs; `database` is its address unless it was given, for it may hold a password.

    What stands in `running` at the end is stopped.
    """

    provinces: tuple[Province, ...]
    platform_url: str
    database: str
    citizens: tuple[PlatformUser, ...]
    running: list[Child]
    app_id: str = APP_ID


@asynccontextmanager
async def running_demo(
    folder: Path,
    plan: DemoPlan,
    *,
    citizens: tuple[PlatformUser, ...],
    mongodb_uri: str | None,
    say: Callable[[str], None],
) -> AsyncIterator[Demo]:
    """All of it, ready; at the end the nodes are stopped first, then the database, and the platform last.

    Raises ChildFailed and the refusals of `database_server`.
    """
    (folder / "logs").mkdir(exist_ok=True)
    async with AsyncExitStack() as stack:
        say("The platform and the database start; keys are made if there are none.")
        platform_url = await stack.enter_async_context(_platform(citizens, plan.platform_port))
        opening = stack.enter_async_context(database_server(folder / "database", mongodb_uri))
        uri, plan, _ = await together(opening, _with_keys(folder, plan), _with_seals(folder, plan))
        everywhere = {"TONGBAN_PLATFORM_URL": platform_url, "TONGBAN_MONGODB_URI": uri}
        if plan.gives_papers:
            everywhere |= await stack.enter_async_context(_signing(folder, citizens))
        provinces = _provinces(folder, plan, everywhere)
        say(f"{len(provinces)} nodes start: " + ", ".join(province.name for province in provinces) + ".")
        running = await stack.enter_async_context(children())
        await together(*(_open(province, running) for province in provinces))
        database = f"{plan.databases}_... at MONGODB_URI" if mongodb_uri else uri
        yield Demo(provinces, platform_url, database, citizens, running)


@asynccontextmanager
async def _platform(citizens: tuple[PlatformUser, ...], port: int) -> AsyncIterator[str]:
    """The stand-in runs in this process: so no file holds all the citizens whom it knows."""
    server, port = platform.listen(citizens, host=HOST, port=port)
    try:
        yield f"http://{HOST}:{port}"
    finally:
        server.stop()
        await server.close_all_connections()


@asynccontextmanager
async def _signing(folder: Path, citizens: tuple[PlatformUser, ...]) -> AsyncIterator[Mapping[str, str]]:
    """A stand-in of a signing service in this process, with an authority of its own; the settings that name it."""
    roots = folder / "people.pem"
    stand_in = signing.StandInSigning(citizens)
    roots.write_text(ssl.DER_cert_to_PEM_cert(stand_in.root), encoding="ascii")
    server, port = signing.listen(stand_in, host=HOST)
    settings = {
        "SIGNING_URL": f"http://{HOST}:{port}",
        "SIGNING_APP_ID": APP_ID,
        "SIGNING_APP_SECRET": "of-the-demo-only",
        "SIGNING_ROOTS_FILE": str(roots),
    }
    try:
        yield {f"TONGBAN_{name}": value for name, value in settings.items()}
    finally:
        server.stop()
        await server.close_all_connections()


async def _with_keys(folder: Path, plan: DemoPlan) -> DemoPlan:
    """The plan with its publisher's key; keys are made once, and the plan is kept when they are there."""
    if plan.publisher_key:
        return plan
    keys = folder / "keys"
    nodes = [part for node in plan.nodes for part in ("--node", f"{node.division}={_origin(node)}")]
    public = await output_of("keys make", [*SERVER, "keys", "make", str(keys), *nodes], log=folder / "logs/keys.log")
    plan = plan.model_copy(update={"publisher_key": public.decode().strip()})
    keep_plan(plan, folder)
    return plan


async def _with_seals(folder: Path, plan: DemoPlan) -> None:
    """A stand-in for the seals of papers, which is made once."""
    seals = folder / SEALS
    if plan.gives_papers and not seals.exists():
        await output_of("keys seals", [*SERVER, "keys", "seals", str(seals)], log=folder / "logs/seals.log")


def _provinces(folder: Path, plan: DemoPlan, everywhere: Mapping[str, str]) -> tuple[Province, ...]:
    names = {area.node: area.name for area in load_nodes(REGIONS)}
    return tuple(
        Province(
            division=node.division,
            name=names[node.division],
            base_url=f"http://{HOST}:{node.port}",
            work_url=f"http://{HOST}:{node.work_port}",
            officers=node.officers,
            environ={**HASTE, **everywhere, **_environ(folder, plan, node)},
            logs=folder / "logs",
        )
        for node in plan.nodes
    )


def _environ(folder: Path, plan: DemoPlan, node: PlannedNode) -> Mapping[str, str]:
    """The settings of one node."""
    settings = {
        "DIVISION": node.division,
        "HOST": HOST,
        "PORT": str(node.port),
        "WORK_PORT": str(node.work_port),
        "ORIGIN": _origin(node),
        "DATABASE": f"{plan.databases}_{node.division}",
        "DATA_FOLDER": str(folder / node.division),
        "KEYS_FILE": str(folder / "keys" / f"{node.division}.keys.json"),
        "DIRECTORY_FILE": str(folder / "keys" / "directory.jws"),
        "PUBLISHER_KEY": plan.publisher_key,
        "DESK_TOTP": "required" if plan.is_strict else "optional",
        "PLATFORM_APP_ID": APP_ID,
        "PLATFORM_APP_SECRET": "of-the-demo-only",
        **({"SEALS_FOLDER": str(folder / SEALS)} if plan.gives_papers else {}),
    }
    return {f"TONGBAN_{name}": value for name, value in settings.items()}


def _origin(node: PlannedNode) -> str:
    """Where the other nodes reach it."""
    return f"http://{HOST}:{node.wire_port or node.port}"


async def _open(province: Province, running: list[Child]) -> None:
    """Start the processes of a node and seat its officers, all at the same time; return when it is ready."""
    serve, work = await province.process("serve"), await province.process("work")
    running += [serve, work]
    seats = orjson.dumps([officer.seat for officer in province.officers])
    await together(
        province.command("officers", "seed", "-", given=seats),
        ready(serve, province.base_url + "/ready"),
        ready(work, province.work_url + "/ready"),
    )
