"""Whether a clock may be trusted with what a date brings, by what other clocks have told.

What is done because a day has come cannot be taken back, so a clock that is ahead must not do it. One that is behind
does everything late, and what it writes seems to have happened before what is stored already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from server.domain.sentences import sentences

TOLERANCE_SECONDS = 60.0
FEWEST_PEERS = 2  # that must agree, so that none of them alone stops a node
UNITS = ((86_400, "天"), (3_600, "小时"), (60, "分钟"), (1, "秒"))

Source = Literal["database", "machine", "stored", "peer"]
ClockState = Literal["agrees", "unproven", "waits", "held"]
SOURCES: tuple[Source, ...] = get_args(Source)
STATES: tuple[ClockState, ...] = get_args(ClockState)
NAMES = {"database": "数据库", "machine": "另一台主机", "stored": "已存的最新记录", "peer": "其他省节点"}


@dataclass(frozen=True)
class ClockReading:
    """That a source told the moment `at`, between `least_ago` and `most_ago` seconds before our moment.

    `is_independent`: its clock is not known to be our own. `is_confirmed`: somebody saw it told just then; what only
    stood there may be old.
    """

    source: Source
    name: str
    at: datetime
    least_ago: float
    most_ago: float
    is_independent: bool = True
    is_confirmed: bool = True

    def ahead_seconds(self, now: datetime) -> float:
        """By how much our clock is surely ahead of this one; negative if behind, 0 if they may agree."""
        passed = (now - self.at).total_seconds()
        ahead, behind = passed - self.most_ago, passed - self.least_ago
        return ahead if ahead > 0 else min(behind, 0.0)


@dataclass(frozen=True)
class Finding:
    """That our clock differs from a source by more than a minute; `holds` if nothing may be done for it."""

    source: Source
    name: str
    ahead_seconds: int
    holds: bool = False

    @property
    def text(self) -> str:
        """The sentence that an operator reads."""
        named = f"{NAMES[self.source]}（{self.name}）" if self.name else NAMES[self.source]
        return f"本机时钟比{named}{'快' if self.ahead_seconds > 0 else '慢'}{span(abs(self.ahead_seconds))}"


@dataclass(frozen=True)
class ClockVerdict:
    """What follows: `agrees` with another clock, `unproven` as there is none to ask, `waits` for word of one that may
    be gone, or `held`; and every difference that was found, those that hold first.
    """

    state: ClockState
    findings: tuple[Finding, ...] = ()

    @property
    def may_act(self) -> bool:
        """Whether what a date brings may be done."""
        return self.state in ("agrees", "unproven")

    @property
    def text(self) -> str:
        """What an operator reads; without the names of machines and nodes it says nothing of anybody."""
        said = {
            "agrees": "",
            "unproven": "没有其他时钟可供核对",
            "waits": "正在等待其他主机的时钟",
            "held": "到期处理已暂停",
        }[self.state]
        return sentences(*(each.text for each in self.findings), said)


@dataclass(frozen=True)
class Beat:
    """What the clock of a machine told last, and whether `work` there trusts it; `text` says what differs."""

    machine: str
    at: datetime
    state: ClockState
    text: str


def judge(now: datetime, readings: Sequence[ClockReading]) -> ClockVerdict:
    """Whether our clock, which tells `now`, may be trusted.

    It is held if it is more than a minute ahead of the database's or of another machine's, or behind the newest moment
    stored; or if peers put it ahead: most of those that told it, at least two, which agree with each other. Everything
    else is only said: a peer alone stops nobody, and of two machines only the one that is ahead is stopped.
    """
    sure = [each for each in readings if each.is_confirmed]
    held_by_peers = _are_agreed([each.ahead_seconds(now) for each in sure if each.source == "peer"])
    findings = [
        Finding(each.source, each.name, round(ahead), holds=_holds(each.source, ahead, held_by_peers=held_by_peers))
        for each in sure
        if abs(ahead := each.ahead_seconds(now)) > TOLERANCE_SECONDS
    ]
    findings.sort(key=lambda each: not each.holds)
    return ClockVerdict(_state(now, readings, findings), tuple(findings))


def span(seconds: int) -> str:
    """A length of time in the largest unit of which it holds at least two, or in seconds: `10天`, `61秒`."""
    unit, name = next((each for each in UNITS if seconds >= 2 * each[0]), UNITS[-1])
    return f"{seconds // unit}{name}"


def _state(now: datetime, readings: Sequence[ClockReading], findings: Sequence[Finding]) -> ClockState:
    if any(each.holds for each in findings):
        return "held"
    unsure = (each for each in readings if not each.is_confirmed)
    if any(each.ahead_seconds(now) > TOLERANCE_SECONDS for each in unsure):
        return "waits"
    return "agrees" if any(each.is_independent and each.is_confirmed for each in readings) else "unproven"


def _holds(source: Source, ahead: float, *, held_by_peers: bool) -> bool:
    if source == "stored":
        return ahead < 0
    return ahead > 0 and (source != "peer" or held_by_peers)


def _are_agreed(told: Sequence[float]) -> bool:
    """Whether most peers, at least two, put us ahead by the same, give or take the tolerance."""
    ahead = [each for each in told if each > TOLERANCE_SECONDS]
    most = max((sum(low <= each <= low + TOLERANCE_SECONDS for each in ahead) for low in ahead), default=0)
    return most >= FEWEST_PEERS and 2 * most > len(told)
