"""The stories that a demo can tell, as data: what is applied for, who acts where in which order, and what is said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from server.demo.people import MOBILE, family
from server.demo.platform import PlatformUser

BUNDLE = "newborn"
DIVISION, HOUSEHOLD = "320102", "330106"  # 南京市玄武区 and 杭州市西湖区
ANSWERS = {"household": HOUSEHOLD, "maternity_insurance": "no"}
ABROAD, WAITING = "household_registration", "social_security_card"
HOME, OTHER = 0, 1  # the provinces of a demo by their place in it
Beat = tuple[int, str | None, str]  # at which province, about which step (None: the case), by which act


@dataclass(frozen=True)
class Plot:
    """One story. `order` is who must have acted where, one after the other; with the last of it the story is over.

    `abroad` is the step that the other province decides, `waiting` one at home that waits for it, `last_at_home` what
    happens before it leaves home. `finding` is what the home says in its check, `courier` who carries originals.
    """

    who: str
    bundle: str
    answers: Mapping[str, str]
    abroad: str
    order: Sequence[Beat]
    last_at_home: tuple[str | None, str]
    waiting: str = ""
    form: Mapping[str, str] = field(default_factory=dict)
    result: Mapping[str, str] = field(default_factory=dict)
    finding: str = "申请表填写完整，证件与本人一致。"
    courier: str = "示例速递"

    @property
    def has_paper(self) -> bool:
        """Whether originals travel in it."""
        return any(act == "post_paper" for _, _, act in self.order)


@dataclass(frozen=True)
class Cast:
    """The applicant of a story, the form, and the results that offices will enter."""

    applicant: PlatformUser
    form: Mapping[str, str]
    result: Mapping[str, str]


def _alone(who: str, item: str, question: str, *, order: Sequence[tuple[int, str]], form: Mapping[str, str]) -> Plot:
    """The story of one item that is applied for alone and decided by the other province, with these acts on it."""
    beats: list[Beat] = [(place, None if act == "close" else item, act) for place, act in order]
    filled = {"mobile": MOBILE, **form}
    last = (item, "ask_check") if (HOME, "ask_check") in order else (None, "open")
    return Plot(who, item, {question: HOUSEHOLD}, item, beats, last, form=filled, result={CERTIFICATE: NEW_NUMBER})


CERTIFICATE, OLD_NUMBER, NEW_NUMBER = "disability_certificate_number", "32000019880219004723", "33000019880219004723"
DECIDED = ((OTHER, "receive"), (OTHER, "accept"), (OTHER, "approve"), (HOME, "close"))
PLOTS: Mapping[str, Plot] = {
    "newborn": Plot(
        who="A parent",
        bundle=BUNDLE,
        answers=ANSWERS,
        abroad=ABROAD,
        last_at_home=("birth_certificate", "accept"),
        waiting=WAITING,
        order=((HOME, ABROAD, "send"), (OTHER, ABROAD, "approve"), (HOME, WAITING, "send"), (HOME, None, "close")),
    ),
    "online": _alone(
        "Somebody who has moved",
        "employee_pension_transfer",
        "insured",
        order=((HOME, "send"), *DECIDED),
        form={"former_insured_place": "320100"},
    ),
    "handover": _alone(
        "Somebody with a worn certificate",
        "disability_certificate_renewal",
        "household",
        order=(
            *((HOME, "ask_check"), (HOME, "check"), (HOME, "send"), (HOME, "post_paper"), (OTHER, "confirm_paper")),
            *((OTHER, "accept"), (OTHER, "approve"), (HOME, "close")),
            *((OTHER, "post_paper"), (HOME, "confirm_paper")),
        ),
        form={
            "application_role": "self",
            "held_disability_certificate_number": OLD_NUMBER,
            "household_address": "示例市示例区示例路2号",
            "receiving_manner": "counter",
        },
    ),
    "joint": _alone(
        "A buyer of a home",
        "housing_fund_purchase_withdrawal",
        "fund",
        order=((HOME, "ask_check"), (HOME, "check"), (HOME, "send"), *DECIDED),
        form={
            "marital_status": "single",
            "house_address": "示例市示例区示例路9号2幢301室",
            "purchase_price": "120",
            "purchase_contract_number": "示房2026001",
            "housing_fund_account": "330000123456",
            "payment_bank": "示例银行示例支行",
            "payment_account": "6200000000000000001",
        },
    ),
}


def cast_of(plot: Plot, applicant: PlatformUser, home: str) -> Cast:
    """The cast of this story; a birth has a whole family."""
    if plot.bundle != BUNDLE:
        return Cast(applicant, plot.form, plot.result)
    born = family(applicant, home, HOUSEHOLD)
    return Cast(applicant, born.form, {"child_id_number": born.child_id_number})
