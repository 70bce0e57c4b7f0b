"""The composition root: builds a node from its settings, opens its doors, and stops in order."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import NamedTuple

import aiohttp
from tornado.httpserver import HTTPServer

from handlers.application import FOR_OPERATORS, Surroundings, application
from handlers.base import Handler
from handlers.front import Front
from handlers.in_flight import InFlight
from regions import directory
from server.crypto.keyring import NodeKeys, load_keys
from server.crypto.randomness import random_bytes
from server.crypto.tokens import Tokens
from server.domain.errors import Unavailable
from server.domain.identity import DrillOnly, Held, Identity
from server.node import Node, Places, Published
from server.store.format import DataFormat
from server.store.mongo import MongoDatabase
from server.store.queries import QUERIES
from server.store.store import Store, open_store
from server.tools import silence
from server.tools.bells import Bells
from server.tools.clock import Clock, SystemChance, SystemClock
from server.tools.fingerprints import fingerprint
from server.tools.inheritance import Inheritance
from server.tools.logs import catch_up, log
from server.tools.loops import NO_REST, LoopEnded, Loops, Rest
from server.tools.memory import keep_what_is_here
from server.tools.messages import load_templates
from server.tools.metrics import Metrics
from server.tools.paper_texts import load_paper_texts
from server.tools.platform import Platform
from server.tools.ports import bound, shared
from server.tools.publications import Publications, load_publications
from server.tools.settings import Settings
from server.tools.wire import HttpWire

MOST_BODY_BYTES = 64 << 20
MOST_HEADER_BYTES = 32 << 10
LINGER_SECONDS = 1.0  # who asks again and again does so sooner
BACKLOG = 128  # connections that wait for us in each socket
LOG_SECONDS = 10.0


class ListeningPlace(NamedTuple):
    """Where a process listens: at which port, and with what it inherits if it is one of several."""

    port: int
    inherited: Inheritance | None = None


class DatabaseUnreachable(ValueError):
    """No database answers at the address of the settings."""


class WrongKeys(ValueError):
    """The key file belongs to another division than the settings name."""


class _Found(NamedTuple):
    """What is published; the fingerprint of the catalogue's files if nobody has read them yet, whether it is kept."""

    data: Publications
    files: str = ""
    is_kept: bool = False


@asynccontextmanager
async def opened(
    settings: Settings,
    *,
    clock: Clock | None = None,
    listeners: Sequence[object] = (),
    data: Publications | None = None,
    is_quiet: bool | None = None,
) -> AsyncIterator[Node]:
    """A node with its database, directory and clients; all are closed at the end. `data` is read unless it is given.

    A quiet node, and that of a drill, reaches nobody outside; `is_quiet=False` refuses a drill (DrillOnly).
    Raises SettingsFault's kin (ValueError) for keys, data, directory, the format of what is stored, whose it is and its
    log of ends, and Unavailable for the database.
    """
    keys, clock = keys_of(settings), clock or SystemClock()
    database, metrics = database_of(settings, listeners), Metrics()
    store = store_of(settings, database, keys=keys, metrics=metrics)
    try:
        found = _Found(data) if data else await _found(settings, store)
        held = await _prepared(settings, database, store, data=found.data, keys=keys)
        await store.ends.start(held.incarnation, at=clock.now())
        async with _sessions(settings, is_silent=_is_silent(held, is_quiet)) as (peers, platform):
            yield Node(
                settings=settings,
                published=await _published(settings, store, found),
                places=await _places(settings, store),
                store=store,
                keys=keys,
                tokens=Tokens(keys.tokens, settings.origin),
                clock=clock,
                chance=SystemChance(random_bytes),
                platform=_platform(settings, platform),
                wire=HttpWire(peers),
                metrics=metrics,
                log=log,
            )
            await store.intake.drain()
            await store.numbers.drain()
    finally:
        await database.close()


def listen(
    node: Node,
    in_flight: InFlight,
    *,
    doors: tuple[type[Handler], ...],
    port: int,
    surroundings: Surroundings | None = None,
) -> tuple[HTTPServer, int]:
    """Serve these doors; answers the server and the port (the one that was free, for port 0)."""
    front = Front(node, in_flight, application(node, in_flight, doors, surroundings=surroundings))
    return _serving(node, front, bound(node.settings.host, port))


def _serving(node: Node, front: Front, sockets: Sequence[socket.socket]) -> tuple[HTTPServer, int]:
    """Begin to listen at these sockets, which are bound; answers the server and the port."""
    server = HTTPServer(
        front,
        max_body_size=MOST_BODY_BYTES,
        max_header_size=MOST_HEADER_BYTES,
        idle_connection_timeout=node.settings.idle_seconds,
        xheaders=False,
    )
    for each in sockets:
        each.listen(BACKLOG)
    server.add_sockets(sockets)
    return server, sockets[0].getsockname()[1]


