"""The home's own part in a step of another node: nothing goes on unchecked, and originals are told by both hands."""

from typing import Any

import pytest

from server.domain.aggregate.acts import Act
from server.domain.case import acts, handover
from server.domain.case.case import Step
from server.domain.case.events import EVENT
from server.domain.catalogue.answers import AnswersIncomplete
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.pinning import PinnedAuthority
from server.domain.catalogue.plan import PlannedStep, make_plan
from server.domain.effects.letters_in import UndeclaredData, act_of
from server.domain.errors import Refusal, StaleVersion
from server.domain.rules.decide import NotOurStep, NotYourAuthority, StateForbids, decide
from server.domain.rules.lifecycle import replay
from server.domain.rules.moves.starting import CheckedAlready
from server.domain.rules.parts import NoPaperDue, NoPaperOnItsWay, PaperPostedAlready
from tests.domain.carrying import Place, carry, exchange, places, step_at
from tests.domain.places import CONTEXT, IN_COUNTY
from tests.world import (
    CATALOGUE,
    GUANGDONG,
    JIANGSU,
    PART,
    ZHEJIANG,
    facts,
    of_graph,
    officer,
    peer,
    planned,
    submission,
    worked,
)

STEP = "step2"  # its deciding department is another than that of its home's part
HERE, THERE = officer(node=JIANGSU), officer("insurance", node=ZHEJIANG)
FOUND = "申请表和身份一致"


def crossing_step(**change: Any) -> PlannedStep:
    """A step that Zhejiang decides and in which its home has a part."""
    return of_graph(STEP, division="330106", part=PART.model_copy(update=change))


def act(kind: type[acts.StepAct], by: Any, **said: Any) -> Any:
    """This act on the step, under an id that tells what is said."""
    return kind(id=f"{kind.name} {by.node} {sorted(said.items())}", by=by, step=STEP, **said)


def check(by: Any = HERE) -> acts.Check:
    """The home's check, passed."""
    return act(acts.Check, by, finding=FOUND)


def post(by: Any, number: str = "EX-1") -> acts.PostPaper:
    """Originals go by post in this parcel."""
    return act(acts.PostPaper, by, courier="邮政", number=number)


def confirm(by: Any) -> acts.ConfirmPaper:
    """They are there."""
    return act(acts.ConfirmPaper, by)


def checked(**change: Any) -> tuple[Place, Place]:
    """The two nodes when the home has checked the step and its letter is there."""
    home, decider = places(crossing_step(**change))
    home.do(check())
    exchange(home, decider)
    return home, decider


def both(home: Place, decider: Place) -> tuple[Step, Step]:
    """The step at both nodes when all letters are there."""
    exchange(home, decider)
    return step_at(home, STEP), step_at(decider, STEP)


def test_whatever_else_happens_in_the_case_a_step_is_not_sent_before_its_check():
    home, _ = places(crossing_step(), planned("other"))
    home.do(acts.Receive(id="receive", by=officer(), step="other"))
    assert (step_at(home, STEP).state, home.written) == ("checking", [])


def refused(place: Place, wish: Act) -> type[Refusal]:
    """By which name it is refused; it leaves no trace."""
    before = (place.case, place.events, len(place.written))
    with pytest.raises(Refusal) as fault:
        place.do(wish)
    assert before == (place.case, place.events, len(place.written))
    return fault.type


def tasks_of(place: Place, part: str) -> list[tuple[str, bool]]:
    """Department and openness of each task of this part, in the order in which they were told."""
    return [(task.department, task.is_open) for task in place.tasks if task.part == part]


def test_a_step_is_not_sent_before_its_home_has_checked_it():
    home, decider = places(crossing_step())
    assert (step_at(home, STEP).state, step_at(home, STEP).node) == ("checking", "")
    assert decider.case is None
    assert tasks_of(home, "check") == [("health", True)]
    assert [type(each) for each in home.do(check())] == [handover.Checked, type(home.events[-1])]
    assert (home.events[-1].kind, tasks_of(home, "check")[-1]) == ("sent", ("health", False))
    here, there = both(home, decider)
    assert (here.state, here.finding, there.finding) == ("sent", FOUND, FOUND)


def test_a_check_waits_until_the_needs_are_granted():
    need = of_graph("step0")
    home, _ = places(need, crossing_step().model_copy(update={"needs": ("step0",)}))
    assert refused(home, check()) is StateForbids
    assert tasks_of(home, "check") == []
    opine = [
        acts.Opine(id=f"o-{each}", by=officer(each), step="step0", answer="agree") for each in ("police", "insurance")
    ]
    received, accepted, approved = worked("step0", officer())
    for each in (received, accepted, *opine, approved):
        home.do(each)
    assert step_at(home, STEP).state == "checking"


