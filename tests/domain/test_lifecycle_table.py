"""The table of moves: each row does what it says, and nothing else moves a step."""

from collections.abc import Sequence
from itertools import product
from typing import Any, get_args

import pytest

from server.domain.aggregate.actors import Actor
from server.domain.aggregate.acts import Act
from server.domain.aggregate.happening import Happened
from server.domain.case import acts, events
from server.domain.case.case import ENDED, HELD, STATE_NAMES, Case, State
from server.domain.case.happening import Moved
from server.domain.catalogue.items import OpinionRule, TransferRule
from server.domain.catalogue.pinning import PinnedAuthority
from server.domain.catalogue.terms import APPEAL, Delivery, Terms
from server.domain.errors import Refusal
from server.domain.rules.decide import NotYourAuthority, StateForbids, decide
from server.domain.rules.lifecycle import evolve, replay
from server.domain.rules.moves.receiving import TooEarly
from server.domain.rules.supplements import NothingAsked
from server.domain.rules.table import TABLE
from tests.world import (
    FACTS,
    HEARING,
    JIANGSU,
    MONDAY,
    PART,
    UPLOADS,
    ZHEJIANG,
    after,
    citizen,
    facts,
    handed_in,
    lacking,
    later,
    officer,
    opened,
    opening,
    peer,
    planned,
    worked,
)

STEP = "step"  # its need is decided in Zhejiang, it is decided here
NODE = Actor(node=JIANGSU, part="node")
STATES: tuple[State, ...] = get_args(State)
ROWS: dict[tuple[State, str], State] = {
    ("waiting", "send"): "sent",
    ("waiting", "skip"): "skipped",
    ("waiting", "withdraw"): "withdrawn",
    ("waiting", "ask_check"): "checking",
    ("checking", "check"): "checking",
    ("checking", "turn_back"): "withdrawn",
    ("checking", "send"): "sent",
    ("checking", "withdraw"): "withdrawn",
    ("sent", "designate"): "sent",
    ("sent", "take_over"): "sent",
    ("sent", "urge"): "sent",
    ("received", "transfer"): "received",
    ("received", "designate"): "received",
    ("received", "take_over"): "received",
    ("received", "urge"): "received",
    ("sent", "receive"): "received",
    ("sent", "deem"): "accepted",
    ("sent", "gather"): "sent",
    ("sent", "withdraw"): "withdrawn",
    ("received", "ask_supplement"): "supplementing",
    ("received", "gather"): "received",
    ("received", "accept"): "accepted",
    ("received", "deem"): "accepted",
    ("received", "decline"): "declined",
    ("received", "withdraw"): "withdrawn",
    ("supplementing", "designate"): "supplementing",
    ("supplementing", "take_over"): "supplementing",
    ("supplementing", "tell"): "supplementing",
    ("supplementing", "supply"): "received",
    ("supplementing", "gather"): "supplementing",
    ("supplementing", "decline"): "declined",
    ("supplementing", "withdraw"): "withdrawn",
    ("accepted", "transfer"): "accepted",
    ("accepted", "designate"): "accepted",
    ("accepted", "take_over"): "accepted",
    ("accepted", "supply"): "accepted",
    ("accepted", "gather"): "accepted",
    ("accepted", "suspend"): "suspended",
    ("accepted", "extend"): "accepted",
    ("accepted", "opine"): "accepted",
    ("accepted", "return_opinion"): "accepted",
    ("accepted", "propose"): "accepted",
    ("accepted", "approve"): "approved",
    ("accepted", "refuse"): "refused",
    ("accepted", "withdraw"): "withdrawn",
    ("suspended", "designate"): "suspended",
    ("suspended", "take_over"): "suspended",
    ("suspended", "supply"): "suspended",
    ("suspended", "gather"): "suspended",
    ("suspended", "opine"): "suspended",
    ("suspended", "resume"): "accepted",
    ("suspended", "withdraw"): "withdrawn",
    ("approved", "designate"): "approved",
    ("approved", "take_over"): "approved",
    ("approved", "deliver"): "delivered",
}
NEED_APPROVED, NEED_REFUSED = (worked("need", peer(), until=until) for until in ("approved", "refused"))
TERMS = Terms(
    legal_days=10,
    special_steps=(HEARING,),
    deferrable=("photo",),
    opinions=OpinionRule(rule="some", departments=("police", "insurance"), days=3),
    transfer=TransferRule(days_from="first_receipt", source="tests", status="sample"),
)
OTHER = PinnedAuthority(id="health/320102", name="玄武区卫生健康委员会")
SUPERIOR = PinnedAuthority(id="health/000000", name="上级卫生健康委员会")
ABOVE = officer(name="head-1", role="head").model_copy(update={"authority": SUPERIOR.id})
HEARING_BEGINS = {"procedure": "听证", "notice": "听证需要十个工作日。", "days": 10}


