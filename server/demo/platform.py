"""A stand-in for the WeChat platform: a small HTTP server that knows the citizens of a file.

    python -m server.demo.platform --port 9000 --citizens citizens.json

The file is a JSON list of `{code, openid, name, id_number, face_token}`, and where somebody takes no messages,
`refuses_messages: true`. Unlike the real platform it takes a login code as often as it is shown, so that a demo can
log in again. `/identity/check` is our own contract, and `/messages` shows what the phones got.
"""

import argparse
import asyncio
import hmac
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import tornado.httpserver
import tornado.netutil
import tornado.web

from server.demo.phones import WORDS, Phones, phones_of
from server.tools.logs import configure, log

NOTICES = Path(__file__).parents[2] / "config/notices.toml"

OK = {"errcode": 0, "errmsg": "ok"}
APP_ID_INVALID = {"errcode": 40013, "errmsg": "invalid appid"}
CODE_INVALID = {"errcode": 40029, "errmsg": "invalid code"}
MISMATCH = {"errcode": 61001, "errmsg": "identity mismatch"}


@dataclass(frozen=True)
class PlatformUser:
    """A person whom the platform knows, and the code that the phone would get."""

    code: str
    openid: str
    name: str
    id_number: str
    face_token: str
    refuses_messages: bool = False


class LoginHandler(tornado.web.RequestHandler):
    """GET /sns/jscode2session: the openid of a login code."""

    def initialize(self, citizens: Sequence[PlatformUser]) -> None:
        self.citizens = citizens

    def get(self) -> None:
        asked = {name: self.get_query_argument(name, "") for name in ("appid", "secret", "js_code", "grant_type")}
        if not asked["appid"] or not asked["secret"] or asked["grant_type"] != "authorization_code":
            self.finish(orjson.dumps(APP_ID_INVALID))
            return
        openid = next((citizen.openid for citizen in self.citizens if citizen.code == asked["js_code"]), None)
        self.set_header("Content-Type", "text/plain")  # as the real one answers; and no errcode on success
        self.finish(orjson.dumps({"openid": openid, "session_key": "AAAA"} if openid else CODE_INVALID))


class IdentityCheckHandler(tornado.web.RequestHandler):
    """POST /identity/check: whether name, ID number and face are one person's."""

    def initialize(self, citizens: Sequence[PlatformUser]) -> None:
        self.citizens = citizens

    def post(self) -> None:
        asked = orjson.loads(self.request.body)
        is_known = any(
            all(_equal(asked.get(name), getattr(citizen, name)) for name in ("name", "id_number", "face_token"))
            for citizen in self.citizens
        )
        self.set_header("Content-Type", "application/json")
        self.finish(orjson.dumps(OK if is_known else MISMATCH))


class TokenHandler(tornado.web.RequestHandler):
    """POST /cgi-bin/stable_token: the token with which a server sends messages."""

    def initialize(self, phones: Phones) -> None:
        self.phones = phones

    def post(self) -> None:
        asked = orjson.loads(self.request.body)
        is_known = all(asked.get(name) for name in ("appid", "secret"))
        is_known = is_known and asked.get("grant_type") == "client_credential"
        forced = asked.get("force_refresh") is True
        self.finish(orjson.dumps(self.phones.token(is_forced=forced) if is_known else APP_ID_INVALID))


class SendHandler(tornado.web.RequestHandler):
    """POST /cgi-bin/message/subscribe/send: a message to one phone."""

    def initialize(self, phones: Phones, citizens: Sequence[PlatformUser]) -> None:
        self.phones = phones
        self.refusing = {citizen.openid: citizen.refuses_messages for citizen in citizens}

    def post(self) -> None:
        token, message = self.get_query_argument("access_token", ""), orjson.loads(self.request.body)
        errcode = self.phones.send(token, message, refusing=self.refusing)
        self.finish(orjson.dumps({"errcode": errcode, "errmsg": WORDS[errcode]}))


class PhoneMessagesHandler(tornado.web.RequestHandler):
    """GET /messages: what the phones got, in that order; `openid` asks for one of them."""

    def initialize(self, phones: Phones) -> None:
        self.phones = phones

    def get(self) -> None:
        openid = self.get_query_argument("openid", "")
        found = [message for message in self.phones.sent if openid in ("", message["touser"])]
        self.set_header("Content-Type", "application/json")
        self.finish(orjson.dumps({"messages": found}))


def read_citizens(path: Path) -> tuple[PlatformUser, ...]:
    """The citizens of the file; ValueError or TypeError if it is not the list described above."""
    return tuple(PlatformUser(**entry) for entry in orjson.loads(path.read_bytes()))


def listen(
    citizens: Sequence[PlatformUser], *, host: str = "127.0.0.1", port: int = 0, phones: Phones | None = None
) -> tuple[tornado.httpserver.HTTPServer, int]:
    """Serve from now on; the server, and the port (chosen by the system when 0 was asked).

    Phones that are not given take the templates of config/notices.toml.
    """
    known, taken = {"citizens": citizens}, {"phones": phones or phones_of(NOTICES)}
    doors = [
        tornado.web.url(r"/sns/jscode2session", LoginHandler, known),
        tornado.web.url(r"/identity/check", IdentityCheckHandler, known),
        tornado.web.url(r"/cgi-bin/stable_token", TokenHandler, taken),
        tornado.web.url(r"/cgi-bin/message/subscribe/send", SendHandler, {**known, **taken}),
        tornado.web.url(r"/messages", PhoneMessagesHandler, taken),
    ]
    server = tornado.httpserver.HTTPServer(tornado.web.Application(doors, log_function=lambda _: None))
    sockets = tornado.netutil.bind_sockets(port, host)
    server.add_sockets(sockets)
    return server, sockets[0].getsockname()[1]


async def serve(citizens: Sequence[PlatformUser], *, host: str, port: int, phones: Phones) -> None:
    """Serve until the process is told to end."""
    server, port = listen(citizens, host=host, port=port, phones=phones)
    log.info("platform.ready", port=port, citizens=len(citizens))
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()
    server.stop()
    await server.close_all_connections()


def _equal(given: Any, known: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(), known.encode())


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m server.demo.platform", description="A stand-in for the WeChat platform."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--citizens", type=Path, required=True)
    parser.add_argument("--notices", type=Path, default=NOTICES, help="the templates to take (default %(default)s)")
    parser.add_argument("--busy-first", type=int, default=0, metavar="N", help="be too busy for the first N messages")
    return parser


def main() -> None:
    """Read the command line and serve."""
    chosen = build_parser().parse_args()
    configure()
    phones = phones_of(chosen.notices, busy_first=chosen.busy_first)
    asyncio.run(serve(read_citizens(chosen.citizens), host=chosen.host, port=chosen.port, phones=phones))


if __name__ == "__main__":
    main()
