"""Signs the questions of a peer node for the journeys of Locust, which has no cryptography of ours.

python -m loadtests.signer --keys var/keys/330000.keys.json --origin http://127.0.0.1:8320

It listens at a free port of this machine only, prints `{"url": ...}`, and ends when its standard input does. Each
`GET /in` and `GET /out` answers `{path, headers}` of one question about the log of this way, good for one use.
"""

import argparse
import json
import os
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from server.crypto import base64url
from server.crypto.keyring import load_keys
from server.crypto.signatures import ReceivedRequest, sign_as_received
from server.crypto.suites import SigningKey

WAYS = ("in", "out")
HEADS = "/peer/v1/heads"
NONCE_BYTES = 16


class SigningServer(ThreadingHTTPServer):
    """Signs with this key what is asked of the node at this origin."""

    daemon_threads = True

    def __init__(self, key: SigningKey, origin: str) -> None:
        super().__init__(("127.0.0.1", 0), QuestionHandler)
        self.key = key
        self.origin = origin

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def signed(self, way: str) -> dict[str, object]:
        """A fresh question."""
        path = f"{HEADS}?way={way}"
        parts = urlsplit(self.origin + path)
        sent = ReceivedRequest("GET", self.origin + path, parts.path, parts.query, {})
        nonce = base64url.encode(os.urandom(NONCE_BYTES))
        signed = sign_as_received(self.key, sent, at=datetime.now(UTC), nonce=nonce)
        return {"path": path, "headers": {**signed.headers, "Accept-Encoding": "identity"}}


class QuestionHandler(BaseHTTPRequestHandler):
    """One request for a signature."""

    server: SigningServer

    def do_GET(self) -> None:
        """Answer a signed question, or 404."""
        way = self.path.strip("/")
        body = json.dumps(self.server.signed(way) if way in WAYS else {}).encode()
        self.send_response(200 if way in WAYS else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing of each request."""


def main() -> int:
    """Sign until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.signer", description=__doc__)
    parser.add_argument("--keys", type=Path, required=True, help="the key file of the node that asks")
    parser.add_argument("--origin", required=True, help="of the node that is asked, as the directory names it")
    chosen = parser.parse_args()
    server = SigningServer(load_keys(chosen.keys).signing, chosen.origin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"url": server.url}), flush=True)
    sys.stdin.read()
    server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
