"""Any acts in any order on two nodes with letters between them: what must hold at every moment, and at the end."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, get_args

from hypothesis import event, given, settings
from hypothesis import strategies as st

from server.domain import acts, events
from server.domain.case import Actor, Case, State, Step
from server.domain.errors import Refusal
from server.domain.events import EVENTS
from server.domain.lifecycle import replay
from server.domain.plan import PlannedStep
from tests.domain.carrying import Place, carry
from tests.world import GRAPH, GUANGDONG, JIANGSU, ZHEJIANG, citizen, officer, opening, peer, planned

THOROUGH = settings(max_examples=200, derandomize=True, deadline=None)
MODERATE = settings(max_examples=80, derandomize=True, deadline=None)
KINDS = (acts.Receive, acts.Accept, acts.Approve, acts.Refuse, acts.LetGo, acts.AskWithdrawal)
NEXT = {"sent": acts.Receive, "received": acts.Accept, "accepted": acts.Approve}
WHO: dict[str, Callable[[str], Actor]] = {  # who may speak at a node: its own people, and letters of others
    "citizen": citizen,
    "officer": lambda here: officer(node=here),
    "other department": lambda here: officer("police", node=here),
    "home": lambda _: peer(JIANGSU),
    "third node": lambda _: peer(GUANGDONG),
}


@st.composite
def graphs(draw: st.DrawFn) -> Sequence[PlannedStep]:
    """Steps in an order in which each needs only such as stand before it, decided here or there."""
    codes = GRAPH[: draw(st.integers(1, len(GRAPH)))]
    return [
        planned(
            code,
            needs=draw(st.lists(st.sampled_from(codes[:place]), unique=True, max_size=2)) if place else (),
            division=draw(st.sampled_from([JIANGSU, "330106"])),
        )
        for place, code in enumerate(codes)
    ]


WHICH = st.integers(0, len(GRAPH) - 1)
GO_ON = st.tuples(st.just("go on"), st.booleans(), WHICH)
CARRY = st.tuples(st.just("carry"), st.booleans(), st.integers(1, 3))
REFUSE = st.tuples(st.just("refuse"), st.booleans(), WHICH)
TRY = st.tuples(st.just("try"), st.booleans(), WHICH, st.sampled_from(KINDS), st.sampled_from(list(WHO)))
WITHDRAW = st.tuples(st.just("withdraw"), st.sampled_from([True, False, False, False]))
DOINGS = st.lists(st.one_of(GO_ON, CARRY, GO_ON, CARRY, GO_ON, REFUSE, TRY, WITHDRAW), max_size=40)


class World:
    """The two nodes, what was wished of them, and how it was answered."""

    def __init__(self, plan: Sequence[PlannedStep]) -> None:
        self.plan = plan
        self.home, self.decider = Place(JIANGSU), Place(ZHEJIANG)
        self.acts = 0
        self.done: list[tuple[Place, acts.Act]] = []
        self.home.do(opening(plan))

    def wish(self, place: Place, act: acts.Act) -> None:
        """Do it if it is allowed; what is refused leaves no trace."""
        before = (place.case, place.events, len(place.written), dict(place.threads), len(place.tasks))
        try:
            happened = place.do(act)
        except Refusal:
            assert before == (place.case, place.events, len(place.written), dict(place.threads), len(place.tasks))
        else:
            assert happened or isinstance(act, acts.AskWithdrawal)
            self.done += [(place, act)] if happened else []

    def next_id(self) -> str:
        """An act id that was never used."""
        self.acts += 1
        return f"act-{self.acts}"

    def run(self, doing: tuple[Any, ...]) -> None:
        """One doing of the list."""
        kind, *rest = doing
        if kind == "carry":
            pair = (self.home, self.decider) if rest[0] else (self.decider, self.home)
            assert carry(*pair, most=rest[1]) == []
        elif kind == "withdraw" and rest[0]:
            self.wish(self.home, acts.Withdraw(id=self.next_id(), by=citizen()))
        elif kind != "withdraw":
            self.try_act(self.home if rest[0] else self.decider, kind, *rest[1:])

    def try_act(
        self, place: Place, kind: str, which: int, tried: type[acts.StepAct] = acts.Refuse, who: str = "officer"
    ) -> None:
        """Wish for an act on a step: the next one that the right officer would do, or anything by anybody."""
        open_here = [code for code, step in self.steps_at(place) if step.node == place.node and step.state in NEXT]
        codes = open_here if kind != "try" and open_here else [step.code for step in self.plan]
        code = codes[which % len(codes)]
        if kind == "go on":
            tried = NEXT.get(dict(self.steps_at(place))[code].state, tried) if open_here else acts.Receive
        more: dict[str, Any] = {"grounds": "材料不实"} if tried is acts.Refuse else {}
        more |= {"result": {f"{code}_number": f"by {place.node}"}} if tried is acts.Approve else {}
        self.wish(place, tried(id=self.next_id(), by=WHO[who](place.node), step=code, **more))

    def steps_at(self, place: Place) -> list[tuple[str, Step]]:
        """The steps that a node knows."""
        return list(place.case.steps.items()) if place.case else []

    def work_off(self) -> None:
        """Let the officers do all that can be done."""
        while any(step.state in NEXT for _, step in self.steps_at(self.home)):
            self.finish()
            self.try_act(self.home, "go on", 0)
            self.try_act(self.decider, "go on", 0)
        self.finish()

    def finish(self) -> None:
        """Carry all letters until none is left."""
        while self.home.carried < len(self.home.written) or self.decider.carried < len(self.decider.written):
            assert carry(self.home, self.decider) == []
            assert carry(self.decider, self.home) == []


def check(place: Place) -> None:
    """What holds at a node at every moment."""
    if place.case is None:
        return
    assert [each.number for each in place.events] == list(range(1, len(place.events) + 1))
    assert place.case.version == len(place.events)
    assert {step.state for step in place.case.steps.values()} <= set(get_args(State))
    ends = [
        each.step
        for each in place.events
        if isinstance(each, events.Approved | events.Refused | events.Withdrawn | events.Skipped)
    ]
    assert len(ends) == len(set(ends))  # a step ends once, so none is both approved and refused
    assert {code for code, step in place.case.steps.items() if step.has_ended} == set(ends)


def check_home(home: Place) -> None:
    """What holds besides where the case was opened: nothing starts early, and it closes when all has ended."""
    case, approved = home.case, set()
    assert case
    for each in home.events:
        if isinstance(each, events.Sent):
            assert set(case.steps[each.step].plan.needs) <= approved
        if isinstance(each, events.Approved):
            approved.add(each.step)
    assert (case.closed_at is not None) == all(step.has_ended for step in case.steps.values())
    closings = [each for each in home.events if isinstance(each, events.Closed)]
    assert len(closings) == (case.closed_at is not None)
    assert not closings or home.events[-1] == closings[0]


def sees(case: Case | None, code: str) -> tuple[str, str, dict[str, str]]:
    """What a node knows of how a step stands."""
    assert case
    step = case.steps[code]
    return step.state, step.grounds, dict(step.result)


def check_agreement(world: World) -> None:
    """After all letters: each step that was sent stands the same at both nodes, and every letter was obeyed."""
    home, decider = world.home, world.decider
    assert home.case
    sent = {code for code, step in home.case.steps.items() if step.node == ZHEJIANG}
    assert set(decider.case.steps if decider.case else ()) == sent
    assert all(sees(home.case, code) == sees(decider.case, code) for code in sent)
    obeyed = {each.act_id for each in (*home.events, *decider.events)}
    ignored = [letter for letter in home.written + decider.written if letter.id not in obeyed]
    assert all(letter.kind == "step.withdrawal_asked" for letter in ignored)
    assert all(home.case.steps[str(letter.step)].has_ended for letter in ignored)


@THOROUGH
@given(graphs(), DOINGS, st.booleans())
def test_whatever_happens_two_nodes_keep_their_words(
    plan: Sequence[PlannedStep], doings: Sequence[tuple[Any, ...]], to_the_end: bool
):
    world = World(plan)
    for doing in doings:
        was_closed = world.home.case if world.home.case and world.home.case.closed_at else None
        world.run(doing)
        check(world.home)
        check(world.decider)
        check_home(world.home)
        assert was_closed is None or world.home.case == was_closed
    world.finish()
    check_agreement(world)
    if to_the_end:
        world.work_off()
        check_agreement(world)
        assert world.home.case
        assert world.home.case.closed_at
    check(world.home)
    check_home(world.home)
    for place, act in world.done:
        assert act.id in {each.act_id for each in place.events}
    for place in (world.home, world.decider):
        if place.case:
            assert replay(EVENTS.validate_json(EVENTS.dump_json(place.events))) == place.case
    event(f"outcome {world.home.case.outcome if world.home.case else None}")


@MODERATE
@given(graphs(), DOINGS)
def test_letters_of_a_case_form_one_thread_for_each_direction(
    plan: Sequence[PlannedStep], doings: Sequence[tuple[Any, ...]]
):
    world = World(plan)
    for doing in doings:
        world.run(doing)
    for place in (world.home, world.decider):
        assert [letter.after for letter in place.written[:1]] in ([], [None])
        assert all(letter.after == before.id for before, letter in pairwise(place.written))
        assert len({letter.id for letter in place.written}) == len(place.written)


@MODERATE
@given(graphs(), DOINGS)
def test_the_newest_task_of_each_step_shows_it_as_it_stands(
    plan: Sequence[PlannedStep], doings: Sequence[tuple[Any, ...]]
):
    world = World(plan)
    for doing in doings:
        world.run(doing)
    for place in (world.home, world.decider):
        newest = {task.step: task for task in place.tasks}
        ours = {code for code, step in place.case.steps.items() if step.node == place.node} if place.case else set()
        assert set(newest) == ours
        for code, task in newest.items():
            assert place.case
            assert (task.state, task.event) == (place.case.steps[code].state, place.case.steps[code].version)
