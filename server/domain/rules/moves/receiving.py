"""Receiving a step: taken onto a desk, its materials gathered, and taken up for decision (收件, 受理, 视为受理)."""

from datetime import date, datetime
from typing import TypedDict

from server.domain.case import acts, events
from server.domain.case.case import Case, Step
from server.domain.case.fetches import offered
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.pinning import PinnedAuthority
from server.domain.catalogue.terms import Deferral, Opinion
from server.domain.errors import Conflict
from server.domain.rules.announcement import Announcement
from server.domain.rules.desk_forms import Decision, DeskForm
from server.domain.rules.move import LetterForm, Move
from server.domain.rules.moving import Moving, is_too_late
from server.domain.sentences import chinese_date
from server.domain.time.clock import Ledger, deemed_accepted
from server.domain.values import china_day


class TooEarly(Conflict):
    """The time after which this may be done is not over."""

    code = "too_early"
    title = "期限尚未届满"


class NothingToGather(Conflict):
    """Not all that was offered is kept here, or it has been noted already that it is."""

    code = "nothing_to_gather"
    title = "材料尚未到齐或者已经到齐"


class ClockTerms(TypedDict, total=False):
    """What the clock counts with from now on, and what has its last day: of a mirror as its decider tells."""

    legal_days: int | None
    promised_days: int | None
    deferrals: tuple[Deferral, ...]
    opinions_due_on: date | None
    forwarding_days: int
    authority: PinnedAuthority | None


def _receive(moving: Moving[acts.Receive]) -> events.Received:
    return events.Received(**moving.header, authority=_told(moving))


def _told(moving: Moving[acts.Receive | acts.Accept | acts.Deem]) -> PinnedAuthority | None:
    """Who decides it, as its node tells; here it is pinned already."""
    return moving.act.authority if moving.is_mirror else None


def _received(step: Step, event: events.Received | events.TakenUp) -> Step:
    return step.model_copy(update={"authority": event.authority or step.authority})


def _gather(moving: Moving[acts.Gather]) -> events.Gathered:
    kept = set(moving.act.kept)
    if not moving.step.is_gathering or any(each.sha256 not in kept for each in offered(moving.case, moving.step)):
        raise NothingToGather("材料尚未到齐，或者已经到齐。")
    return events.Gathered(**moving.header)


def _gathered(step: Step, event: events.Gathered) -> Step:
    """Since when the decider has all of it; once the clock runs that is settled."""
    arrived_at = step.arrived_at if step.clock else event.moment
    return step.model_copy(update={"is_gathering": False, "arrived_at": arrived_at})


def _accept(moving: Moving[acts.Accept]) -> events.Accepted | events.Deemed:
    if not moving.is_mirror and is_too_late(moving):
        return _deemed(moving, since=moving.step.notify_from or moving.step.since)
    since = moving.act.since if moving.is_mirror else moving.step.arrived_at
    return events.Accepted(**moving.header, since=since, **_terms(moving))


def _deem(moving: Moving[acts.Deem]) -> events.Deemed:
    if moving.is_mirror:
        return _deemed(moving, since=moving.act.since or moving.moment)
    if not is_too_late(moving):
        raise TooEarly("收到材料后五个工作日尚未届满。")
    return _deemed(moving, since=moving.step.notify_from or moving.step.since)


def _deemed(moving: Moving[acts.Accept | acts.Deem], *, since: datetime) -> events.Deemed:
    return events.Deemed(**moving.header, since=since, **_terms(moving))


def _terms(moving: Moving[acts.Accept | acts.Deem]) -> ClockTerms:
    act, step = moving.act, moving.step
    if moving.is_mirror:
        return {
            "legal_days": act.legal_days,
            "promised_days": act.promised_days,
            "deferrals": act.deferrals,
            "forwarding_days": _forwarding_days(moving),
            "authority": _told(moving),
        }
    terms = step.plan.terms
    due_on = moving.days_later(min(terms.deferral_days, terms.legal_days))
    deferred = [code for code in moving.case.deferred if code in terms.deferrable]
    return {
        "deferrals": tuple(Deferral(material=code, due_on=due_on) for code in deferred),
        "opinions_due_on": moving.days_later(terms.opinions.days) if terms.opinions else None,
    }


