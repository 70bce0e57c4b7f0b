"""A copy of a licence as it is given to whoever may see its face (照面): how it stands as of now, and a digest of it.

What its holder agrees to is asked of the node that issued it. Who asks there proves to know the holder by a mark that
is made of the identifier and the holder's number: without the number nobody sees a face.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints

from server.domain.canonical import digest
from server.domain.catalogue.pinning import PinnedAuthority
from server.domain.catalogue.results import MOST_HOLDERS
from server.domain.errors import Conflict
from server.domain.licence.identifier import NotAnIdentifier, parse
from server.domain.licence.licence import (
    MOST_FACE_FIELDS,
    Cause,
    Licence,
    LicenceHolder,
    LicenceState,
    NeverIssued,
    TrustLevel,
)
from server.domain.licence.standing import AnyLicence, is_good_on, standing_on, state_code_on, words_on
from server.domain.values import SENSITIVE, Day, Moment, Value

COPIED = (
    *("kind", "name", "holders", "authority", "face", "issued_on", "effective_on", "expires_on", "trust"),
    *("node", "state", "cause", "since", "reason", "basis", "successor"),
)
FACE = ("identifier", "name", "holders", "face", "issued_on", "effective_on", "expires_on")


class LicenceNotGood(Conflict):
    """The licence is not valid today; `state` says what it counts as."""

    code = "licence_not_good"
    title = "证照当前无效，不能使用"


class LicenceCopy(Value):
    """A licence as it stands at the node that issued it, with its face and its holders."""

    identifier: Annotated[str, StringConstraints(max_length=100)]
    node: str
    kind: str
    name: str
    holders: Annotated[tuple[LicenceHolder, ...], Field(min_length=1, max_length=MOST_HOLDERS)]
    authority: PinnedAuthority
    face: Annotated[Mapping[str, str], Field(max_length=MOST_FACE_FIELDS), SENSITIVE]
    issued_on: Day
    effective_on: Day
    expires_on: date | None
    trust: TrustLevel
    state: LicenceState
    cause: Cause
    since: Moment
    reason: Annotated[str, SENSITIVE]
    basis: str
    successor: str

    @classmethod
    def of(cls, licence: Licence) -> Self:
        """The copy of a licence that was issued here."""
        return cls(identifier=licence.id, **{name: getattr(licence, name) for name in COPIED})

    @property
    def face_sha256(self) -> str:
        """The SHA-256 (hex) of what stands on the face: a change of the state does not change it."""
        return digest(self.model_dump(mode="json", include=set(FACE)))


def identified(text: str) -> str:
    """The identifier as it is written; ValueError for what is none."""
    try:
        return parse(text).text
    except NotAnIdentifier as fault:
        raise ValueError(str(fault)) from fault


Identified = Annotated[str, StringConstraints(max_length=100), AfterValidator(identified)]
Mark = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
NodeNamed = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{5}$")]


class CopyReason(Value):
    """By what one may ask for a copy, who asks, and what for: `mark` is a holder's (`holder_mark`).

    `case` is the full name of the case that it is for, if any, and `item` the code of an item.
    """

    mark: Mark
    purpose: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    authority_name: Annotated[str, StringConstraints(max_length=200)] = ""
    officer: Annotated[str, StringConstraints(max_length=100)] = ""
    item: Annotated[str, StringConstraints(max_length=100)] = ""
    case: Annotated[str, StringConstraints(pattern=r"^([1-9][0-9]{5}/[A-Za-z0-9_-]{1,80})?$")] = ""


class CopyAsked(CopyReason):
    """Which copy is asked for, of the node that issued the licence."""

    identifier: Identified
    node: NodeNamed


def holder_mark(identifier: str, number: str) -> str:
    """What proves that one knows the number of a holder of this licence (hex)."""
    return digest(["holder of a licence", identifier, number])


def check_mark(licence: Licence, mark: str) -> None:
    """Raises NeverIssued unless the mark is of one of its holders."""
    if mark not in {holder_mark(licence.id, number) for number in licence.numbers}:
        raise NeverIssued("没有这个证照。")


def check_good(licence: AnyLicence, name: str, *, on: date) -> None:
    """Raises LicenceNotGood, which tells what the licence counts as on this day, unless it is valid."""
    if not is_good_on(licence, on):
        words = words_on(licence, on)
        more = {"state": standing_on(licence, on), "state_name": words, "state_code": state_code_on(licence, on).code}
        raise LicenceNotGood(f"“{name}”{words}，不能使用。", more=more)
