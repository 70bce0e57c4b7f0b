"""The doors of operators: is it alive, is it ready, what does it count, what can it do."""

from handlers.base import Does, Door, Who
from server.desk import health
from server.domain.names import Value


class Alive(Value):
    """The process runs."""

    status: str = "alive"


def alive() -> Alive:
    """Whoever can answer is alive."""
    return Alive()


class Live(Door):
    """Whether the process runs at all."""

    path = "/live"
    who = Who.ANYONE
    does = {"GET": Does(alive, gives=Alive)}

    async def get(self) -> None:
        self.answer(alive())


class Ready(Door):
    """Whether it can take work: the database answers, a directory is in force, and the loops succeed."""

    path = "/ready"
    who = Who.ANYONE
    does = {"GET": Does(health.readiness, gives=health.Readiness)}

    async def get(self) -> None:
        self.answer(await health.readiness(self.node, self.settings["overdue"]()))


class Metrics(Door):
    """What the process counts, in Prometheus' text format."""

    path = "/metrics"
    who = Who.ANYONE
    does = {"GET": Does(health.counts)}

    async def get(self) -> None:
        self.set_header("Content-Type", health.COUNTS_TYPE)
        self.finish(health.counts(self.node))


def openapi(door: Door) -> bytes:
    """The description that `handlers/openapi.py` made at start."""
    text: bytes = door.settings["openapi"]
    return text


class OpenApi(Door):
    """All doors as OpenAPI 3.1."""

    path = "/openapi.json"
    who = Who.ANYONE
    does = {"GET": Does(openapi)}

    async def get(self) -> None:
        self.finish(openapi(self))
