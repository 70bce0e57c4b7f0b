"""The response cache: answers that change only with what is published, serialised and compressed once."""

import gzip
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel

MOST_RESPONSES = 1024
COMPRESSION_LEVEL = 9
PUBLIC = "public, max-age=60"  # how long whoever has it, also a proxy, need not ask again
SEGMENT = re.compile(r"{\w+}")


@dataclass(frozen=True)
class CachedResponse:
    """One answer, plain and compressed; the tag is weak (RFC 9110 8.8.1), since it names both."""

    plain: bytes
    compressed: bytes
    etag: str


@dataclass(frozen=True)
class Page:
    """A cached response, and the path of the door that gives it, such as `/api/v1/items/{code}`."""

    door: str
    response: CachedResponse


class ResponseCache:
    """The cached responses of one process, by the path of the door and its segments.

    When it is full, further responses are made each time.
    """

    def __init__(self) -> None:
        self._pages: dict[str, Page] = {}

    def __len__(self) -> int:
        """How many responses are cached."""
        return len(self._pages)

    def page(self, path: str) -> Page | None:
        """The page at this path, as a caller writes it, if it is cached."""
        return self._pages.get(path)

    def response(self, key: tuple[str, ...], view: Callable[[], BaseModel]) -> CachedResponse:
        """The response of this door with these segments, made from the view when it is not cached yet."""
        door, segments = key[0], iter(key[1:])
        path = SEGMENT.sub(lambda _: next(segments), door)
        found = self._pages.get(path)
        if found is None:
            found = Page(door, cached_response(view()))
            if len(self._pages) < MOST_RESPONSES:
                self._pages[path] = found
        return found.response


def cached_response(view: BaseModel) -> CachedResponse:
    """A view as a response to cache."""
    plain = view.model_dump_json().encode()
    return CachedResponse(
        plain=plain,
        compressed=gzip.compress(plain, COMPRESSION_LEVEL, mtime=0),
        etag=f'W/"{hashlib.sha256(plain).hexdigest()[:32]}"',
    )
