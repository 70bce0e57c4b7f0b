"""People: a citizen who hands in a case, urges, withdraws or answers late, and the officers who decide its steps."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from server.desk.acting import commit_of, perform
from server.domain.aggregate.actors import Actor
from server.domain.aggregate.acts import Act
from server.domain.case import acts
from server.domain.case.case import Application, Case, local_id
from server.domain.catalogue.terms import Gap
from server.domain.effects.records import CaseRecord
from server.domain.errors import Refusal, StaleVersion, Unavailable
from server.domain.rules.decide import decide
from server.node import Node
from tests.simulation.founding import DEPARTMENT, VERSION, planned
from tests.simulation.places import Place
from tests.simulation.scheduler import Owner
from tests.simulation.taking import Taking, take
from tests.simulation.world import World
from tests.world import person

GAP = Gap(kind="field", code="subject_name", reason="与证件不一致")
ACTS: Mapping[str, Callable[..., acts.StepAct]] = {
    "receive": acts.Receive,
    "ask": partial(acts.AskSupplement, gaps=(GAP,)),
    "accept": acts.Accept,
    "approve": acts.Approve,
    "refuse": partial(acts.Refuse, grounds="材料不实"),
    "decline": partial(acts.Decline, reason="not_needed", grounds="不需要"),
}


@dataclass(frozen=True)
class StepStory:
    """What becomes of one step: who decides it, after which step, and what its officer does.

    `urges` has, for each time that the citizen urges it, how many seconds they wait once they may.
    """

    code: str
    node: str
    needs: tuple[str, ...]
    does: tuple[str, ...]
    pause: float
    urges: tuple[float, ...] = ()


@dataclass(frozen=True)
class Story:
    """One case. Moments are in seconds; `answers_at` is None if the citizen never answers.

    `taking` is there if another node takes the ids of its letters.
    """

    home: str
    number: str
    opens_at: float
    steps: Sequence[StepStory]
    withdraws_at: float | None
    answers_at: float | None
    taking: Taking | None = None


class People:
    """Who acts in one run; `are_waiting` when nobody is about to do anything by himself."""

    def __init__(self, world: World, places: Mapping[str, Place]) -> None:
        self._world = world
        self._places = places
        self.owner = Owner("people")
        self._busy = 0

    @property
    def are_waiting(self) -> bool:
        """Whether everybody has done his part, or waits for another's."""
        return self._busy == 0

    def live(self, story: Story) -> None:
        """Let the people of this story do what it says."""
        self._begin(partial(self._open, story), story.number)
        self._begin(partial(self._answer, story), f"{story.number} answers")
        if story.withdraws_at is not None:
            self._begin(partial(self._withdraw, story), f"{story.number} withdraws")
        for step in story.steps:
            self._begin(partial(self._decide, story, step), f"{story.number} {step.code}")
            if step.urges:
                self._begin(partial(self._urge, story, step), f"{story.number} {step.code} urges")
        if story.taking:
            self._begin(partial(self._take, story, story.taking), f"{story.number} taken")

    def _begin(self, do: Callable[[], Awaitable[None]], name: str) -> None:
        async def whole() -> None:
            await do()
            self._busy -= 1

        self._busy += 1
        self._world.scheduler.start(whole(), self.owner, name)

    async def _open(self, story: Story) -> None:
        await self._until(story.opens_at)
        await self._insist(self._places[story.home], partial(_opened, story))

    async def _withdraw(self, story: Story) -> None:
        await self._until(story.withdraws_at or 0)
        act = acts.Withdraw(id=f"{story.number}-withdraw", by=_citizen(story.home))
        await self._insist(self._places[story.home], partial(_performed, story.number, act))

    async def _urge(self, story: Story, step: StepStory) -> None:
        """Urge the step; a node of the release before has no door for that."""
        place = self._places[story.home]
        for number, pause in enumerate(step.urges):
            if not await self._awaits(place, story.number, partial(_may_urge, step.code)):
                return
            await self._world.scheduler.sleep(pause)
            if not place.is_of_before:
                act = acts.Urge(id=f"{story.number}-{step.code}-urge{number}", by=_citizen(story.home), step=step.code)
                await self._insist(place, partial(_performed, story.number, act))

    async def _take(self, story: Story, taking: Taking) -> None:
        await self._until(taking.at)
        case = f"{story.home}/{story.number}"
        await self._insist(self._places[taking.by], lambda node: take(node, taking, case))

    async def _answer(self, story: Story) -> None:
        """Answer each supplement once it is known, at the moment the story says."""
        place, asked = self._places[story.home], [step for step in story.steps if "ask" in step.does]
        for step in asked:
            is_told = partial(_is_told, step.code)
            if not await self._awaits(place, story.number, is_told) or story.answers_at is None:
                return
            await self._until(story.answers_at)
            form = {"subject_name": "测试甲"}
            by = _citizen(story.home)
            act = acts.Supply(id=f"{story.number}-{step.code}-supply", by=by, step=step.code, form=form)
            await self._insist(place, partial(_performed, story.number, act))

    async def _decide(self, story: Story, step: StepStory) -> None:
        place = self._places[step.node]
        id = local_id(f"{story.home}/{story.number}", step.node)
        by = {"authority": f"{DEPARTMENT}/{step.node}", "name": "officer-1", "role": "approver"}
        officer = Actor(node=step.node, part="officer", **by)
        for name in step.does:
            if not await self._awaits(place, id, partial(_may, step.code, name)):
                return
            await self._world.scheduler.sleep(self._world.chance.uniform(0, step.pause))
            result = {"result": {f"{step.code}_number": "1"}} if name == "approve" else {}
            act = ACTS[name](id=f"{story.number}-{step.code}-{name}", by=officer, step=step.code, **result)
            await self._insist(place, partial(_performed, id, act))

    async def _awaits(self, place: Place, id: str, is_so: Callable[[Case], bool | None]) -> bool:
        """Wait until this is so of a case; False if it can never be."""
        while True:
            change = place.changed(id)
            record = await self._seen(place, id)
            answer = is_so(record.case) if record else None
            if answer is not None:
                return answer
            self._busy -= 1
            await change
            self._busy += 1
            await self._world.scheduler.sleep(self._world.chance.uniform(0, 5))

    async def _seen(self, place: Place, id: str) -> CaseRecord | None:
        """The case as the disk has it: people look without harm."""
        store = place.still.store
        return await store.cases.find(id)

    async def _insist(self, place: Place, do: Callable[[Node], Awaitable[Any]]) -> None:
        """Ask again under the same id until there is an answer; a refusal is one."""
        while True:
            try:
                await place.ask(do)
                return
            except (Unavailable, StaleVersion):
                await self._world.scheduler.sleep(self._world.chance.uniform(0.5, 30))
            except Refusal as refusal:
                self._world.note(place.here, "act.refused", {"code": refusal.code})
                return

    async def _until(self, moment: float) -> None:
        await self._world.scheduler.sleep(max(0.0, moment - self._world.scheduler.now))


