"""The chain of an aggregate's events: each is one seal, bound to its place and to the link of the one before."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from server.crypto import base64url
from server.crypto.fields import DataKey
from server.domain.aggregate.happening import Happened
from server.domain.errors import NotAuthentic
from server.domain.interning import References
from server.domain.values import moment_key, moment_text
from server.store.aggregates.marks import ALARM, DONE
from server.store.database import Document

ERASED = "erased"
# An event says these beside its seal: whether an act was done is asked more often than what it brought about.
OPEN = ("kind", "act_id", "act_digest")
# What is left of an erased document; `links`, `link`, `event_key` and a `version` of its own come to it.
LEFT = ("_id", "format")


def place_of(collection: str, id: str, *parts: str | int) -> str:
    """Where a seal belongs: to this part of this aggregate and to no other; without parts, where its key does."""
    return "/".join((collection, id, *map(str, parts)))


def link_after(link: str, written: Mapping[str, Any]) -> str:
    """The link of an event as it is stored: SHA-256 of the link before and its bytes, in base64url."""
    text = orjson.dumps(written, option=orjson.OPT_SORT_KEYS)
    return base64url.encode(hashlib.sha256(link.encode() + b"\n" + text).digest())


def links_before(collection: str, document: Mapping[str, Any]) -> list[str]:
    """The link before each event; raises NotAuthentic if the chain does not end where the document says."""
    links = [""]
    for written in document["events"]:
        links.append(link_after(links[-1], written))
    if links.pop() != document["link"] or len(links) != document["version"]:
        raise NotAuthentic(place_of(collection, document["_id"]))
    return links


def links_after(collection: str, document: Mapping[str, Any]) -> list[str]:
    """The link of each event; raises NotAuthentic as `links_before` does."""
    return [*links_before(collection, document)[1:], document["link"]]


def appended(
    collection: str, before: Mapping[str, Any], events: Iterable[Happened], *, key: DataKey, context: References | None
) -> tuple[list[Document], str]:
    """Events as they are stored behind those that are there, and the link of the last."""
    link, written = before["link"], []
    for event in events:
        text = event.model_dump_json(context=context, exclude={"number", *OPEN}, exclude_defaults=True)
        seal = key.seal(text, place_of(collection, before["_id"], event.number, link))
        written.append({**{name: getattr(event, name) for name in OPEN}, "seal": seal})
        link = link_after(link, written[-1])
    return written, link


def tombstone(collection: str, document: Mapping[str, Any], *, at: datetime, left: Sequence[str]) -> Document:
    """What stands in the place of an aggregate that was erased at this moment: nothing of it can be opened any more.

    `links` are the links of all its events, so that a head of its chain that was noted somewhere is still found in it.
    The erasure is the last link, and one version. Members of the names `left` stay.
    """
    erased_at = moment_text(at)
    links = links_after(collection, document)
    link = link_after(document["link"], {"kind": ERASED, "at": erased_at})
    version = document["version"] + 1
    ended = {"version": version, "relayed": version, "relay": DONE, ALARM: DONE}
    told = {"links": [*links, link], "link": link, "erased_at": erased_at, "event_key": moment_key(at)}
    return {**{name: document[name] for name in (*LEFT, *left)}, **ended, **told}


def is_erased(document: Mapping[str, Any]) -> bool:
    """Whether a document is a tombstone; raises NotAuthentic if it is not ours as it stands."""
    return "erased_at" in document
