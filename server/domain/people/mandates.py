"""Mandates (授权委托书): a person lets an agent (代理人) apply for them in some bundles until a day, or revokes that.

A case may have three different persons: the applicant (申请人), who applies and gets the notices, the subject (对象),
whom it concerns, and the agent, who acts for the applicant.
"""

from datetime import date, datetime
from typing import Annotated, Literal

from server.domain.errors import Conflict, FieldFault, Forbidden, Invalid, Missing
from server.domain.people.persons import Person
from server.domain.values import SENSITIVE, Moment, Value, china_day

MOST_DAYS = 366  # a year, whichever it is
MOST_IN_FORCE = 20

State = Literal["in_force", "over", "revoked"]


class NoSuchMandate(Missing):
    """There is no such mandate, or the asker has no part in it."""

    code = "no_such_mandate"
    title = "没有这份授权委托"


class MandateOver(Forbidden):
    """The last day of the mandate is past."""

    code = "mandate_over"
    title = "授权委托已到期"


class MandateRevoked(Forbidden):
    """The principal has taken the mandate back."""

    code = "mandate_revoked"
    title = "授权委托已撤销"


class MandateTooNarrow(Forbidden):
    """The mandate does not name this bundle."""

    code = "mandate_too_narrow"
    title = "授权委托不包括这件事"


class MandateNamesAnother(Forbidden):
    """The agent's proven name is not the one that stands in the mandate."""

    code = "mandate_names_another"
    title = "授权委托的代理人姓名不符"


class MandateToOneself(Invalid):
    """A citizen cannot be their own agent."""

    code = "mandate_to_oneself"
    title = "不能委托自己"


class MandateSpanUnfit(Invalid):
    """A mandate ends on the day on which it is given, or within a year of it."""

    code = "mandate_span_unfit"
    title = "授权委托期限不正确"


class TooManyMandates(Conflict):
    """A citizen has at most twenty mandates in force at a time."""

    code = "too_many_mandates"
    title = "有效的授权委托数量已达上限"


class Mandate(Value):
    """What one person (`principal`) lets another (`agent`) do, both by their keys: in these bundles and no other.

    It is in force to the end of `ends_on`. `principal_name` is masked, `agent_name` as the principal wrote it.
    """

    id: str
    principal: str
    principal_name: Annotated[str, SENSITIVE]
    agent: str
    agent_name: Annotated[str, SENSITIVE]
    bundles: tuple[str, ...]
    begins_on: date
    ends_on: date
    revoked_at: Moment | None = None

    def state(self, at: datetime) -> State:
        """How it stands at this moment."""
        if self.revoked_at:
            return "revoked"
        return "over" if china_day(at) > self.ends_on else "in_force"

    def is_for(self, other: "Mandate") -> bool:
        """Whether both were given with the same wish."""
        return _wish(self) == _wish(other)


class AgentOf(Value):
    """Who handed in an application for its applicant, and under which mandate, as it was then."""

    person: Person
    mandate: str
    ends_on: date


def check_giving(mandate: Mandate, *, in_force: int) -> None:
    """Whether it may be given by one who has so many in force; raises MandateToOneself, MandateSpanUnfit,
    TooManyMandates.
    """
    if mandate.agent == mandate.principal:
        detail = "请填写代理人的身份证号码，不能是您自己的。"
        raise MandateToOneself(detail, errors=[_fault("agent_id_number", "agent_is_principal", detail=detail)])
    if not 0 <= (mandate.ends_on - mandate.begins_on).days <= MOST_DAYS:
        detail = "截止日期应在今天起的一年以内。"
        raise MandateSpanUnfit(detail, errors=[_fault("ends_on", "mandate_span", detail=detail)])
    if in_force >= MOST_IN_FORCE:
        raise TooManyMandates(f"同时有效的授权委托最多 {MOST_IN_FORCE} 份，请先撤销不需要的。")


def check_acting(mandate: Mandate, *, agent: str, bundle: str, at: datetime) -> None:
    """Whether this person may act under it in this bundle now.

    Raises NoSuchMandate for anybody but the agent, MandateRevoked, MandateOver, MandateTooNarrow.
    """
    if mandate.agent != agent:
        raise NoSuchMandate("没有这份授权委托。")
    state = mandate.state(at)
    if state == "revoked":
        raise MandateRevoked("委托人已撤销授权委托。")
    if state == "over":
        raise MandateOver("授权委托已到期，请委托人重新授权。")
    if bundle not in mandate.bundles:
        raise MandateTooNarrow("授权委托不包括这件事，请委托人重新授权。")


def agent_of(mandate: Mandate, person: Person) -> AgentOf:
    """The agent as a case remembers them; raises MandateNamesAnother."""
    if person.name != mandate.agent_name:
        raise MandateNamesAnother("您的实名信息与授权委托中的代理人姓名不一致，请委托人重新授权。")
    return AgentOf(person=person, mandate=mandate.id, ends_on=mandate.ends_on)


def _wish(mandate: Mandate) -> tuple[object, ...]:
    return mandate.principal, mandate.agent, mandate.agent_name, mandate.bundles, mandate.ends_on


def _fault(name: str, code: str, *, detail: str) -> FieldFault:
    return FieldFault(pointer=f"/{name}", code=code, detail=detail)
