"""Administering: the security administrator sees to the accounts of all others, and every change is on record."""

import base64
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from server.desk.officer import officers
from server.desk.officer.officers import EndedOfficer
from server.desk.officer.proving import rules_of
from server.desk.steps import LocalMoment
from server.domain.audit import AuditKind, Doer
from server.domain.errors import Conflict
from server.domain.people.accounts import Account, DeskEntry, WeightyAct
from server.domain.people.persons import AccountRole, Officer
from server.domain.values import Value
from server.node import Node

PASSWORD_BYTES = 15  # 24 letters and digits
Name = Annotated[str, StringConstraints(pattern=r"^[\p{L}][\p{L}\p{N} ._·-]{0,99}$")]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class SecurityAdministratorExists(Conflict):
    """There is a security administrator, who adds the others; the command only adds the first ones."""

    code = "security_administrator_exists"
    title = "已有安全管理员"


class NotYourself(Conflict):
    """Nobody ends or resets their own account."""

    code = "not_yourself"
    title = "不能对本人账号进行此操作"


class NewOfficer(Value):
    """An account to add: an officer, who gets posts later, or one of the three administrators, who have none."""

    name: Name
    role: AccountRole = "officer"


class Ending(Value):
    """Why an officer ends."""

    reason: Reason


class Resetting(Value):
    """What is reset, and why: the password, or the authenticator with its recovery codes."""

    what: Literal["password", "totp"]
    reason: Reason


class OfficerLine(Value):
    """An account as the list shows it."""

    name: str
    role: AccountRole
    has_one_time_password: bool
    has_totp: bool
    ended_at: LocalMoment | None


class OfficerList(Value):
    """Accounts: those in office first, then those that have ended; `next` goes into `?after=` for the next page."""

    officers: tuple[OfficerLine, ...]
    next: str | None


class Listing(Value):
    """Behind which `next` the list goes on."""

    after: Annotated[str, Field(max_length=300)] = ""


class OneTimePassword(Value):
    """A password for the first sign-in; it is shown this once, and empty if none was given."""

    name: str
    one_time_password: str


async def listed(node: Node, asked: Listing, *, limit: int) -> OfficerList:
    """The accounts of this node, page by page."""
    found = await node.store.accounts.page(after=asked.after, limit=limit + 1)
    page = found[:limit]
    return OfficerList(
        officers=tuple(line_of(account) for account in page),
        next=node.store.accounts.place(page[-1]) if len(found) > limit else None,
    )


async def add(node: Node, new: NewOfficer, *, by: Doer) -> OneTimePassword:
    """Add an account, whose password is for the first sign-in only.

    Raises OfficerExists, NameEnded.
    """
    officer = Officer(**new.model_dump())
    password = _one_time_password(node)
    account = await node.store.accounts.add(officer, password, is_one_time=True)
    await _note(node, "officer.added", account, by=by, more={"before": "", "after": account.words})
    return OneTimePassword(name=officer.name, one_time_password=password)


async def add_lasting(node: Node, officer: Officer, password: str, *, by: Doer) -> Account:
    """Add an account whose password lasts, for demos and load tests; raises OfficerExists, NameEnded."""
    account = await node.store.accounts.add(officer, password)
    await _note(node, "officer.added", account, by=by, more={"before": "", "after": account.words})
    return account


async def add_by_command(node: Node, new: NewOfficer, *, by: Doer) -> OneTimePassword:
    """Add an officer, or one of the first administrators.

    Raises SecurityAdministratorExists for an administrator once there is one of security, and the refusals of `add`.
    """
    if new.role != "officer" and await node.store.accounts.has_security_administrator():
        raise SecurityAdministratorExists("管理员账号请由安全管理员添加。")
    return await add(node, new, by=by)


async def end(node: Node, entry: DeskEntry, name: str, *, ending: Ending) -> EndedOfficer:
    """End an officer for good, at the desk; raises ReauthenticationNeeded, NotYourself, NoSuchOfficer."""
    _check_weighty(node, entry, "end_officer", name=name)
    return await officers.end(node, name, reason=ending.reason, by=entry.doer)


async def reset(node: Node, entry: DeskEntry, name: str, *, resetting: Resetting) -> OneTimePassword:
    """Give an officer a new one-time password or take their authenticator away, at the desk.

    Raises ReauthenticationNeeded, NotYourself and the refusals of `reset_account`.
    """
    _check_weighty(node, entry, "reset_officer", name=name)
    return await reset_account(node, name, resetting, by=entry.doer)


async def reset_account(node: Node, name: str, resetting: Resetting, *, by: Doer) -> OneTimePassword:
    """Reset what an officer proves themselves by, and end all of their sessions; raises NoSuchOfficer, StaleVersion."""
    account, password = await node.store.accounts.account(name), ""
    if resetting.what == "password":
        password = _one_time_password(node)
        after = await node.store.accounts.set_password(account, password, is_one_time=True)
    else:
        after = await node.store.second_factors.forget(account)
    more = {"what": resetting.what, "reason": resetting.reason, **_difference(account, after)}
    await _note(node, "officer.reset", after, by=by, more=more)
    return OneTimePassword(name=name, one_time_password=password)


def _check_weighty(node: Node, entry: DeskEntry, act: WeightyAct, *, name: str) -> None:
    entry.check_proof(act, node.clock.now(), rules_of(node))
    if name == entry.officer.name:
        raise NotYourself("请由另一位安全管理员办理。")


async def _note(node: Node, kind: AuditKind, after: Account, *, by: Doer, more: dict[str, str]) -> None:
    name = after.officer.name
    about = {"name": name, **by.by, **more}
    await node.store.audit.note(f"{kind}:{name}:{after.version}", kind, at=node.clock.now(), about=about)
    node.log.info(kind)


def _difference(before: Account, after: Account) -> dict[str, str]:
    return {"before": before.words, "after": after.words}


def _one_time_password(node: Node) -> str:
    """Six times four letters and digits, to be read to somebody."""
    text = base64.b32encode(node.chance.token(PASSWORD_BYTES)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def line_of(account: Account) -> OfficerLine:
    """An account as the list shows it."""
    return OfficerLine(
        **account.officer.model_dump(),
        has_one_time_password=account.is_one_time,
        has_totp=account.has_totp,
        ended_at=account.ended_at,
    )
