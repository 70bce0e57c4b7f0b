"""Free of upload (免提交): a licence takes the place of a material, and the step carries a reference to it.

A reference is a content as any material is: a letter offers it by its digest, the decider fetches it, and a supplement
puts another material in its place. So no letter and no case says anything that it did not say before.
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import StringConstraints, ValidationError

from server.domain.canonical import canonical
from server.domain.licence.copies import CopyAsked, Identified, LicenceCopy, Mark, NodeNamed
from server.domain.licence.standing import LicenceStanding, standing_on
from server.domain.values import Moment, Value, china_day

REFERENCE = "application/vnd.tongban.licence+json"
PASSED_OVER: Literal["ignore"] = "ignore"


class LicenceGiven(Value):
    """A licence of the applicant's in the place of a material: which kind of material, and the licence's identifier.

    `has_consented`: the applicant lets those who decide see it.
    """

    code: Annotated[str, StringConstraints(max_length=100)]
    identifier: Annotated[str, StringConstraints(max_length=100)]
    has_consented: bool


class LicenceReference(Value):
    """Which licence takes the place of a material, how it stood when it was handed in, and a digest of its face.

    `case` is the full name of the one case that it is for, so that no two cases share one. `mark` is a holder's, by
    which the node that issued it gives the face to those who decide (`LicenceCopy`).
    """

    case: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{5}/[A-Za-z0-9_-]{1,80}$")]
    identifier: Identified
    node: NodeNamed
    mark: Mark
    kind: str
    name: str
    authority_name: str
    state: LicenceStanding
    known_at: Moment
    consented_at: Moment
    expires_on: date | None
    face_sha256: str

    @classmethod
    def of(cls, copy: LicenceCopy, *, case: str, mark: str, at: Moment) -> Self:
        """The reference to a licence as this copy has it, to which its holder consents now."""
        return cls(
            **copy.model_dump(include={"identifier", "node", "kind", "name", "expires_on"}),
            case=case,
            mark=mark,
            authority_name=copy.authority.name,
            state=standing_on(copy, china_day(at)),
            known_at=at,
            consented_at=at,
            face_sha256=copy.face_sha256,
        )

    @classmethod
    def find(cls, content: bytes, *, case: str) -> Self | None:
        """What a content says, if it is a reference for this case; members of a newer program are passed over."""
        try:
            found = cls.model_validate_json(content, extra=PASSED_OVER)
        except ValidationError:
            return None
        return found if found.case == case else None

    @property
    def content(self) -> bytes:
        """The bytes of it."""
        return canonical(self.model_dump(mode="json"))

    def asked(self, *, purpose: str, authority_name: str, officer: str) -> CopyAsked:
        """The question of those who decide for the face, and how it stands now."""
        return CopyAsked(
            **self.model_dump(include={"identifier", "node", "mark"}),
            purpose=purpose,
            authority_name=authority_name,
            officer=officer,
            case=self.case,
        )
