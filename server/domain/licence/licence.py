"""A licence (电子证照) as its events have made it: what was granted, to whom, until when, and what became of it."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from server.domain.catalogue.pinning import PinnedAuthority
from server.domain.catalogue.results import MOST_HOLDERS
from server.domain.errors import Missing
from server.domain.licence.identifier import LicenceIdentifier
from server.domain.values import SENSITIVE, Day, Moment, Value

LicenceState = Literal["valid", "suspended", "revoked", "withdrawn", "annulled", "expired", "moved_out", "replaced"]
# For good: none of these is ever valid again.
OVER: frozenset[LicenceState] = frozenset(("revoked", "withdrawn", "annulled", "expired", "replaced"))
RevokedBy = Literal["rescinded", "penalised"]  # 撤销 (行政许可法第六十九条), 吊销 (a penalty)
ReplacedBy = Literal["renewed", "changed", "reissued", "corrected"]
Cause = Literal["", RevokedBy, ReplacedBy]
TrustLevel = Literal["A", "B", "C", "D"]
HolderKind = Literal["111", "001"]  # GB/T 36903: 公民身份号码, 统一社会信用代码
Ground = Annotated[str, StringConstraints(min_length=1, max_length=500)]
MOST_FACE_FIELDS = 100


class NeverIssued(Missing):
    """No licence of this identifier was issued here, or the asker has no right to know of it."""

    code = "never_issued"
    title = "没有这个证照"


class LicenceHolder(Value):
    """Who holds a licence (持证主体): the kind of the number, the number (18 characters) and the name."""

    kind: HolderKind
    number: Annotated[str, StringConstraints(min_length=18, max_length=18), SENSITIVE]
    name: Annotated[str, StringConstraints(min_length=1, max_length=100), SENSITIVE]


class Origin(Value):
    """The approved step that a licence comes from: the case by its full name, the step, the id of the act.

    `applicant` is the key of the case's applicant, whom only its home knows.
    """

    case: str
    step: str
    act_id: str
    applicant: str = ""


class Grant(Value):
    """What is granted with a licence, and stands on its face (照面).

    `kind` is the code of the result in the catalogue, `face` the fields of it. `expires_on` is its last day; None: it
    has no end. `previous` is the identifier of the licence whose place it takes. `trust` by 国办函〔2016〕108号: A made
    by the authority itself, B checked against the original, C handed in, D the holder's own on a promise.
    """

    identifier: LicenceIdentifier
    kind: str
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    holders: Annotated[tuple[LicenceHolder, ...], Field(min_length=1, max_length=MOST_HOLDERS)]
    authority: PinnedAuthority
    face: Annotated[Mapping[str, str], Field(max_length=MOST_FACE_FIELDS), SENSITIVE] = Field(default_factory=dict)
    issued_on: Day
    effective_on: Day
    expires_on: date | None = None
    trust: TrustLevel = "A"
    origin: Origin | None = None
    previous: str = ""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.expires_on is not None and self.expires_on < self.effective_on:
            raise ValueError("the last day must not be before the first")
        return self

    @property
    def id(self) -> str:
        """How it is called everywhere: its identifier as a text."""
        return self.identifier.text

    @property
    def numbers(self) -> frozenset[str]:
        """The numbers of its holders."""
        return frozenset(holder.number for holder in self.holders)


class Licence(Grant):
    """One licence at the node that issued it; `since`, `reason` and `basis` are of its state, `cause` tells two apart.

    `successor` is the identifier of the licence that took its place, `moved_to` where it has moved. `spoken_number` is
    the one that people say: twelve digits, and nothing in licences that are older than such numbers.
    """

    node: str
    spoken_number: str = ""
    state: LicenceState = "valid"
    cause: Cause = ""
    since: Moment
    reason: Annotated[str, SENSITIVE] = ""
    basis: str = ""
    successor: str = ""
    moved_to: str = ""
    version: int
