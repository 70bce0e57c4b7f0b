"""The composition root: builds a node from its settings, serves its doors or does its work, and stops in order."""

import asyncio
import gc
import signal
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple

import aiohttp
from tornado.httpserver import HTTPServer

from handlers import catalogue, routes
from handlers.base import Handler
from handlers.front import Front
from handlers.in_flight import InFlight
from handlers.routes import Surroundings
from regions import directory, evidence
from regions.evidence import Receipts
from server import working
from server.crypto.keyring import NodeKeys, load_keys
from server.crypto.randomness import random_bytes
from server.crypto.tokens import Tokens
from server.desk import recording, sessions
from server.desk.citizen import queueing
from server.desk.officer import administering
from server.desk.officer.appointing import NewPost, appoint
from server.domain.audit import Doer
from server.domain.errors import Unavailable
from server.domain.identity import DrillOnly, Held, Identity
from server.domain.people.passwords import check_password
from server.domain.people.persons import Officer
from server.node import Node, Places, Published
from server.store.format import DataFormat
from server.store.mongo import MongoDatabase
from server.store.people.accounts import OfficerExists
from server.store.queries import QUERIES
from server.store.store import Store, open_store
from server.tools import silence
from server.tools.bells import Bells
from server.tools.clock import Clock, SystemChance, SystemClock
from server.tools.inheritance import Inheritance
from server.tools.logs import catch_up, log
from server.tools.loops import NO_REST, Loops, Rest
from server.tools.messages import load_templates
from server.tools.metrics import Metrics
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
COLLECT_AFTER = 50_000  # new objects, where CPython says 700: each collection also ages what a request still holds


class _Place(NamedTuple):
    """Where a process listens: at which port, and with what it inherits if it is one of several."""

    port: int
    inherited: Inheritance | None = None


class DatabaseUnreachable(ValueError):
    """No database answers at the address of the settings."""


class LoopEnded(RuntimeError):
    """A loop ended without being stopped: the process ends too, and its supervisor starts it again."""