def wish(kind: type[acts.StepAct], *, by: Actor | None = None, **said: Any) -> Any:
    """This act on the step."""
    return kind(id=kind.name, by=by or officer(), step=STEP, **said)


RECEIVE, ACCEPT, APPROVE = wish(acts.Receive), wish(acts.Accept), wish(acts.Approve)
ASK = wish(acts.AskSupplement, gaps=(lacking("subject_name"),))
SUPPLY = wish(acts.Supply, by=citizen(), form={"subject_name": "测试宝宝"})
SUSPEND = wish(acts.Suspend, **HEARING_BEGINS)
LET_GO = wish(acts.LetGo)
POLICE_AGREE = wish(acts.Opine, by=officer("police"), answer="agree")
ACTS: dict[str, Act] = {
    "send": NEED_APPROVED[-1],  # nobody wishes for these: they follow from what happens to the need, or to a check
    "skip": NEED_REFUSED[-1],
    "receive": RECEIVE,
    "ask_supplement": ASK,
    "tell": wish(acts.Tell, by=NODE, due_on=later(days=30).date()),
    "supply": SUPPLY,
    "urge": wish(acts.Urge, by=citizen()),
    "gather": wish(acts.Gather, by=NODE, kept=tuple(each.sha256 for each in UPLOADS.values())),
    "accept": ACCEPT,
    "deem": wish(acts.Deem, by=NODE),
    "decline": wish(acts.Decline, reason="unfixed", grounds="材料不实"),
    "suspend": SUSPEND,
    "resume": wish(acts.Resume),
    "extend": wish(acts.Extend, by=officer(name="head-1", role="head"), days=10, reason="案情复杂"),
    "opine": wish(acts.Opine, by=officer("insurance"), answer="agree"),
    "return_opinion": wish(acts.ReturnOpinion, department="police", reason="请补充理由"),
    "propose": wish(acts.Propose, outcome="approve", opinion="材料齐全"),
    "transfer": wish(acts.Transfer, authority=OTHER, reason="属于该区管辖"),
    "designate": wish(acts.Designate, by=ABOVE, authority=OTHER, superior=SUPERIOR, reason="原机关撤销", is_gone=True),
    "take_over": wish(acts.TakeOver, by=NODE, authority=OTHER, reason="原机关撤销"),
    "approve": APPROVE,
    "refuse": wish(acts.Refuse, grounds="材料不实"),
    "deliver": wish(acts.Deliver, delivery=Delivery(method="window", number="R1")),
    "withdraw": LET_GO,
    "check": wish(acts.Check, finding="申请表和身份一致"),
    "turn_back": wish(acts.TurnBack, grounds="身份证件已过期"),
    "ask_check": NEED_APPROVED[-1],
}
BY_RULE = ("send", "skip", "ask_check")
WISHED = tuple(act for act in ACTS if act not in BY_RULE)
SILENT = ("urge",)  # an officer who saw the step before may still act on what they saw
AT_ONCE = {("checking", "check"): "sent"}  # what follows in the same decision
TO_ACCEPTED = (RECEIVE, ACCEPT, POLICE_AGREE)
WAY: dict[State, Sequence[Act]] = {  # from `sent` on
    "sent": (),
    "received": (RECEIVE,),
    "supplementing": (RECEIVE, ASK),
    "accepted": TO_ACCEPTED,
    "suspended": (*TO_ACCEPTED, SUSPEND),
    "approved": (*TO_ACCEPTED, APPROVE),
    "refused": (*TO_ACCEPTED, ACTS["refuse"]),
    "declined": (RECEIVE, ACTS["decline"]),
    "delivered": (*TO_ACCEPTED, APPROVE, ACTS["deliver"]),
    "withdrawn": (LET_GO,),
}
AFTER_DAYS: dict[tuple[State, str], int] = {  # when an act is in time, where that is not at once
    ("sent", "deem"): 8,
    ("received", "deem"): 8,
    ("supplementing", "decline"): 22,
}
SAID: dict[str, dict[str, Any]] = {  # what an event of this act must say besides
    "send": {"node": "320000", "directory_version": 1},
    "ask_supplement": {"gaps": (lacking("subject_name"),)},
    "tell": {"due_on": later(days=30).date()},
    "deem": {"since": MONDAY},
    "decline": {"reason": "unfixed", "grounds": "材料不实", "appeal": APPEAL},
    "suspend": HEARING_BEGINS,
    "extend": {"days": 10, "approver": "head-1", "reason": "案情复杂"},
    "opine": {"department": "insurance", "answer": "agree"},
    "return_opinion": {"department": "police", "reason": "请补充理由", "due_on": later(days=30).date()},
    "propose": {"outcome": "approve", "opinion": "材料齐全"},
    "transfer": {"authority": OTHER, "former": None, "reason": "管辖", "days_from": "first_receipt"},
    "designate": {"authority": OTHER, "former": None, "superior": SUPERIOR, "reason": "管辖"},
    "take_over": {"authority": OTHER, "former": None, "reason": "撤销"},
    "refuse": {"grounds": "材料不实", "appeal": APPEAL},
    "deliver": {"delivery": Delivery(method="window")},
    "skip": {"waits_on": "need"},
    "check": {"finding": "申请表和身份一致"},
    "turn_back": {"grounds": "身份证件已过期"},
}
OF_CASES = Moved.__module__.rpartition(".")[0]
TOLD = tuple(
    kind for kind in Happened.__subclasses__() if kind is not Moved and kind.__module__.startswith(f"{OF_CASES}.")
)
MOVES = tuple(
    kind for parent in (Moved, events.TakenUp) for kind in parent.__subclasses__() if kind is not events.TakenUp
)


