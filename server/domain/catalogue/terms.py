"""The procedure of a step: what its item allows for (terms), and what was asked, promised and answered on the way."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import StringConstraints

from server.domain.catalogue.items import Item, OpinionRule, SpecialStep, TransferRule
from server.domain.values import SENSITIVE, Day, Moment, Value

# How to appeal: 行政复议法（2023）第二十条: 六十日; 行政诉讼法第四十六条: 六个月.
APPEAL = (
    "如不服本决定，可以自知道本决定之日起六十日内申请行政复议，或者自知道之日起六个月内依法向人民法院提起行政诉讼。"
)
NOTIFY_DAYS = 5  # 行政许可法第三十二条第一款第四项: 五日内一次告知
DELIVERY_DAYS = 10  # 行政许可法第四十四条: 十日内颁发、送达

Unanswered = Literal["withdrawn", "declined"]
DeclineReason = Literal["not_needed", "wrong_agency", "unfixed"]
Method = Literal["electronic", "post", "window"]
Leg = Literal["out", "back"]  # from the home to the decider, and from the decider to the home
Courier = Annotated[str, StringConstraints(min_length=1, max_length=50)]
ParcelNumber = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,40}$")]


class Terms(Value):
    """What the item of a step allows for, as the catalogue had it when the case was opened; days are working days.

    `unanswered`: how a step ends whose supplement is not answered within `supplement_days`. `deferrable`: the
    materials that may come `deferral_days` after acceptance (容缺受理), against an undertaking. `two_persons`: one
    proposes the decision and another one takes it. `transfer`: that it may go to another authority (移送).
    """

    legal_days: int
    special_steps: tuple[SpecialStep, ...] = ()
    supplement_days: int = 15
    unanswered: Unanswered = "withdrawn"
    deferrable: tuple[str, ...] = ()
    deferral_days: int = 5
    extension_days: int = 10
    opinions: OpinionRule | None = None
    two_persons: bool = False
    transfer: TransferRule | None = None

    @classmethod
    def of(cls, item: Item) -> Self:
        """Those of an item."""
        deferrable = (need.code for need in item.materials if need.may_be_deferred and not need.is_core_safety)
        return cls(
            legal_days=item.legal_days,
            special_steps=tuple(step for step in item.special_steps if not step.is_counted),
            supplement_days=item.supplement_days,
            unanswered=item.unanswered,
            deferrable=tuple(deferrable),
            deferral_days=item.deferral_days,
            extension_days=item.extension_days,
            opinions=item.opinions,
            two_persons=item.two_persons,
            transfer=item.transfer,
        )


class Gap(Value):
    """One field or material that must be put right, and why."""

    kind: Literal["field", "material"]
    code: str
    reason: Annotated[str, SENSITIVE]


class Deferral(Value):
    """A material that comes later (容缺): the last day for it, and when it came."""

    material: str
    due_on: Day
    came_at: Moment | None = None


class Opinion(Value):
    """What one department is asked for beside the deciding one (会签): since when, by when, and what it said."""

    asked_at: Moment
    due_on: date
    answer: Literal["", "agree", "object"] = ""
    reason: Annotated[str, SENSITIVE] = ""
    given_at: Moment | None = None


class Proposal(Value):
    """How somebody of the deciding department would decide a step (拟办), and why; for whom they stood in, if so."""

    outcome: Literal["approve", "refuse"]
    opinion: Annotated[str, SENSITIVE]
    by: str
    stands_in_for: str = ""
    at: Moment

    @property
    def persons(self) -> frozenset[str]:
        """Who counts as having made it."""
        return frozenset({self.by, self.stands_in_for} - {""})


class Delivery(Value):
    """How a licence reached its holder (送达): `number` is that of the parcel or of the receipt at the window."""

    method: Method
    number: str = ""


class Paper(Value):
    """One parcel of originals between the two places of a step; `postings`: one, and one for a correction."""

    courier: str
    number: str
    posted_at: Moment
    postings: int = 1
    arrived_at: Moment | None = None


class Undertaking(Value):
    """What the applicant promised in writing (告知承诺): which text, its version and SHA-256 (hex), and when.

    deferral: to hand in later what is left out now. closing: to let the rest of the case be settled afterwards.
    """

    kind: Literal["deferral", "closing"]
    version: str
    sha256: str
    at: Moment


def opinions_allow(rule: OpinionRule | None, opinions: Mapping[str, Opinion], *, today: date) -> bool:
    """Whether the opinions given so far let the deciding department approve.

    all: every department agrees. some: as many as the rule says. veto: none objects, and each has answered or its time
    is over.
    """
    if rule is None:
        return True
    answers = [opinion.answer for opinion in opinions.values()]
    if rule.rule == "all":
        return all(answer == "agree" for answer in answers)
    if rule.rule == "some":
        return answers.count("agree") >= rule.needed
    is_heard = all(opinion.answer or opinion.due_on < today for opinion in opinions.values())
    return is_heard and "object" not in answers
