"""Administrative divisions (行政区划): six-digit codes in which a province contains its cities and counties."""

import re

from server.domain.names import Value

CODE = re.compile(r"^[1-9][0-9]{5}$")


class Division(Value):
    """One division: code (GB/T 2260), zh-CN name, and where that is known from."""

    code: str
    name: str
    source: str
    status: str


def prefix(code: str) -> str:
    """What all codes inside this division begin with: `320000` -> `32`, `320100` -> `3201`, `320102` -> itself."""
    for length in (2, 4):
        if code[length:] == "0" * (6 - length):
            return code[:length]
    return code
