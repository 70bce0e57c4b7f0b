"""Any acts in any order on two nodes with letters between them: what must hold at every moment, and at the end."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any, get_args

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from server.domain.aggregate.actors import Actor
from server.domain.aggregate.acts import Act
from server.domain.case import acts, events, handover
from server.domain.case.case import ENDED, GRANTED, Case, State, Step
from server.domain.case.events import EVENT
from server.domain.case.papers import PaperFile
from server.domain.catalogue.pinning import PinnedAuthority
from server.domain.catalogue.terms import Delivery, Undertaking
from server.domain.errors import Refusal
from server.domain.rules.lifecycle import replay
from server.domain.rules.parts import paper_is_due
from server.domain.rules.table import TABLE
from tests.domain.carrying import Place, carry
from tests.world import (
    GRAPH,
    GUANGDONG,
    JIANGSU,
    MONDAY,
    PART,
    ZHEJIANG,
    application,
    citizen,
    handed_in,
    lacking,
    of_graph,
    officer,
    opening,
    peer,
)

THOROUGH = settings(max_examples=120, derandomize=True, deadline=None)
MODERATE = settings(max_examples=40, derandomize=True, deadline=None)
MOST_ROUNDS = 40  # more than any graph needs until all has ended
LAST_DAY = 60  # the calendar is unconfirmed from the fortieth on
NEXT: Mapping[State, type[acts.StepAct]] = {
    "checking": acts.Check,
    "sent": acts.Receive,
    "received": acts.Accept,
    "supplementing": acts.Supply,
    "accepted": acts.Approve,
    "suspended": acts.Resume,
    "approved": acts.Deliver,
}
KINDS = tuple(acts.StepAct.__subclasses__())
ON_THE_WAY: Mapping[State, Sequence[type[acts.StepAct]]] = {  # what else may be done, and who waits may do it
    state: [kind for kind in KINDS if (state, kind.name) in TABLE and kind not in (acts.LetGo, acts.Tell)]
    + [acts.Lapse]
    for state in NEXT
}
HANDING_ON = (acts.Transfer, acts.Designate, acts.TakeOver)
SUPERIOR = PinnedAuthority(id="above", name="上级机关")
HOME_ACTS = (acts.Check, acts.TurnBack, acts.PostPaper, acts.ConfirmPaper)
HOME_SAYS = (acts.Tell, acts.Supply, acts.Urge)
OF_PARCELS = (acts.PostPaper, acts.ConfirmPaper)
WHO: dict[str, Callable[[str], Actor]] = {  # who may speak at a node: its own people, and letters of others
    "citizen": citizen,
    "officer": lambda here: officer(node=here),
    "insurance": lambda here: officer("insurance", node=here),
    "police": lambda here: officer("police", node=here),
    "head": lambda here: officer(node=here, name="head-1", role="head"),
    "clockwork": lambda here: Actor(node=here, part="node"),
    "home": lambda _: peer(JIANGSU),
    "third node": lambda _: peer(GUANGDONG),
}
GAPS = (
    (lacking("subject_name"),),
    (lacking("photo", kind="material"),),
    (lacking("subject_name"), lacking("photo", kind="material")),
    (lacking("birth_number"),),
)
SAID: Mapping[type[acts.StepAct], Mapping[str, Any]] = {
    acts.Tell: {"due_on": MONDAY.date()},
    acts.Decline: {"reason": "wrong_agency", "grounds": "不属于本机关", "agency": "民政局", "division": "330108"},
    acts.Suspend: {"procedure": "听证", "notice": "听证需要十个工作日。", "days": 10},
    acts.Extend: {"days": 5, "reason": "案情复杂"},
    acts.ReturnOpinion: {"department": "police", "reason": "请补充理由"},
    acts.Propose: {"outcome": "refuse", "opinion": "材料不实"},
    acts.Refuse: {"grounds": "材料不实"},
    acts.Deliver: {"delivery": Delivery(method="post", number="P1")},
    acts.FollowUp: {"note": "已与申请人联系"},
    acts.Check: {"finding": "申请表和身份一致"},
    acts.TurnBack: {"grounds": "身份证件已过期"},
    acts.PostPaper: {"courier": "邮政"},
    acts.Bounce: {"letter": "step.requested", "code": "item_unknown"},
    acts.Resend: {"letter": "step.requested"},
    acts.FilePaper: {
        "of": 1,
        "paper": "A" * 16,
        "paper_kind": "acceptance",
        "title": "受理通知书",
        "authority": "某机关",
        "dated_on": MONDAY.date(),
        "data_digest": "ab" * 32,
        "file": PaperFile(sha256="cd" * 32, size=1, number=""),
    },
    acts.AskSignature: {
        **{"paper": "A" * 16, "request": "B" * 16, "signed_kind": "contract", "ends_at": MONDAY},
        "shown": PaperFile(sha256="cd" * 32, size=1, number=""),
    },
    acts.SignPaper: {
        **{"paper": "A" * 16, "request": "B" * 16, "signed_at": MONDAY},
        "signed": PaperFile(sha256="ef" * 32, size=1, number=""),
    },
}


@st.composite
def graphs(draw: st.DrawFn) -> acts.Open:
    """The opening of a case: its steps need only such as stand before them, and are decided here or there."""
    codes = GRAPH[: draw(st.integers(1, len(GRAPH)))]
    plan = [
        of_graph(
            code,
            needs=draw(st.lists(st.sampled_from(codes[:place]), unique=True, max_size=2)) if place else (),
            division=draw(st.sampled_from([JIANGSU, "330106"])),
            part=draw(st.sampled_from([None, PART, PART.model_copy(update={"has_paper": False})])),
        )
        for place, code in enumerate(codes)
    ]
    deferred = draw(st.sampled_from([(), ("photo",)]))
    materials = tuple(each for each in application().materials if each.code not in deferred)
    promised = Undertaking(kind="closing", version="1", sha256="ab" * 32, at=MONDAY)
    undertakings = draw(st.sampled_from([(), (promised,)]))
    closing = draw(st.sampled_from(["all", "undertaking"]))
    return opening(plan, deferred=deferred, materials=materials, undertakings=undertakings, closing=closing)


@st.composite
def lives(draw: st.DrawFn) -> Sequence[tuple[Any, ...]]:
    """What happens: mostly what is due or may be done, now and then anything by anybody, with days between."""
    chance = draw(st.randoms(use_true_random=True))  # else nearly every life is a short one
    doings: list[tuple[Any, ...]] = []
    for _ in range(chance.randint(5, 70)):
        ways = {"go on": 6, "do": 6, "carry": 6, "wait": 2, "try": 2, "withdraw": 0.1, "post": 2}
        how = chance.choices(list(ways), list(ways.values()))[0]
        at_home, which = chance.random() < 0.5, chance.randrange(100)
        if how == "carry":
            doings.append((how, at_home, chance.randint(1, 4)))
        elif how == "wait":
            doings.append((how, chance.choice([1, 1, 2, 7, 21])))
        elif how == "try":
            doings.append((how, at_home, which, chance.choice(KINDS), chance.choice(list(WHO))))
        else:
            doings.append((how, at_home, which))
    return doings


QUIET = acts.AskWithdrawal | acts.Supply | acts.Tell | acts.Bounce | acts.Resend  # what may move nothing


class World:
    """The two nodes, what was wished of them, and how it was answered."""

    def __init__(self, opening: acts.Open) -> None:
        self.opening = opening
        self.home, self.decider = Place(JIANGSU), Place(ZHEJIANG)
        self.acts = 0
        self.done: list[tuple[Place, Act]] = []
        self.home.do(opening)

    def wish(self, place: Place, act: Act) -> None:
        """Do it if it is allowed; what is refused leaves no trace."""
        before = (place.case, place.events, len(place.written), dict(place.threads), len(place.tasks))
        clocks = {code: step.clock for code, step in steps_at(place)}
        try:
            happened = place.do(act)
        except Refusal:
            assert before == (place.case, place.events, len(place.written), dict(place.threads), len(place.tasks))
        else:
            assert happened or isinstance(act, QUIET)
            self.done += [(place, act)] if happened else []
            if isinstance(act, HANDING_ON):
                assert clocks == {code: step.clock for code, step in steps_at(place)}

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
        elif kind == "wait":
            self.home.days = self.decider.days = min(self.home.days + rest[0], LAST_DAY)
        elif kind == "withdraw":
            self.wish(self.home, acts.Withdraw(id=self.next_id(), by=citizen()))
        elif kind == "post":
            self.post(self.home if rest[0] else self.decider, rest[1])
        else:
            self.choose(self.home if rest[0] else self.decider, kind, *rest[1:])

    def post(self, place: Place, which: int) -> None:
        """Post originals or confirm that they have arrived, whether there are any or not."""
        codes = [step.code for step in self.opening.application.steps]
        self.try_act(place, codes[which % len(codes)], (acts.PostPaper, acts.ConfirmPaper)[which // len(codes) % 2])

    def choose(
        self, place: Place, how: str, which: int, tried: type[acts.StepAct] | None = None, who: str = ""
    ) -> None:
        """Wish for an act on a step that is in hand here: the next one, one that may be, or anything by anybody."""
        in_hand = [code for code, step in steps_at(place) if holder_of(step) == place.node and step.state in NEXT]
        codes = in_hand if how != "try" and in_hand else [step.code for step in self.opening.application.steps]
        code = codes[which % len(codes)]
        step = dict(steps_at(place)).get(code)
        state = step.state if step and step.state in NEXT else "sent"
        kind = tried or (ON_THE_WAY[state][which % len(ON_THE_WAY[state])] if how == "do" else NEXT[state])
        if how != "try" and kind in (acts.Supply, acts.Urge):
            place = self.home
        if kind in HOME_SAYS + OF_PARCELS and who == "home":
            who = "third node"  # a home says these only by the letters that it writes
        self.try_act(place, code, kind, who=who, spare=which)
        if kind is acts.Approve and how == "go on":
            for spare in (0, 1):
                self.try_act(place, code, acts.Opine, spare=2 * which + spare)
            self.try_act(place, code, acts.Approve)

    def try_act(self, place: Place, code: str, kind: type[acts.StepAct], *, who: str = "", spare: int = 0) -> None:
        """Wish for this act, by whom it is due if nobody is named; `spare` chooses what is said."""
        said = dict(SAID.get(kind, {}))
        if kind is acts.AskSupplement:
            said["gaps"] = GAPS[spare % len(GAPS)]
        elif kind is acts.Supply:
            said = self.answer(code)
        elif kind is acts.Opine:
            said["answer"] = "object" if spare % 10 == 8 else "agree"
        elif kind is acts.Approve:
            said["result"] = {f"{code}_number": f"by {place.node}"}
        elif kind is acts.Gather:
            said["kept"] = tuple(each.sha256 for each in place.case.materials) if place.case else ()
        elif kind is acts.PostPaper:
            said["number"] = f"P-{self.acts}"
        elif kind in HANDING_ON:
            said |= self.receiver(place, code, kind, spare)
        by = WHO[who](place.node) if who else self.due(place, code, kind, spare)
        self.wish(place, kind(id=self.next_id(), by=by, step=code, **said))

    def due(self, place: Place, code: str, kind: type[acts.StepAct], spare: int) -> Actor:
        """By whom such an act is due."""
        if kind in HOME_ACTS and place is self.home:
            return officer(PART.department, node=place.node)
        if kind is acts.Opine:
            return WHO[("police", "insurance")[spare % 2]](place.node)
        if kind is acts.Extend:
            return self.deciding(place, code, name="head-1", role="head")
        if kind is acts.Designate:
            return officer(node=place.node).model_copy(update={"authority": SUPERIOR.id})
        named = {acts.Supply: "citizen", acts.Deem: "clockwork", acts.Lapse: "clockwork", acts.FollowUp: "officer"}
        named[acts.TakeOver] = "clockwork"
        named |= {acts.Gather: "clockwork", acts.Urge: "citizen"}
        return WHO[named[kind]](place.node) if kind in named else self.deciding(place, code)

    def deciding(self, place: Place, code: str, **more: Any) -> Actor:
        """An officer of the authority that has the step, as this node knows it."""
        step = dict(steps_at(place)).get(code)
        department = next(each.department for each in self.opening.application.steps if each.code == code)
        by = officer(department, node=place.node, **more)
        is_ours = step is not None and step.authority is not None and step.node == place.node
        return by.model_copy(update={"authority": step.authority.id}) if is_ours and step and step.authority else by

    def receiver(self, place: Place, code: str, kind: type[acts.StepAct], spare: int) -> dict[str, Any]:
        """To whom a step is handed on, and why."""
        said: dict[str, Any] = {"reason": "属于该机关管辖"}
        said["authority"] = PinnedAuthority(id=f"{code}/{place.node[:2]}010{spare % 3}", name=f"机关{spare % 3}")
        return said | ({"superior": SUPERIOR} if kind is acts.Designate else {})

    def answer(self, code: str) -> dict[str, Any]:
        """All that the applicant is asked for in this step, as his home knows it."""
        step = dict(steps_at(self.home))[code]
        gaps = step.supplement.gaps if step.state == "supplementing" and step.supplement else ()
        asked = [(gap.kind, gap.code) for gap in gaps] or [("material", each.material) for each in step.awaited]
        materials = tuple(handed_in(each, f"new-{self.acts}") for kind, each in asked if kind == "material")
        return {"form": {each: "测试宝宝" for kind, each in asked if kind == "field"}, "materials": materials}

    def work_off(self) -> None:
        """Let everybody do what can be done until all has ended."""
        for _ in range(MOST_ROUNDS):
            self.finish()
            left = [(code, step) for code, step in steps_at(self.home) if not step.has_ended and holder_of(step)]
            for code, step in left:
                if step.state == "checking":
                    self.try_act(self.home, code, acts.Check)
                    continue
                place = self.home if step.node == JIANGSU else self.decider
                objected = any(opinion.answer == "object" for opinion in step_of(place, code).opinions.values())
                for kind in (acts.Receive, acts.Resume, acts.Lapse, acts.Accept):
                    self.try_act(place, code, kind)
                self.try_act(self.home, code, acts.Supply)
                for spare in (0, 1):
                    self.try_act(place, code, acts.Opine, spare=spare)
                self.try_act(place, code, acts.Refuse if objected else acts.Approve)
            if not left:
                return self.follow_up()
        raise AssertionError(f"still open: {[(code, step.state) for code, step in left]}")

    def follow_up(self) -> None:
        """Let the lead department settle all that ended after the closing."""
        for code in self.home.case.open_at_closing if self.home.case else ():
            self.try_act(self.home, code, acts.FollowUp)

    def finish(self) -> None:
        """Carry all letters until none is left."""
        while self.home.carried < len(self.home.written) or self.decider.carried < len(self.decider.written):
            assert carry(self.home, self.decider) == []
            assert carry(self.decider, self.home) == []


def steps_at(place: Place) -> list[tuple[str, Step]]:
    """The steps that a node knows."""
    return list(place.case.steps.items()) if place.case else []


def holder_of(step: Step) -> str:
    """The node that has something to do with it: its home while that checks it, else its decider."""
    return JIANGSU if step.state == "checking" else step.node


def step_of(place: Place, code: str) -> Step:
    """The step as this node knows it."""
    return dict(steps_at(place))[code]


def check(place: Place) -> None:
    """What holds at a node at every moment."""
    if place.case is None:
        return
    assert [each.number for each in place.events] == list(range(1, len(place.events) + 1))
    assert place.case.version == len(place.events)
    assert {step.state for step in place.case.steps.values()} <= set(get_args(State))
    final = events.Approved | events.Refused | events.Declined | events.Withdrawn | events.Skipped
    final |= handover.TurnedBack
    ends = [each.step for each in place.events if isinstance(each, final)]
    assert len(ends) == len(set(ends))  # a step ends once, so none is both approved and refused
    assert {code for code, step in place.case.steps.items() if step.has_ended} == set(ends)
    acts_in_turn = [id for id, _ in groupby(each.act_id for each in place.events)]
    assert len(acts_in_turn) == len(set(acts_in_turn))  # each act is done once, with all that follows from it


def check_home(home: Place) -> None:
    """What holds besides at home: nothing starts early or unchecked, and the case closes by its rule, once."""
    case, approved, checked = home.case, set(), set()
    assert case
    for each in home.events:
        if isinstance(each, events.Sent):
            plan = case.steps[each.step].plan
            assert set(plan.needs) <= approved
            assert (each.step in checked) == (plan.part is not None and each.node != JIANGSU)
        if isinstance(each, handover.Checked):
            checked.add(each.step)
        if isinstance(each, events.Approved):
            approved.add(each.step)
    led = [step for step in case.steps.values() if step.plan.department == case.lead]
    decisive = led if case.closing == "undertaking" and case.undertakings and led else list(case.steps.values())
    assert (case.closed_at is not None) == all(step.state in ENDED for step in decisive)
    closings = [each for each in home.events if isinstance(each, events.Closed)]
    assert len(closings) == (case.closed_at is not None)
    assert set(case.followed_up) <= set(case.open_at_closing)
    assert case.closing == "undertaking" or not case.open_at_closing


def closing_of(case: Case | None) -> Any:
    """When and how the case was closed, and what was open then."""
    assert case
    return case.closed_at, case.outcome, case.open_at_closing


def sees(place: Place, code: str) -> dict[str, Any]:
    """What a node knows of how a step stands."""
    step = step_of(place, code)
    words = {"state", "grounds", "appeal", "agency", "right_division", "result", "delivery", "finding"}
    whole = step.model_dump(include=words)
    if step.clock:
        whole["accepted_on"] = (step.clock.accepted_on, step.clock.is_deemed)
        whole["stops"] = [stop.model_dump(include={"reason", "notice", "days"}) for stop in step.clock.stops]
        whole["is_stopped"] = step.clock.open_stop is not None
        whole["extension"] = step.clock.extension.days if step.clock.extension else 0
    if step.supplement:
        whole |= step.supplement.model_dump(include={"gaps", "due_on", "form_after"})
        whole["supplied"] = [(each.code, each.sha256) for each in step.supplement.materials_after]
    whole["transfers"] = (step.transfers, step.authority if step.transfers else None)
    papers = step.papers.items()
    whole["papers"] = {leg: (each.courier, each.number, each.postings, bool(each.arrived_at)) for leg, each in papers}
    whole["deferrals"] = [(each.material, each.due_on, each.came_at is None) for each in step.deferrals]
    return whole


def check_agreement(world: World) -> None:
    """After all letters: each step that was sent stands the same at both nodes, and every letter was obeyed."""
    home, decider = world.home, world.decider
    assert home.case
    sent = {code for code, step in home.case.steps.items() if step.node == ZHEJIANG}
    assert set(decider.case.steps if decider.case else ()) == sent
    overtaken = {letter.step for letter in unheeded(world)}
    for code in sent:
        here, there = sees(home, code), sees(decider, code)
        if code in overtaken:  # an answer, or a day told, that came after the end is known at home only
            for each in ("due_on", "form_after", "supplied", "deferrals"):
                here.pop(each, None), there.pop(each, None)
        assert here == there


def unheeded(world: World) -> list[Any]:
    """The letters that moved nothing: what the home says of a step that has ended, and urging at any time."""
    obeyed = {each.act_id for each in (*world.home.events, *world.decider.events)}
    ignored = [letter for letter in world.home.written + world.decider.written if letter.unique_id not in obeyed]
    assert {letter.kind for letter in ignored} <= {"step.withdrawal_asked", "step.supplied", "step.told", "step.urged"}
    assert all(step_of(world.home, str(each.step)).has_ended for each in ignored if each.kind != "step.urged")
    return ignored


@pytest.mark.no_cover
@THOROUGH
@given(graphs(), lives())
def test_whatever_happens_two_nodes_keep_their_words(opening: acts.Open, doings: Sequence[tuple[Any, ...]]):
    world = World(opening)
    for doing in doings:
        was_closed = closing_of(world.home.case)
        world.run(doing)
        check(world.home)
        check(world.decider)
        check_home(world.home)
        assert was_closed[0] is None or closing_of(world.home.case) == was_closed
    world.finish()
    check_agreement(world)
    world.work_off()
    check_agreement(world)
    assert world.home.case
    assert world.home.case.closed_at
    followed_up = {code for code in world.home.case.open_at_closing if step_of(world.home, code).state != "skipped"}
    assert set(world.home.case.followed_up) == followed_up
    check(world.home)
    check(world.decider)
    check_home(world.home)
    for place, act in world.done:
        assert act.id in {each.act_id for each in place.events}
    for place in (world.home, world.decider):
        if place.case:
            read_again = [EVENT.validate_json(event.model_dump_json()) for event in place.events]
            assert read_again == list(place.events)
            assert replay(read_again) == place.case
        for each in place.events:
            event(each.kind)


@MODERATE
@given(graphs(), lives())
def test_letters_of_a_case_form_one_thread_for_each_direction(opening: acts.Open, doings: Sequence[tuple[Any, ...]]):
    world = World(opening)
    for doing in doings:
        world.run(doing)
    for place in (world.home, world.decider):
        assert [letter.after for letter in place.written[:1]] in ([], [None])
        assert all(letter.after == before.id for before, letter in pairwise(place.written))
        assert len({letter.id for letter in place.written}) == len(place.written)


@MODERATE
@given(graphs(), lives())
def test_the_newest_task_of_each_step_shows_it_as_it_stands(opening: acts.Open, doings: Sequence[tuple[Any, ...]]):
    world = World(opening)
    for doing in doings:
        world.run(doing)
    for place in (world.home, world.decider):
        steps = dict(steps_at(place))
        newest = {task.step: task for task in place.tasks if task.part == "decide"}
        assert set(newest) == {code for code, step in steps.items() if step.node == place.node}
        for code, task in newest.items():
            step = steps[code]
            assert task.state == step.state
            assert task.is_open == (step.state not in ENDED - GRANTED and step.state != "delivered")
        checks = {task.step: task for task in place.tasks if task.part == "check"}
        assert all(task.is_open == (steps[code].state == "checking") for code, task in checks.items())
        assert {code for code, step in steps.items() if step.state == "checking"} <= set(checks)
        posts = {task.step: task for task in place.tasks if task.part == "paper"}
        assert all(
            task.is_open == paper_is_due(steps[code], is_home=place.node == JIANGSU) for code, task in posts.items()
        )
        heard = {(task.step, task.department): task for task in place.tasks if task.part == "opinion"}
        ours = {code: step for code, step in steps.items() if step.node == place.node}
        assert set(heard) == {(code, each) for code, step in ours.items() for each in step.opinions}
        for (code, department), task in heard.items():
            assert task.is_open == (not steps[code].has_ended and not steps[code].opinions[department].answer)
