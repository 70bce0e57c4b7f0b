"""The shelf: answers that change only with what is published, serialised and compressed once."""

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel

MOST_PAGES = 1024
COMPRESSION_LEVEL = 9


@dataclass(frozen=True)
class Page:
    """One answer, plain and compressed; the tag is weak (RFC 9110 8.8.1), since it names both."""

    plain: bytes
    compressed: bytes
    etag: str


class Shelf:
    """The pages of one process, by door and what was asked for; what does not fit any more is made each time."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, ...], Page] = {}

    def page(self, key: tuple[str, ...], view: Callable[[], BaseModel]) -> Page:
        """The page of this key, made of the view if it does not stand there yet."""
        found = self._pages.get(key)
        if found is None:
            found = page_of(view())
            if len(self._pages) < MOST_PAGES:
                self._pages[key] = found
        return found


def page_of(view: BaseModel) -> Page:
    """A view as a page."""
    plain = view.model_dump_json().encode()
    return Page(
        plain=plain,
        compressed=gzip.compress(plain, COMPRESSION_LEVEL, mtime=0),
        etag=f'W/"{hashlib.sha256(plain).hexdigest()[:32]}"',
    )
