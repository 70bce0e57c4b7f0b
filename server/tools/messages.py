"""Sends subscribe messages (订阅消息) over the WeChat-style platform, with a server token that it keeps."""

import asyncio
from pathlib import Path
from typing import Any, cast

from server.domain.effects.notices import Attempt, Notice, Template, Templates, data_of
from server.tools.calls import Calls, NotAnswered, NotReached
from server.tools.datafiles import Reading
from server.tools.logs import log

TOKEN_PATH, SEND_PATH = "/cgi-bin/stable_token", "/cgi-bin/message/subscribe/send"
LANGUAGE = "zh_CN"
RENEWED_BEFORE_SECONDS = 300  # the platform lets an old token and the new one overlap so long
SUCCESS = 0
TOKEN_OVER = frozenset({40001, 40014, 42001})
COMES_BACK = frozenset({-1, 45009, 45011})  # busy, the quota of the day, the rate of a minute


class _NoToken(Exception):
    """The platform gave no token, with this errcode (0: it gave no answer)."""

    def __init__(self, errcode: int) -> None:
        super().__init__(errcode)
        self.errcode = errcode


class Messages:
    """Messages of one mini-program; one renewal of the token at a time, which all other calls wait for."""

    def __init__(self, calls: Calls, app_id: str, *, secret: str) -> None:
        self._calls = calls
        self._app_id = app_id
        self._secret = secret
        self._token = ""
        self._renewed_at = 0.0
        self._renewing = asyncio.Lock()

    async def send(self, openid: str, notice: Notice, *, template: Template, miniprogram_state: str) -> Attempt:
        """Send one notice to one phone; what came of it is an answer, never an exception.

        A token that the platform no longer takes is renewed once. Whatever the platform refuses, other than for
        the moment, would be refused again.
        """
        body = {
            "touser": openid,
            "template_id": template.id,
            "page": notice.page,
            "data": data_of(notice, template),
            "miniprogram_state": miniprogram_state,
            "lang": LANGUAGE,
        }
        try:
            token = await self._token_after("")
            errcode = await self._send(token, body)
            if errcode in TOKEN_OVER:
                errcode = await self._send(await self._token_after(token), body)
        except NotAnswered:
            return Attempt("unknown")
        except NotReached:
            return Attempt("later")
        except _NoToken as fault:
            return Attempt("later", fault.errcode)
        if errcode == SUCCESS:
            return Attempt("sent")
        return Attempt("later" if errcode in COMES_BACK | TOKEN_OVER else "refused", errcode)

    async def _send(self, token: str, body: dict[str, Any]) -> int:
        return _errcode(await self._calls.ask("POST", SEND_PATH, params={"access_token": token}, json=body))

    async def _token_after(self, refused: str) -> str:
        """A token that is good for a while and is not the refused one; raises _NoToken."""
        async with self._renewing:
            if self._token in ("", refused) or asyncio.get_running_loop().time() >= self._renewed_at:
                token = await self._renew(is_forced=False)
                if token == refused:  # a renewal by force counts against twenty a day
                    await self._renew(is_forced=True)
            return self._token

    async def _renew(self, *, is_forced: bool) -> str:
        asked = {"grant_type": "client_credential", "appid": self._app_id, "secret": self._secret}
        at = asyncio.get_running_loop().time()
        try:
            answer = await self._calls.ask("POST", TOKEN_PATH, json={**asked, "force_refresh": is_forced})
            token, seconds, errcode = answer.get("access_token"), answer.get("expires_in"), _errcode(answer)
        except (NotReached, NotAnswered):
            raise _NoToken(SUCCESS) from None
        if not isinstance(token, str) or not token or not isinstance(seconds, int):
            log.error("platform.refused", path=TOKEN_PATH, errcode=errcode)
            raise _NoToken(errcode)
        self._token, self._renewed_at = token, at + seconds - RENEWED_BEFORE_SECONDS
        return token


def load_templates(path: Path) -> Templates:
    """The templates of notices of a file such as config/notices.toml; raises BrokenData."""
    reading = Reading()
    templates = reading.whole(path, Templates)
    reading.finish()
    return cast(Templates, templates)  # where there are none, finish has raised


def _errcode(answer: dict[str, Any]) -> int:
    """What the platform says of a call; some successes omit it."""
    errcode = answer.get("errcode", SUCCESS)
    if not isinstance(errcode, int):
        raise NotAnswered
    return errcode