def case_in(state: State, *, deferred: Sequence[str] = (), division: str = JIANGSU) -> Case:
    """A case whose step stands in this state; while it waits, its need stands before the decision.

    Its home has a part in it, which counts where another node decides it, as while it is checked.
    """
    place = ZHEJIANG if state == "checking" else division
    declared = {"materials": ("photo",), "yields": "birth_licence", "terms": TERMS, "part": PART}
    step = planned(STEP, needs=["need"], division=place, **declared)
    case = after(opened([planned("need", division="330000"), step], deferred=tuple(deferred)), *NEED_APPROVED[:2])
    if state == "waiting":
        return case
    if state in ("skipped", "checking"):
        return after(case, ACTS["skip" if state == "skipped" else "ask_check"])
    return after(case, ACTS["send"], *WAY[state])


def in_state_for(state: State, act: str) -> Case:
    """The same; for a supply after acceptance a deferred material is awaited, a check is asked of the home, and what is
    gathered is not here yet.
    """
    if act == "ask_check":
        return case_in(state, division=ZHEJIANG)
    case = case_in(state, deferred=("photo",) if act == "supply" and state in ("accepted", "suspended") else ())
    step = case.steps[STEP].model_copy(update={"is_gathering": act == "gather"})
    return case.model_copy(update={"steps": {**case.steps, STEP: step}})


def act_in(state: State, act: str) -> Act:
    """The act as it is right in this state."""
    if (state, act) == ("checking", "send"):
        return ACTS["check"]
    if act == "supply" and state in ("accepted", "suspended"):
        return wish(acts.Supply, by=citizen(), materials=(handed_in("photo"),))
    return ACTS[act]


def known(state: State, act: str) -> acts.Facts:
    """What is known when the act is in time."""
    return facts(at=later(days=AFTER_DAYS.get((state, act), 0)))


def why(case: Case, act: str) -> type[Refusal]:
    """By which name an act is refused that the table does not have in this state."""
    if act == "supply":
        return NothingAsked
    return NotYourAuthority if act == "opine" and not case.steps[STEP].opinions else StateForbids


def test_the_table_has_these_rows_and_no_others():
    assert dict(TABLE) == ROWS


def test_every_state_has_a_chinese_name_and_an_ended_one_is_left_only_by_delivery():
    assert set(STATE_NAMES) == set(STATES)
    assert {state for state, _ in TABLE} == set(STATES) - ENDED | {"approved"}
    left = [act for (state, act), then in TABLE.items() if state in ENDED and then != state]
    assert left == ["deliver"]
    assert set(STATES) - ENDED - {"waiting", "checking"} == HELD


