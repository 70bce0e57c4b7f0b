"""A stand-in for a signing service (电子签名服务): a small HTTP server with an authority that is made at start.

    python -m server.demo.signing --port 9001 --citizens citizens.json --root people.pem

The file of citizens is that of the platform's stand-in. Who trusts the root that it writes trusts each certificate that
it gives. `POST /certificates` gives one to whose name, ID number and face are one person's, for one request; `POST
/signatures` signs a digest with its key, once, and forgets the key. Nothing is kept when it ends.
"""

import argparse
import asyncio
import base64
import binascii
import hmac
import secrets
import signal
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import tornado.httpserver
import tornado.netutil
import tornado.web
from pydantic import ValidationError

from server.demo.platform import PlatformUser, read_citizens
from server.domain.papers.signing import Signatory
from server.papers.stand_in import StandInAuthority, StandInKey
from server.tools.logs import configure, log

HOLDS = timedelta(days=1)
SLACK = timedelta(minutes=5)  # for clocks that differ
NAME = "样例电子认证服务机构"


class NotDone(Exception):
    """The stand-in does not do it; its text is the reason that it answers."""


def _now() -> datetime:
    return datetime.now(UTC)


class StandInSigning:
    """The authority, the citizens whom it knows, and the keys that have not signed yet."""

    def __init__(self, citizens: Sequence[PlatformUser], *, clock: Callable[[], datetime] = _now) -> None:
        self._citizens = tuple(citizens)
        self._clock = clock
        self._authority = StandInAuthority(clock() - HOLDS, name=NAME)
        self._keys: dict[str, StandInKey] = {}

    @property
    def root(self) -> bytes:
        """The certificate above all that it gives, DER."""
        return self._authority.root

    def certify(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A key and its certificate for one request; raises NotDone."""
        try:
            named = {"name": asked.get("name"), "id_number": asked.get("masked_number")}
            signatory = Signatory.model_validate({**named, "request": asked.get("request")})
        except ValidationError:
            raise NotDone("unreadable") from None
        if not any(_is_of(asked, citizen) for citizen in self._citizens):
            raise NotDone("identity_mismatch")
        if not _masks(signatory.id_number, str(asked["id_number"])):
            raise NotDone("number_mismatch")
        now = self._clock()
        key = self._authority.person(signatory, begins_at=now - SLACK, ends_at=now + HOLDS)
        handle = secrets.token_hex(16)
        self._keys[handle] = key
        return {"key": handle, "certificate": base64.b64encode(key.certificate).decode("ascii"), "issuers": []}

    def sign(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The signature of a key that has signed nothing yet; raises NotDone."""
        key = self._keys.pop(str(asked.get("key")), None)
        if key is None:
            raise NotDone("key_unknown")
        try:
            signature = key.sign_digest(base64.b64decode(str(asked.get("digest")), validate=True))
        except (binascii.Error, ValueError):
            raise NotDone("unreadable") from None
        return {"signature": base64.b64encode(signature).decode("ascii")}


class SigningDoor(tornado.web.RequestHandler):
    """What both doors have in common: who asks has a secret, and what is refused has a reason."""

    def initialize(self, signing: StandInSigning) -> None:
        self.signing = signing

    def answer(self, act: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """What the act answers to the body, or why it does not."""
        scheme, _, secret = self.request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not secret:
            self.set_status(401)
            self.finish()
            return
        try:
            answer = act(orjson.loads(self.request.body))
        except NotDone as refused:
            answer = {"refused": str(refused)}
        self.set_header("Content-Type", "application/json")
        self.finish(orjson.dumps(answer))


class CertificatesDoor(SigningDoor):
    """POST /certificates: a key for one person and one request."""

    def post(self) -> None:
        self.answer(self.signing.certify)


class SignaturesDoor(SigningDoor):
    """POST /signatures: a signature with such a key."""

    def post(self) -> None:
        self.answer(self.signing.sign)


def listen(
    signing: StandInSigning, *, host: str = "127.0.0.1", port: int = 0
) -> tuple[tornado.httpserver.HTTPServer, int]:
    """Serve from now on; the server, and the port (chosen by the system when 0 was asked)."""
    known = {"signing": signing}
    doors = [
        tornado.web.url(r"/certificates", CertificatesDoor, known),
        tornado.web.url(r"/signatures", SignaturesDoor, known),
    ]
    server = tornado.httpserver.HTTPServer(tornado.web.Application(doors, log_function=lambda _: None))
    sockets = tornado.netutil.bind_sockets(port, host)
    server.add_sockets(sockets)
    return server, sockets[0].getsockname()[1]


async def serve(signing: StandInSigning, *, host: str, port: int) -> None:
    """Serve until the process is told to end."""
    server, port = listen(signing, host=host, port=port)
    log.info("signing.ready", port=port)
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()
    server.stop()
    await server.close_all_connections()


def _is_of(asked: dict[str, Any], citizen: PlatformUser) -> bool:
    """Whether name, ID number and face are those of this citizen."""
    return all(
        isinstance(asked.get(name), str) and hmac.compare_digest(asked[name].encode(), getattr(citizen, name).encode())
        for name in ("name", "id_number", "face_token")
    )


def _masks(masked: str, number: str) -> bool:
    """Whether the masked number is this one, with stars for some of its characters."""
    return len(masked) == len(number) and all(shown in ("*", real) for shown, real in zip(masked, number, strict=True))


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m server.demo.signing", description="A stand-in for a signing service."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--citizens", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True, help="where to write the certificate to trust, PEM")
    return parser


def main() -> None:
    """Read the command line and serve."""
    chosen = build_parser().parse_args()
    configure()
    signing = StandInSigning(read_citizens(chosen.citizens))
    chosen.root.write_text(ssl.DER_cert_to_PEM_cert(signing.root), encoding="ascii")
    asyncio.run(serve(signing, host=chosen.host, port=chosen.port))


if __name__ == "__main__":
    main()
