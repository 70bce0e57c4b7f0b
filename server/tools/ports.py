"""Ports that several processes of one node listen at together, and no process of another node beside them.

`SO_REUSEPORT` lets any process of the same account share a port, and the kernel then deals out the connections. So each
process says at which port it listens, and for whom, by the name of an abstract socket, which lives in the same network
namespace as the port and is gone with its process. It says so before it looks who else does: of two that come at once
at least one sees the other.
"""

import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SPOKEN_FOR = "tongban-port"
BAR = "|"
SOCKETS = Path("/proc/net/unix")
EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 # compared with, not bound


class PortTaken(ValueError):
    """The port of the settings is not free for this process."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"port {port} of {host}: {reason}; choose another (`port`, `work_port`), or stop the other one"
        )


@contextmanager
def shared(host: str, port: int, owner: str) -> Iterator[None]:
    """Hold the port for this process of `owner` (an id, the same for all that may share it); port 0 is held by nobody.

    Raises PortTaken if a process of another owner holds it.
    """
    if port == 0:
        yield
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as said:
        said.bind("\0" + BAR.join((SPOKEN_FOR, str(port), host, owner, secrets.token_hex(4))))
        for other_host, other in _holders(port):
            if other != owner and (host == other_host or host in EVERYWHERE or other_host in EVERYWHERE):
                raise PortTaken(host, port, "a process of another node, or of a copy of this one, listens there")
        yield


def _holders(port: int) -> Iterator[tuple[str, str]]:
    """The host and the owner of each process that holds this port."""
    for line in SOCKETS.read_text(errors="replace").splitlines():
        _, found, name = line.partition("@" + SPOKEN_FOR + BAR)
        if found:
            other_port, host, owner, _ = name.split(BAR)
            if other_port == str(port):
                yield host, owner