@pytest.mark.parametrize(("row", "then"), ROWS.items(), ids=[f"{state}-{act}" for state, act in ROWS])
def test_each_row_of_the_table_moves_the_step_as_it_says(row: tuple[State, str], then: State):
    case = in_state_for(*row)
    assert case.steps[STEP].state == row[0]
    moved = after(case, act_in(*row), facts=known(*row)).steps[STEP]
    assert moved.state == AT_ONCE.get(row, then)
    assert (moved.version > case.steps[STEP].version) == (row[1] not in SILENT)


@pytest.mark.parametrize(
    ("state", "act"),
    [pair for pair in product(STATES, WISHED) if pair not in ROWS and not (pair[0] in ENDED and pair[1] == "tell")],
    ids=str,
)
def test_every_other_act_is_refused_and_changes_nothing(state: State, act: str):
    case = case_in(state)
    before = case.model_dump_json()
    with pytest.raises(Refusal) as refused:
        decide(case, ACTS[act], facts(at=later(days=60)))
    assert refused.type is why(case, act)
    assert refused.type is not StateForbids or STATE_NAMES[state] in refused.value.detail
    assert case.model_dump_json() == before


@pytest.mark.parametrize("state", [state for state in STATES if state in ENDED])
def test_what_the_home_says_of_a_step_that_has_ended_is_settled_and_moves_nothing(state: State):
    said = [ACTS["tell"], wish(acts.Supply, by=NODE, form={"subject_name": "测试宝宝"})]
    assert [decide(case_in(state), act, FACTS).events for act in said] == [(), ()]


@pytest.mark.parametrize("state", STATES)
def test_nothing_lapses_in_any_state_while_nothing_is_overdue(state: State):
    with pytest.raises(TooEarly):
        decide(case_in(state), wish(acts.Lapse, by=NODE), FACTS)


def test_nobody_can_wish_for_a_step_to_be_sent_or_skipped():
    others = {
        "ask_withdrawal",
        "lapse",
        "follow_up",
        "post_paper",
        "confirm_paper",
        "bounce",
        "resend",
        "make_paper",
        "ask_signature",
        "sign_paper",
    }  # another move, or none
    assert {kind.name for kind in acts.StepAct.__subclasses__()} == {*WISHED, *others}


@pytest.mark.parametrize(("state", "kind"), list(product(STATES, MOVES)), ids=lambda part: getattr(part, "act", part))
def test_an_event_is_never_refused_and_moves_by_the_table_or_not_at_all(state: State, kind: type[Moved]):
    case = case_in(state)
    event = kind(number=90, at=later(days=1), by=peer(), act_id="a", step=STEP, **SAID.get(kind.act, {}))
    then = evolve(case, event).steps[STEP]
    assert then.state == ROWS.get((state, kind.act), state)
    assert then.version == (case.steps[STEP].version if kind.act in SILENT else 90)
    assert then.since == (case.steps[STEP].since if then.state == state else later(days=1))


def test_every_move_has_an_event_of_its_own_and_so_has_all_else_that_happens():
    assert {kind.act for kind in MOVES} == {act for _, act in ROWS}
    assert len({kind.act for kind in (*MOVES, *TOLD)}) == len(MOVES) + len(TOLD)


def test_a_move_leaves_its_words_in_the_step():
    refused = after(case_in("accepted"), ACTS["refuse"]).steps[STEP]
    assert (refused.grounds, dict(refused.result)) == ("材料不实", {})
    granted = acts.Approve(id="a", by=officer(), step=STEP, result={"step_number": "7"})
    approved = after(case_in("accepted"), granted).steps[STEP]
    assert (approved.grounds, dict(approved.result)) == ("", {"step_number": "7"})


def test_without_a_first_event_there_is_no_case():
    receive = events.Received(number=1, at=MONDAY, by=officer(), act_id="a", step=STEP)
    with pytest.raises(ValueError, match="first event"):
        evolve(None, receive)
    with pytest.raises(ValueError, match="no events"):
        replay([])


def test_the_events_of_a_case_are_numbered_from_one_on_without_a_gap():
    first = decide(None, opening(), FACTS)
    assert [event.number for event in first.events] == list(range(1, len(first.events) + 1))
    assert [case.version for case in first.values] == [event.number for event in first.events]
    (received,) = decide(first.values[-1], acts.Receive(id="receive", by=officer(), step="first"), FACTS).events
    assert received.number == len(first.events) + 1
