"""How the applicant is told of an event on the phone: by which template, in which words."""

from dataclasses import dataclass
from typing import Literal

TemplateName = Literal[
    "received",
    "accepted",
    "supplement_asked",
    "time_changed",
    "decided",
    "delivered",
    "closed",
    "reminder",
    "draft_expiring",
]


@dataclass(frozen=True)
class Announcement:
    """The template of the notice, the state in at most five characters, and what to do now."""

    template: TemplateName
    state: str
    hint: str
