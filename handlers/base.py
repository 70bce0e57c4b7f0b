"""What every door has: who may come in, how a body is read, and how a refusal becomes an answer."""

import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Any, ClassVar

import orjson
from pydantic import BaseModel
from tornado.web import Finish, HTTPError, RequestHandler, stream_request_body

from handlers.admission import OPEN, AdmissionControl, ClientGone, group_of
from handlers.bodies import (
    MOST_READ_BYTES,
    BodyTooSlow,
    Incoming,
    Model,
    check_announced,
    declared_bytes,
    is_unsent,
    read_model,
    seconds_for,
    too_large,
)
from handlers.in_flight import InFlight
from handlers.problems import PROBLEM, headers_with, problem_of
from server.desk import apart, recording, sessions
from server.desk.officer import officers
from server.domain import errors
from server.domain.aggregate.records import AnyRecord, Record
from server.domain.errors import NotAuthentic, Refusal
from server.domain.people.accounts import DeskEntry
from server.domain.people.persons import AccountRole, Officer, TokenClaims
from server.node import Node

JSON = "application/json"
DEFAULT_HEADERS = {"Content-Type": JSON, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
LONGEST_KEY = 200
ANY_VERSION = "*"
VERSION_TAG = re.compile(r'"?([0-9]{1,10})"?')


class Role(Enum):
    """Who may come in by a door."""

    ANYONE = "anyone"
    CITIZEN = "citizen, logged in"
    REAL_NAME = "citizen, name proven"
    WATCHER = "citizen, name proven, by the first message"
    ACCOUNT = "officer or administrator, for their own account"
    OFFICER = "officer"
    SYSTEM = "system administrator"
    SECURITY = "security administrator"
    AUDIT = "audit administrator"
    PEER = "node of another province"


# For whom the token is issued that each role shows; the others show none: anyone, a
# peer, which signs, and a watcher, who says it once the connection is open.
AUDIENCES: Mapping[Role, str] = {
    Role.CITIZEN: sessions.CITIZENS,
    Role.REAL_NAME: sessions.CITIZENS,
    Role.ACCOUNT: sessions.OFFICERS,
    Role.OFFICER: sessions.OFFICERS,
    Role.SYSTEM: sessions.OFFICERS,
    Role.SECURITY: sessions.OFFICERS,
    Role.AUDIT: sessions.OFFICERS,
}
# Which accounts of the desk a role is for; the doors of one's own account are for all.
ACCOUNTS: Mapping[Role, AccountRole] = {
    Role.OFFICER: "officer",
    Role.SYSTEM: "system",
    Role.SECURITY: "security",
    Role.AUDIT: "audit",
}


class TokenMissing(errors.Unproven):
    """The door asks for a bearer token and there is none."""

    code = "token_missing"
    title = "请先登录"


class ServerStopping(errors.Unavailable):
    """The process is about to end; nothing was done, and the same request may be sent again."""

    code = "server_stopping"
    title = "服务正在重启"


class NodeQuiet(errors.Unavailable):
    """The process is quiet (a drill): it answers who looks, changes nothing, and speaks to no other node."""

    code = "node_quiet"
    title = "系统处于演练状态，仅供查看"


class IdempotencyKeyMissing(errors.Malformed):
    """A request that changes something needs an Idempotency-Key of 1 to 200 printable characters."""

    code = "idempotency_key_missing"
    title = "缺少请求标识 Idempotency-Key"


class IfMatchUnreadable(errors.Malformed):
    """If-Match must be the ETag that the case was answered with."""

    code = "if_match_unreadable"
    title = "If-Match 不正确"


@dataclass(frozen=True)
class Variant:
    """What a call does (zh-CN) and takes where the last part of the path chooses."""

    summary: str
    takes: type[BaseModel]


@dataclass(frozen=True)
class Operation:
    """What a door does for one method: the function that does it, the shapes in and out, the status of success.

    `summary` tells client developers in zh-CN what a call does. `is_once`: it asks for an Idempotency-Key.
    `is_matched`: it heeds If-Match. `is_queued`: in a peak it asks for a Waiting-Ticket. `is_looking`: though it is no
    GET it only looks, or lets somebody in to look. `queries`: what may stand after `?`. `variants`: what the last part
    of the path may be, where that chooses the body.
    """

    function: Callable[..., Any]
    summary: str
    gives: type[BaseModel] | None = None
    takes: type[BaseModel] | None = None
    status: int = 200
    is_once: bool = False
    is_matched: bool = False
    is_queued: bool = False
    is_looking: bool = False
    queries: tuple[str, ...] = ()
    variants: Mapping[str, Variant] = field(default_factory=dict)

    def by_path(self, path: str) -> Mapping[str, "Operation"]:
        """This operation under its path; where it has variants, each of them under a path of its own."""
        if not self.variants:
            return {path: self}
        stem = path.rpartition("/")[0]
        return {
            f"{stem}/{last}": replace(self, summary=each.summary, takes=each.takes, variants={})
            for last, each in self.variants.items()
        }


@stream_request_body
class Handler(RequestHandler):
    """One path. Headers are checked before a body is read: the caller, its length and its type.

    A refusal by the headers is sent after the body has been read and thrown away: an earlier answer closes the
    connection before a caller who is still sending can read it. Callers with `Expect: 100-continue` get it at once. A
    body beyond all measure is cut off, and so is one that does not come in its time; nothing is done before it has.
    """

    role: ClassVar[Role]
    path: ClassVar[str]
    operations: ClassVar[Mapping[str, Operation]]
    takes_type: ClassVar[str] = JSON
    most_bytes: ClassVar[int] = 256 * 1024
    most_read_bytes: ClassVar[int] = MOST_READ_BYTES
    lasts: ClassVar[bool] = False  # a method ends with its connection: it takes nobody's turn

    def initialize(self, node: Node, in_flight: InFlight) -> None:
        self.node = node
        self.in_flight = in_flight
        self.committed: tuple[AnyRecord, ...] = ()
        self.etag = ""
        self._request_id = node.chance.token(8).hex()
        self.incoming = Incoming(self.most_bytes, self.most_read_bytes)
        self._closes = True
        self._began = time.perf_counter()
        in_flight.enter(self)

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in DEFAULT_HEADERS.items():
            self.set_header(name, value)

    async def prepare(self) -> None:
        self.trace = self.node.begin(self._request_id, self.request.headers.get("traceparent"))
        refusal: Refusal | HTTPError | None = None
        try:
            await self.judge()
        except (Refusal, HTTPError) as fault:
            if is_unsent(self.request.headers) or declared_bytes(self.request.headers) > self.most_read_bytes:
                raise
            refusal = fault
            self.incoming.forget()
        self._closes = False
        self._set_headers()
        _await_body(self, refusal)

    async def judge(self) -> None:
        """Judge a request by its headers; raises NodeQuiet, what `let_in` raises, BodyTooLarge and WrongContentType."""
        _check_may_be_asked(self)
        await self.let_in()
        if self.request.method in ("POST", "PUT"):
            takes_type = self.takes_type if self.operations[self.request.method].takes else ""
            check_announced(self.request.headers, most_bytes=self.most_bytes, takes_type=takes_type)

    async def let_in(self) -> None:
        """Find out who comes; raises TokenMissing, RealNameNeeded, the refusals of tokens, sessions and accounts."""
        if self.role not in AUDIENCES:
            return
        token, at = _token_in(self.request.headers), self.node.clock.now()
        self.claims: TokenClaims = self.node.tokens.verify(token, audience=AUDIENCES[self.role], at=at)
        if AUDIENCES[self.role] == sessions.CITIZENS:
            sessions.check_goes_on(self.node, self.claims)
        if self.role is Role.REAL_NAME:
            self.owner = await sessions.owner_of(self.node, self.claims)
        elif AUDIENCES[self.role] == sessions.OFFICERS:
            self.entry: DeskEntry = await officers.entered(self.node, self.claims)
            self.officer: Officer = self.entry.officer
            _check_account(self.entry, self.role)

    def cut_off(self, fault: Refusal | HTTPError) -> None:
        """Answer before the body has come, and close the connection: what still comes is not read."""
        if not self._finished:
            self._closes = True
            self.send_error(getattr(fault, "status_code", 500), exc_info=(type(fault), fault, None))

    def _set_headers(self) -> None:
        """The headers of every answer; an error begins anew, so that they are set again then."""
        self.set_header("X-Request-Id", self._request_id)
        if self._closes or self.in_flight.is_draining:
            self.set_header("Connection", "close")

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self.incoming.take(chunk)
        if self.incoming.is_beyond_measure:
            self.cut_off(too_large(self.most_bytes))
        return None

    def body(self) -> bytes:
        """The whole body; raises BodyTooLarge."""
        return self.incoming.whole()

    def read(self, kind: type[Model]) -> Model:
        """The body as this model; raises BodyTooLarge, BodyUnreadable, or BodyFaulty naming each field."""
        return read_model(kind, self.body())

    def query(self, kind: type[Model]) -> Model:
        """What stands after `?` under the names of this model's fields; raises BodyFaulty naming each field."""
        given = {name: value for name in kind.model_fields if (value := self.get_query_argument(name, ""))}
        return read_model(kind, orjson.dumps(given))

    def key(self) -> str:
        """The Idempotency-Key; raises IdempotencyKeyMissing."""
        return _key_in(self.request.headers)

    def if_match(self) -> int | None:
        """The version in If-Match, if there is one; raises IfMatchUnreadable."""
        return _version_in(self.request.headers.get("If-Match", ANY_VERSION))

    def answer(self, view: BaseModel, *, committed: AnyRecord | Sequence[AnyRecord] = ()) -> None:
        """Answer with the status that the door declares; what the commits entail is carried after the answer."""
        self.committed = (committed,) if isinstance(committed, Record) else tuple(committed)
        self._set_headers()
        self.set_status(self.operations[str(self.request.method)].status)
        self.finish(view.model_dump_json(by_alias=True))

    def compute_etag(self) -> str | None:
        return self.etag or None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        fault = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        status, problem = problem_of(fault, status_code)
        self._set_headers()
        if status == 405:
            self.set_header("Allow", ", ".join(self.operations))
        for name, value in headers_with(status, problem).items():
            self.set_header(name, value)
        _tell_refused(self, fault, code=problem["code"])
        self.set_status(status)
        self.set_header("Content-Type", PROBLEM)
        self.finish_problem(status, orjson.dumps(problem))

    def finish_problem(self, status: int, body: bytes) -> None:
        """Send a problem; the door of peers signs it first."""
        self.finish(body)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        _tell_operators(self, value, exc_info=(typ, value, tb))

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self.incoming.lose()
        self.in_flight.leave(self)

    def on_finish(self) -> None:
        self.incoming.end()
        self.in_flight.leave(self)
        self.in_flight.sent(self.request.connection)
        _count(self, time.perf_counter() - self._began)
        if self.committed and self.node.settings.relay_at_once:
            self.in_flight.start(self.settings["relays"].carry(self.committed))


def may_be_quiet(door: Handler | type[Handler], method: str) -> bool:
    """Whether a quiet process answers this: it looks only, and it is not asked by another node."""
    return door.role is not Role.PEER and (method == "GET" or door.operations[method].is_looking)


def _check_may_be_asked(door: Handler) -> None:
    """Whether this process does this now, whoever asks; raises ServerStopping and NodeQuiet."""
    method = str(door.request.method)
    if door.in_flight.is_over:
        raise ServerStopping("服务正在重启，请稍后重试。")
    if method not in door.operations:
        raise HTTPError(405)
    if door.settings["is_quiet"] and not may_be_quiet(door, method):
        raise NodeQuiet("系统处于演练状态，只能查看，不能办理。")


class NotFoundHandler(Handler):
    """Where no door is."""

    role = Role.ANYONE
    path = "(none)"
    operations: ClassVar[Mapping[str, Operation]] = {}

    async def judge(self) -> None:
        raise HTTPError(404)


def _await_body(door: Handler, refusal: Refusal | HTTPError | None) -> None:
    """Give the body its time; then the method waits for its turn, or the refusal of who was not let in is sent."""
    seconds = seconds_for(
        door.request.headers,
        most_bytes=door.most_bytes,
        grace_seconds=door.node.settings.body_grace_seconds,
        least_rate=door.node.settings.body_least_rate,
    )
    method = str(door.request.method).lower()
    do = getattr(door, method)

    async def when_it_has_come(**segments: str) -> None:
        door.incoming.end()
        delattr(door, method)  # or it would keep the door, and the door it
        if refusal:
            raise refusal
        await _in_turn(door, partial(do, **segments))

    setattr(door, method, when_it_has_come)
    if seconds:
        fault = refusal or BodyTooSlow("请求内容传输过慢，请检查网络后重试。")
        door.incoming.begin(seconds, lambda: door.cut_off(fault))


async def _in_turn(door: Handler, do: Callable[[], Awaitable[None]]) -> None:
    admission: AdmissionControl = door.settings["admission"]
    try:
        async with admission.turn(OPEN if door.lasts else group_of(door.path), lambda: door.incoming.is_lost):
            await do()
    except ClientGone:
        raise Finish from None


def _tell_operators(door: Handler, fault: Any, *, exc_info: tuple[Any, Any, Any]) -> None:
    """A refusal is for the caller alone."""
    if isinstance(fault, NotAuthentic):
        door.in_flight.start(apart.set_apart(door.node, "stored", fault.place, fault=fault))
    elif not isinstance(fault, Refusal | HTTPError | Finish):
        door.node.log.error("request.failed", door=door.path, exc_info=exc_info)


def _check_account(entry: DeskEntry, role: Role) -> None:
    """Whether who comes in has an account for this door; only their own account is open to all who have one."""
    if role in ACCOUNTS:
        entry.check_role(ACCOUNTS[role])
        entry.check_ready()


def _tell_refused(door: Handler, fault: BaseException | None, *, code: str) -> None:
    """Count it; what an officer was refused as they may not do or know of it is noted beside the answer."""
    door.node.metrics.refusals.labels(code).inc()
    entry = getattr(door, "entry", None)
    if entry and isinstance(fault, Refusal) and recording.is_on_record(fault):
        door.in_flight.start(recording.note_refused(door.node, entry, fault, door=door.path))


def _token_in(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenMissing("请先登录。")
    return token.strip()


def _key_in(headers: Mapping[str, str]) -> str:
    key = headers.get("Idempotency-Key", "")
    if not 0 < len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise IdempotencyKeyMissing("请提供 1 至 200 个字符的 Idempotency-Key。")
    return key


def _version_in(tag: str) -> int | None:
    if tag == ANY_VERSION:
        return None
    found = VERSION_TAG.fullmatch(tag)
    if found is None:
        raise IfMatchUnreadable("If-Match 应为办件的 ETag。")
    return int(found[1])


def _count(door: Handler, seconds: float) -> None:
    method, status = str(door.request.method), str(door.get_status())
    door.node.metrics.http_requests.labels(door.path, method, status).inc()
    door.node.metrics.http_request_seconds.labels(door.path).observe(seconds)
