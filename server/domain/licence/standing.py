"""What a licence counts as on a day (证照状态), in words and in the codes that authorities tell each other."""

from collections.abc import Mapping
from datetime import date
from typing import Literal, NamedTuple, Protocol

from server.domain.licence.licence import Cause, LicenceState

LicenceStanding = LicenceState | Literal["pending"]
# What each is called (zh-CN) and its code of the states (证照状态代码); 99 is told with the words beside it.
STANDINGS: Mapping[tuple[LicenceStanding, Cause], tuple[str, str]] = {
    ("pending", ""): ("未生效", "99"),
    ("valid", ""): ("有效", "01"),
    ("suspended", ""): ("已暂停", "02"),
    ("revoked", "rescinded"): ("已撤销", "03"),
    ("revoked", "penalised"): ("已吊销", "07"),
    ("withdrawn", ""): ("已撤回", "99"),
    ("annulled", ""): ("已注销", "04"),
    ("expired", ""): ("已过期", "05"),
    ("moved_out", ""): ("已转出", "06"),
    ("replaced", "renewed"): ("已被替换", "99"),
    ("replaced", "changed"): ("已被替换", "99"),
    ("replaced", "reissued"): ("已作废", "99"),
    ("replaced", "corrected"): ("已更正", "99"),
}


class AnyLicence(Protocol):
    """What is looked at: a licence here, or what another node has told of one."""

    @property
    def state(self) -> LicenceState:
        """Its state after its last event."""

    @property
    def cause(self) -> Cause:
        """What tells two of a state apart."""

    @property
    def effective_on(self) -> date:
        """Its first day."""

    @property
    def expires_on(self) -> date | None:
        """Its last day, if it has one."""


class StateCode(NamedTuple):
    """A code of the states, and the words that must stand beside 99 (其他)."""

    code: str
    words: str


def standing_on(licence: AnyLicence, day: date) -> LicenceStanding:
    """What it counts as on this day.

    That holds from the day of its last event on; for an earlier day replay the events until then. A licence whose last
    day is over has expired, though the clock has not said so yet; one that has not begun is pending.
    """
    if licence.state not in ("valid", "suspended", "moved_out"):
        return licence.state
    if licence.expires_on is not None and day > licence.expires_on:
        return "expired"
    return "pending" if licence.state == "valid" and day < licence.effective_on else licence.state


def is_good_on(licence: AnyLicence, day: date) -> bool:
    """Whether its holder may rely on it on this day."""
    return standing_on(licence, day) == "valid"


def words_on(licence: AnyLicence, day: date) -> str:
    """What it counts as on this day, in zh-CN."""
    return _told(licence, day)[0]


def state_code_on(licence: AnyLicence, day: date) -> StateCode:
    """The same as a code of the states."""
    words, code = _told(licence, day)
    return StateCode(code, words if code == "99" else "")


def _told(licence: AnyLicence, day: date) -> tuple[str, str]:
    return STANDINGS[standing_on(licence, day), licence.cause]
