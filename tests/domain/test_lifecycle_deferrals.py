"""Deferred materials (容缺): they may come after the acceptance, each until its day, and nothing is approved before."""

from datetime import date
from typing import Any

import pytest

from server.domain.aggregate.actors import Actor
from server.domain.case import acts
from server.domain.case.case import Case
from server.domain.catalogue.terms import Terms
from server.domain.rules.decide import decide
from server.domain.rules.moves.deciding import DeferredMaterialMissing
from server.domain.rules.moves.receiving import TooEarly
from server.domain.rules.moves.supplementing import LATE_MATERIAL
from server.domain.rules.supplements import NothingAsked, SupplementIncomplete, SupplementOver
from tests.domain.carrying import Place, exchange, places, step_at
from tests.world import (
    HEARING,
    JIANGSU,
    ZHEJIANG,
    after,
    application,
    citizen,
    facts,
    handed_in,
    lacking,
    later,
    of_graph,
    officer,
    opened,
    peer,
    planned,
    worked,
)

FAR = "step2"  # an item that is decided in Zhejiang by the department insurance
BY_FAR = officer("insurance", node=ZHEJIANG)
LAST_DAY = 7  # from Monday to the fifth working day after it
DEFERRED = ("photo", "proof")
HANDED_IN = tuple(each for each in application().materials if each.code not in DEFERRED)
APPROVE = acts.Approve(id="approve", by=officer(), step="one")
LAPSE = acts.Lapse(id="lapse", by=Actor(node=JIANGSU, part="node"), step="one")


def supply(*codes: str, step: str = "one", form: Any = None) -> acts.Supply:
    """The applicant hands in these materials."""
    materials = tuple(handed_in(code) for code in codes)
    return acts.Supply(id=f"supply-{'-'.join(codes)}", by=citizen(), step=step, form=form or {}, materials=materials)


def case_until(state: str, **terms: Any) -> Case:
    """A case whose step is here, without the materials that were deferred."""
    step = planned(
        "one",
        materials=("photo", "proof"),
        terms=Terms(**{"legal_days": 10, "deferrable": DEFERRED, "special_steps": (HEARING,), **terms}),
    )
    case = opened([step], deferred=DEFERRED, materials=HANDED_IN)
    return after(case, *worked("one", officer(), until=state))


def at(days: float) -> acts.Facts:
    """What is known at home so many days after Monday."""
    return facts(at=later(days=days))


def days_of(case: Case | None, step: str = "one") -> dict[str, date]:
    """The last day of each deferred material."""
    assert case
    return {each.material: each.due_on for each in case.steps[step].deferrals}


def far_accepted() -> tuple[Place, Place]:
    """Home and decider, the step accepted there without its photo."""
    home, decider = places(of_graph(FAR, division="330106"), deferred=("photo",), materials=HANDED_IN)
    for act in worked(FAR, BY_FAR, until="accepted"):
        decider.do(act)
    exchange(home, decider)
    return home, decider


def test_on_acceptance_each_deferred_material_gets_its_last_day():
    assert days_of(case_until("received")) == {}
    assert days_of(case_until("accepted")) == dict.fromkeys(DEFERRED, date(2026, 11, 30))
    assert days_of(case_until("accepted", deferral_days=3)) == dict.fromkeys(DEFERRED, date(2026, 11, 26))


def test_it_is_never_later_than_the_legal_time():
    assert days_of(case_until("accepted", legal_days=2)) == dict.fromkeys(DEFERRED, date(2026, 11, 25))


def test_it_gets_its_day_when_accepted_by_law_too():
    case = after(case_until("received"), acts.Deem(id="deem", by=LAPSE.by, step="one"), facts=at(8))
    assert days_of(case) == dict.fromkeys(DEFERRED, date(2026, 12, 8))


def test_a_step_that_does_not_ask_for_it_awaits_nothing():
    case = opened([planned("other")], deferred=DEFERRED, materials=HANDED_IN)
    assert days_of(after(case, *worked("other", officer(), until="accepted")), "other") == {}


def test_nothing_is_approved_before_all_have_come():
    case = case_until("accepted")
    for code in DEFERRED:
        with pytest.raises(DeferredMaterialMissing):
            decide(case, APPROVE, at(0))
        case = after(case, supply(code), facts=at(1))
    assert after(case, APPROVE).steps["one"].state == "approved"
    assert {each.came_at for each in case.steps["one"].deferrals} == {later(days=1)}
    assert case.deferred == ()
    assert {each.code for each in case.materials} == {"bank_card", *DEFERRED}


def test_it_may_be_refused_before_they_have_come():
    refuse = acts.Refuse(id="refuse", by=officer(), step="one", grounds="不符合条件")
    assert after(case_until("accepted"), refuse).steps["one"].state == "refused"


def test_only_what_was_deferred_is_taken_and_once():
    case = case_until("accepted")
    for wrong in (supply("bank_card"), supply("photo", form={"subject_name": "x"}), supply()):
        with pytest.raises(SupplementIncomplete):
            decide(case, wrong, at(0))
    case = after(case, supply("photo"))
    with pytest.raises(SupplementIncomplete):
        decide(case, supply("photo"), at(0))
    with pytest.raises(NothingAsked):
        decide(after(case, supply("proof")), supply("proof"), at(0))


