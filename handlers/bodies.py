"""The body of a request: how much of it is taken, and how it is read as a model."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from server.domain.errors import FieldFault, Invalid, Malformed, TooLarge, TooSlow, Unsupported

MOST_READ_BYTES = 32 << 20
MOST_LISTED = 1000  # faults of a body that are looked at one by one; more are only counted
Model = TypeVar("Model", bound=BaseModel)


class BodyTooLarge(TooLarge):
    """The body is larger than this door takes."""

    code = "body_too_large"
    title = "请求内容过大"


class BodyTooSlow(TooSlow):
    """The body did not come in the time that a body of its length has."""

    code = "body_too_slow"
    title = "请求内容传输过慢"


class WrongContentType(Unsupported):
    """The body is not of the type that this door takes."""

    code = "wrong_content_type"
    title = "请求内容类型不正确"


class BodyUnreadable(Malformed):
    """The body is not JSON."""

    code = "body_unreadable"
    title = "请求内容无法解析"


class BodyFaulty(Invalid):
    """The body is JSON, but fields are missing, unknown or of the wrong kind."""

    code = "body_faulty"
    title = "请求内容有误"


class Incoming:
    """A body as it comes in: kept up to `most_bytes`, counted beyond that, and given its time."""

    def __init__(self, most_bytes: int, most_read_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._most_read_bytes = most_read_bytes
        self._chunks: list[bytes] = []
        self._size = 0
        self._overdue: asyncio.TimerHandle | None = None
        self.is_lost = False

    def begin(self, seconds: float, late: Callable[[], None]) -> None:
        """Call `late` if the body does not end within so many seconds."""
        self._overdue = asyncio.get_running_loop().call_later(seconds, late)

    def end(self) -> None:
        """The body has come, or is no longer awaited."""
        if self._overdue:
            self._overdue.cancel()

    def lose(self) -> None:
        """The connection was closed: nothing more comes, and nobody reads an answer."""
        self.is_lost = True
        self.end()

    @property
    def is_beyond_measure(self) -> bool:
        """Whether so much has come that not even the rest is read."""
        return self._size > self._most_read_bytes

    def take(self, chunk: bytes) -> None:
        """One more part of it."""
        self._size += len(chunk)
        if self._size <= self._most_bytes:
            self._chunks.append(chunk)

    def forget(self) -> None:
        """Keep nothing of what is still to come."""
        self._most_bytes = 0

    def whole(self) -> bytes:
        """All of it; raises BodyTooLarge."""
        if self._size > self._most_bytes:
            raise too_large(self._most_bytes)
        return b"".join(self._chunks)


def too_large(most_bytes: int) -> BodyTooLarge:
    """The refusal of more than this."""
    return BodyTooLarge(f"请求内容不能超过 {most_bytes // 1024} KB。")


def declared_bytes(headers: Mapping[str, str]) -> int:
    """How long the body will be, if the headers say so; 0 otherwise."""
    length = headers.get("Content-Length", "0")
    return int(length) if length.isascii() and length.isdigit() else 0


def is_unsent(headers: Mapping[str, str]) -> bool:
    """Whether the caller sends the body only when told to go on (RFC 9110, section 10.1.1)."""
    return headers.get("Expect") == "100-continue"


def seconds_for(headers: Mapping[str, str], *, most_bytes: int, grace_seconds: float, least_rate: int) -> float:
    """How long the body may take from now on: the grace, and the time its bytes need at the least rate per second.

    One without a length may be as long as the door takes, and a longer one has no more time than that; 0: no body.
    """
    declared = declared_bytes(headers)
    if "Transfer-Encoding" in headers:
        declared = most_bytes
    return grace_seconds + min(declared, most_bytes) / least_rate if declared else 0.0


def check_announced(headers: Mapping[str, str], *, most_bytes: int, takes_type: str = "") -> None:
    """Judge a body by its headers, of any type if `takes_type` is empty; raises BodyTooLarge or WrongContentType."""
    if declared_bytes(headers) > most_bytes:
        raise too_large(most_bytes)
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if takes_type and kind != takes_type:
        raise WrongContentType(f"请使用 {takes_type}。")


def read_model(kind: type[Model], body: bytes) -> Model:
    """The body as this model; raises BodyUnreadable, or BodyFaulty naming each field."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as fault:
        if fault.error_count() > MOST_LISTED:
            raise BodyFaulty(f"请求内容共有{fault.error_count()}处不正确。") from None
        found = fault.errors(include_url=False, include_context=False, include_input=False)
        if any(each["type"] == "json_invalid" for each in found):
            raise BodyUnreadable("请求内容不是正确的 JSON。") from None
        faults = [_field_fault(each["loc"], each["type"]) for each in found]
        raise BodyFaulty("请按提示修改后重试。", errors=faults) from None


def _field_fault(place: tuple[int | str, ...], kind: str) -> FieldFault:
    if place and place[-1] == "[key]":
        place, kind = place[:-1], "extra_forbidden"
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1")[:60] for part in place)
    if kind == "missing":
        return FieldFault(pointer=pointer, code="required", detail="缺少这一项。")
    if kind == "extra_forbidden":
        return FieldFault(pointer=pointer, code="unknown", detail="没有这一项。")
    return FieldFault(pointer=pointer, code="type", detail="格式不正确。")
