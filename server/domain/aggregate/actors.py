"""Actors: who does an act, or has done it."""

from typing import Literal

from server.domain.people.posts import PostRole
from server.domain.values import Value


class Actor(Value):
    """Who did something: at which node, in which part, and for an officer the authority (by id), name and role.

    `node` as a part means that the node did it by rule, as a consequence of something else. `is_agent`: a citizen did
    it for the applicant. `window`: the one at which the officer did it for the authority. `stands_in_for`: the officer
    in whose place this one did it.
    """

    node: str
    part: Literal["citizen", "officer", "node"]
    authority: str = ""
    window: str = ""
    name: str = ""
    role: PostRole | None = None
    is_agent: bool = False
    stands_in_for: str = ""
