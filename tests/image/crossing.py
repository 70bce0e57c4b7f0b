"""Two provinces whose `serve` and `work` run in containers of an image, and one case that crosses between them."""

import asyncio
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pymongo

from server.demo.database import database_server
from server.demo.processes import Child
from tests.faults.books import Client, check_finished, is_quiet
from tests.faults.ground import NODE_DEFAULTS
from tests.faults.lives import Desks
from tests.faults.provinces import Province, provinces
from tests.image.storage import Storage, say
from tests.nodes import until

USER = 10001
FILES = "/srv/tongban/var/blobs"
COMMANDS = ("serve", "work")
PATIENCE_SECONDS = 180.0


@dataclass(frozen=True)
class Crossed:
    """A case that went the whole way; the memory and the exit codes of the processes that carried it."""

    case: str
    seconds: float
    most_mib: Mapping[str, int]
    codes: Mapping[str, int]


@dataclass(frozen=True)
class Engine:
    """Starts a node's processes from an image, each in a container of its own."""

    storage: Storage
    image: str
    folder: Path
    containers: list[str] = field(default_factory=list)

    async def start(self, name: str, *, log: Path, environ: Mapping[str, str]) -> Child:
        """Start the image with this command in the place of its own, as a container engine does."""
        container = await self.storage.container(self.image)
        self.containers.append(container)
        entry = (await self.storage.configuration(container))["Entrypoint"]
        return await self.storage.start(container, [*entry, name], folder=self.folder, environ=environ, log=log)


async def cross(storage: Storage, image: str, *, folder: Path) -> Crossed:
    """Start two nodes from the image, let a case go the whole way, read the books of both, and stop all processes."""
    engine = Engine(storage, image, folder)
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        uri = await stack.enter_async_context(database_server(folder / "database", None))
        settings = {**NODE_DEFAULTS, "database": "image", "database_timeout_seconds": 20.0}
        in_image = {"catalogue_folder": "config/catalogue", "regions_folder": "config/regions"}
        both = await stack.enter_async_context(provinces(folder, uri, launch=engine.start, **settings, **in_image))
        _hand_over(folder, *both)
        say("image: `serve` and `work` of both nodes start")
        await asyncio.gather(*(province.start(*COMMANDS) for province in both))
        home, peer = both
        desks = await Desks.manned(home, peer, patience_seconds=PATIENCE_SECONDS)
        case = await desks.submit("crossing")
        say(f"image: case {case} is handed in at {home.division}, and a step of it is decided at {peer.division}")
        await desks.finish(case)
        client: Client = stack.enter_context(pymongo.MongoClient(uri))
        nodes = [await stack.enter_async_context(province.opened()) for province in both]
        await until(partial(is_quiet, client, *nodes), seconds=PATIENCE_SECONDS)
        await check_finished(client, *nodes, cases=[case])
        seconds = time.monotonic() - began
        processes = {f"{each.division} {name}": (each, name) for each in both for name in COMMANDS}
        memory = {key: each.children[name].process.most_mib for key, (each, name) in processes.items()}
        codes = {key: await each.stop(name) for key, (each, name) in processes.items()}
    for container in engine.containers:
        assert await storage.written(container, USER) == [FILES], "it runs as well where the image is read-only"
    return Crossed(case, round(seconds, 1), memory, codes)


def _hand_over(folder: Path, *both: Province) -> None:
    """Let the user of the image reach what its processes read and write, and nothing else."""
    folder.chmod(0o711)
    for path in (folder / "node.toml", folder / "keys"):
        _own(path)
    for province in both:
        _own(province.settings.data_folder)


def _own(path: Path) -> None:
    for each in (path, *path.rglob("*")):
        shutil.chown(each, USER, USER)
        assert each.stat().st_uid == USER != os.geteuid()
