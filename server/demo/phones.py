"""The citizens' phones behind the stand-in: takes subscribe messages by the rules of the real platform."""

import re
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from server.tools.messages import load_templates

OK, BUSY, TOKEN_INVALID, OPENID_INVALID = 0, -1, 40001, 40003
TEMPLATE_UNKNOWN, TOKEN_OVER, REFUSED, DATA_INVALID = 40037, 42001, 43101, 47003
WORDS = {
    OK: "ok",
    BUSY: "system error",
    TOKEN_INVALID: "invalid credential, access_token is invalid or not latest",
    OPENID_INVALID: "invalid openid",
    TEMPLATE_UNKNOWN: "invalid template_id",
    TOKEN_OVER: "access_token expired",
    REFUSED: "user refuse to accept the msg",
    DATA_INVALID: "argument invalid!",
}
TOKEN_SECONDS = 7200
DAY = r"\d{4}年\d{1,2}月\d{1,2}日"
SHAPES = {
    "thing": re.compile(".{1,20}"),
    "phrase": re.compile("[\u4e00-\u9fff]{1,5}"),
    "date": re.compile(rf"{DAY}( \d\d:\d\d)?"),
}


class Phones:
    """What was sent, and the server token; `templates` are the keys of each template by its id.

    So many messages as `busy` says are still answered with -1. `renewals` counts the tokens given out.
    """

    def __init__(
        self, templates: Mapping[str, Collection[str]], *, busy_first: int = 0, token_seconds: int = TOKEN_SECONDS
    ) -> None:
        self.sent: list[dict[str, Any]] = []
        self.renewals = 0
        self._templates = templates
        self.busy = busy_first
        self._token_seconds = token_seconds
        self._token = ""
        self._old: set[str] = set()

    def token(self, *, is_forced: bool) -> dict[str, Any]:
        """The answer to who asks for a token: the one that is good, or a new one."""
        if is_forced:
            self.end_token()
        self._token = self._token or secrets.token_urlsafe(32)
        self.renewals += 1
        return {"access_token": self._token, "expires_in": self._token_seconds}

    def end_token(self) -> None:
        """From now on the token is over."""
        self._old.add(self._token)
        self._token = ""

    def send(self, token: str, message: dict[str, Any], *, refusing: Mapping[str, bool]) -> int:
        """The errcode for a message; `refusing` tells of each openid whether its citizen refuses messages."""
        if token != self._token or not token:
            return TOKEN_OVER if token in self._old else TOKEN_INVALID
        if self.busy > 0:
            self.busy -= 1
            return BUSY
        openid = message.get("touser", "")
        if openid not in refusing:
            return OPENID_INVALID
        if message.get("template_id") not in self._templates:
            return TEMPLATE_UNKNOWN
        if refusing[openid]:
            return REFUSED
        if not _is_sound(message.get("data"), self._templates[message["template_id"]]):
            return DATA_INVALID
        self.sent.append(message)
        return OK


def phones_of(notices: Path, *, busy_first: int = 0) -> Phones:
    """Phones that take the templates of this file (config/notices.toml)."""
    templates = {each.id: frozenset(each.keys.values()) for each in load_templates(notices).template}
    return Phones(templates, busy_first=busy_first)


def _is_sound(data: Any, keys: Collection[str]) -> bool:
    """Whether all keys of the template are there, and no other, each with a text of its kind."""
    if not isinstance(data, dict) or data.keys() != set(keys):
        return False
    return all(SHAPES[key.rstrip("0123456789")].fullmatch(data[key].get("value", "")) for key in keys)
