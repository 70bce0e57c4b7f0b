"""Asks the WeChat-style platform who a login code belongs to, and whether a face is the named person's."""

import asyncio
from typing import Any

import aiohttp

from server.domain.errors import Forbidden, Invalid, Refusal, Unavailable, Unproven
from server.tools.calls import Calls, NotAnswered, NotReached
from server.tools.logs import log
from server.tools.messages import Messages

TOTAL_SECONDS = 5.0
SUCCESS, BUSY = 0, -1
TRIES = 3
PAUSE_SECONDS = 0.1


class PlatformBusy(Unavailable):
    """The platform says that it is busy, or that we have asked too often today."""

    code = "platform_busy"
    title = "登录平台繁忙，请稍后重试"


class PlatformUnreachable(Unavailable):
    """The platform did not answer in time, or answered what we cannot read."""

    code = "platform_unreachable"
    title = "登录平台暂时无法访问，请稍后重试"


class LoginCodeInvalid(Unproven):
    """The platform does not know this login code, or it has been used."""

    code = "login_code_invalid"
    title = "登录凭证无效或已过期，请重新登录"


class LoginTooOften(Unavailable):
    """The platform counts more than a hundred logins of this person in a minute."""

    code = "login_too_often"
    title = "登录过于频繁，请一分钟后重试"


class LoginRefusedByPlatform(Forbidden):
    """The platform has blocked this account as high risk."""

    code = "login_refused_by_platform"
    title = "该账号被平台限制登录"


class IdentityMismatch(Invalid):
    """Name, ID number and face do not belong to one person."""

    code = "identity_mismatch"
    title = "姓名、身份证号与人脸核验不一致"


REFUSALS: dict[int, type[Refusal]] = {
    BUSY: PlatformBusy,
    40029: LoginCodeInvalid,
    40163: LoginCodeInvalid,  # used before
    40226: LoginRefusedByPlatform,
    45009: PlatformBusy,  # the quota of the day
    45011: LoginTooOften,
    61001: IdentityMismatch,
}


class Platform:
    """A client of the platform at `base_url`; `messages` sends to phones. The session belongs to the caller."""

    def __init__(
        self,
        base_url: str,
        app_id: str,
        *,
        secret: str,
        session: aiohttp.ClientSession,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._calls = Calls(base_url, session, total_seconds=total_seconds)
        self._app_id = app_id
        self._secret = secret
        self.messages = Messages(self._calls, app_id, secret=secret)

    async def openid(self, code: str) -> str:
        """The stable pseudonym of the person whose phone got this login code; the session key is not kept.

        Raises LoginCodeInvalid, LoginTooOften, LoginRefusedByPlatform, PlatformBusy, PlatformUnreachable.
        """
        asked = {
            "appid": self._app_id,
            "secret": self._secret,
            "js_code": code,
            "grant_type": "authorization_code",
        }
        openid = (await self._ask("GET", "/sns/jscode2session", params=asked)).get("openid")
        if not isinstance(openid, str) or not openid:
            raise PlatformUnreachable
        return openid

    async def check_face(self, name: str, id_number: str, *, face_token: str) -> None:
        """Check (核身) that the face behind the token is that of the named person.

        `/identity/check` is the contract of our own stand-in (server/demo/platform.py), not of WeChat, whose
        face check is opened to a government body by agreement. Raises IdentityMismatch, PlatformBusy,
        PlatformUnreachable.
        """
        asked = {"app_id": self._app_id, "name": name, "id_number": id_number, "face_token": face_token}
        await self._ask("POST", "/identity/check", json=asked)

    async def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(PAUSE_SECONDS * attempt)
            answer = await self._ask_once(method, path, **request)
            errcode = answer.get("errcode", SUCCESS)  # some successes omit it
            if errcode != BUSY:
                break
        if errcode == SUCCESS:
            return answer
        if errcode in REFUSALS:
            raise REFUSALS[errcode]
        log.error("platform.refused", path=path, errcode=errcode)
        raise PlatformUnreachable

    async def _ask_once(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        try:
            return await self._calls.ask(method, path, **request)
        except (NotReached, NotAnswered):
            raise PlatformUnreachable from None
