"""Telling: what the node that issued a licence tells the home of its case by letter, each time that it changes.

It says how the licence stands, and nothing of who holds it: the home knows that from its own case.
"""

from datetime import date
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from server.domain.catalogue.pinning import PinnedAuthority
from server.domain.licence.granting import LATEST_END
from server.domain.licence.identifier import LicenceIdentifier, NotAnIdentifier, parse
from server.domain.licence.licence import Cause, Licence, LicenceState
from server.domain.licence.standing import STANDINGS
from server.domain.values import SENSITIVE, Day, Moment, Value

LICENCE = "licence"  # the kind in `about`
LICENCE_TOLD = "licence.told"
KNOWN = "known_licences"  # where homes keep what they were told
MOST_EVENTS = 100_000

LastDay = Annotated[date, Field(le=LATEST_END)]
Line = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\p{C}]*$")]
Explained = Annotated[str, StringConstraints(max_length=500)]
OF_LICENCE = (
    *("name", "kind", "authority", "issued_on", "effective_on", "expires_on", "state", "cause", "since"),
    *("reason", "basis", "previous", "successor", "moved_to", "version"),
)


class ToldLicence(Value):
    """A licence as the node that issued it tells of it: the case and the step that it comes from, how it stands.

    `kind` is the code of the result in the catalogue, `version` the number of its last event.
    """

    identifier: Annotated[str, StringConstraints(max_length=100)]
    case: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{5}/[A-Za-z0-9_-]{1,80}$")]
    step: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,60}$")]
    name: Annotated[Line, StringConstraints(min_length=1)]
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,60}$")]
    authority: PinnedAuthority
    issued_on: Day
    effective_on: Day
    expires_on: LastDay | None
    state: LicenceState
    cause: Cause
    since: Moment
    reason: Annotated[Explained, SENSITIVE]
    basis: Explained
    previous: Annotated[str, StringConstraints(max_length=100)]
    successor: Annotated[str, StringConstraints(max_length=100)]
    moved_to: Explained
    version: Annotated[int, Field(strict=True, ge=1, le=MOST_EVENTS)]

    @field_validator("identifier")
    @classmethod
    def _is_identifier(cls, value: str) -> str:
        try:
            return parse(value).text
        except NotAnIdentifier as fault:
            raise ValueError(str(fault)) from fault

    @model_validator(mode="after")
    def _has_words(self) -> Self:
        if (self.state, self.cause) not in STANDINGS:
            raise ValueError("cause must be one of the state")
        return self

    @classmethod
    def of(cls, licence: Licence) -> Self | None:
        """What is told of a licence; None of one that comes from no case."""
        if licence.origin is None:
            return None
        where = {"identifier": licence.id, "case": licence.origin.case, "step": licence.origin.step}
        said: dict[str, Any] = {name: getattr(licence, name) for name in OF_LICENCE}
        return cls(**{**where, **said})

    @property
    def parts(self) -> LicenceIdentifier:
        """The parts of its identifier."""
        return parse(self.identifier)

    @property
    def age(self) -> int:
        """What is higher the later it was told of one licence: the version of the licence, then that of its life."""
        return self.parts.version * MOST_EVENTS + min(self.version, MOST_EVENTS - 1)


class KnownLicence(Value):
    """What a home knows of a licence of another node (`node`), and as of when it learned that (`known_at`).

    `case` is the id of the case here, `people` the keys of the persons to whom it may be shown.
    """

    node: str
    case: str
    people: tuple[str, ...] = ()
    known_at: Moment
    told: ToldLicence

    @property
    def id(self) -> str:
        """Under which it is kept: the step that it comes from has one licence, in its versions."""
        return f"{self.case}:{self.told.step}"
