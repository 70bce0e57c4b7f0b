"""Ports of this machine, held for a process while it starts."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import SystemRandom

HOST = "127.0.0.1"
LASTING = range(20_000, 32_000)  # below those that systems give to outgoing connections
TRIES = 1000


class PortInUse(ValueError):
    """Another process listens at this port."""

    def __init__(self, port: int) -> None:
        super().__init__(f"Port {port} of {HOST} is taken by another process; choose others with --port.")


class NoPortFree(ValueError):
    """There is no free port to be found."""


@contextmanager
def reserved(port: int = 0) -> Iterator[int]:
    """This port, or a free one for 0; it is reserved for the caller, whose server may bind it.

    That works because it is bound with SO_REUSEADDR, and never listened at. Raises PortInUse.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind((HOST, port))
        except OSError as fault:
            if fault.errno != errno.EADDRINUSE:
                raise
            raise PortInUse(port) from None
        yield holder.getsockname()[1]


@contextmanager
def reserved_lasting() -> Iterator[int]:
    """Like `reserved()`, a free port, but one that is likely to be free again whenever it is wanted; NoPortFree."""
    with socket.socket() as holder:
        for port in SystemRandom().sample(LASTING, TRIES):
            try:
                holder.bind((HOST, port))  # alone, for nobody else may reserve it too; only then it is shared
            except OSError:
                continue
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            yield port
            return
    raise NoPortFree(f"No free port was found from {LASTING.start} to {LASTING.stop}; name one with --port.")
