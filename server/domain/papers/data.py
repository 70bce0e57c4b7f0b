"""The data of one paper: the frame that all papers have, and a body by kind."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializeAsAny, StringConstraints, field_validator, model_validator

from server.domain.canonical import digest
from server.domain.papers.bodies import BODIES, Name, PaperBody, Words
from server.domain.values import Day, Value

ItemType = Literal["licence", "payment", "confirmation", "ruling", "award", "other_power", "service"]
RemedyKind = Literal["administrative", "notary", "service"]
MOST_COPIES = 20
MaskedNumber = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z*]*\*[0-9A-Za-z*]*$", max_length=40)]
LAYOUT = "2026-12-01.4"  # raised with every change of what is drawn: the digest of a paper names it


class Remedy(Value):
    """Where one may turn against the paper.

    `administrative`: organ and online channel of the review (行政复议), and the court. A notary or a provider of
    services (bank, hospital) decides nothing that a review could set aside: there `organ` hears complaints.
    """

    kind: RemedyKind
    organ: Name
    online_channel: Name
    court: Name | None = None


class Frame(Value):
    """What every paper carries, whatever its kind.

    `number` is the 文号, where the kind has one, `spoken_number` the one that people say, in groups. `recipient_id` is
    masked by whoever makes the frame. `check_address` is what the QR code opens, its last part the key; `check_code`
    and that key are typed from paper. None of them says anything about a person.
    """

    authority: Name
    number: Name | None = None
    spoken_number: Name | None = None
    recipient: Name
    recipient_kind: Literal["person", "enterprise"]
    recipient_id: MaskedNumber
    case: Name
    item: Name
    item_type: ItemType
    dated_on: Day
    phone: Name
    check_address: Annotated[str, StringConstraints(pattern=r"^https?://[!-~]{3,300}$")]
    check_code: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{16}$")]
    copies: Annotated[int, Field(strict=True, ge=1, le=MOST_COPIES)] = 1
    remedy: Remedy | None = None
    note: Words | None = None


class PaperData(Value):
    """One paper as data: its kind, a code of BODIES; its frame; its body, which is of that kind."""

    kind: str
    frame: Frame
    body: SerializeAsAny[PaperBody]

    @model_validator(mode="before")
    @classmethod
    def _body_by_kind(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and isinstance(raw.get("body"), dict) and raw.get("kind") in BODIES:
            return {**raw, "body": BODIES[raw["kind"]].model_validate(raw["body"])}
        return raw

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str) -> str:
        if kind not in BODIES:
            raise ValueError(f"there is no kind of paper {kind!r}")
        return kind

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if type(self.body) is not BODIES[self.kind]:
            raise ValueError(f"the body is none of the kind {self.kind!r}")
        return self


def paper_digest(data: PaperData, *, texts: str, layout: str) -> str:
    """SHA-256, hexadecimal, of the data with the versions of texts and layout, which decide how the paper looks."""
    # Papers were asked for before they had such numbers: what has none is told as it was then.
    left_out = {"frame": {"spoken_number"}} if data.frame.spoken_number is None else None
    return digest({"paper": data.model_dump(mode="json", exclude=left_out), "texts": texts, "layout": layout})