class WrongKeys(ValueError):
    """The key file belongs to another division than the settings name."""


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
    data = data or load_publications(settings.catalogue_folder, settings.regions_folder)
    database, metrics = database_of(settings, listeners), Metrics()
    store = store_of(settings, database, keys=keys, metrics=metrics)
    try:
        held = await _prepared(settings, database, store, data=data, keys=keys)
        await store.ends.start(held.incarnation, at=clock.now())
        async with _sessions(settings, is_silent=_is_silent(held, is_quiet)) as (peers, platform):
            yield Node(
                settings=settings,
                published=await _published(settings, store, data),
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
    finally:
        await database.close()


async def serve(settings: Settings, *, is_quiet: bool = False, inherited: Inheritance | None = None) -> None:
    """Answer requests until told to stop; then take none, finish those under way, and end. Raises LoopEnded.

    A quiet one answers those that change nothing. One of several has what it inherits of their supervisor.
    """
    name = f"serve-{settings.port}-{inherited.slot}" if inherited else f"serve-{settings.port}"
    async with opened(settings, is_quiet=is_quiet) as node, _loops(node) as loops:
        node.store.database.bare.tell_written = _bells(node).ring_soon
        follow = partial(working.follow_ends, node, process="" if is_quiet else name)
        loops.start("ends", follow, every_seconds=working.ENDS_SECONDS)
        loops.start("directory", partial(directory.refresh, node), every_seconds=working.DIRECTORY_SECONDS)
        log.info(
            "search.ready", division=node.here, found=len(node.published.index.find(node.catalogue.bundles[0].name))
        )
        around = Surroundings(catalogue.filled(node), loops.overdue, is_quiet=is_quiet)
        slots_port = settings.slots_port and inherited and settings.slots_port + inherited.slot
        async with _shown(node, slots_port or 0, around), _in_peaks(node, loops, is_quiet=is_quiet):
            await _until_stopped(node, loops, routes.DOORS, at=_Place(settings.port, inherited), around=around)


@asynccontextmanager
async def _in_peaks(node: Node, loops: Loops, *, is_quiet: bool) -> AsyncIterator[None]:
    """Where peaks are announced, processes tell each other whom they have met, and once more at the end."""
    if is_quiet or not node.published.peaks.peaks:
        yield
        return
    loops.start("waiting", partial(queueing.tell, node), every_seconds=working.WAITING_SECONDS)
    try:
        yield
    finally:
        try:
            await queueing.tell(node)
        except Unavailable as fault:  # those whom it met last keep their tickets, and are not counted
            log.warning("waiting.untold", reason=type(fault).__name__)


async def work(settings: Settings, *, is_quiet: bool = False) -> None:
    """Do what nobody waits for: relay, deliver, settle, forget; until told to stop. Raises LoopEnded.

    A quiet one does none of it: it only measures how the node stands.
    """
    async with opened(settings, is_quiet=is_quiet) as node, _loops(node, working.REST) as loops:
        guard = working.start(node, loops, is_quiet=is_quiet)
        around = Surroundings(overdue=loops.overdue, clock=lambda: guard.verdict, is_quiet=is_quiet)
        with _bells(node).hung(f"work-{settings.work_port}", lambda _: loops.wake()):
            await _until_stopped(node, loops, routes.FOR_OPERATORS, at=_Place(settings.work_port), around=around)


SEEDED = "seed"  # who gave the posts of officers that were seeded


async def seed_officers(
    settings: Settings, seats: Sequence[Mapping[str, Any]], *, data: Publications | None = None
) -> int:
    """Add the officers that are not there yet, with their posts; answers how many were added.

    A seat has `name`, `password` and `posts`, each with what a post needs (`NewPost`), and maybe `totp_secret`.
    Raises PasswordTooEasy, PostUnfit, and NameEnded for the first whose name was that of an officer who has ended.
    """
    added = 0
    async with opened(settings, data=data) as node:
        for seat in seats:
            officer = Officer(name=seat["name"])
            check_password(seat["password"], name=officer.name, fewest=settings.password_characters, at="/password")
            try:
                account = await administering.add_lasting(node, officer, seat["password"], by=Doer(name=SEEDED))
                if seat.get("totp_secret"):
                    await node.store.second_factors.plant(account, seat["totp_secret"])
                added += 1
            except OfficerExists:
                log.info("officer.known", name=officer.name)
            for place, post in enumerate(seat["posts"]):
                await appoint(node, officer.name, NewPost.model_validate(post), by=Doer(name=SEEDED), key=str(place))
    return added


async def change_dishonest(
    settings: Settings, id_numbers: Sequence[str], *, is_listed: bool, by: Doer, data: Publications | None = None
) -> int:
    """Put the persons of these ID numbers on the list of the seriously dishonest (严重失信主体), or take them off.

    Each is noted before. Answers how many changed; raises ValueError for the first that is no ID number, and changes
    nothing then. What was cut off is finished by doing it again.
    """
    async with opened(settings, data=data) as node:
        persons: dict[str, None] = {}
        for place, id_number in enumerate(id_numbers, 1):
            try:
                persons[sessions.person_key(node, id_number, at=f"/{place - 1}")] = None
            except sessions.IdNumberInvalid as fault:
                raise ValueError(f"entry {place} is no ID number: {fault}") from None
        about = {**by.by, "what": "added" if is_listed else "removed"}
        await recording.note_all(node, {"dishonest.changed": [{**about, "person": person} for person in persons]})
        room = node.store.dishonest
        return await (room.add(persons) if is_listed else room.remove(persons))


async def check_receipts(settings: Settings) -> Receipts:
    """Whether the receipts of all batches, both ways, still prove what they should."""
    async with opened(settings) as node:
        return await evidence.check_receipts(node)


def door_rows() -> list[dict[str, str]]:
    """The doors as rows: method, path, who comes in, handler, function."""
    return list(routes.rows())


def refusal_rows() -> list[dict[str, str]]:
    """Every refusal as a row: code, status, zh-CN title, meaning."""
    return list(routes.refusals())


def listen(
    node: Node,
    in_flight: InFlight,
    *,
    doors: tuple[type[Handler], ...],
    port: int,
    surroundings: Surroundings | None = None,
) -> tuple[HTTPServer, int]:
    """Serve these doors; answers the server and the port (the one that was free, for port 0)."""
    front = Front(node, in_flight, routes.application(node, in_flight, doors, surroundings=surroundings))
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
    in_flight.is_draining = True
    await asyncio.sleep(min(linger_seconds, within_seconds))
    try:
        async with asyncio.timeout(max(within_seconds - linger_seconds, 0.0)):
            await in_flight.drain()
    except TimeoutError:
        log.warning("serve.cut", after_seconds=within_seconds)
    in_flight.is_over = True
    await server.close_all_connections()


@asynccontextmanager
async def _shown(node: Node, port: int, around: Surroundings) -> AsyncIterator[None]:
    """Meanwhile show health and metrics of this process at a port of its own, at none for port 0; raises PortTaken."""
    if port == 0:
        yield
        return
    held = await node.store.identity.held()
    with shared(node.settings.host, port, held.incarnation if held else ""):
        server, _ = listen(node, InFlight(), doors=routes.FOR_OPERATORS, port=port, surroundings=around)
        try:
            yield
        finally:
            server.stop()
            await server.close_all_connections()


@asynccontextmanager
async def _loops(node: Node, rest: Rest = NO_REST) -> AsyncIterator[Loops]:
    """Loops that are stopped at the end, however it comes; one of them lets the log catch up."""
    loops = Loops(node.metrics, rest=rest)
    loops.start("log", catch_up, every_seconds=LOG_SECONDS)
    try:
        yield loops
    finally:
        await loops.stop(node.settings.drain_seconds)


async def _until_stopped(
    node: Node, loops: Loops, doors: tuple[type[Handler], ...], *, at: _Place, around: Surroundings
) -> None:
    """Serve these doors in these surroundings; raises PortTaken, and LoopEnded in the end if a loop ended by itself."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    in_flight = InFlight()
    _collect_seldom()
    held = await node.store.identity.held()
    with shared(node.settings.host, at.port, held.incarnation if held else ""):
        front = Front(node, in_flight, routes.application(node, in_flight, doors, surroundings=around))
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


def _bells(node: Node) -> Bells:
    return Bells(node.settings.data_folder, node.clock.machine)


def _collect_seldom() -> None:
    """Let no garbage collection look again at what has been loaded, catalogue and index: it stays until the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


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


async def _published(settings: Settings, store: Store, data: Publications) -> Published:
    """What is read, with the types of fields that were in force before; raises CatalogueChanged and BrokenData."""
    templates = load_templates(settings.notices_file)
    await store.catalogues.keep(data.catalogue)
    types = await store.catalogues.field_types(data.catalogue)
    return Published(**vars(data), field_types=types, templates=templates)


async def _prepared(
    settings: Settings, database: MongoDatabase, store: Store, *, data: Publications, keys: NodeKeys
) -> Held:
    """Format and owner come first: a database of another version or node is left as it is, without new indexes."""
    provinces = data.divisions.by_parent.get("", ())
    try:
        await DataFormat(database).claim(each.code for each in provinces)
        held = await store.identity.claim(identity_of(settings, keys), incarnation=new_incarnation())
        await database.prepare()
    except Unavailable as fault:
        seconds = settings.database_timeout_seconds
        raise DatabaseUnreachable(f"the database of `mongodb_uri` did not answer within {seconds:g} s") from fault
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
