"""The home's copy of a step that another node decides: what that node tells has happened, and is not judged again.

Both are in order by their own rules and clocks. Another node may have another catalogue, know of another holiday, or be
another program; its decision stands all the same.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from server.domain.case import acts
from server.domain.case.case import Step
from server.domain.case.events import Accepted
from server.domain.catalogue.terms import Deferral
from server.domain.rules.decide import NotOurStep, StateForbids, decide
from tests.domain.carrying import Place, places, step_at
from tests.world import GUANGDONG, JIANGSU, ZHEJIANG, application, citizen, facts, lacking, later, of_graph, peer

FAR = "step2"  # an item that is decided in Zhejiang
DECIDER = peer(ZHEJIANG)
GAPS = (lacking("subject_name"),)


def tell(kind: type[acts.StepAct], *, by: Any = DECIDER, on: float = 0, **said: Any) -> acts.StepAct:
    """The act of a letter in which the decider tells what it did so many days after Monday."""
    return kind(id=f"{kind.name}-{on}", by=by, step=FAR, at=later(days=on), **said)


def home_after(*told: acts.StepAct, deferred: Sequence[str] = (), days: float = 0) -> Place:
    """The home after the decider has told this, so many days after Monday."""
    handed_in = tuple(each for each in application().materials if each.code not in deferred)
    home, _ = places(of_graph(FAR, division="330106"), deferred=tuple(deferred), materials=handed_in)
    home.days = int(days)
    for act in told:
        home.do(act)
    return home


def mirrored(*told: acts.StepAct, deferred: Sequence[str] = (), days: float = 0) -> Step:
    """The step at home after that."""
    return step_at(home_after(*told, deferred=deferred, days=days), FAR)


RECEIVED = tell(acts.Receive)
ASKED = tell(acts.AskSupplement, gaps=GAPS)
ACCEPTED = tell(acts.Accept, legal_days=20, promised_days=10)


def extended(days: int) -> acts.Extend:
    """What the decider tells of an extension."""
    return acts.Extend(id="extend", by=DECIDER, step=FAR, at=later(days=1), days=days, reason="案情复杂")


def test_a_decline_for_the_wrong_agency_counts_though_it_names_no_other():
    step = mirrored(RECEIVED, tell(acts.Decline, reason="wrong_agency", grounds="不属于本机关职权"))
    assert (step.state, step.grounds, step.agency) == ("declined", "不属于本机关职权", "")


def test_a_decline_counts_though_the_last_day_that_the_home_knows_is_not_over():
    home = home_after(RECEIVED, ASKED)
    supplement = step_at(home, FAR).supplement
    assert supplement
    assert supplement.due_on
    home.do(tell(acts.Decline, on=1, reason="unfixed", grounds="未补正"))
    assert step_at(home, FAR).state == "declined"
    assert home.case
    assert home.case.outcome == "completed"


def test_a_supplement_counts_after_five_days_a_second_time_and_for_what_our_item_does_not_declare():
    assert mirrored(RECEIVED, tell(acts.AskSupplement, on=9, gaps=GAPS), days=9).state == "supplementing"
    again = tell(acts.AskSupplement, on=1, gaps=(lacking("nothing_of_ours"),))
    step = mirrored(RECEIVED, ASKED, tell(acts.Supply), again)
    assert (step.state, step.supplement and step.supplement.gaps) == ("supplementing", again.gaps)


def test_what_was_accepted_late_was_accepted_and_since_when_is_what_the_decider_tells():
    told = tell(acts.Accept, on=20, since=later(days=2), legal_days=20, promised_days=10)
    home = home_after(RECEIVED, told, days=20)
    (event,) = (each for each in home.events if isinstance(each, Accepted))
    assert (event.since, event.legal_days, event.promised_days) == (later(days=2), 20, 10)
    clock = step_at(home, FAR).clock
    assert clock
    assert (clock.is_deemed, clock.accepted_at) == (False, later(days=20))


def test_a_procedure_counts_that_our_item_does_not_declare_or_not_for_so_long():
    said = {"procedure": "专家评审", "notice": "需要三十个工作日。", "days": 30}
    step = mirrored(RECEIVED, ACCEPTED, tell(acts.Suspend, **said))
    assert step.clock
    assert step.clock.open_stop
    assert (step.state, step.clock.open_stop.reason, step.clock.open_stop.days) == ("suspended", "专家评审", 30)


def test_an_extension_counts_that_is_longer_than_ours_may_be_and_that_no_head_signed():
    step = mirrored(RECEIVED, ACCEPTED, extended(60))
    assert step.clock
    assert step.clock.extension
    assert (step.clock.extension.days, step.clock.extension.approver) == (60, "insurance")


def test_an_approval_counts_while_the_home_still_waits_for_a_deferred_material():
    awaited = (Deferral(material="photo", due_on=later(days=7).date()),)
    accepted = ACCEPTED.model_copy(update={"deferrals": awaited})
    step = mirrored(RECEIVED, accepted, tell(acts.Approve, on=1), deferred=("photo",))
    assert (step.state, step.awaited) == ("approved", awaited)


def test_that_the_decider_has_what_was_supplied_leaves_what_the_home_knows_of_it():
    home = home_after(RECEIVED, ASKED)
    home.do(acts.Supply(id="answer", by=citizen(), step=FAR, form={"subject_name": "测试宝宝"}))
    home.do(tell(acts.Supply, form={"subject_name": "别的名字"}))
    assert home.case
    assert (step_at(home, FAR).state, home.case.form["subject_name"]) == ("received", "测试宝宝")


def test_what_its_decider_tells_of_a_step_that_has_ended_is_refused_and_not_passed_over():
    home = home_after(RECEIVED, ACCEPTED, tell(acts.Approve, on=1))
    with pytest.raises(StateForbids):
        home.do(tell(acts.Supply, on=2))


@pytest.mark.parametrize("kind", [acts.Lapse, acts.Deem])
def test_the_homes_own_clock_ends_and_begins_nothing_in_a_mirror(kind: type[acts.StepAct]):
    home = home_after(RECEIVED, ASKED) if kind is acts.Lapse else home_after(RECEIVED)
    with pytest.raises(NotOurStep):
        decide(home.case, tell(kind, by=peer(JIANGSU), on=60), facts(at=later(days=60)))


@pytest.mark.parametrize("told", [(RECEIVED,), (RECEIVED, ACCEPTED)])
def test_a_third_node_decides_nothing(told: Sequence[acts.StepAct]):
    home = home_after(*told)
    with pytest.raises(NotOurStep):
        home.do(tell(acts.Decline, by=peer(GUANGDONG), reason="not_needed", grounds="无需办理"))
