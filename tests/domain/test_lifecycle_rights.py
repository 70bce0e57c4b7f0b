"""Who may move a step: its decider and nobody else, whoever asks and by whatever door."""

import pytest

from server.domain.aggregate.actors import Actor
from server.domain.aggregate.acts import Act
from server.domain.case import acts
from server.domain.case.case import Case, NoSuchCase, NoSuchStep
from server.domain.errors import Refusal, StaleVersion
from server.domain.rules.decide import NotOurStep, NotYourAuthority, StepAlreadyRequested, decide
from server.domain.rules.results import NotYielded
from tests.world import (
    CASE,
    FACTS,
    GUANGDONG,
    JIANGSU,
    NOWHERE,
    ZHEJIANG,
    after,
    application,
    citizen,
    commission,
    facts,
    officer,
    opened,
    peer,
    planned,
    request,
    worked,
)

FIRST, SECOND, THIRD = application().steps
POLICE_HERE = officer("police")
POLICE_THERE = officer("police", node=ZHEJIANG)
IN_ZHEJIANG = facts(ZHEJIANG)


def at_home() -> Case:
    """The case in Jiangsu: its second step is sent to Zhejiang, the third waits for it."""
    return after(opened(), *worked("first", officer(), result={"birth_number": "A1"}))


def in_zhejiang() -> Case:
    """Zhejiang's copy of the case: the second step is on its desk."""
    return after(None, request(), facts=IN_ZHEJIANG)


def all_acts(step: str, by: Actor) -> list[acts.StepAct]:
    """Each act on a step that an actor could try."""
    common = {"id": "a", "by": by, "step": step}
    plain = [kind(**common) for kind in (acts.Receive, acts.Accept, acts.Approve, acts.LetGo)]
    return [*plain, acts.Refuse(**common, grounds="材料不实")]


def refused(case: Case | None, act: Act, refusal: type[Refusal], known: acts.Facts = FACTS) -> bool:
    """Whether the act is refused by exactly this name."""
    with pytest.raises(refusal) as caught:
        decide(case, act, known)
    return caught.type is refusal


@pytest.mark.parametrize("by", [POLICE_HERE, citizen(), peer(GUANGDONG), peer(JIANGSU)], ids=lambda by: by.part)
def test_at_home_nobody_but_its_decider_moves_a_step_that_was_sent_away(by: Actor):
    assert all(refused(at_home(), act, NotOurStep) for act in all_acts("second", by))


@pytest.mark.parametrize("by", [peer(JIANGSU), peer(GUANGDONG)], ids=["the home", "a third node"])
def test_at_the_decider_no_letter_of_another_node_moves_the_step(by: Actor):
    assert all(refused(in_zhejiang(), act, NotOurStep, IN_ZHEJIANG) for act in all_acts("second", by))


def test_no_peer_moves_a_step_that_is_decided_at_home():
    assert all(refused(opened(), act, NotOurStep) for act in all_acts("first", peer(ZHEJIANG)))


@pytest.mark.parametrize("by", [peer(ZHEJIANG), peer(GUANGDONG)], ids=["its later decider", "a third node"])
def test_no_peer_moves_a_step_before_it_was_sent(by: Actor):
    assert opened().steps["second"].state == "waiting"
    assert all(refused(opened(), act, NotOurStep) for act in all_acts("second", by))


def test_the_pinned_decider_moves_the_mirror_at_home():
    case = after(at_home(), *worked("second", peer(ZHEJIANG), result={"household_number": "B2"}))
    assert case.steps["second"].state == "approved"


def test_the_decider_stays_pinned_when_the_directory_changes():
    from_now_on = facts(directory=FACTS.directory.model_copy(update={"version": 2, "nodes": FACTS.directory.nodes[:1]}))
    case = after(at_home(), *worked("second", peer(ZHEJIANG)), facts=from_now_on)
    assert (case.steps["second"].node, case.steps["second"].directory_version) == (ZHEJIANG, 1)
    assert case.steps["third"].directory_version == 2


def test_only_the_home_asks_a_step_back():
    ask = acts.AskWithdrawal(id="a", by=peer(GUANGDONG), step="second")
    assert refused(in_zhejiang(), ask, NotOurStep, IN_ZHEJIANG)
    assert refused(in_zhejiang(), ask.model_copy(update={"by": POLICE_THERE}), NotOurStep, IN_ZHEJIANG)


def test_asking_a_step_back_at_home_does_not_withdraw_what_another_node_decides():
    for step in ("second", "third"):
        assert refused(at_home(), acts.AskWithdrawal(id="a", by=peer(JIANGSU), step=step), NotOurStep)


def test_a_case_is_taken_back_at_its_home_only():
    assert refused(in_zhejiang(), acts.Withdraw(id="a", by=citizen(ZHEJIANG)), NotOurStep, IN_ZHEJIANG)
    assert refused(at_home(), acts.Withdraw(id="a", by=peer(ZHEJIANG)), NotOurStep)


