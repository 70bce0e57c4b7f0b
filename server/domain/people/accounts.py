"""Accounts and sessions of the desk: whether a session of an officer still counts, and what for."""

from datetime import datetime, timedelta
from typing import Literal

from server.domain.errors import Unproven
from server.domain.people.passwords import PasswordChangeNeeded
from server.domain.people.persons import Officer
from server.domain.values import Moment, Value

Need = Literal["", "password_change"]
SEEN_EVERY = timedelta(minutes=1)  # a session is not written at each request


class OfficerEnded(Unproven):
    """The officer whom the token names has ended, and every token of theirs with them."""

    code = "officer_ended"
    title = "账号已停用"


class SessionOver(Unproven):
    """The session of the desk was signed out, or its password was changed or reset."""

    code = "session_over"
    title = "登录已失效"


class SessionIdle(Unproven):
    """Nothing was asked in the session of the desk for too long."""

    code = "session_idle"
    title = "长时间未操作，登录已失效"


class Account(Value):
    """An officer as the node knows them now.

    `epoch` counts what ends all of their sessions at once, `version` every change. `is_one_time`: the password was
    given by an administrator.
    """

    officer: Officer
    epoch: int
    is_ended: bool
    is_one_time: bool
    version: int

    @property
    def needs(self) -> Need:
        """What must be done before anything else is granted."""
        return "password_change" if self.is_one_time else ""


class DeskSession(Value):
    """One sign-in of an officer from an address, good until `ends_at` at the latest.

    `seen_at` is when it was last used, to the minute.
    """

    id: str
    officer: str
    epoch: int
    address: str
    began_at: Moment
    seen_at: Moment
    ends_at: Moment

    def was_just_seen(self, at: datetime) -> bool:
        """Whether it need not be written that it is used now."""
        return at - self.seen_at < SEEN_EVERY


class DeskEntry(Value):
    """An officer who has come in, by which session, and what must be done before anything else."""

    officer: Officer
    session: DeskSession
    needs: Need

    def check_ready(self) -> None:
        """Whether more than their own account is open to them; raises PasswordChangeNeeded."""
        if self.needs == "password_change":
            raise PasswordChangeNeeded("初始密码只能用于首次登录，请先修改密码。")


def entry_of(account: Account | None, session: DeskSession | None, *, at: datetime, idle: timedelta) -> DeskEntry:
    """Who comes in by a session now; raises OfficerEnded, SessionOver, SessionIdle."""
    if account is None or account.is_ended:
        raise OfficerEnded("账号已停用，请联系管理员。")
    if session is None or session.epoch != account.epoch or at >= session.ends_at:
        raise SessionOver("登录已失效，请重新登录。")
    if at - session.seen_at >= idle:
        raise SessionIdle(f"超过 {int(idle.total_seconds() // 60)} 分钟未操作，请重新登录。")
    return DeskEntry(officer=account.officer, session=session, needs=account.needs)