def test_a_part_is_asked_only_where_another_node_decides():
    home, _ = places(of_graph(STEP, part=PART))
    assert step_at(home, STEP).state == "sent"
    assert home.events[-1].kind == "sent"
    assert refused(home, post(officer("insurance"))) is NoPaperDue
    abroad, _ = places(of_graph(STEP, division="330106"))
    assert refused(abroad, post(officer("insurance"))) is NotYourAuthority, "nobody has a part in it at home"


def test_only_the_department_of_the_part_checks_and_only_at_home():
    home, decider = places(crossing_step())
    assert refused(home, check(officer("insurance"))) is NotYourAuthority
    assert refused(home, check(THERE)) is NotOurStep
    assert refused(home, check(peer())) is NotOurStep
    home.do(check())
    exchange(home, decider)
    for by in (THERE, officer(node=ZHEJIANG), peer(ZHEJIANG)):
        assert refused(decider, check(by)) is NotOurStep
        assert refused(decider, act(acts.TurnBack, by, grounds="不符")) is NotOurStep
    assert refused(home, check()) is StateForbids


def test_who_checks_neither_receives_nor_decides():
    home, decider = places(crossing_step())
    for kind in (acts.Receive, acts.Accept, acts.Approve):
        assert refused(home, act(kind, officer("insurance"))) is StateForbids
    home.do(check())
    exchange(home, decider)
    for kind in (acts.Receive, acts.Accept, acts.Approve):
        assert refused(home, act(kind, HERE)) is NotOurStep
    assert refused(home, act(acts.TurnBack, HERE, grounds="不符")) is StateForbids


def test_what_is_turned_back_ends_with_its_grounds_and_the_applicant_is_told():
    home, decider = places(crossing_step())
    home.do(act(acts.TurnBack, HERE, grounds="身份证件已过期。"))
    step = step_at(home, STEP)
    assert (step.state, step.grounds) == ("withdrawn", "身份证件已过期。")
    assert home.case
    assert home.case.closed_at
    assert [notice.values["state"] for notice in home.notices][:1] == ["核验未过"]
    assert tasks_of(home, "check")[-1] == ("health", False)
    assert (decider.case, home.written) == (None, [])


def test_while_nobody_decides_there_a_checked_step_is_kept_and_checked_once():
    home, _ = places(crossing_step())
    nowhere = facts(JIANGSU).directory.model_copy(update={"nodes": facts(JIANGSU).directory.nodes[:1]})
    assert home.case
    (happened,) = decide(home.case, check(), facts(JIANGSU, directory=nowhere)).events
    left = replay((*home.events, happened))
    assert (left.steps[STEP].state, left.steps[STEP].finding) == ("checking", FOUND)
    for wish in (act(acts.Check, HERE, finding="再次核验"), act(acts.TurnBack, HERE, grounds="不符")):
        with pytest.raises(CheckedAlready):
            decide(left, wish, facts(JIANGSU))


def test_a_finding_without_a_part_is_nothing_that_the_item_declares():
    home, _ = checked()
    letter = home.written[0]
    body = {**letter.body, "step": {**letter.body["step"], "part": None}}
    with pytest.raises(UndeclaredData):
        act_of(letter.model_copy(update={"body": body}), lambda version: CATALOGUE, CONTEXT)


def test_originals_go_out_and_come_back_and_each_hand_confirms_what_the_other_posted():
    home, decider = checked()
    assert tasks_of(home, "paper")[-1] == ("health", True)
    home.do(post(HERE))
    here, there = both(home, decider)
    for step in (here, there):
        assert (step.papers["out"].number, step.papers["out"].arrived_at) == ("EX-1", None)
    assert tasks_of(home, "paper")[-1] == ("health", False)
    assert tasks_of(decider, "paper")[-1] == ("insurance", True)
    decider.do(confirm(THERE))
    for wish in worked(STEP, THERE):
        decider.do(wish)
    decider.do(post(THERE, "EX-2"))
    both(home, decider)
    assert tasks_of(decider, "paper")[-1] == ("insurance", False)
    assert tasks_of(home, "paper")[-1] == ("health", True)
    home.do(confirm(HERE))
    here, there = both(home, decider)
    for step in (here, there):
        assert [leg for leg, paper in step.papers.items() if paper.arrived_at] == ["out", "back"]
        assert [paper.number for paper in step.papers.values()] == ["EX-1", "EX-2"]
    assert tasks_of(home, "paper")[-1] == ("health", False)
    for place in (home, decider):
        assert replay(EVENT.validate_json(event.model_dump_json()) for event in place.events) == place.case


