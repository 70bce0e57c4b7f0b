"""Accounts and sessions of the desk: whether a session of an officer still counts, and what for."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from server.domain.audit import Doer
from server.domain.errors import Forbidden, Unproven
from server.domain.people.passwords import PasswordChangeNeeded
from server.domain.people.persons import AccountRole, Officer
from server.domain.people.posts import Post
from server.domain.values import Moment, Value, china_day

Need = Literal["", "password_change", "totp"]
TotpMode = Literal["off", "optional", "required"]
WeightyAct = Literal["end_officer", "reset_officer", "change_password"]
SESSION_DIGITS = 16
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


class TotpNeeded(Forbidden):
    """This node asks everybody for codes of an authenticator, and the account has none yet."""

    code = "totp_needed"
    title = "请先启用动态验证码"


class ReauthenticationNeeded(Forbidden):
    """The act is a weighty one, and the last proof of password or code in this session is too long ago."""

    code = "reauthentication_needed"
    title = "请重新验证身份"


class TotpOffer(Value):
    """The secret for an authenticator, as text and as the address of a QR code; it is shown this once."""

    secret: str
    uri: str


class NotForAdministrators(Forbidden):
    """One of the three administrators asks for cases, tasks, counts or warnings, which they never see."""

    code = "not_for_administrators"
    title = "管理员账号不能查看和办理业务"


class SecurityAdministratorOnly(Forbidden):
    """Only the security administrator sees to the accounts of others."""

    code = "security_administrator_only"
    title = "仅限安全管理员办理"


class SystemAdministratorOnly(Forbidden):
    """Only the system administrator sees the state of the node."""

    code = "system_administrator_only"
    title = "仅限系统管理员办理"


class AuditAdministratorOnly(Forbidden):
    """Only the audit administrator reads the audit."""

    code = "audit_administrator_only"
    title = "仅限审计管理员查看"


class DeskRules(Value):
    """What a node asks of sessions at its desks: `proof` is how long a proof is fresh enough for `weighty` acts."""

    idle: timedelta
    proof: timedelta
    weighty: frozenset[str]
    totp: TotpMode


class Account(Value):
    """An officer as the node knows them now.

    `epoch` counts what ends all of their sessions at once, `version` every change. `is_one_time`: the password was
    given by an administrator. `has_totp`: they have an authenticator.
    """

    officer: Officer
    epoch: int
    ended_at: Moment | None
    is_one_time: bool
    has_totp: bool
    version: int

    @property
    def is_ended(self) -> bool:
        """Whether the officer has left; an account comes back never."""
        return self.ended_at is not None

    @property
    def words(self) -> str:
        """What the audit tells of an account: who it is for, and by what kinds of proof it is opened; no secret."""
        seat = f"role={self.officer.role}"
        kinds = (("one-time", self.is_one_time), ("totp", self.has_totp))
        return " ".join((seat, *(word for word, holds in kinds if holds)))

    def needs(self, totp: TotpMode) -> Need:
        """What must be done before anything else is granted."""
        if self.is_one_time:
            return "password_change"
        return "totp" if totp == "required" and not self.has_totp else ""


class DeskSession(Value):
    """One sign-in of an officer from an address, good until `ends_at` at the latest.

    `seen_at` is when it was last used, to the minute, and `proven_at` when the officer last proved themselves in it.
    `version` counts its changes.
    """

    id: str
    officer: str
    epoch: int
    address: str
    began_at: Moment
    seen_at: Moment
    proven_at: Moment
    ends_at: Moment
    version: int = 1

    @property
    def doer(self) -> Doer:
        """Who does what is done in this session, for the audit."""
        return Doer(
            name=self.officer, address=self.address, session=sha256(self.id.encode()).hexdigest()[:SESSION_DIGITS]
        )

    def was_just_seen(self, at: datetime) -> bool:
        """Whether it need not be written that it is used now."""
        return at - self.seen_at < SEEN_EVERY


# What everybody else is told at the doors of a role.
ONLY: Mapping[AccountRole, tuple[type[Forbidden], str]] = {
    "officer": (NotForAdministrators, "三员账号不办理业务，请使用工作人员账号登录。"),
    "system": (SystemAdministratorOnly, "请由系统管理员办理。"),
    "security": (SecurityAdministratorOnly, "请由安全管理员办理。"),
    "audit": (AuditAdministratorOnly, "请由审计管理员查看。"),
}


class DeskEntry(Value):
    """An officer who has come in, by which session, with their posts in force, and what must be done first of all."""

    officer: Officer
    session: DeskSession
    posts: tuple[Post, ...]
    needs: Need

    @property
    def doer(self) -> Doer:
        """Who does what is done now, for the audit."""
        return self.session.doer

    def check_ready(self) -> None:
        """Whether more than their own account is open to them; raises PasswordChangeNeeded, TotpNeeded."""
        if self.needs == "password_change":
            raise PasswordChangeNeeded("初始密码只能用于首次登录，请先修改密码。")
        if self.needs == "totp":
            raise TotpNeeded("本系统要求使用动态验证码，请先在本人账号中启用。")

    def check_role(self, wanted: AccountRole) -> None:
        """Whether a door for this role is open; raises the refusal of the role, one of ONLY."""
        if self.officer.role != wanted:
            refusal, detail = ONLY[wanted]
            raise refusal(detail)

    def check_proof(self, act: WeightyAct, at: datetime, rules: DeskRules) -> None:
        """Whether the proof in this session is fresh enough for an act; raises ReauthenticationNeeded."""
        if act in rules.weighty and at - self.session.proven_at >= rules.proof:
            raise ReauthenticationNeeded("该操作较为重要，请重新验证密码或动态验证码后再继续。")


def entry_of(
    account: Account | None, session: DeskSession | None, posts: Iterable[Post], *, at: datetime, rules: DeskRules
) -> DeskEntry:
    """Who comes in by a session now; raises OfficerEnded, SessionOver, SessionIdle."""
    if account is None or account.is_ended:
        raise OfficerEnded("账号已停用，请联系管理员。")
    if session is None or session.epoch != account.epoch or at >= session.ends_at:
        raise SessionOver("登录已失效，请重新登录。")
    if at - session.seen_at >= rules.idle:
        raise SessionIdle(f"超过 {int(rules.idle.total_seconds() // 60)} 分钟未操作，请重新登录。")
    in_force = tuple(post for post in posts if post.is_in_force(china_day(at)))
    return DeskEntry(officer=account.officer, session=session, posts=in_force, needs=account.needs(rules.totp))


def is_present(account: Account | None, sessions: Iterable[DeskSession], *, at: datetime, rules: DeskRules) -> bool:
    """Whether an officer is at a desk: one of their sessions would still let them come in."""
    return any(_lets_in(account, session, at=at, rules=rules) for session in sessions)


def _lets_in(account: Account | None, session: DeskSession, *, at: datetime, rules: DeskRules) -> bool:
    try:
        entry_of(account, session, (), at=at, rules=rules)
    except Unproven:
        return False
    return True
