"""What the paper of an event says, from the case after that event, its catalogue, and the days worked out then."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from server.domain.case.case import Case, Step
from server.domain.case.fetches import offered
from server.domain.case.papers import RESULT_PAPERS
from server.domain.catalogue.authorities import HOTLINE
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.divisions import province_of
from server.domain.catalogue.items import Item
from server.domain.papers.data import ItemType
from server.domain.papers.filling import in_words
from server.domain.paperwork.recipients import recipient_of
from server.domain.people.masking import masked_name, masked_number
from server.domain.rules.moves.delivering import METHODS
from server.domain.rules.results import result_of
from server.domain.sentences import clause
from server.domain.values import china_day

MOST = 2000
ONLINE, AT_WINDOW, ELECTRONIC = "网上", "窗口", "电子件"
LICENCE_LAW = "《中华人民共和国行政许可法》"
Body = dict[str, Any]


@dataclass(frozen=True)
class Telling:
    """What the paper of an event is made of; `dates` are the days that were worked out when it was asked for, `names`
    those that divisions had then, by their codes.
    """

    case: Case
    step: Step
    event: Any
    catalogue: Catalogue
    dates: Mapping[str, date]
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def on(self) -> date:
        """The day of the event."""
        return china_day(self.event.moment)

    @property
    def item(self) -> Item | None:
        """The item of the step, as it is where it is decided; None if this catalogue has it no more."""
        return self.catalogue.of(province_of(self.step.plan.division)).item_of.get(self.step.plan.code)

    @property
    def item_type(self) -> ItemType:
        """The type of the item, by which papers are called."""
        return self.item.type if self.item else "service"

    @property
    def guide(self) -> str:
        """What an applicant can read about the item: what a paper refers to where no article is known."""
        return f"“{self.step.plan.name}”办事指南"

    def law(self, article: str) -> str:
        """This article of the law on licences where the item is one, else the guide of the item."""
        return LICENCE_LAW + article if self.item_type == "licence" else self.guide


def receipt(telling: Telling) -> Body:
    """接收材料凭证; the Received event."""
    names = [telling.catalogue.name_of("material", each.code) for each in offered(telling.case, telling.step)]
    return {
        "received_at": telling.event.moment,
        "way": AT_WINDOW if telling.case.window else ONLINE,
        "materials": [{"name": name, "form": ELECTRONIC, "copies": 1} for name in names],
    }


def supplement(telling: Telling) -> Body:
    """补正告知书; the Told event, by which the last day is known."""
    asked, name_of = telling.step.supplement, telling.catalogue.name_of
    again = {"field": "重新填写", "material": "重新提交"}
    gaps = [
        {
            "material": name_of(gap.kind, gap.code),
            "problem": gap.reason,
            "demand": again[gap.kind],
            "basis": telling.law("第三十二条第一款第四项"),
        }
        for gap in (asked.gaps if asked else ())
    ]
    late = {"withdrawn": "逾期未补正的，视为撤回申请。", "declined": "逾期未补正的，不予受理。"}
    consequence = late[telling.step.plan.terms.unanswered]
    return {"gaps": gaps, "due_on": telling.event.due_on, "consequence": consequence}


def acceptance(telling: Telling) -> Body:
    """受理通知书; the Accepted event."""
    return {"accepted_on": telling.on, "legal_days": _legal_days(telling), "promised_on": telling.dates["promised_on"]}


def gap_acceptance(telling: Telling) -> Body:
    """容缺受理通知书; the Accepted event with deferred materials."""
    deferrals = telling.event.deferrals
    names = [telling.catalogue.name_of("material", each.material) for each in deferrals]
    return {**acceptance(telling), "missing": "、".join(names), "due_on": min(each.due_on for each in deferrals)}


def not_needed(telling: Telling) -> Body:
    """不受理告知书; the Declined event."""
    return {"basis": _clause(telling.event.grounds)}


def not_ours(telling: Telling) -> Body:
    """不予受理决定书; the Declined event that names another authority."""
    right = telling.event.agency.strip()[:200]
    return {"basis": _clause(telling.event.grounds), "right_authority": right, "right_phone": HOTLINE}


def unfixed(telling: Telling) -> Body:
    """终止办理通知书; the Declined or Withdrawn event that came because nobody put right what was asked."""
    return {"reason": _clause(telling.event.grounds), "basis": telling.guide, "ended_on": telling.on}


def special_procedure(telling: Telling) -> Body:
    """特殊程序告知书; the Suspended event."""
    event, declared = telling.event, telling.step.plan.terms.special_steps
    basis = next((each.basis for each in declared if each.name == event.procedure), "")
    return {
        "procedure": event.procedure[:200],
        "institution": telling.step.authority.name if telling.step.authority else "",
        "basis": basis or telling.law("第四十五条"),
        "begins_on": telling.on,
        "ends_on": telling.dates["ends_on"],
        "promised_on": telling.dates["promised_on"],
    }


def extension(telling: Telling) -> Body:
    """延长期限通知书; the Extended event."""
    return {
        "reason": _clause(telling.event.reason),
        "basis": telling.law("第四十二条"),
        "more_days": telling.event.days,
        "promised_on": telling.dates["promised_on"],
    }


def granted(telling: Telling) -> Body:
    """准予决定; the Approved event."""
    result = result_of(telling.catalogue, telling.step.plan)
    is_document = bool(telling.step.plan.yields and result)
    return {
        "basis": telling.law("第三十八条第一款"),
        "content": telling.step.plan.name,
        "result": result.name[:200] if result and is_document else None,
        "delivered_by": telling.dates.get("delivered_by") if is_document else None,
    }


def certificate(telling: Telling) -> Body:
    """证明、凭证: the result itself; the Approved event of a step that yields a paper, without a file of it."""
    result, subject = result_of(telling.catalogue, telling.step.plan), telling.case.subject
    return {
        "name": result.name[:200] if result else telling.step.plan.name[:200],
        "subject": f"{subject.name[:100]}（证件号码 {masked_number(subject.id_number)}）" if subject else None,
        "lines": _stated(telling),
    }


def licence(telling: Telling) -> Body:
    """证照照面; the Approved event that grants an electronic licence, without a file of it.

    Who receives the paper reads their own number in full, and those of other persons masked.
    """
    grant = telling.event.grant
    _, own, _ = recipient_of(telling.case, telling.step, telling.catalogue)
    holders = [
        {"name": each.name, "number": each.number}
        if each.kind != "111" or each.number == own
        else {"name": masked_name(each.name), "number": masked_number(each.number)}
        for each in grant.holders
    ]
    days = {name: getattr(grant, name) for name in ("issued_on", "effective_on", "expires_on")}
    return {"name": grant.name, "identifier": grant.id, "holders": holders, **days, "lines": _stated(telling)}


def refused(telling: Telling) -> Body:
    """不予决定; the Refused event."""
    grounds = _clause(telling.event.grounds)
    return {"findings": grounds, "basis": telling.law("第三十八条第二款"), "reasons": grounds}


def withdrawal(telling: Telling) -> Body:
    """撤回申请确认书; the Withdrawn event that the applicant asked for."""
    return {"withdrawn_on": telling.on}


def delivery(telling: Telling) -> Body:
    """送达回证; the Delivered event of a licence or paper that the step yielded."""
    result, how = result_of(telling.catalogue, telling.step.plan), telling.event.delivery
    places = {"electronic": "申请人的办件页面", "post": "邮寄", "window": "办事窗口"}
    number = f"（{how.number[:100]}）" if how.number else ""
    own = (each for each in telling.case.given_papers if each.step == telling.step.plan.code)
    sealed = next((each.file for each in own if each.paper_kind in RESULT_PAPERS and each.file), None)
    return {
        "delivered_title": result.name[:200] if result else telling.step.plan.name,
        "delivered_number": sealed.number[:200] if sealed else None,
        "way": METHODS[how.method],
        "place": places[how.method] + number,
        "sent_at": telling.event.moment,
        "file_digest": sealed.sha256 if sealed and how.method == "electronic" else None,
    }


def _legal_days(telling: Telling) -> int:
    clock = telling.step.clock
    return clock.legal_days if clock else telling.step.plan.terms.legal_days


def _stated(telling: Telling) -> list[Body]:
    """What the officer filled in of the result, each with its label."""
    return [
        {"label": telling.catalogue.name_of("field", code)[:200], "value": _shown(telling, code, value)}
        for code, value in telling.event.result.items()
        if value.strip()
    ]


def _shown(telling: Telling, code: str, value: str) -> str:
    """The value of a field as people read it: choices and divisions by name, days as papers write them."""
    known = telling.catalogue.field_of.get(code)
    if known is None:
        return value[:MOST]
    if known.type == "date":
        return in_words(date.fromisoformat(value))
    return (telling.names.get(value, value) if known.type == "division" else known.choices.get(value, value))[:MOST]


def _clause(text: str) -> str:
    """What a person wrote, as a part of a sentence of a paper."""
    return clause(text)[:MOST] or "见办件记录"