def test_originals_are_told_only_by_the_two_hands_that_have_them():
    home, decider = checked()
    assert refused(home, post(officer("insurance"))) is NotYourAuthority
    assert refused(home, post(peer(JIANGSU))) is NotYourAuthority
    assert refused(home, post(peer(GUANGDONG))) is NotOurStep
    assert refused(decider, post(THERE)) is NoPaperDue  # nothing goes back before the end
    assert refused(decider, confirm(THERE)) is NoPaperOnItsWay
    home.do(post(HERE))
    exchange(home, decider)
    assert refused(home, confirm(HERE)) is NoPaperOnItsWay  # its own posting is not its to confirm
    assert refused(decider, confirm(officer(node=ZHEJIANG))) is NotYourAuthority
    decider.do(confirm(THERE))
    assert refused(decider, act(acts.ConfirmPaper, THERE, number="EX-9")) is NoPaperOnItsWay


def test_nothing_is_posted_where_no_originals_travel():
    home, decider = checked(has_paper=False)
    assert refused(home, post(HERE)) is NoPaperDue
    for wish in worked(STEP, THERE):
        decider.do(wish)
    assert refused(decider, post(THERE)) is NoPaperDue
    assert tasks_of(home, "paper") == tasks_of(decider, "paper") == []


def test_a_posting_is_corrected_once():
    home, decider = checked()
    home.do(post(HERE))
    home.do(post(HERE, "EX-2"))
    assert refused(home, post(HERE, "EX-3")) is PaperPostedAlready
    here, there = both(home, decider)
    assert (here.papers["out"].number, there.papers["out"].number) == ("EX-2", "EX-2")


def test_a_correction_that_crosses_the_confirmation_changes_nothing_of_what_arrived():
    home, decider = checked()
    home.do(post(HERE))
    exchange(home, decider)
    home.do(post(HERE, "EX-2"))
    decider.do(confirm(THERE))
    here, there = both(home, decider)
    assert (here.papers["out"].number, there.papers["out"].number) == ("EX-1", "EX-1")
    assert here.papers["out"].postings == there.papers["out"].postings == 2
    assert refused(home, post(HERE, "EX-3")) is PaperPostedAlready


def test_a_peer_posts_no_more_often_than_an_officer():
    home, decider = checked()
    for number in ("EX-1", "EX-2", "EX-3"):
        letter = home.written[0].model_copy(
            update={
                "id": f"{number:f<64}".lower().replace("x", "e").replace("-", "0"),
                "kind": "step.paper",
                "body": {"move": "sent", "courier": "邮政", "number": number, "leg": "out"},
            }
        )
        if number == "EX-3":
            with pytest.raises(PaperPostedAlready):
                decider.settle(letter)
        else:
            decider.settle(letter)


def test_an_officer_who_saw_the_step_before_the_originals_were_posted_is_told():
    home, decider = checked()
    seen = step_at(decider, STEP).version
    home.do(post(HERE))
    assert carry(home, decider) == []
    with pytest.raises(StaleVersion):
        decider.do(act(acts.Receive, THERE, version=seen))
    with pytest.raises(StaleVersion):
        decider.do(act(acts.ConfirmPaper, THERE, version=seen))
    decider.do(act(acts.ConfirmPaper, THERE, version=step_at(decider, STEP).version))


def test_the_plan_remembers_the_part_of_a_step_that_another_province_decides():
    items = tuple(
        item.model_copy(update={"handling": (item.handling[0].model_copy(update={"part": PART}),)})
        for item in CATALOGUE.items
    )
    catalogue = Catalogue.model_validate({**CATALOGUE.model_dump(), "items": items})
    bundle = catalogue.bundle("arrival")
    for place, parts in (("330102", {"second"}), ("320100", set())):
        plan = make_plan(catalogue, bundle, {**submission().answers, "place": place}, context=IN_COUNTY)
        assert {step.code for step in plan if step.part} == parts
        checkers = [step.competent.checker for step in plan if step.competent.checker]
        assert checkers == [PinnedAuthority(id="health/320102", name="南京市玄武区卫生健康局")] * len(parts)


def test_what_is_checked_at_home_needs_a_place_where_one_authority_does_so():
    items = tuple(
        item.model_copy(update={"handling": (item.handling[0].model_copy(update={"part": PART}),)})
        for item in CATALOGUE.items
    )
    catalogue = Catalogue.model_validate({**CATALOGUE.model_dump(), "items": items})
    with pytest.raises(AnswersIncomplete) as refusal:
        make_plan(catalogue, catalogue.bundle("arrival"), submission().answers, context=CONTEXT)
    assert [(fault.pointer, fault.code) for fault in refusal.value.errors] == [("/division", "place_too_broad")]
