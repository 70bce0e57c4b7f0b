"""The accounts of officers in the store, with the hashes of their passwords."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from typing import TypeVar

from server.crypto.passwords import RECOMMENDED, Cost, hash_password, verify_password
from server.domain.errors import Conflict, Missing, Unproven
from server.domain.people.accounts import Account
from server.domain.people.persons import Officer, Rank
from server.domain.values import moment_key, moment_of_key
from server.store.database import Database, Document, Duplicate, Mark, is_safe

OFFICERS = "officers"
HASHING, MOST_HASHING = "argon2", 2  # each takes 64 MiB and a core; the others wait
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


class Accounts:
    """The accounts of all who work at this node's desks, by name."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hashing = ThreadPoolExecutor(MOST_HASHING, thread_name_prefix=HASHING)

    async def add_officer(
        self, name: str, department: str, password: str, *, rank: Rank = "officer", cost: Cost = RECOMMENDED
    ) -> None:
        """Store a new officer, their password hashed at this cost; raises OfficerExists and NameEnded."""
        hashed = await self._hash(hash_password, password, cost)
        officer = {"name": name, "department": department, "rank": rank, "password_hash": hashed, "epoch": 1}
        try:
            await self._database.insert(OFFICERS, {"_id": f"officer:{name}", **officer})
        except Duplicate as fault:
            if await self.find_officer(name) is None:
                raise NameEnded(f"用户名“{name}”已停用，请换一个用户名。") from fault
            raise OfficerExists("同名工作人员已存在。") from fault

    async def proven(self, name: str, password: str) -> Account:
        """The account of who proves themselves by their password.

        Raises WrongPassword, whichever of the two is wrong, and also for one who has ended.
        """
        document = await self._officer(name)
        stored = document["password_hash"] if document else await self._hash(_nobodys_hash)
        is_right = await self._hash(verify_password, stored, password)
        if document is None or not is_right or document.get("ended_at"):
            raise WrongPassword("用户名或密码不正确。")
        return _account(document)

    async def find(self, name: str) -> Account | None:
        """The account of this name, also of one who has ended; None if there never was one."""
        document = await self._officer(name)
        return _account(document) if document else None

    async def find_officer(self, name: str) -> Officer | None:
        """The officer of this name, or None; None also for one who has ended."""
        document = await self._officer(name)
        return _officer(document) if document and not document.get("ended_at") else None

    async def end_officer(self, name: str, *, at: datetime) -> datetime:
        """End an officer; answers since when they have ended, if not only now. Raises NoSuchOfficer."""
        document = await self._officer(name)
        if document is None:
            raise NoSuchOfficer(f"没有用户名为“{name}”的工作人员。")
        if document.get("ended_at"):
            return moment_of_key(document["ended_at"])
        await self._database.mark(OFFICERS, Mark(document["_id"], {"ended_at": moment_key(at)}))
        return at

    async def known_name(self, name: str) -> str:
        """The name itself if it is or was that of an officer, else nothing: it may be a password in the wrong field."""
        return name if await self._officer(name) else ""

    async def _hash(self, work: Callable[..., Answer], *given: str | Cost) -> Answer:
        """What this gives, off the loop; as much of it at once as MOST_HASHING."""
        return await asyncio.get_running_loop().run_in_executor(self._hashing, work, *given)

    async def _officer(self, name: str) -> Document | None:
        id = f"officer:{name}"
        return await self._database.get(OFFICERS, id) if is_safe(id) else None


def _account(document: Document) -> Account:
    return Account(officer=_officer(document), epoch=document["epoch"], is_ended=bool(document.get("ended_at")))


def _officer(document: Document) -> Officer:
    return Officer(name=document["name"], department=document["department"], rank=document.get("rank", "officer"))


@cache
def _nobodys_hash() -> str:
    """A hash to check when there is no such officer, so that an unknown name takes as long as a wrong password."""
    return hash_password("nobody")