async def stop_listening(
    server: HTTPServer, in_flight: InFlight, within_seconds: float, *, linger_seconds: float = 0.0
) -> None:
    """Take no new connection, let what is under way finish (within so many seconds), close the rest.

    For `linger_seconds` of them connections at rest stay, so that those in use end with an answer that says so.
    """
    server.stop()
    in_flight.begin_end()
    await asyncio.sleep(min(linger_seconds, within_seconds))
    try:
        async with asyncio.timeout(max(within_seconds - linger_seconds, 0.0)):
            await in_flight.drain()
    except TimeoutError:
        log.warning("serve.cut", after_seconds=within_seconds)
    in_flight.is_over = True
    await server.close_all_connections()


@asynccontextmanager
async def shown(node: Node, port: int, around: Surroundings) -> AsyncIterator[None]:
    """Meanwhile show health and metrics of this process at a port of its own, at none for port 0; raises PortTaken."""
    if port == 0:
        yield
        return
    held = await node.store.identity.held()
    with shared(node.settings.host, port, held.incarnation if held else ""):
        server, _ = listen(node, InFlight(), doors=FOR_OPERATORS, port=port, surroundings=around)
        try:
            yield
        finally:
            server.stop()
            await server.close_all_connections()


@asynccontextmanager
async def loops_of(node: Node, rest: Rest = NO_REST) -> AsyncIterator[Loops]:
    """Loops that are stopped at the end, however it comes; one of them lets the log catch up."""
    loops = Loops(node.metrics, rest=rest)
    loops.start("log", catch_up, every_seconds=LOG_SECONDS)
    try:
        yield loops
    finally:
        await loops.stop(node.settings.drain_seconds)


