"""The doors of operators: is it alive, is it ready, what does it count, what can it do."""

from handlers.base import Handler, Operation, Role
from server.desk import health
from server.domain.values import Value


class Alive(Value):
    """The process runs."""

    status: str = "alive"


def alive() -> Alive:
    """Whoever can answer is alive."""
    return Alive()


class LiveHandler(Handler):
    """Whether the process runs at all."""

    path = "/live"
    role = Role.ANYONE
    operations = {"GET": Operation(alive, "检查进程是否运行", gives=Alive)}

    async def get(self) -> None:
        self.answer(alive())


class ReadyHandler(Handler):
    """Whether it can take work: the database answers, a directory is in force, loops succeed, the clock is trusted."""

    path = "/ready"
    role = Role.ANYONE
    operations = {"GET": Operation(health.readiness, "检查服务是否就绪", gives=health.Readiness)}

    async def get(self) -> None:
        lacking = self.settings["lacking"]
        papers = health.papers_of(self.node, lacking() if lacking else None)
        clock = self.settings["clock"]()
        self.answer(await health.readiness(self.node, self.settings["overdue"](), clock, papers=papers))


class MetricsHandler(Handler):
    """What the process counts, in Prometheus' text format."""

    path = "/metrics"
    role = Role.ANYONE
    operations = {"GET": Operation(health.counts, "获取运行指标（Prometheus 文本格式）")}

    async def get(self) -> None:
        self.set_header("Content-Type", health.COUNTS_TYPE)
        self.finish(health.counts(self.node))


def openapi(door: Handler) -> bytes:
    """The description that `handlers/openapi.py` made at start."""
    text: bytes = door.settings["openapi"]
    return text


class OpenApiHandler(Handler):
    """All doors as OpenAPI 3.1."""

    path = "/openapi.json"
    role = Role.ANYONE
    operations = {"GET": Operation(openapi, "获取本接口文档（OpenAPI 3.1）")}

    async def get(self) -> None:
        self.finish(openapi(self))