async def _performed(id: str, act: Act, node: Node) -> CaseRecord:
    return await perform(node, id, act)


async def _opened(story: Story, node: Node) -> CaseRecord:
    """What the desk does with an application, without the intake, which lives in a loop of asyncio."""
    known = await node.store.cases.find(story.number)
    if known:
        return known
    application = Application(
        bundle="arrival",
        bundle_name="一件事",
        catalogue=VERSION,
        lead=DEPARTMENT,
        applicant=person(),
        answers={},
        form={"subject_name": "测试宝"},
        materials=(),
        steps=tuple(planned(step.code, step.node, home=story.home, needs=step.needs) for step in story.steps),
    )
    act = acts.Open(id=story.number, by=_citizen(story.home), number=story.number, application=application)
    facts = node.facts()
    return await node.store.cases.commit(None, commit_of(None, decide(None, act, facts), facts))


def _citizen(node: str) -> Actor:
    return Actor(node=node, part="citizen")


def _is_told(code: str, case: Case) -> bool | None:
    """Whether the applicant may answer now; False if he never will."""
    step = case.steps[code]
    if step.has_ended:
        return False
    supplement = step.supplement
    return True if supplement and supplement.due_on else None


def _may_urge(code: str, case: Case) -> bool | None:
    """Whether the step may be urged; False if it was taken up or has ended."""
    state = case.steps[code].state
    return True if state in ("sent", "received") else None if state == "waiting" else False


def _may(code: str, act: str, case: Case) -> bool | None:
    """Whether the officer may do this now; False if he never will."""
    step = case.steps.get(code)
    if step is None:
        return None
    if step.has_ended:
        return False
    ready = {"receive": ("sent",), "approve": ("accepted",), "refuse": ("accepted",)}.get(act, ("received",))
    return True if step.state in ready else None
