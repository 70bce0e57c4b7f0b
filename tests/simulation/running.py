"""Running one seed: the stories and the weather that it means, the storm, the healing and the reckoning."""

import random
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from server.store.queries import QUERIES
from server.tools.logs import clear
from tests.simulation.disk import Disk
from tests.simulation.founding import NODES
from tests.simulation.operators import Operator
from tests.simulation.people import People, StepStory, Story
from tests.simulation.places import Place
from tests.simulation.reckoning import FRESH, heads, is_quiet, reckon
from tests.simulation.scheduler import Owner
from tests.simulation.taking import Taking
from tests.simulation.weather import HOUR, MINUTE, Loss, Skew, draw_weather
from tests.simulation.world import World

LOOKED_AT_EVERY = 30.0
MOST_HEALING = 6 * HOUR
NIGHT = (100 * MINUTE, 25 * HOUR)  # nobody works from 23:40 to 23:00 of the next day
MIDNIGHT = 26 * HOUR
DEADLINE_OVER = 27 * HOUR
PATHS: Sequence[tuple[str, ...]] = (
    ("receive", "accept", "approve"),
    ("receive", "accept", "approve"),
    ("receive", "accept", "refuse"),
    ("receive", "decline"),
    ("receive", "ask", "accept", "approve"),
)


@dataclass(frozen=True)
class Outcome:
    """What came of one seed: the invariant that did not hold (or nothing), the trace, and the heads of all logs."""

    seed: int
    invariant: str
    seen: str
    trace: Sequence[str]
    heads: Mapping[str, str]
    seconds: float


def simulate(seed: int, *, planted: Callable[[], AbstractContextManager[None]] = nullcontext) -> Outcome:
    """Run one seed, with a planted fault if one is given."""
    with planted():
        return _Run(seed).whole()


class _Run:
    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 # repeatable on purpose
        nodes = NODES[: chance.choice((3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 5, 8))]
        self.seed = seed
        self.nodes = nodes
        self.has_deadline = chance.random() < 0.2
        lasts = DEADLINE_OVER if self.has_deadline else chance.uniform(10, 150) * MINUTE
        weather = draw_weather(chance, nodes, lasts=lasts, has_losses=not self.has_deadline)
        self.lost = frozenset(loss.node for loss in weather.losses)
        batch_letters = chance.choice((200, 200, 200, 1, 2))
        self.world = World(chance.randrange(2**63), weather, batch_letters=batch_letters)
        self.doors: dict[str, Any] = {}
        self.places = {node: Place(self.world, node, nodes, self.doors) for node in nodes}
        self.world.places.update(self.places)
        self.people = People(self.world, self.places)
        stories = [_story(chance, nodes, number, self.has_deadline) for number in range(chance.randint(1, 3))]
        urged = [_urged(_more_chance(seed, f"urge/{number}"), story) for number, story in enumerate(stories)]
        self.stories = _with_taking(_more_chance(seed, "taking"), nodes, urged)
        self._mix_versions(_more_chance(seed, "versions"))

    def whole(self) -> Outcome:
        world, scheduler = self.world, self.world.scheduler
        for place in self.places.values():
            place.start()
        for story in self.stories:
            self.people.live(story)
        if self.lost:
            for place in self.places.values():
                Operator(world, place, self.people.owner)
        self._plan_events()
        scheduler.run(lambda: world.broken is not None, most_seconds=world.weather.ends_at)
        self._heal()
        limit = max(scheduler.now, world.weather.ends_at) + MOST_HEALING
        if not self._is_over() and not scheduler.run(self._is_at_rest(), most_seconds=limit) and not self._is_over():
            world.breaks("nothing waits for ever", ", ".join(self._unfinished()))
        if not self._is_over():
            self._await(reckon(world, self.places, lost=self.lost))
        self._tell_faults()
        for place in self.places.values():
            place.stop()
        scheduler.kill(self.people.owner)
        clear()
        broken = world.broken
        invariant, seen = (broken.invariant, broken.seen) if broken else ("", "")
        return Outcome(self.seed, invariant, seen, world.trace(), heads(self.places), scheduler.now)

    def _plan_events(self) -> None:
        scheduler = self.world.scheduler
        for skew in self.world.weather.skews:
            scheduler.after(skew.since, lambda skew=skew: self._skew(skew, skew.off))
            scheduler.after(skew.until, lambda skew=skew: self._skew(skew, 0.0))
        for loss in self.world.weather.losses:
            scheduler.after(loss.backup_at, lambda loss=loss: self._lose(loss))
        if self.has_deadline:
            begins, ends = NIGHT
            for place in self.places.values():
                scheduler.after(begins, place.stop)
                scheduler.after(ends, place.start)

    def _mix_versions(self, chance: random.Random) -> None:
        """In some runs one of those whose steps are urged is of the release before, for good or for a while."""
        urged = {step.node for story in self.stories for step in story.steps if step.urges and step.node != story.home}
        if not urged or chance.random() >= 0.5:
            return
        place = self.places[chance.choice(sorted(urged))]
        place.is_of_before = True
        if chance.random() < 0.5:
            self.world.scheduler.after(chance.uniform(0, 40) * MINUTE, place.upgrade)

    def _skew(self, skew: Skew, off: float) -> None:
        if not self.world.is_stormy:
            return
        place = self.places[skew.node]
        self.world.note(skew.node, "clock.set", {"off": off})
        if off < place.clock.off:
            place.watcher.stepped_back()
        place.clock.off = off
        place.watcher.attempts.clock_set()
        place.wake_all()

    def _lose(self, loss: Loss) -> None:
        """A backup is made now, and is all that is left later."""
        place, scheduler = self.places[loss.node], self.world.scheduler
        backup = place.disk.snapshot()

        def restore() -> None:
            self.world.note(loss.node, "disk.restored")
            place.stop()
            disk = Disk(QUERIES)
            disk.restore(backup)
            place.take(disk)
            place.watcher.restored()
            scheduler.after(loss.away, place.start)

        scheduler.after(loss.lost_at - scheduler.now, restore)

    def _heal(self) -> None:
        self.world.note("weather", "cleared")
        self.world.is_stormy = False
        for place in self.places.values():
            place.clock.off = 0.0
            place.watcher.attempts.clock_set()
            place.start()
            place.wake_all()
        for story in _fresh(self.nodes, self.lost, opens_at=self.world.scheduler.now):
            self.people.live(story)

    def _is_at_rest(self) -> Callable[[], bool]:
        looked_at = -LOOKED_AT_EVERY

        def is_at_rest() -> bool:
            nonlocal looked_at
            if self._is_over():
                return True
            if self.world.scheduler.now < looked_at + LOOKED_AT_EVERY:
                return False
            looked_at = self.world.scheduler.now
            return self.people.are_waiting and is_quiet(self.places, has_operators=bool(self.lost))

        return is_at_rest

    def _is_over(self) -> bool:
        return self.world.broken is not None or bool(self.world.scheduler.faults)

    def _tell_faults(self) -> None:
        for task, fault in self.world.scheduler.faults:
            self.world.breaks("no fault but refusals", f"{task}: {fault!r}")
            self.world.note(task, "fault", {"at": _where(fault)})

    def _unfinished(self) -> list[str]:
        found = [] if self.people.are_waiting else ["people"]
        for here, place in self.places.items():
            kinds = {
                "unlogged": [each for each in place.disk.all("letters_out") if each["key"].startswith("unlogged")],
                "waiting": [each for each in place.disk.all("letters_in") if each["state"] == "waiting"],
                "unrelayed": [each for each in place.disk.all("cases") if each["relay"] != "done"],
            }
            found += [f"{here} {kind}: {len(each)}" for kind, each in kinds.items() if each]
        return found or ["heads"]

    def _await(self, does: Coroutine[Any, Any, None]) -> None:
        task = self.world.scheduler.start(does, Owner("reckoning"), "reckoning")
        self.world.scheduler.run(lambda: task.over.is_there, most_seconds=float("inf"))


