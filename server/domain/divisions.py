"""Administrative divisions (行政区划): six-digit codes in which a province contains its cities and counties."""

import re

from server.domain.errors import Invalid
from server.domain.names import Value

CODE = re.compile(r"^[1-9][0-9]{5}$")


class NotADivision(Invalid):
    """The text is no division code."""

    title = "行政区划代码不正确"


class Division(Value):
    """One division: code (GB/T 2260), zh-CN name, and where that is known from."""

    code: str
    name: str
    source: str
    status: str


def division_code(text: str) -> str:
    """The code itself; NotADivision unless it is six digits."""
    if not CODE.fullmatch(text):
        raise NotADivision(f"行政区划代码应为六位数字：{text[:12]}")
    return text


def prefix(code: str) -> str:
    """What all codes inside this division begin with: `320000` -> `32`, `320100` -> `3201`, `320102` -> itself."""
    for length in (2, 4):
        if code[length:] == "0" * (6 - length):
            return code[:length]
    return code


def province(code: str) -> str:
    """The code of the province that contains this division."""
    return code[:2] + "0000"
