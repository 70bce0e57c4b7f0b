"""Calls a server outside, and tells a call that never got out from one that may have been carried out."""

from typing import Any

import aiohttp
import orjson

from server.tools.logs import log

ANSWER_BYTES = 64 * 1024


class NotReached(Exception):
    """The call did not get out, so nothing happened there."""


class NotAnswered(Exception):
    """The call got out, and no answer came that can be read: it may have been carried out."""


class Calls:
    """Calls to the server at `base_url`; half of `total_seconds` may go by until it is connected.

    `called` is what the log calls it.
    """

    def __init__(
        self, base_url: str, session: aiohttp.ClientSession, *, total_seconds: float, called: str = "platform"
    ) -> None:
        self._base_url = base_url
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=total_seconds, connect=total_seconds / 2)
        self._failed = f"{called}.failed"

    async def ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """The JSON object that the server answers; raises NotReached and NotAnswered.

        Neither shows the address or the fault behind it, for secrets and tokens stand in the query.
        """
        try:
            async with self._session.request(
                method, self._base_url + path, timeout=self._timeout, allow_redirects=False, **request
            ) as response:
                status = response.status
                answer = orjson.loads(await _body(response))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as fault:
            log.warning(self._failed, path=path, reason=type(fault).__name__)
            raise NotReached from None
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError) as fault:
            log.warning(self._failed, path=path, reason=type(fault).__name__)
            raise NotAnswered from None
        if status != 200 or not isinstance(answer, dict):
            log.warning(self._failed, path=path, reason=f"status {status}")
            raise NotAnswered
        return answer


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """The body, cut where it grows longer than any answer that we ask for."""
    body = b""
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > ANSWER_BYTES:
            break
    return body[:ANSWER_BYTES]
