"""The accounts of officers in the store, with the hashes of their passwords."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import TypeVar

from server.crypto.passwords import RECOMMENDED, Cost, hash_password, verify_password
from server.domain.errors import Conflict, Missing, StaleVersion, Unproven
from server.domain.people.accounts import Account
from server.domain.people.passwords import PasswordUsedBefore
from server.domain.people.persons import Officer
from server.domain.values import moment_of_key
from server.store.database import Database, Document, Duplicate, is_safe
from server.store.ends import Ends
from server.store.members import read
from server.store.queries import BAR, JUST_AFTER, OFFICERS_LISTED

OFFICERS = "officers"
HASHING, MOST_HASHING = "argon2", 2  # each takes 64 MiB and a core; the others wait
REMEMBERED = 5  # passwords that are not taken again, the present one among them
ATTEMPTS = 5
MOST_SECURITY = 100  # security administrators that are looked at for one in office
IN_OFFICE, ENDED = "active", "ended"
LAST = "~"  # after all states
NO_PASSWORD = ""  # in the place of a hash: no password is right
NO_FACTORS: Document = {"totp": "", "totp_secret": "", "totp_key": "", "totp_step": 0, "recovery": []}
STALE = "该账号刚有变更，请刷新后重试。"
Answer = TypeVar("Answer")


class OfficerExists(Conflict):
    """There is an officer of this name already."""

    code = "officer_exists"
    title = "工作人员已存在"


class NameEnded(Conflict):
    """The officer of this name has ended; a name is never given twice, for the audit tells officers apart by it."""

    code = "name_ended"
    title = "该用户名已停用，不能再次使用"


class NoSuchOfficer(Missing):
    """There never was an officer of this name."""

    code = "no_such_officer"
    title = "没有这位工作人员"


class WrongPassword(Unproven):
    """Name and password do not belong together."""

    code = "wrong_password"
    title = "用户名或密码不正确"


class OfficerDocuments:
    """The documents of accounts: read by name as they count, and changed only if they are still what was read.

    What was put back, or whose change was cut off, opens to no password; a reset makes it good again.
    """

    def __init__(self, database: Database, ends: Ends) -> None:
        self._database = database
        self.ends = ends

    async def add(self, document: Document) -> None:
        """Store a new one; raises Duplicate."""
        await self._database.insert(OFFICERS, document)

    async def find(self, name: str) -> Document | None:
        """The document of this name, if there is one."""
        document = await self.stored(name)
        return self._as_it_counts(document) if document else None

    async def stored(self, name: str) -> Document | None:
        """The same as it stands, whatever has ended."""
        return await self._database.get(OFFICERS, document_id(name)) if is_safe(name) else None

    async def listed(self, start: str, *, after: str, limit: int) -> list[Account]:
        """Those whose place begins with this, from behind `after` on."""
        low, high = max(start, after + JUST_AFTER if after else ""), start + LAST
        if not is_safe(low) or not low < high:
            return []
        found = await self._database.between(OFFICERS_LISTED, low, high, limit=limit)
        return [account_of(self._as_it_counts(document)) for document in found]

    async def unchanged(self, account: Account) -> Document:
        """The document that this account was read from; raises StaleVersion if there is another by now."""
        document = await self.find(account.officer.name)
        if document is None or document["version"] != account.version:
            raise StaleVersion(STALE)
        return document

    async def replaced(self, document: Document, change: Document) -> Account:
        """The account after this change; raises StaleVersion if the document is another by now."""
        after = {**document, **change, "version": self._next_version(document)}
        if not await self._database.replace(OFFICERS, after, version=document["version"]):
            raise StaleVersion(STALE)
        return account_of(after)

    async def superseded(self, document: Document, change: Document) -> Account:
        """The same, by a change after which no document from before counts."""
        await self.ends.supersede(OFFICERS, document["_id"], below=self._next_version(document))
        return await self.replaced(document, change)

    def _next_version(self, document: Document) -> int:
        end = self.ends.of(OFFICERS, document["_id"])
        return max(int(document["version"]) + 1, end.below if end else 0)

    def _as_it_counts(self, document: Document) -> Document:
        end = self.ends.of(OFFICERS, document["_id"])
        if end is None or (document["version"] >= end.below and (document["ended_at"] or not end.ended_at)):
            return document
        self.ends.tell(OFFICERS, document["_id"])
        # No session is of this epoch unless it began after what was superseded.
        over = {"ended_at": document["ended_at"] or end.ended_at, "epoch": max(document["epoch"], end.below)}
        past = [document["password_hash"], *document["past_hashes"]]
        return {**document, **NO_FACTORS, **over, "password_hash": NO_PASSWORD, "past_hashes": past}


class Accounts:
    """The accounts of all who work at this node's desks, by name."""

    def __init__(self, database: Database, ends: Ends) -> None:
        self._documents = OfficerDocuments(database, ends)
        self._hashing = ThreadPoolExecutor(MOST_HASHING, thread_name_prefix=HASHING)

    async def add(
        self, officer: Officer, password: str, *, is_one_time: bool = False, cost: Cost = RECOMMENDED
    ) -> Account:
        """Store a new officer, their password hashed at this cost; raises OfficerExists and NameEnded."""
        document = {
            "_id": document_id(officer.name),
            **officer.model_dump(),
            "password_hash": await self._hash(hash_password, password, cost),
            "past_hashes": [],
            "is_one_time": is_one_time,
            **NO_FACTORS,
            **{"epoch": 1, "ended_at": "", "list_key": _list_key(officer, IN_OFFICE)},
            "version": 1,
        }
        try:
            await self._documents.add(document)
        except Duplicate as fault:
            if await self.find_officer(officer.name) is None:
                raise NameEnded(f"用户名“{officer.name}”已停用，请换一个用户名。") from fault
            raise OfficerExists("同名工作人员已存在。") from fault
        return account_of(document)

    async def account(self, name: str) -> Account:
        """The account of one who has not ended; raises NoSuchOfficer."""
        found = await self.known(name)
        if found.is_ended:
            raise _no_such_officer(name)
        return found

    async def known(self, name: str) -> Account:
        """The account of this name, also of one who has ended; raises NoSuchOfficer."""
        found = await self.find(name)
        if found is None:
            raise _no_such_officer(name)
        return found

    async def find(self, name: str) -> Account | None:
        """The account of this name, also of one who has ended; None if there never was one."""
        document = await self._documents.find(name)
        return account_of(document) if document else None

    async def find_officer(self, name: str) -> Officer | None:
        """The officer of this name, or None; None also for one who has ended."""
        account = await self.find(name)
        return account.officer if account and not account.is_ended else None

    async def proven(self, name: str, password: str) -> Account:
        """The account of who proves themselves by their password.

        Raises WrongPassword, whichever of the two is wrong, and also for one who has ended.
        """
        document = await self._documents.find(name)
        stored = document["password_hash"] if document else NO_PASSWORD
        is_right = await self._hash(verify_password, stored or await self._hash(_nobodys_hash), password)
        if document is None or not stored or not is_right or document["ended_at"]:
            raise WrongPassword("用户名或密码不正确。")
        return account_of(document)

    async def set_password(self, account: Account, password: str, *, is_one_time: bool) -> Account:
        """Put this password in the place of the present one, and end all sessions of the officer.

        Raises PasswordUsedBefore if it is one of the last five, StaleVersion if the account has changed since.
        """
        document = await self._documents.unchanged(account)
        past = [each for each in (document["password_hash"], *document["past_hashes"]) if each]
        for hashed in past:
            if await self._hash(verify_password, hashed, password):
                raise PasswordUsedBefore(f"请换一个密码：不能与最近 {REMEMBERED} 次使用过的密码相同。")
        new = {"password_hash": await self._hash(hash_password, password), "past_hashes": past[: REMEMBERED - 1]}
        return await self._documents.superseded(
            document, new | {"is_one_time": is_one_time, "epoch": document["epoch"] + 1}
        )

    async def end(self, name: str, *, at: datetime) -> datetime:
        """End an officer; answers since when they have ended, if not only now. Raises NoSuchOfficer, StaleVersion."""
        for _ in range(ATTEMPTS):
            document = await self._documents.stored(name)
            if document is None:
                raise _no_such_officer(name)
            if document["ended_at"]:
                return moment_of_key(document["ended_at"])
            end = await self._documents.ends.end(OFFICERS, document["_id"], at=at)
            with suppress(StaleVersion):
                key = _list_key(account_of(document).officer, ENDED)
                await self._documents.replaced(document, {"ended_at": end.ended_at, "list_key": key})
        raise StaleVersion(STALE)

    async def page(self, *, after: str, limit: int) -> list[Account]:
        """All accounts by state, role and name; `after` is the `place` of the last one already seen."""
        return await self._documents.listed("", after=after, limit=limit)

    async def has_security_administrator(self) -> bool:
        """Whether a security administrator is in office."""
        found = await self._documents.listed(BAR.join((IN_OFFICE, "security", "")), after="", limit=MOST_SECURITY)
        return any(not account.is_ended for account in found)

    @staticmethod
    def place(account: Account) -> str:
        """What orders accounts in a list."""
        return _list_key(account.officer, ENDED if account.is_ended else IN_OFFICE)

    async def known_name(self, name: str) -> str:
        """The name itself if it is or was that of an officer, else nothing: it may be a password in the wrong field."""
        return name if await self._documents.find(name) else ""

    async def _hash(self, work: Callable[..., Answer], *given: str | Cost) -> Answer:
        """What this gives, off the loop; as much of it at once as MOST_HASHING."""
        return await asyncio.get_running_loop().run_in_executor(self._hashing, work, *given)


def document_id(name: str) -> str:
    """The id of the document of the account of this name."""
    return f"officer:{name}"


def account_of(document: Document) -> Account:
    """The account that stands in this document."""
    return Account(
        officer=read(Officer, document),
        epoch=document["epoch"],
        ended_at=moment_of_key(document["ended_at"]) if document["ended_at"] else None,
        is_one_time=document["is_one_time"],
        has_totp=document["totp"] == "on",
        version=document["version"],
    )


def _no_such_officer(name: str) -> NoSuchOfficer:
    return NoSuchOfficer(f"没有用户名为“{name}”的工作人员。")


def _list_key(officer: Officer, state: str) -> str:
    return BAR.join((state, officer.role, officer.name))


@cache
def _nobodys_hash() -> str:
    """A hash to check when there is no such officer, so that an unknown name takes as long as a wrong password."""
    return hash_password("nobody")