@pytest.mark.parametrize("case", [None, in_zhejiang()], ids=["unknown", "known"])
def test_only_the_home_of_a_case_requests_its_steps(case: Case | None):
    wish = commission(planned("other", division=ZHEJIANG))
    assert refused(case, request(wish, by=peer(GUANGDONG)), NotOurStep, IN_ZHEJIANG)
    assert "other" in after(case, request(wish), facts=IN_ZHEJIANG).steps


@pytest.mark.parametrize("division", [JIANGSU, "440100", NOWHERE])
def test_a_step_whose_division_is_not_ours_is_not_taken_up(division: str):
    assert refused(None, request(commission(planned("other", division=division))), NotOurStep, IN_ZHEJIANG)


def test_a_step_is_requested_once():
    assert refused(in_zhejiang(), request(id="again"), StepAlreadyRequested, IN_ZHEJIANG)


def test_a_requested_step_stands_here_as_sent_and_pinned_to_us():
    case = in_zhejiang()
    step = case.steps["second"]
    assert (case.name, case.applicant, dict(case.form)) == (CASE, None, {"subject_name": "测试宝"})
    assert (step.state, step.node, step.directory_version, step.plan.needs) == ("sent", ZHEJIANG, 1, ())


def test_a_second_request_adds_what_it_brings_to_the_same_case():
    more = commission(
        planned("other", division=ZHEJIANG),
        form={"mobile": "13800000000"},
        materials=(*commission().materials, commission().materials[0].model_copy(update={"code": "photo"})),
    )
    case = after(in_zhejiang(), request(more, id="r2"), facts=IN_ZHEJIANG)
    assert list(case.steps) == ["second", "other"]
    assert dict(case.form) == {"subject_name": "测试宝", "mobile": "13800000000"}
    assert [material.code for material in case.materials] == ["proof", "photo"]


def test_an_officer_of_another_department_moves_nothing():
    assert all(refused(opened(), act, NotYourAuthority) for act in all_acts("first", POLICE_HERE))
    assert refused(in_zhejiang(), all_acts("second", officer(node=ZHEJIANG))[0], NotYourAuthority, IN_ZHEJIANG)


def test_where_the_home_has_no_part_none_of_its_departments_checks_or_turns_back():
    common = {"id": "a", "by": officer(), "step": "first"}
    for act in (acts.Check(**common, finding="一致"), acts.TurnBack(**common, grounds="不一致")):
        assert refused(opened(), act, NotYourAuthority)


def test_an_act_upon_a_step_that_has_moved_since_is_refused():
    case = opened()
    seen = case.steps["first"].version
    moved = after(case, acts.Receive(id="a", by=officer(), step="first", version=seen))
    assert refused(moved, acts.Accept(id="b", by=officer(), step="first", version=seen), StaleVersion)
    assert refused(moved, acts.Accept(id="b", by=officer(), step="first", version=seen + 9), StaleVersion)
    now = moved.steps["first"].version
    assert after(moved, acts.Accept(id="b", by=officer(), step="first", version=now)).steps["first"].state == "accepted"


def test_a_step_keeps_its_version_while_other_steps_move():
    case = opened([planned("one"), planned("two")])
    seen = case.steps["two"].version
    case = after(case, *worked("one", officer()))
    case = after(case, acts.Receive(id="a", by=officer(), step="two", version=seen))
    assert case.steps["two"].state == "received"


def test_a_withdrawal_of_a_case_that_has_moved_since_is_refused():
    case = opened()
    moved = after(case, acts.Receive(id="a", by=officer(), step="first"))
    assert refused(moved, acts.Withdraw(id="b", by=citizen(), version=case.version), StaleVersion)
    assert after(moved, acts.Withdraw(id="b", by=citizen(), version=moved.version)).outcome == "withdrawn"


@pytest.mark.parametrize(
    ("case", "step", "by"), [(opened(), "first", officer()), (at_home(), "second", peer())], ids=["here", "by letter"]
)
def test_a_result_names_only_what_the_item_yields(case: Case, step: str, by: Actor):
    *way, grant = worked(step, by, result={"birth_number": "A1", "household_number": "B2"})
    assert refused(after(case, *way), grant, NotYielded)


def test_an_act_on_a_case_or_step_that_does_not_exist_is_refused():
    receive = acts.Receive(id="a", by=officer(), step="nothing")
    assert refused(None, receive, NoSuchCase)
    assert refused(opened(), receive, NoSuchStep)


def test_an_act_that_no_rule_judges_is_an_error():
    class Wish(Act):
        """An act of a kind that nobody has thought of."""

    with pytest.raises(TypeError, match="no rule judges Wish"):
        decide(opened(), Wish(id="a", by=citizen()), FACTS)
