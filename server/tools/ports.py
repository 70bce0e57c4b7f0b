"""Ports that several processes of one node listen at together, and no process of another node beside them.

`SO_REUSEPORT` lets any process of the same account share a port, and the kernel then deals out the connections. So each
process says at which port it listens, and for whom, by the name of an abstract socket, which lives in the same network
namespace as the port and is gone with its process. It says so before it looks who else does: of two that come at once
at least one sees the other. A supervisor, whose processes share its port, says so by another name, and is alone there.
"""

import errno
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SPOKEN_FOR, SUPERVISED = "tongban-port", "tongban-supervisor"
BAR = "|"
SOCKETS = Path("/proc/net/unix")
NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 # compared with, not bound


class PortTaken(ValueError):
    """The port of the settings is not free for this process."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"port {port} of {host}: {reason}; choose another (`port`, `work_port`, `slots_port`), "
            "or stop the other one"
        )


@contextmanager
def shared(host: str, port: int, owner: str) -> Iterator[None]:
    """Hold the port for this process of `owner` (an id, the same for all that may share it); port 0 is held by nobody.

    Raises PortTaken if a process of another owner holds it.
    """
    with _held(SPOKEN_FOR, host, port, owner=owner) as is_free:
        if not is_free:
            raise PortTaken(host, port, "a process of another node, or of a copy of this one, listens there")
        yield


@contextmanager
def alone(host: str, port: int) -> Iterator[None]:
    """Hold the port for this supervisor; port 0 is held by nobody. Raises PortTaken if another supervisor holds it."""
    with _held(SUPERVISED, host, port, owner=secrets.token_hex(4)) as is_free:
        if not is_free:
            raise PortTaken(host, port, "processes of another supervisor listen there")
        yield


def bound(host: str, port: int) -> list[socket.socket]:
    """Sockets that share this port of each address of the host, and do not listen yet; the same free port for port 0.

    An address that this machine does not have is passed over if there is another. Raises PortTaken.
    """
    sockets: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for family, address in _addresses(host, port):
            at = sockets[0].getsockname()[1] if sockets else port
            try:
                sockets.append(_bound(family, (address[0], at, *address[2:])))
            except OSError as fault:
                if fault.errno not in NOT_HERE:
                    raise
                missing = fault
        if not sockets:
            raise missing or OSError(errno.EADDRNOTAVAIL, "the host has no address")
    except OSError as fault:
        for each in sockets:
            each.close()
        raise PortTaken(host, port, f"it cannot be used: {fault.strerror}") from fault
    return sockets


def _addresses(host: str, port: int) -> Sequence[tuple[int, tuple[Any, ...]]]:
    """Family and address of each, IPv4 first."""
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return sorted({(int(family), address) for family, _, _, _, address in found})


def _bound(family: int, address: tuple[Any, ...]) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:  # IPv4 has a socket of its own
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
    except OSError:
        one.close()
        raise
    return one


@contextmanager
def _held(name: str, host: str, port: int, *, owner: str) -> Iterator[bool]:
    """Say under this name that the port is held by the owner; whether no other owner says so."""
    if port == 0:
        yield True
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as said:
        said.bind("\0" + BAR.join((name, str(port), host, owner, secrets.token_hex(4))))
        yield not any(
            other != owner and (host == other_host or host in EVERYWHERE or other_host in EVERYWHERE)
            for other_host, other in _holders(name, port)
        )


def _holders(name: str, port: int) -> Iterator[tuple[str, str]]:
    """The host and the owner of each process that holds this port under this name."""
    for line in SOCKETS.read_text(errors="replace").splitlines():
        _, found, said = line.partition("@" + name + BAR)
        if found:
            other_port, host, owner, _ = said.split(BAR)
            if other_port == str(port):
                yield host, owner
