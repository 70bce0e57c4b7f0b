"""The response cache: answers that change only with what is published, serialised and compressed once."""

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel

MOST_RESPONSES = 1024
COMPRESSION_LEVEL = 9


@dataclass(frozen=True)
class CachedResponse:
    """One answer, plain and compressed; the tag is weak (RFC 9110 8.8.1), since it names both."""

    plain: bytes
    compressed: bytes
    etag: str


class ResponseCache:
    """The cached responses of one process, by path and query; when it is full, further responses are made each time."""

    def __init__(self) -> None:
        self._responses: dict[tuple[str, ...], CachedResponse] = {}

    def response(self, key: tuple[str, ...], view: Callable[[], BaseModel]) -> CachedResponse:
        """The response under this key, made from the view when it is not cached yet."""
        found = self._responses.get(key)
        if found is None:
            found = cached_response(view())
            if len(self._responses) < MOST_RESPONSES:
                self._responses[key] = found
        return found


def cached_response(view: BaseModel) -> CachedResponse:
    """A view as a response to cache."""
    plain = view.model_dump_json().encode()
    return CachedResponse(
        plain=plain,
        compressed=gzip.compress(plain, COMPRESSION_LEVEL, mtime=0),
        etag=f'W/"{hashlib.sha256(plain).hexdigest()[:32]}"',
    )
