"""What a process of a supervised `serve` inherits: its slot, bound sockets, and a pipe by which it says it is ready."""

import os
import socket
from dataclasses import dataclass
from typing import Self

READY = b"r"


@dataclass(frozen=True)
class Inheritance:
    """The number of the slot, from 0 on, and open file descriptors: of the sockets, and of the end to write to."""

    slot: int
    sockets: tuple[int, ...]
    pipe: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """From its text, such as `0:5,6:9`; raises ValueError."""
        slot, sockets, pipe = text.split(":")
        return cls(int(slot), tuple(map(int, sockets.split(","))), int(pipe))

    def __str__(self) -> str:
        return f"{self.slot}:{','.join(map(str, self.sockets))}:{self.pipe}"

    def open_sockets(self) -> list[socket.socket]:
        """The sockets, which do not block; once only, as whoever closes them closes the descriptors."""
        sockets = [socket.socket(fileno=each) for each in self.sockets]
        for each in sockets:
            each.setblocking(False)
        return sockets

    def tell_ready(self) -> None:
        """Let the supervisor know, once; it does not matter if there is none any more."""
        try:
            os.write(self.pipe, READY)
        except BrokenPipeError:
            pass
        finally:
            os.close(self.pipe)
