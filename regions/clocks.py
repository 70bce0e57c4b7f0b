"""What an operator sees of the clocks of a node, and does where a moment is stored that has not come yet."""

from datetime import timedelta

from server.desk.health import ClockHeld
from server.domain.errors import Conflict
from server.domain.time.clock_guard import TOLERANCE_SECONDS, ClockState
from server.domain.values import Moment, Value, moment_text
from server.node import Node

TOLERANCE = timedelta(seconds=TOLERANCE_SECONDS)


class NothingAhead(Conflict):
    """No moment is stored that is more than a minute ahead of our clock, so that there is nothing to accept."""

    code = "nothing_ahead"
    title = "没有晚于当前时间的记录"


class ClockShown(Value):
    """What the clock of a machine told last, `at`, and whether `work` there trusts it: `text` says what differs.

    A machine that tells nothing any more is shown for a day.
    """

    machine: str
    at: Moment
    state: ClockState
    text: str


async def listed(node: Node) -> tuple[ClockShown, ...]:
    """What the clock of each machine told last."""
    return tuple(ClockShown(**vars(beat)) for beat in await node.store.clocks.beats())


async def accept_stored(node: Node, *, by: str, reason: str) -> None:
    """Let the moments that are stored ahead of our clock hold nothing any more, as a clock that was ahead wrote them.

    Audited. Raises NothingAhead, and ClockHeld unless the database's clock agrees with ours: else ours may be behind.
    """
    now = node.clock.now()
    if abs((await node.store.database.time()).at - now) > TOLERANCE:
        raise ClockHeld("本机时钟与数据库的时钟不一致，请先校准。")
    newest = await node.store.clocks.newest_stored()
    if newest is None or newest <= now + TOLERANCE:
        raise NothingAhead("没有晚于当前时间的记录。")
    about = {"until": moment_text(newest), "by": by, "reason": reason}
    await node.store.audit.note(f"clock:{moment_text(newest)}", "clock.stored_accepted", at=now, about=about)
    await node.store.clocks.accept_stored(newest)
