"""Keys that are replaced while a node runs: what stands under each of them, and when one may go."""

from collections.abc import Mapping
from typing import Literal

from server.domain.values import Value

Ring = Literal["fields", "integrity"]

MOST_NAMED = 5


class NoSuchKey(ValueError):
    """No ring of the key file has a key of this id."""


class KeyInUse(ValueError):
    """A key is still needed: it is the current one of its ring, or something stands under it."""


class KeysOfADrill(ValueError):
    """The database is a drill: its key file is that of the node, which is changed beside its own database only."""


class KeyUse(Value):
    """How many documents of which collection, or `files`, stand under one key of a ring."""

    ring: str
    key: str
    is_current: bool
    stands: Mapping[str, int]


class KeyWalk(Value):
    """What a walk over everything found: `old` of `seen` documents and files are not under the current keys.

    `renewed` were written anew by this walk, and `moved` were not, as they were changed meanwhile. What this node did
    not write as it stands, or what no key opens, is `broken` (the first of them are named) and stands under no key.
    """

    keys: tuple[KeyUse, ...]
    seen: int
    old: int
    renewed: int
    moved: int
    broken: int
    broken_places: tuple[str, ...]


def check_unused(use: KeyUse) -> None:
    """A key may go that is not the current one and under which nothing stands; raises KeyInUse."""
    if use.is_current:
        raise KeyInUse(f"{use.key} is the current key of its ring: `keys add` and `keys use` put another in its place")
    if use.stands:
        named = ", ".join(f"{number} in {place}" for place, number in list(use.stands.items())[:MOST_NAMED])
        more = " and elsewhere" if len(use.stands) > MOST_NAMED else ""
        raise KeyInUse(f"{use.key} is still needed, by {named}{more}: `keys renew` writes them anew")
