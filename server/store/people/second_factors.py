"""Second factors in the store: the sealed secret of an officer's authenticator, its last used step, recovery codes.

They stand in the document of the account, so that one compare-and-set uses up a code.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from server.crypto.fields import FieldRing
from server.crypto.totp import provisioning_uri, secret_text, step_of
from server.domain.errors import Conflict, StaleVersion, Unproven
from server.domain.people.accounts import Account, TotpOffer
from server.store.database import Database, Document
from server.store.ends import Ends
from server.store.people.accounts import ATTEMPTS, NO_FACTORS, STALE, OfficerDocuments


class CodeWrong(Unproven):
    """The code is not the authenticator's, was used before, or is no unused recovery code."""

    code = "totp_code_wrong"
    title = "动态验证码不正确"


class TotpIsOn(Conflict):
    """The account has an authenticator already; only a security administrator takes it away."""

    code = "totp_is_on"
    title = "已启用动态验证码"


class TotpNotOffered(Conflict):
    """There is no secret that could be confirmed; ask for one first."""

    code = "totp_not_offered"
    title = "请先获取动态验证码密钥"


class SecondFactors:
    """The second factors of all accounts."""

    def __init__(self, database: Database, ring: FieldRing, ends: Ends) -> None:
        self._documents = OfficerDocuments(database, ends)
        self._ring = ring

    async def offer(self, account: Account, secret: bytes, *, issuer: str) -> TotpOffer:
        """Keep a new secret until it is confirmed; raises TotpIsOn, StaleVersion."""
        document = await self._documents.unchanged(account)
        if document["totp"] == "on":
            raise TotpIsOn("如需更换设备，请联系安全管理员重置。")
        text = secret_text(secret)
        await self._documents.replaced(document, self._sealed(document, text) | {"totp": "offered"})
        return TotpOffer(secret=text, uri=provisioning_uri(text, name=account.officer.name, issuer=issuer))

    async def confirm(self, account: Account, code: str, *, at: datetime, recovery: Sequence[str]) -> Account:
        """From now on the account is proven by codes too; `recovery` are the digests of codes that are good once.

        Raises TotpIsOn, TotpNotOffered, CodeWrong, StaleVersion.
        """
        document = await self._documents.unchanged(account)
        if document["totp"] == "on":
            raise TotpIsOn("如需更换设备，请联系安全管理员重置。")
        if document["totp"] != "offered":
            raise TotpNotOffered("请先获取密钥，再填写验证码。")
        change = self._used(document, code, digest="", at=at)
        return await self._documents.superseded(document, change | {"totp": "on", "recovery": list(recovery)})

    async def plant(self, account: Account, secret: str) -> Account:
        """Give the account an authenticator of this secret, which somebody else has confirmed."""
        document = await self._documents.unchanged(account)
        return await self._documents.superseded(document, self._sealed(document, secret) | {"totp": "on"})

    async def use(self, account: Account, code: str, *, digest: str, at: datetime) -> Account:
        """Use up a code of the authenticator, or the recovery code of this digest.

        Raises CodeWrong, and StaleVersion if the account was reset or ended since it was proven.
        """
        for _ in range(ATTEMPTS):
            document = await self._documents.find(account.officer.name)
            if document is None or document["epoch"] != account.epoch or document["ended_at"]:
                break
            if document["totp"] != "on":
                raise CodeWrong("该账号未启用动态验证码。")
            with suppress(StaleVersion):  # another sign-in was faster: whether it used the same code is looked at anew
                change = self._used(document, code, digest=digest, at=at)
                # A code of the authenticator is good for a moment anyway; a recovery code would be for ever.
                put = self._documents.superseded if "recovery" in change else self._documents.replaced
                return await put(document, change)
        raise StaleVersion(STALE)

    async def forget(self, account: Account) -> Account:
        """Take the authenticator and the recovery codes away, and end all sessions; raises StaleVersion."""
        document = await self._documents.unchanged(account)
        return await self._documents.superseded(document, NO_FACTORS | {"epoch": document["epoch"] + 1})

    def _sealed(self, document: Document, secret: str) -> Document:
        key = self._ring.new_key(document["_id"])
        sealed = key.seal(secret, f"{document['_id']}/totp")
        return {"totp_secret": sealed, "totp_key": key.wrapped, "totp_step": 0, "recovery": []}

    def _used(self, document: Document, code: str, *, digest: str, at: datetime) -> Document:
        """What is used up by this code; raises CodeWrong."""
        if digest and digest in document["recovery"]:
            return {"recovery": [each for each in document["recovery"] if each != digest]}
        key = self._ring.key(document["totp_key"], document["_id"])
        secret = key.open(document["totp_secret"], f"{document['_id']}/totp")
        step = step_of(secret, code, at=at, after=document["totp_step"])
        if step is None:
            raise CodeWrong("请填写验证器当前显示的 6 位数字，每个只能使用一次；也可使用未用过的恢复码。")
        return {"totp_step": step}
