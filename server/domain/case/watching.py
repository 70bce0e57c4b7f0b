"""What somebody who watches their cases is told: that one has moved, and how far, and nothing that it says."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from server.domain.values import FIRST_YEAR, LAST_YEAR, moment_key, moment_of_key

# By how much what has moved may be seen late: commits under way, and clocks of other machines within their tolerance.
LATE = timedelta(seconds=75)


def _a_moment(cursor: str) -> str:
    if cursor and not FIRST_YEAR < moment_of_key(cursor).year <= LAST_YEAR:
        raise ValueError("a year that no cursor has")
    return cursor


# Up to when somebody has been told: a moment t..., or nothing. For clients it has no meaning.
Cursor = Annotated[str, StringConstraints(pattern=r"^(t[0-9:.TZ-]{24})?$"), AfterValidator(_a_moment)]


@dataclass(frozen=True)
class MovedCase:
    """A case (by its id) as it stands, the key (t...) of when its last event was, and who may be told.

    `agent` is told only under the `mandate`. An empty name is nobody.
    """

    id: str
    version: int
    moved_at: str
    owner: str
    agent: str = ""
    mandate: str = ""

    def people(self, ended: Collection[str]) -> frozenset[str]:
        """Whom its moves concern, if these mandates hold no more."""
        return frozenset((self.owner, "" if self.mandate in ended else self.agent)) - {""}


def cursor_at(at: datetime) -> Cursor:
    """The cursor of somebody who has been told of everything up to this moment."""
    return moment_key(at)


def since_cursor(cursor: Cursor) -> str:
    """The key of the moment from which on somebody may not have been told of everything."""
    return moment_key(moment_of_key(cursor) - 2 * LATE)
