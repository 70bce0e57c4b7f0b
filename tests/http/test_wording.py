"""The words of the timeline: every event has some, whatever was written in it, and each sentence ends once."""

from typing import Any, get_args

import pytest

from server.desk.steps import LEG_NAMES
from server.desk.wording import ACT_NAMES, words_of
from server.domain.aggregate.happening import Happened
from server.domain.case import events, handover
from server.domain.case.bouncing import Bounced, Resent
from server.domain.case.case import Case
from server.domain.case.papers import PaperAsked, PaperFile, PaperMade
from server.domain.case.signings import PaperSigned, SignatureAsked
from server.domain.catalogue.pinning import PinnedAuthority
from server.domain.catalogue.terms import APPEAL, Deferral, Delivery, Leg, Method
from server.domain.rules.moves.delivering import METHODS
from tests.world import (
    CATALOGUE,
    JIANGSU,
    MONDAY,
    PART,
    ZHEJIANG,
    application,
    commission,
    lacking,
    later,
    officer,
    opened,
    planned,
)

KINDS = get_args(get_args(events.Event)[0])
DUE_ON = later(days=9).date()
DELIVERY = Delivery(method="post", number="P1")
PAPER = {
    **{"of": 1, "paper": "A" * 16, "paper_kind": "acceptance", "title": "受理通知书", "authority": "某机关"},
    **{"dated_on": MONDAY.date(), "data_digest": "ab" * 32},
}
FILE = PaperFile(sha256="cd" * 32, size=1, number="")
SIGNING = {"paper": "A" * 16, "request": "B" * 16}
PARCEL = {"leg": "out", "courier": "邮政", "parcel": "P1"}
OTHER = PinnedAuthority(id="health/320106", name="南京市鼓楼区卫生健康委员会")
DEFERRALS = (Deferral(material="photo", due_on=DUE_ON),)


def written(text: str) -> dict[type[Happened], dict[str, Any]]:
    """What each event says; whatever somebody writes himself is this text."""
    return {
        events.Opened: {"case": f"{JIANGSU}/case1", "application": application((planned("one"),))},
        events.Requested: {"case": f"{JIANGSU}/case1", "node": ZHEJIANG, "commission": commission()},
        events.Sent: {"node": ZHEJIANG, "directory_version": 1},
        events.Received: {},
        events.SupplementAsked: {"gaps": (lacking("photo", kind="material").model_copy(update={"reason": text}),)},
        events.Told: {"due_on": DUE_ON},
        events.Answered: {},
        events.Supplied: {},
        events.Urged: {},
        events.Gathered: {},
        events.Accepted: {"deferrals": DEFERRALS, "forwarding_days": 2},
        events.Deemed: {"since": MONDAY, "deferrals": DEFERRALS},
        events.Declined: {
            "reason": "wrong_agency",
            "grounds": text,
            "agency": text,
            "division": "330108",
            "appeal": APPEAL,
        },
        events.Suspended: {"procedure": "听证", "notice": text, "days": 10},
        events.Resumed: {},
        events.Extended: {"days": 5, "approver": "head-1", "reason": text},
        events.OpinionGiven: {"department": "police", "answer": "object", "reason": text},
        events.OpinionReturned: {"department": "police", "reason": text, "due_on": DUE_ON},
        events.Proposed: {"outcome": "refuse", "opinion": text},
        events.Transferred: {"authority": OTHER, "former": None, "reason": text, "days_from": "second_receipt"},
        events.Designated: {"authority": OTHER, "former": OTHER, "superior": OTHER, "reason": text},
        events.TakenOver: {"authority": OTHER, "former": OTHER, "reason": text},
        events.Approved: {},
        events.Refused: {"grounds": text, "appeal": APPEAL},
        events.Delivered: {"delivery": DELIVERY},
        events.Withdrawn: {"grounds": text},
        events.Skipped: {"waits_on": "one"},
        events.WithdrawalAsked: {},
        events.FollowedUp: {"note": text},
        events.Closed: {"outcome": "completed", "open_steps": ("one",)},
        handover.CheckAsked: {},
        handover.Checked: {"finding": text},
        handover.TurnedBack: {"grounds": text},
        handover.PaperPosted: PARCEL,
        handover.PaperArrived: PARCEL,
        PaperAsked: {**PAPER, "address": "https://example.cn/check/A/B", "catalogue": "1", "texts": "1", "layout": "1"},
        PaperMade: {**PAPER, "file": PaperFile(sha256="cd" * 32, size=1, number="某机关受字〔2026〕1号")},
        SignatureAsked: {**SIGNING, "signed_kind": "contract", "shown": FILE, "ends_at": MONDAY},
        PaperSigned: {**SIGNING, "signed": FILE, "signed_at": MONDAY},
        Bounced: {"letter": "step.supplied", "code": "item_unknown"},
        Resent: {"letter": "step.supplied"},
    }


def case() -> Case:
    """A case with one step, to which everything can happen."""
    return opened([planned("one", part=PART)])


def event(kind: type[Happened], **said: Any) -> Any:
    """An event of this kind."""
    step = {"step": "one"} if "step" in kind.model_fields else {}
    return kind(number=2, at=MONDAY, by=officer(), act_id="act", **step, **said)


def words(kind: type[Happened], **said: Any) -> str:
    """What the applicant is told of such an event."""
    return words_of(CATALOGUE, case(), event(kind, **said))


def test_every_event_has_a_name_and_words_or_is_known_to_need_none() -> None:
    said = written("材料不实")
    assert said.keys() == set(KINDS)
    for kind in KINDS:
        assert ACT_NAMES[event(kind, **said[kind]).act]
        assert isinstance(words(kind, **said[kind]), str)
    assert ACT_NAMES.keys() == {kind.act for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("text", ["材料不实", "材料不实。", " 材料不实。\n", "是否为本人？", "", "（见附件。）"])
def test_each_sentence_of_its_words_ends_once(kind: type[Happened], text: str) -> None:
    told = words(kind, **written(text)[kind])
    assert not told or told.endswith(("。", "？", "）"))
    assert not any(twice in told for twice in ("。。", "？。", "。）。", "。；", "。申请"))


def test_grounds_agency_and_appeal_are_sentences_of_their_own() -> None:
    for grounds in ("不属于本机关职权", "不属于本机关职权。"):
        declined = words(events.Declined, reason="wrong_agency", grounds=grounds, agency="民政局", appeal=APPEAL)
        assert declined == f"不属于本机关职权。请向民政局申请。{APPEAL}"
    refused = {"reason": "wrong_agency", "grounds": "不属于本机关职权", "appeal": APPEAL}
    elsewhere = words(events.Declined, **refused, agency="民政局", division="330108")
    assert elsewhere == f"不属于本机关职权。请向民政局申请。可以用已填写的内容直接在那里重新申请。{APPEAL}"
    assert words(events.Refused, grounds="材料不实", appeal=APPEAL) == f"材料不实。{APPEAL}"
    assert words(events.Withdrawn, grounds="逾期未补正") == "逾期未补正。视为撤回申请。"
    turned_back = words(handover.TurnedBack, grounds="身份证件已过期")
    assert turned_back == "受理地核验没有通过，尚未转往办理地：身份证件已过期。改正后可以重新申请。"
    assert words(events.Extended, days=5, approver="head-1", reason="案情复杂") == "办理期限延长5个工作日：案情复杂。"


def test_whatever_may_stand_in_an_event_has_its_word() -> None:
    assert METHODS.keys() == set(get_args(Method))
    assert LEG_NAMES.keys() == set(get_args(Leg))
