"""No act lacks a rule, no event of a step lacks a transition, and each stands in one place."""

from typing import get_args

import pytest

from server.domain.case import acts, events
from server.domain.case.happening import Moved
from server.domain.effects.letters_in import LetterUnreadable, act_of
from server.domain.effects.letters_out import ADDED
from server.domain.exchange.letters import Letter
from server.domain.rules.move import AnyRule, AnyTransition, Move
from server.domain.rules.table import MOVES, RULES, TABLE, TRANSITIONS
from tests.domain.places import CONTEXT
from tests.world import CATALOGUE, FACTS, JIANGSU, MONDAY, ZHEJIANG, about_step, officer, opened, planned

# Judged by a way of their own: they are about more than one step, or move none.
OWN_WAYS = {
    acts.AskWithdrawal,
    acts.FollowUp,
    acts.PostPaper,
    acts.ConfirmPaper,
    acts.Bounce,
    acts.Resend,
    acts.FilePaper,
    acts.AskSignature,
    acts.SignPaper,
}
BY_THEMSELVES = {"send", "skip", "ask_check"}
BY_OTHERS = {acts.Lapse}  # it comes to the events of other moves


def kinds(of: type) -> set[type]:
    """All kinds below this one that are made."""
    below = {kind for each in of.__subclasses__() for kind in {each, *kinds(each)}}
    made = {kind for kind in below if "act" in vars(kind) or "name" in vars(kind)}
    return {kind for kind in made if kind.__module__.startswith("server.")}


def test_every_act_on_a_step_has_one_rule_or_a_way_of_its_own():
    assert set(RULES) | OWN_WAYS == kinds(acts.StepAct)
    assert not set(RULES) & OWN_WAYS
    assert len(RULES) == sum(isinstance(each, AnyRule) for each in MOVES)


def test_every_event_that_moves_a_step_has_one_transition():
    assert set(TRANSITIONS) == kinds(Moved) == set(get_args(events.StepEvent))
    assert len(TRANSITIONS) == sum(isinstance(each, AnyTransition) for each in MOVES)


def test_an_act_and_its_event_have_one_name():
    moves = [each for each in MOVES if isinstance(each, Move)]
    assert [(each.act.name, each.event.act) for each in moves if each.act.name != each.event.act] == []
    assert {each.event.act for each in TRANSITIONS.values()} - {each.event.act for each in moves} == BY_THEMSELVES
    assert set(RULES) - {each.act for each in moves} == BY_OTHERS


def test_the_table_is_that_of_the_transitions():
    assert len(TABLE) == sum(len(each.states) for each in TRANSITIONS.values())


def test_a_rule_judges_acts_of_its_kind_alone():
    case = opened([planned("one", division=JIANGSU)])
    accept = acts.Accept(id="a", by=officer(), step="one")
    with pytest.raises(TypeError, match="Accept is not of the kind Receive"):
        RULES[acts.Receive].event_of(case, case.step("one"), accept, facts=FACTS)


def test_a_transition_applies_events_of_its_kind_alone():
    case = opened([planned("one", division=JIANGSU)])
    received = events.Received(number=9, at=FACTS.at, by=officer(), act_id="a", step="one")
    with pytest.raises(TypeError, match="Received is not of the kind Approved"):
        TRANSITIONS[events.Approved].applied(case.step("one"), received)


# What one side does for itself: the other side learns it by another letter, or needs not know.
UNTOLD = {"gather", "opine", "return_opinion", "propose", "ask_check", "check", "turn_back", "skip"}


def test_every_event_that_moves_a_step_is_told_by_letter_or_concerns_one_side_alone():
    assert {kind.act for kind, transition in TRANSITIONS.items() if transition.letter is None} == UNTOLD


def test_no_two_moves_have_the_same_letter():
    forms = [each.letter for each in TRANSITIONS.values() if each.letter]
    told = [(form.kind, tuple(form.marks.items())) for form in forms]
    assert len(set(told)) == len(told)
    by_kind = {kind: {tuple(form.marks) for form in forms if form.kind == kind} for kind, _ in told}
    assert all(len(words) == 1 and len(*words) <= 1 for words in by_kind.values()), "one word tells them apart"


def test_a_letter_says_and_adds_only_what_its_event_and_its_act_have():
    for move in (each for each in MOVES if isinstance(each, Move) and each.letter):
        form = move.letter
        assert form
        assert {*form.says, *([form.unfolds] if form.unfolds else ())} <= set(move.event.model_fields)
        assert set(form.says) <= set(move.act.model_fields)
        assert set(form.adds) <= set(ADDED)


# Of these the applicant gets no notice: they follow at once, are between offices, or are told by another event.
UNNOTICED = {"send", "skip", "ask_check", "check", "receive", "gather", "ask_supplement", "supply", "resume"} | {
    "opine",
    "return_opinion",
    "propose",
    "urge",
}


def test_every_event_that_moves_a_step_has_a_name_and_a_notice_or_none_on_purpose():
    assert {kind.act for kind, transition in TRANSITIONS.items() if transition.notice is None} == UNNOTICED
    names = [transition.name for transition in TRANSITIONS.values()]
    assert len(set(names)) == len(names)
    assert all(names)


# What the citizen, the other node or the law asks for, and no officer.
NOT_AT_THE_DESK = {acts.Tell, acts.Supply, acts.Urge, acts.Gather, acts.Deem, acts.Lapse, acts.LetGo, acts.TakeOver}
BY_A_DOOR_OF_ITS_OWN = {acts.Designate}  # whose answer tells those above nothing of the case


def test_every_act_that_officers_may_ask_for_has_an_address_of_its_own():
    forms = {kind: rule.desk for kind, rule in RULES.items()}
    assert {kind for kind, form in forms.items() if form is None} == NOT_AT_THE_DESK | BY_A_DOOR_OF_ITS_OWN
    paths = [form.path for form in forms.values() if form]
    assert len(set(paths)) == len(paths)


def test_what_the_applicant_or_the_home_says_is_requested_by_no_officer():
    assert [kind.name for kind, rule in RULES.items() if rule.desk and rule.speaker in ("applicant", "home")] == []


@pytest.mark.parametrize("more", [{"delivery": {"method": "post"}}, {"version": 1}, {"note": "x"}], ids=str)
def test_a_letter_of_a_delivery_has_no_members_but_its_own(more: dict[str, object]):
    letter = Letter.model_validate(
        {
            **{"id": "ab" * 32, "from": ZHEJIANG, "to": JIANGSU, "after": None, "about": about_step(step="one")},
            **{"kind": "step.delivered", "at": MONDAY, "salt": "salt"},
            "body": {"method": "post", "number": "P1", **more},
        }
    )
    with pytest.raises(LetterUnreadable):
        act_of(letter, lambda _: CATALOGUE, CONTEXT)


def test_what_officers_say_among_themselves_is_told_to_nobody():
    internal = [transition for transition in TRANSITIONS.values() if transition.is_internal]
    assert [(each.event.act, each.letter, each.notice) for each in internal] == [("propose", None, None)]
