"""Transferring (移送): once, by the authority that has it; then the superior says; and the clock goes with the step."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from server.desk.wording import words_of
from server.domain.aggregate.actors import Actor
from server.domain.case import acts
from server.domain.case.case import Case
from server.domain.catalogue.authorities import Authorities
from server.domain.catalogue.divisions import Division
from server.domain.catalogue.items import DaysFrom, TransferRule
from server.domain.catalogue.pinning import PinnedAuthority
from server.domain.catalogue.succession import heir_of, successions
from server.domain.catalogue.terms import Terms
from server.domain.effects.effects import effects_of
from server.domain.errors import Refusal
from server.domain.people.claims import Claim
from server.domain.rules.decide import NotOurStep, NotYourAuthority, StateForbids, decide
from server.domain.rules.moves.transferring import (
    NothingToDesignate,
    SameAuthority,
    TransferNotAllowed,
    TransferredAlready,
)
from tests.domain.places import AUTHORITIES, DIVISIONS
from tests.world import (
    CATALOGUE,
    FACTS,
    HEARING,
    JIANGSU,
    ZHEJIANG,
    after,
    facts,
    later,
    officer,
    opened,
    planned,
    worked,
)

STEP = "first"
FIRST, SECOND, THIRD = (
    PinnedAuthority(id=f"health/{code}", name=f"{name}卫生健康委员会")
    for code, name in ((JIANGSU, "江苏省"), ("320102", "玄武区"), ("320106", "鼓楼区"))
)
ABOVE = PinnedAuthority(id="health/above", name="上级卫生健康委员会")
NODE = Actor(node=JIANGSU, part="node")


def terms(days_from: DaysFrom | None = "first_receipt") -> Terms:
    rule = TransferRule(days_from=days_from, source="tests", status="sample") if days_from else None
    return Terms(legal_days=20, special_steps=(HEARING,), transfer=rule)


def case_until(until: str = "accepted", days_from: DaysFrom | None = "first_receipt") -> Case:
    """A case whose step is decided here, as far as the acts until then bring it."""
    case = opened([planned(STEP, terms=terms(days_from))])
    return after(case, *worked(STEP, officer(), until=until)) if until != "sent" else case


def of(authority: PinnedAuthority, name: str = "officer-2") -> Actor:
    return officer(name=name).model_copy(update={"authority": authority.id})


def transfer(to: PinnedAuthority | None = SECOND, *, by: Actor | None = None, id: str = "transfer") -> acts.Transfer:
    return acts.Transfer(id=id, by=by or officer(), step=STEP, authority=to, reason="户口在该区")


def designate(to: PinnedAuthority = THIRD, *, by: Actor | None = None, **more: Any) -> acts.Designate:
    said = {"id": "designate", "step": STEP, "authority": to, "superior": ABOVE, "reason": "意见不一致"}
    return acts.Designate(**{**said, "by": by or of(ABOVE), **more})


def take_over(to: PinnedAuthority = SECOND, *, by: Actor = NODE) -> acts.TakeOver:
    return acts.TakeOver(id="take-over", by=by, step=STEP, authority=to, reason="某区已撤销")


# Who may, and when.


def test_what_its_item_does_not_allow_is_not_transferred():
    with pytest.raises(TransferNotAllowed):
        decide(case_until(days_from=None), transfer(), FACTS)


@pytest.mark.parametrize("until", ["sent", "approved", "refused"])
def test_only_what_was_received_and_is_not_decided_is_transferred(until: str):
    with pytest.raises(StateForbids):
        decide(case_until(until), transfer(), FACTS)


def test_a_special_procedure_is_ended_before_a_transfer():
    suspend = acts.Suspend(id="s", by=officer(), step=STEP, procedure="听证", notice="需要十日", days=10)
    stopped = after(case_until(), suspend)
    with pytest.raises(StateForbids):
        decide(stopped, transfer(), FACTS)
    going_on = after(stopped, acts.Resume(id="r", by=officer(), step=STEP), transfer())
    assert going_on.steps[STEP].authority == SECOND


def test_only_the_authority_that_has_it_hands_it_on_to_another_one():
    with pytest.raises(NotYourAuthority):
        decide(case_until(), transfer(by=of(SECOND)), FACTS)
    with pytest.raises(NotOurStep):
        decide(case_until(), transfer(by=officer(node=ZHEJIANG)), FACTS)
    for to in (FIRST, None):
        with pytest.raises(SameAuthority) as refused:
            decide(case_until(), transfer(to), FACTS)
        assert [fault.pointer for fault in refused.value.errors] == ["/division"]


def test_after_a_transfer_the_new_authority_acts_and_the_old_one_no_more():
    case = after(case_until(), transfer())
    approve = acts.Approve(id="approve", by=officer(), step=STEP)
    with pytest.raises(NotYourAuthority):
        decide(case, approve, FACTS)
    assert after(case, approve.model_copy(update={"by": of(SECOND)})).steps[STEP].state == "approved"


def test_a_second_transfer_is_refused_and_the_superior_designates():
    case = after(case_until(), transfer())
    with pytest.raises(TransferredAlready):
        decide(case, transfer(THIRD, by=of(SECOND), id="again"), FACTS)
    case = after(case, designate())
    step = case.steps[STEP]
    assert (step.authority, step.formers, step.transfers) == (THIRD, (FIRST, SECOND), 2)
    with pytest.raises(TransferredAlready):
        decide(case, transfer(by=of(THIRD), id="once more"), FACTS)
    assert after(case, designate(SECOND, id="anew")).steps[STEP].authority == SECOND


def test_the_superior_designates_only_after_a_transfer_or_where_the_authority_is_gone():
    with pytest.raises(NothingToDesignate):
        decide(case_until(), designate(), FACTS)
    assert after(case_until(), designate(is_gone=True)).steps[STEP].authority == THIRD
    with pytest.raises(NothingToDesignate):
        decide(after(case_until("received"), transfer(), *worked(STEP, of(SECOND))[1:]), designate(), FACTS)


@pytest.mark.parametrize("by", [officer(), of(SECOND), of(THIRD)], ids=lambda by: by.authority)
def test_nobody_but_an_authority_above_designates(by: Actor):
    with pytest.raises(NotYourAuthority):
        decide(after(case_until(), transfer()), designate(by=by), FACTS)


def test_the_successor_takes_over_what_may_not_be_transferred_and_may_transfer_it_once():
    taken = after(case_until("sent", days_from=None), take_over())
    assert (taken.steps[STEP].authority, taken.steps[STEP].transfers) == (SECOND, 0)
    licence = after(opened([planned(STEP, terms=terms(), yields="birth_licence")]), *worked(STEP, officer()))
    assert after(licence, take_over()).steps[STEP].authority == SECOND, "its licence is still to be delivered"
    with pytest.raises(StateForbids):
        decide(case_until("refused"), take_over(), FACTS)
    later_on = after(case_until(), take_over(), transfer(THIRD, by=of(SECOND)))
    assert later_on.steps[STEP].authority == THIRD


def test_a_letter_of_a_transfer_names_the_authority_and_the_day():
    told = {"id": "t", "by": officer(), "step": STEP, "reason": "户口在该区", "at": FACTS.at}
    for missing in ({"authority": SECOND}, {"days_from": "first_receipt"}):
        with pytest.raises(ValidationError):
            acts.Transfer(**told, **missing)


# What goes with it.


ON_THE_CLOCK = ("suspend", "resume", "extend")
HANDED_ON = ("transfer", "designate", "take_over")


def doing(way: str, case: Case, number: int) -> acts.StepAct:
    """An act by whom it is due in this case."""
    by, id, to = (
        of(case.steps[STEP].authority or FIRST),
        f"{way}-{number}",
        PinnedAuthority(id=str(number), name="某机关"),
    )
    match way:
        case "suspend":
            return acts.Suspend(id=id, by=by, step=STEP, procedure="听证", notice="需要十日", days=10)
        case "resume":
            return acts.Resume(id=id, by=by, step=STEP)
        case "extend":
            head = by.model_copy(update={"name": "head-1", "role": "head"})
            return acts.Extend(id=id, by=head, step=STEP, days=5, reason="案情复杂")
        case "transfer":
            return transfer(to, by=by, id=id)
        case "designate":
            return designate(to, id=id)
        case _:
            return take_over(to).model_copy(update={"id": id})


def tried(case: Case, way: str, number: int, *, days: int) -> Case:
    """The case after this act; as it is if it is refused."""
    try:
        return after(case, doing(way, case, number), facts=facts(at=later(days=days)))
    except Refusal:
        return case


@given(st.lists(st.sampled_from(ON_THE_CLOCK + HANDED_ON), max_size=15), st.integers(0, 3))
def test_a_step_that_is_handed_on_has_the_clock_of_one_that_stays(ways: list[str], gap: int):
    moved = stayed = case_until()
    for number, way in enumerate(ways):
        moved = tried(moved, way, number, days=gap * number)
        stayed = tried(stayed, way, number, days=gap * number) if way in ON_THE_CLOCK else stayed
        assert moved.steps[STEP].clock == stayed.steps[STEP].clock
        assert (moved.steps[STEP].state, moved.steps[STEP].since) == (
            stayed.steps[STEP].state,
            stayed.steps[STEP].since,
        )


@pytest.mark.parametrize(("days_from", "days"), [("first_receipt", 0), ("second_receipt", 2)])
def test_from_which_day_the_days_for_telling_of_gaps_count_is_data(days_from: DaysFrom, days: int):
    before = case_until("received", days_from)
    (event,) = decide(before, transfer(), facts(at=later(days=2))).events
    case = after(before, transfer(), facts=facts(at=later(days=2)))
    begun = before.steps[STEP].notify_from
    assert begun
    assert case.steps[STEP].notify_from == begun + timedelta(days=days)
    told = words_of(CATALOGUE, case, event)
    assert told.startswith("移送玄武区卫生健康委员会办理：户口在该区。")
    assert ("重新计算" in told) == (days > 0)


def test_a_proposal_of_the_former_authority_does_not_count_any_more():
    propose = acts.Propose(id="p", by=officer(), step=STEP, outcome="approve", opinion="材料齐全")
    assert after(case_until(), propose, transfer()).steps[STEP].proposal is None


def test_the_task_goes_along_under_its_id_and_says_where_it_lay():
    before = case_until()
    judgement = decide(before, transfer(), FACTS)
    (task,) = [each.task for each in effects_of(judgement, FACTS, threads={})[0] if each.task]
    assert (task.id, task.authority, task.left) == (f"case1:{STEP}", SECOND.id, FIRST.id)
    accepted = decide(case_until("received"), worked(STEP, officer())[1], FACTS)
    assert [each.task.left for each in effects_of(accepted, FACTS, threads={})[0] if each.task] == [""]


def test_a_claim_made_at_another_authority_is_over():
    claim = Claim(id="t", case="c", step=STEP, authority=FIRST.id, holder="anna", until=later(days=1), version=3)
    assert claim.at_authority(FIRST.id) == claim
    gone = claim.at_authority(SECOND.id)
    assert (gone.is_live(FACTS.at), gone.holder, gone.version) == (False, "", 3)


# Abolished divisions.


def successors_of(*successors: str) -> Authorities:
    """Divisions of which 玄武区 was abolished, with these after it."""
    changed = [
        each.model_copy(update={"valid_to": date(2026, 11, 22), "successors": successors})
        if each.code == "320102"
        else each
        for each in DIVISIONS.divisions
    ]
    added = [
        Division(code="320106", name="鼓楼区", kind="county"),
        Division(code="320107", name="旧区", kind="county", valid_to=date(2026, 1, 1), successors=("320106",)),
    ]
    divisions = DIVISIONS.model_copy(update={"divisions": (*changed, *added)})
    return Authorities(divisions=divisions, namings=AUTHORITIES.namings)


def heirs(authorities: Authorities, on: date = date(2026, 11, 23)) -> dict[str, str]:
    return {each.desk: each.heir for each in successions(authorities, JIANGSU, on=on)}


def test_what_an_abolished_division_had_falls_to_its_one_successor_from_the_next_day_on():
    desks = heirs(successors_of("320106"))
    assert desks["public_security/320102"] == desks["provider/health/320102"] == "320106"
    assert desks["public_security/320107"] == "320106"
    assert "public_security/320106" not in desks
    assert "public_security/320102" not in heirs(successors_of("320106"), date(2026, 11, 22))
    assert heirs(successors_of("320107"))["public_security/320102"] == "320106", "which took over from the successor"


@pytest.mark.parametrize("successors", [(), ("320106", "320100"), ("999999",), ("320102",), ("330106",)], ids=str)
def test_what_went_to_none_or_several_or_another_province_falls_to_nobody_by_itself(successors: tuple[str, ...]):
    assert heirs(successors_of(*successors))["public_security/320102"] == ""


def test_a_division_that_goes_on_loses_nothing_whatever_changes_at_its_boundary():
    assert heirs(AUTHORITIES) == {}
    there = DIVISIONS.by_code["320102"]
    assert heir_of(DIVISIONS, there, on=date(2026, 11, 23)) == there.code