def _forwarding_days(moving: Moving[acts.Accept | acts.Deem]) -> int:
    """The days from the home's sending until its decider had all that was handed in, as the decider tells."""
    sent, arrived = moving.step.arrived_at, moving.act.since
    return max((china_day(arrived) - china_day(sent)).days, 0) if sent and arrived else 0


def _taken_up(step: Step, event: events.TakenUp) -> Step:
    legal_days = event.legal_days or step.plan.terms.legal_days
    promised_days = event.promised_days or step.plan.promised_days
    if isinstance(event, events.Deemed):
        clock = deemed_accepted(event.since, legal_days=legal_days, promised_days=promised_days)
    else:
        clock = Ledger(accepted_at=event.moment, legal_days=legal_days, promised_days=promised_days)
    rule, due_on = step.plan.terms.opinions, event.opinions_due_on
    asked = Opinion(asked_at=event.moment, due_on=due_on) if due_on else None
    opinions = dict.fromkeys(rule.departments, asked) if rule and asked else {}
    begun = {"clock": clock, "officer": event.by.name, "deferrals": event.deferrals, "opinions": opinions}
    return _received(step, event).model_copy(update=begun)


def _words_of_accepted(catalogue: Catalogue, _: Case, event: events.TakenUp) -> str:
    names = [catalogue.name_of("material", each.material) for each in event.deferrals]
    deferred = f"容缺受理，请在{chinese_date(event.deferrals[0].due_on)}前补交：{'、'.join(names)}。" if names else ""
    forwarding = f"其中跨省转送用了{event.forwarding_days}天，不计入办理期限。" if event.forwarding_days else ""
    return deferred + forwarding


def _words_of_deemed(catalogue: Catalogue, case: Case, event: events.Deemed) -> str:
    since = chinese_date(china_day(event.since))
    words = _words_of_accepted(catalogue, case, event)
    return f"超过五个工作日未告知补正，自{since}收到材料之日起即为受理。{words}"


def _told_as_accepted(by: str) -> LetterForm:
    return LetterForm("step.accepted", marks={"by": by}, says=("since", "deferrals"), adds=("days", "authority"))


RECEIVE = Move(
    act=acts.Receive,
    judge=_receive,
    desk=DeskForm("receive", "登记收件", Decision, lambda header, _: acts.Receive(**header), role="window"),
    event=events.Received,
    states={"sent": "received"},
    leaves=_received,
    letter=LetterForm("step.received", adds=("authority",)),
    name="收件",
)
GATHER = Move(
    act=acts.Gather,
    judge=_gather,
    event=events.Gathered,
    states={state: state for state in ("sent", "received", "supplementing", "accepted", "suspended")},
    leaves=_gathered,
    name="材料到齐",
)
ACCEPT = Move(
    act=acts.Accept,
    judge=_accept,
    desk=DeskForm("accept", "作出受理决定", Decision, lambda header, _: acts.Accept(**header), role="handler"),
    event=events.Accepted,
    states={"received": "accepted"},
    leaves=_taken_up,
    letter=LetterForm(
        "step.accepted", marks={"by": "decider"}, says=("since", "deferrals"), adds=("days", "authority")
    ),
    name="受理",
    words=_words_of_accepted,
    notice=Announcement("accepted", "已受理", "已开始审查，可随时查看进度"),
)
DEEM = Move(
    act=acts.Deem,
    judge=_deem,
    event=events.Deemed,
    states={"sent": "accepted", "received": "accepted"},
    leaves=_taken_up,
    letter=_told_as_accepted("law"),
    name="视为受理",
    words=_words_of_deemed,
    notice=Announcement("accepted", "视为受理", "依法自收到材料之日起受理"),
)