async def until_stopped(
    node: Node, loops: Loops, doors: tuple[type[Handler], ...], *, at: ListeningPlace, around: Surroundings
) -> None:
    """Serve these doors in these surroundings; raises PortTaken, and LoopEnded in the end if a loop ended by itself."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    in_flight = InFlight()
    keep_what_is_here()
    held = await node.store.identity.held()
    with shared(node.settings.host, at.port, held.incarnation if held else ""):
        front = Front(node, in_flight, application(node, in_flight, doors, surroundings=around))
        sockets = at.inherited.open_sockets() if at.inherited else bound(node.settings.host, at.port)
        server, port = _serving(node, front, sockets)
        log.info("node.ready", division=node.here, port=port, directory=node.directory.version)
        if at.inherited:
            at.inherited.tell_ready()
        ended = await _first_of(stop, loops)
        log.info("node.stopping", division=node.here, port=port)
        linger_seconds = LINGER_SECONDS if at.inherited else 0.0
        await stop_listening(server, in_flight, node.settings.drain_seconds, linger_seconds=linger_seconds)
    if ended is not None:
        raise LoopEnded(f"the loop {ended!r} ended by itself; the log says why")


async def _first_of(stop: asyncio.Event, loops: Loops) -> str | None:
    """Wait until told to stop, or until a loop has ended by itself; answers its name."""
    stopped, ended = asyncio.create_task(stop.wait()), asyncio.create_task(loops.ended())
    await asyncio.wait((stopped, ended), return_when=asyncio.FIRST_COMPLETED)
    for waiting in (stopped, ended):
        waiting.cancel()
    return ended.result() if ended.done() else None


def bells_of(node: Node) -> Bells:
    """The bells of this node on this machine."""
    return Bells(node.settings.data_folder, node.clock.machine)


def store_of(settings: Settings, database: MongoDatabase, *, keys: NodeKeys, metrics: Metrics) -> Store:
    """The store of the node in this database; nothing is read or written yet."""
    store = open_store(
        database,
        keys,
        settings.data_folder,
        here=settings.division,
        relay_due_seconds=settings.relay_due_seconds,
    )
    store.intake.tell_size = metrics.intake_batch_documents.observe
    store.database.tell_broken = partial(_tell_broken, metrics, event="stored.broken")
    store.ends.tell_older = store.attempts.tell_older = partial(_tell_broken, metrics, event="stored.older")
    return store


def _tell_broken(metrics: Metrics, collection: str, id: str, *, event: str) -> None:
    metrics.stored_broken.labels(collection).inc()
    log.error(event, collection=collection, id=id)


async def _places(settings: Settings, store: Store) -> Places:
    kept = await store.directories.latest()
    first, text = directory.first_directory(settings.directory_file, settings.publisher_key, kept=kept)
    await store.directories.keep(first.version, text)
    return Places(first)


async def _found(settings: Settings, store: Store) -> _Found:
    """What the folders hold; what the same files were found to be before comes from the store.

    Raises BrokenData, DatabaseUnreachable, and NotAuthentic.
    """
    files = fingerprint(settings.catalogue_folder)
    with _reaching(settings):
        known = await store.catalogues.found_in(files)
    data = load_publications(settings.catalogue_folder, settings.regions_folder, known=known)
    if known:
        return _Found(data, is_kept=True)
    is_settled = fingerprint(settings.catalogue_folder) == files  # or else somebody has changed them meanwhile
    return _Found(data, files if is_settled else "")


async def _published(settings: Settings, store: Store, found: _Found) -> Published:
    """What is read, with the types of fields that were in force before; raises CatalogueChanged and BrokenData."""
    templates = load_templates(settings.notices_file)
    catalogue = found.data.catalogue
    if not found.is_kept:
        await store.catalogues.keep(catalogue)
    if found.files:
        await store.catalogues.tell_found(found.files, catalogue)
    types = await store.catalogues.field_types(catalogue)
    texts = load_paper_texts(settings.papers_folder) if settings.seals_folder else None
    return Published(**vars(found.data), field_types=types, templates=templates, paper_texts=texts)


@contextmanager
def _reaching(settings: Settings) -> Iterator[None]:
    """Name what is wrong if the database does not answer; raises DatabaseUnreachable."""
    try:
        yield
    except Unavailable as fault:
        seconds = settings.database_timeout_seconds
        raise DatabaseUnreachable(f"the database of `mongodb_uri` did not answer within {seconds:g} s") from fault


async def _prepared(
    settings: Settings, database: MongoDatabase, store: Store, *, data: Publications, keys: NodeKeys
) -> Held:
    """Format and owner come first: a database of another version or node is left as it is, without new indexes."""
    provinces = data.divisions.by_parent.get("", ())
    with _reaching(settings):
        await DataFormat(database).claim(each.code for each in provinces)
        held = await store.identity.claim(identity_of(settings, keys), incarnation=new_incarnation())
        await database.prepare()
    return held


def _is_silent(held: Held, is_quiet: bool | None) -> bool:
    """Whether nothing may get out; raises DrillOnly."""
    if is_quiet is False and held.use == "drill":
        raise DrillOnly(
            "this database was adopted as a drill and speaks for nobody: start `serve` and `work` with --quiet"
        )
    return bool(is_quiet) or held.use == "drill"


@asynccontextmanager
async def _sessions(
    settings: Settings, *, is_silent: bool
) -> AsyncIterator[tuple[aiohttp.ClientSession, aiohttp.ClientSession]]:
    """The sessions for other nodes and for the platform."""
    timeout = aiohttp.ClientTimeout(total=settings.peer_total_seconds, connect=settings.peer_connect_seconds)
    async with (
        silence.session(is_silent=is_silent, timeout=timeout) as peers,
        silence.session(is_silent=is_silent) as platform,
    ):
        yield peers, platform


def keys_of(settings: Settings) -> NodeKeys:
    """The keys of the node; raises WrongKeys, KeyFileUnreadable and KeyFileOpenToOthers."""
    keys = load_keys(settings.keys_file)
    if keys.division != settings.division:
        raise WrongKeys(f"{settings.keys_file} holds the keys of {keys.division}, not of {settings.division}")
    return keys


def identity_of(settings: Settings, keys: NodeKeys) -> Identity:
    """What the node is, to compare with what stands in its database."""
    return Identity(
        division=settings.division,
        origin=settings.origin,
        database=settings.database,
        hosts=settings.database_hosts,
        checks=keys.check_values(),
    )


def new_incarnation() -> str:
    """A fresh id for what a database is from now on."""
    return SystemChance().token(16).hex()


def database_of(settings: Settings, listeners: Sequence[object] = ()) -> MongoDatabase:
    """The database of the settings, to be closed by who asked for it."""
    return MongoDatabase.connect(
        settings.mongodb_uri,
        settings.database,
        queries=QUERIES,
        timeout_seconds=settings.database_timeout_seconds,
        listeners=listeners,
    )


def _platform(settings: Settings, session: aiohttp.ClientSession) -> Platform:
    secret = settings.platform_app_secret.get_secret_value()
    return Platform(settings.platform_url, settings.platform_app_id, secret=secret, session=session)
