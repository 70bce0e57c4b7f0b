"""What happened to a case, in words that its applicant understands."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from server.desk.steps import LEG_NAMES, bounced_words, name_of
from server.domain.case import events, handover
from server.domain.case.bouncing import Bounced, Resent
from server.domain.case.case import Case
from server.domain.case.happening import Happened
from server.domain.catalogue.catalogue import Catalogue
from server.domain.sentences import clause, sentences
from server.domain.values import china_day

APPLICANT, AGENT, BY_RULE = "申请人", "代理人", "系统"
ACT_NAMES: Mapping[str, str] = {
    "open": "提交申请",
    "request": "转来办理",
    "send": "转办",
    "receive": "收件",
    "ask_supplement": "要求补正",
    "tell": "告知补正",
    "answer": "提交补充内容",
    "supply": "收到补充内容",
    "gather": "材料到齐",
    "accept": "受理",
    "deem": "视为受理",
    "decline": "不予受理",
    "suspend": "启动特别程序",
    "resume": "特别程序结束",
    "extend": "延长期限",
    "opine": "会签答复",
    "return_opinion": "退回会签意见",
    "approve": "准予",
    "refuse": "不予",
    "deliver": "送达",
    "withdraw": "撤回",
    "ask_withdrawal": "申请撤回",
    "skip": "不再办理",
    "follow_up": "后续跟进",
    "ask_check": "交受理地核验",
    "check": "核验通过",
    "turn_back": "核验不通过",
    "post_paper": "寄出原件",
    "confirm_paper": "签收原件",
    "bounce": "对方退回",
    "resend": "再次转送",
    "close": "办结",
}
METHODS = {"electronic": "电子证照", "post": "邮寄", "window": "窗口领取"}


def words_of(catalogue: Catalogue, case: Case, event: events.Event) -> str:
    """What the timeline tells the applicant about this event after its name; empty if the name is enough.

    `case` is the case after it. What departments tell each other is not told.
    """
    return _WORDS[type(event)](catalogue, case, event)


def chinese_date(day: date) -> str:
    """A day as people write it: `2026年12月1日`."""
    return f"{day.year}年{day.month}月{day.day}日"


def _because(what: str, why: str) -> str:
    return f"{what}：{why.strip()}" if why.strip() else what


def _gaps(catalogue: Catalogue, _: Case, event: Any) -> str:
    named = [f"{name_of(catalogue, gap.kind, gap.code)}（{clause(gap.reason)}）" for gap in event.gaps]
    return f"需要补正：{'；'.join(named)}。"


def _deadline(_: Catalogue, __: Case, event: Any) -> str:
    return f"请在{chinese_date(event.due_on)}前一次补齐。"


def _accepted(catalogue: Catalogue, _: Case, event: Any) -> str:
    names = [name_of(catalogue, "material", each.material) for each in event.deferrals]
    deferred = f"容缺受理，请在{chinese_date(event.deferrals[0].due_on)}前补交：{'、'.join(names)}。" if names else ""
    forwarding = f"其中跨省转送用了{event.forwarding_days}天，不计入办理期限。" if event.forwarding_days else ""
    return deferred + forwarding


def _deemed(catalogue: Catalogue, case: Case, event: Any) -> str:
    since = chinese_date(china_day(event.since))
    return f"超过五个工作日未告知补正，自{since}收到材料之日起即为受理。{_accepted(catalogue, case, event)}"


def _declined(_: Catalogue, __: Case, event: Any) -> str:
    elsewhere = f"请向{clause(event.agency)}申请" if event.agency else ""
    return sentences(event.grounds, elsewhere, event.appeal)


def _suspended(_: Catalogue, __: Case, event: Any) -> str:
    return sentences(f"{event.procedure}需要{event.days}个工作日，期间不计入办理时限", event.notice)


def _extended(_: Catalogue, __: Case, event: Any) -> str:
    return sentences(_because(f"办理期限延长{event.days}个工作日", event.reason))


def _refused(_: Catalogue, __: Case, event: Any) -> str:
    return sentences(event.grounds, event.appeal)


def _delivered(_: Catalogue, __: Case, event: Any) -> str:
    number = f"，单号{event.delivery.number}" if event.delivery.number else ""
    return f"{METHODS[event.delivery.method]}{number}。"


def _withdrawn(_: Catalogue, __: Case, event: Any) -> str:
    return sentences(event.grounds, "视为撤回申请") if event.grounds else ""


def _skipped(_: Catalogue, case: Case, event: Any) -> str:
    return f"“{case.steps[event.waits_on].plan.name}”没有办成，这一项不再办理。"


def _check_asked(catalogue: Catalogue, case: Case, event: Any) -> str:
    part = case.steps[event.step].plan.part
    if part is None:
        return ""
    department = catalogue.departments.get(part.department, part.department)
    return f"由受理地{department}{part.name}，核验通过后转往办理地。"


def _turned_back(_: Catalogue, __: Case, event: Any) -> str:
    return sentences(_because("受理地核验没有通过，尚未转往办理地", event.grounds), "改正后可以重新申请")


def _paper(_: Catalogue, __: Case, event: Any) -> str:
    return f"{LEG_NAMES[event.leg]}：{event.courier}，单号{event.parcel}。"


def _bounced(_: Catalogue, __: Case, event: Any) -> str:
    return bounced_words(event.letter)


def _nothing(_: Catalogue, __: Case, ___: Any) -> str:
    """The name says it all, or what is said is not for the applicant."""
    return ""


def _closed(_: Catalogue, case: Case, event: Any) -> str:
    names = [case.steps[code].plan.name for code in event.open_steps]
    return f"依据您的承诺先行办结，后续继续办理：{'、'.join(names)}。" if names else ""


_WORDS: Mapping[type[Happened], Callable[[Catalogue, Case, Any], str]] = {  # every kind of event stands here
    events.Opened: _nothing,
    events.Requested: _nothing,
    events.Sent: _nothing,
    events.Received: _nothing,
    events.SupplementAsked: _gaps,
    events.Told: _deadline,
    events.Answered: _nothing,
    events.Supplied: _nothing,
    events.Gathered: _nothing,
    events.Accepted: _accepted,
    events.Deemed: _deemed,
    events.Declined: _declined,
    events.Suspended: _suspended,
    events.Resumed: _nothing,
    events.Extended: _extended,
    events.OpinionGiven: _nothing,
    events.OpinionReturned: _nothing,
    events.Approved: _nothing,
    events.Refused: _refused,
    events.Delivered: _delivered,
    events.Withdrawn: _withdrawn,
    events.Skipped: _skipped,
    events.WithdrawalAsked: _nothing,
    events.FollowedUp: _nothing,
    handover.CheckAsked: _check_asked,
    handover.Checked: _nothing,
    handover.TurnedBack: _turned_back,
    handover.PaperPosted: _paper,
    handover.PaperArrived: _paper,
    Bounced: _bounced,
    Resent: _nothing,
    events.Closed: _closed,
}