def _story(chance: random.Random, nodes: Sequence[str], number: int, has_deadline: bool) -> Story:
    home = chance.choice(nodes)
    abroad = [node for node in nodes if node != home]
    shape = chance.choice(("one", "one", "home first", "chain", "beside"))
    first, second = chance.choice(abroad), chance.choice(abroad)
    where = {"one": [first], "home first": [home, first]}.get(shape, [first, second])
    opens_at = chance.uniform(0, 20 * MINUTE)
    does = [PATHS[-1] if has_deadline and not place else chance.choice(PATHS) for place in range(len(where))]
    steps = [
        StepStory(
            code, node, ("first",) if place and shape != "beside" else (), does[place], chance.choice((1, 60, 600))
        )
        for place, (code, node) in enumerate(zip(("first", "second"), where, strict=False))
    ]
    withdraws_at = opens_at + chance.uniform(0, 40 * MINUTE) if chance.random() < 0.35 else None
    answers_at = opens_at + chance.uniform(0, 40 * MINUTE) if chance.random() < 0.9 else None
    if has_deadline:
        answers_at = MIDNIGHT + chance.uniform(-50, 5) * MINUTE if chance.random() < 0.8 else None
    return Story(home, f"case{number}", opens_at, steps, withdraws_at, answers_at)


def _more_chance(seed: int, what: str) -> random.Random:
    """Chance apart from that of the seed itself, so that what is drawn from it changes nothing else."""
    return random.Random(f"{seed}/{what}")  # noqa: S311 # repeatable on purpose


def _urged(chance: random.Random, story: Story) -> Story:
    """In about a third of the stories the citizen urges each step once or twice."""
    if chance.random() >= 1 / 3:
        return story

    def pauses() -> tuple[float, ...]:
        return tuple(chance.uniform(0, chance.choice((1, 60, 600))) for _ in range(chance.randint(1, 2)))

    return replace(story, steps=[replace(step, urges=pauses()) for step in story.steps])


def _with_taking(chance: random.Random, nodes: Sequence[str], stories: list[Story]) -> list[Story]:
    """In some runs a third node takes the ids of the letters about one case, of its home's or of its decider's."""
    if chance.random() >= 0.2:
        return stories
    story = chance.choice(stories)
    decider = chance.choice([step.node for step in story.steps if step.node != story.home])
    sender, to = chance.sample((story.home, decider), 2)
    by = chance.choice([node for node in nodes if node not in (sender, to)])
    taking = Taking(by, sender, to, chance.uniform(0, story.opens_at + 5 * MINUTE))
    return [replace(each, taking=taking) if each is story else each for each in stories]


def _fresh(nodes: Sequence[str], lost: Collection[str], *, opens_at: float) -> list[Story]:
    """After a loss: one case from each node to the one that lost its disk, and one from there to each."""
    pairs = [(home, decider) for home in nodes for decider in nodes if home != decider and {home, decider} & set(lost)]
    return [
        Story(home, f"{FRESH}{number}", opens_at, [StepStory("first", decider, (), PATHS[0], 1.0)], None, None)
        for number, (home, decider) in enumerate(pairs)
    ]


def _where(fault: BaseException) -> str:
    frames = []
    trace = fault.__traceback__
    while trace:
        frames.append(f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " ".join(frames)
