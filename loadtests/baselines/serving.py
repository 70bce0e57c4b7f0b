"""What every baseline is told on its command line, its socket, and how it says that it can be asked."""

import argparse
import hashlib
import socket
from dataclasses import dataclass, field
from pathlib import Path

from pymongo.write_concern import WriteConcern

HOST = "127.0.0.1"
COLLECTION = "wishes"
DURABLE = WriteConcern("majority", j=True)  # as a node writes
BACKLOG = 1024


@dataclass(frozen=True)
class Baseline:
    """What one server serves: its bound socket, its database, and the page (empty: none) that it answers at /page."""

    socket: socket.socket
    uri: str = field(repr=False)
    database: str
    page: bytes = b""
    media_type: str = "application/json; charset=utf-8"

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self.socket.getsockname()[1])


def baseline_of(argv: list[str] | None = None) -> Baseline:
    """What the command line asks for, with a socket of its own; leaves with a plain sentence if it asks wrongly."""
    parser = argparse.ArgumentParser(description="A server to compare a node with; prints its port when it is ready.")
    parser.add_argument("--uri", required=True, help="of the database server")
    parser.add_argument("--database", required=True, help="whose collection of wishes is written")
    parser.add_argument("--port", type=int, default=0, help="to listen at (default: any free one)")
    parser.add_argument("--page", type=Path, help="file that is answered at /page (bare_tornado only)")
    chosen = parser.parse_args(argv)
    page = chosen.page.read_bytes() if chosen.page else b""
    return Baseline(bound(chosen.port), chosen.uri, chosen.database, page)


def etag_of(page: bytes) -> str:
    """The ETag of a page: the digest of its bytes."""
    return f'"{hashlib.sha256(page).hexdigest()}"'


def bound(port: int = 0) -> socket.socket:
    """A socket that listens at this port of 127.0.0.1, any free one for 0; OSError if it is taken."""
    taken = socket.create_server((HOST, port), backlog=BACKLOG)
    taken.setblocking(False)
    return taken


def tell_ready(baseline: Baseline) -> None:
    """Print the port, by which whoever started the server knows that it takes requests."""
    print(baseline.port, flush=True)