def test_it_comes_on_its_last_day_and_not_later():
    case = case_until("accepted")
    assert after(case, supply(*DEFERRED), facts=at(LAST_DAY)).steps["one"].awaited == ()
    with pytest.raises(SupplementOver):
        decide(case, supply("photo"), at(LAST_DAY + 1))


def test_it_may_come_while_the_clock_is_stopped():
    hearing = acts.Suspend(id="s", by=officer(), step="one", procedure="听证", notice="需要十日。", days=10)
    case = after(case_until("accepted"), hearing, supply("photo"))
    assert (case.steps["one"].state, [each.material for each in case.steps["one"].awaited]) == ("suspended", ["proof"])


def test_in_a_special_procedure_nothing_lapses_and_at_its_end_what_has_not_come_does():
    hearing = acts.Suspend(id="s", by=officer(), step="one", procedure="听证", notice="需要十日。", days=10)
    case = after(case_until("accepted"), hearing, supply("photo"))
    with pytest.raises(TooEarly):
        decide(case, LAPSE, at(LAST_DAY + 1))
    with pytest.raises(SupplementOver):
        decide(case, supply("proof"), at(LAST_DAY + 1))
    case = after(case, acts.Resume(id="r", by=officer(), step="one"), facts=at(LAST_DAY + 2))
    with pytest.raises(DeferredMaterialMissing):
        decide(case, APPROVE, at(LAST_DAY + 2))
    case = after(case, LAPSE, facts=at(LAST_DAY + 2))
    assert (case.steps["one"].state, case.steps["one"].grounds) == ("refused", LATE_MATERIAL)


def test_what_has_not_come_in_time_is_refused():
    with pytest.raises(TooEarly):
        decide(case_until("accepted"), LAPSE, at(LAST_DAY))
    case = after(case_until("accepted"), supply("photo"))
    case = after(case, LAPSE, facts=at(LAST_DAY + 1))
    assert (case.steps["one"].state, case.steps["one"].grounds) == ("refused", LATE_MATERIAL)
    assert "行政复议" in case.steps["one"].appeal


def test_what_came_in_time_is_not_refused():
    case = after(case_until("accepted"), supply(*DEFERRED))
    with pytest.raises(TooEarly):
        decide(case, LAPSE, at(LAST_DAY + 1))


def test_what_a_supplement_brought_is_not_deferred_any_more():
    gap = lacking("photo", kind="material")
    ask = acts.AskSupplement(id="ask", by=officer(), step="one", gaps=(gap,))
    case = after(case_until("received"), ask, supply("photo"))
    case = after(case, acts.Accept(id="accept", by=officer(), step="one"))
    assert list(days_of(case)) == ["proof"]


def test_a_decider_elsewhere_knows_what_was_deferred_and_tells_the_home_until_when():
    home, decider = far_accepted()
    assert home.written[0].body["deferred"] == ["photo"]
    assert days_of(home.case, FAR) == days_of(decider.case, FAR) == {"photo": date(2026, 11, 30)}


def test_what_comes_later_goes_to_a_decider_elsewhere_by_letter():
    home, decider = far_accepted()
    approve = acts.Approve(id="approve", by=BY_FAR, step=FAR)
    with pytest.raises(DeferredMaterialMissing):
        decider.do(approve)
    home.do(supply("photo", step=FAR))
    with pytest.raises(NothingAsked):
        home.do(supply("photo", step=FAR))
    exchange(home, decider)
    assert decider.case
    assert [each.sha256 for each in decider.case.materials] == [handed_in("photo").sha256]
    assert step_at(home, FAR).awaited == step_at(decider, FAR).awaited == ()
    decider.do(approve)
    exchange(home, decider)
    assert step_at(home, FAR).state == "approved"


def test_what_comes_to_a_decider_that_has_refused_meanwhile_changes_nothing():
    home, decider = far_accepted()
    home.days = LAST_DAY
    home.do(supply("photo", step=FAR))
    decider.days = LAST_DAY + 1
    decider.do(acts.Lapse(id="lapse", by=peer(ZHEJIANG), step=FAR))
    exchange(home, decider)
    assert step_at(home, FAR).state == step_at(decider, FAR).state == "refused"
    with pytest.raises(NothingAsked):
        home.do(supply("photo", step=FAR))


def test_a_home_makes_no_decider_elsewhere_wait_for_what_its_item_does_not_let_come_later():
    home, decider = places(of_graph(FAR, division="330106"), deferred=DEFERRED, materials=HANDED_IN)
    assert home.written[0].body["deferred"] == list(DEFERRED)
    for act in worked(FAR, BY_FAR, until="accepted"):
        decider.do(act)
    assert list(days_of(decider.case, FAR)) == ["photo"]


def test_to_a_step_that_was_refused_nothing_is_handed_in_though_its_day_has_not_come():
    home, decider = far_accepted()
    decider.do(acts.Refuse(id="refuse", by=BY_FAR, step=FAR, grounds="不符合条件"))
    exchange(home, decider)
    with pytest.raises(NothingAsked):
        home.do(supply("photo", step=FAR))
