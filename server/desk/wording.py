"""What happened to a case, in words that its applicant understands."""

from collections.abc import Callable, Mapping
from typing import Any

from server.desk.steps import LEG_NAMES, bounced_words
from server.domain.aggregate.happening import Happened
from server.domain.case import events, handover
from server.domain.case.bouncing import Bounced, Resent
from server.domain.case.case import Case
from server.domain.case.happening import Moved
from server.domain.case.papers import PaperAsked, PaperMade
from server.domain.case.signings import PaperSigned, SignatureAsked
from server.domain.catalogue.catalogue import Catalogue
from server.domain.licence.moves import LICENCE_MOVES
from server.domain.rules.table import TRANSITIONS
from server.domain.sentences import chinese_date
from server.domain.values import china_day

APPLICANT, AGENT, BY_RULE = "申请人", "代理人", "系统"
# What is no move of a step has its name here; the moves have theirs with them.
_OWN_NAMES: Mapping[str, str] = {
    "open": "提交申请",
    "request": "转来办理",
    "answer": "提交补充内容",
    "ask_withdrawal": "申请撤回",
    "follow_up": "后续跟进",
    "post_paper": "寄出原件",
    "confirm_paper": "签收原件",
    "bounce": "对方退回",
    "resend": "再次转送",
    "ask_paper": "准备文书",
    "make_paper": "出具文书",
    "ask_signature": "等待签名",
    "sign_paper": "签署文书",
    "close": "办结",
}
ACT_NAMES: Mapping[str, str] = {**_OWN_NAMES, **{each.event.act: each.name for each in TRANSITIONS.values()}}

# What happened to a licence; the moves have their names with them.
LICENCE_ACT_NAMES: Mapping[str, str] = {"issue": "颁发", **{move.event.act: move.name for move in LICENCE_MOVES}}


def words_of(catalogue: Catalogue, case: Case, event: events.Event) -> str:
    """What the timeline tells the applicant about this event after its name; empty if the name is enough.

    `case` is the case after it. What departments tell each other is not told.
    """
    if isinstance(event, Moved):
        return TRANSITIONS[type(event)].words_of(catalogue, case, event)
    return _OWN_WORDS[type(event)](case, event)


def _paper(_: Case, event: handover.PaperPosted | handover.PaperArrived) -> str:
    return f"{LEG_NAMES[event.leg]}：{event.courier}，单号{event.parcel}。"


def _bounced(_: Case, event: Bounced) -> str:
    return bounced_words(event.letter)


def _nothing(_: Case, __: Happened) -> str:
    """The name says it all, or what is said is not for the applicant."""
    return ""


def _made(_: Case, event: PaperMade) -> str:
    number = f"，文号{event.file.number}" if event.file.number else ""
    return f"{event.authority}出具《{event.title}》{number}。"


def _to_sign(case: Case, event: SignatureAsked) -> str:
    given = case.paper(event.paper)
    return f"《{given.title if given else ''}》请在{chinese_date(china_day(event.ends_at))}以前签名。"


def _signed(case: Case, event: PaperSigned) -> str:
    given = case.paper(event.paper)
    return f"《{given.title if given else ''}》。"


def _closed(case: Case, event: events.Closed) -> str:
    names = [case.steps[code].plan.name for code in event.open_steps]
    return f"依据您的承诺先行办结，后续继续办理：{'、'.join(names)}。" if names else ""


_OWN_WORDS: Mapping[type[Happened], Callable[[Case, Any], str]] = {
    events.Opened: _nothing,
    events.Requested: _nothing,
    events.Answered: _nothing,
    events.WithdrawalAsked: _nothing,
    events.FollowedUp: _nothing,
    handover.PaperPosted: _paper,
    handover.PaperArrived: _paper,
    Bounced: _bounced,
    Resent: _nothing,
    PaperAsked: _nothing,
    PaperMade: _made,
    SignatureAsked: _to_sign,
    PaperSigned: _signed,
    events.Closed: _closed,
}
