"""Sessions through which nothing gets out, for processes that may not speak for their node."""

import errno
from collections.abc import Mapping
from typing import Any

import aiohttp

QUIET = "the process is quiet and speaks to nobody"


def session(*, is_silent: bool, **choices: Any) -> aiohttp.ClientSession:
    """A session; each request of a silent one fails as if nobody could be reached, before anything is sent."""
    return aiohttp.ClientSession(**choices, **(SILENT if is_silent else {}))


async def _refuse(request: aiohttp.ClientRequest, _: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    raise aiohttp.ClientConnectorError(request.connection_key, OSError(errno.ENETUNREACH, QUIET))


SILENT: Mapping[str, Any] = {"middlewares": (_refuse,)}
