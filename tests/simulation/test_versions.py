"""A node of the release before beside others: it ignores what it does not know, and nothing waits for its upgrade."""

from typing import Any

from tests.simulation.founding import NODES
from tests.simulation.people import People, StepStory, Story
from tests.simulation.places import Place
from tests.simulation.reckoning import is_quiet, reckon
from tests.simulation.scheduler import Owner
from tests.simulation.taking import Taking
from tests.simulation.weather import HOUR, Weather
from tests.simulation.world import World

HOME, DECIDER, OTHER = NODES[:3]
NOBODY_WORKS: tuple[str, ...] = ()


class Calm:
    """Three places in good weather, all of today but one that decides; each story is lived to its end."""

    def __init__(self) -> None:
        self.world = World(1, Weather(ends_at=0.0))
        doors: dict[str, Any] = {}
        self.places = {each: Place(self.world, each, NODES[:3], doors) for each in NODES[:3]}
        self.world.places.update(self.places)
        self.places[DECIDER].is_of_before = True
        for place in self.places.values():
            place.start()

    def live(self, number: str, *, until: float | None = None, **more: Any) -> None:
        """A citizen urges the one step of a case at once, withdraws it at `until`, and everything comes to rest."""
        step = StepStory("first", DECIDER, (), NOBODY_WORKS, 1.0, urges=(1.0,))
        people = People(self.world, self.places)
        people.live(Story(HOME, number, self.world.scheduler.now, [step], until, None, **more))
        self.run(lambda: people.are_waiting and is_quiet(self.places))
        self.run_to_end(reckon(self.world, self.places))
        assert self.world.broken is None
        assert not self.world.scheduler.faults

    def run(self, until: Any) -> None:
        assert self.world.scheduler.run(until, most_seconds=self.world.scheduler.now + HOUR)

    def run_to_end(self, does: Any) -> None:
        task = self.world.scheduler.start(does, Owner("reader"), "reader")
        self.run(lambda: task.over.is_there)

    def letters(self, case: str, *, at: str = DECIDER) -> list[tuple[str, str, str]]:
        """What came about this case: kind, state and reason of each letter, in the order of the log."""
        came = sorted(self.places[at].disk.all("letters_in"), key=lambda each: (each["number"], each["index"]))
        about = f"case:{HOME}/{case}"
        return [(each["kind"], each["state"], each["reason"]) for each in came if each["about"] == about]


def test_a_withdrawal_is_answered_by_a_node_that_did_not_know_the_urge_before_it():
    calm = Calm()
    calm.live("one", until=60.0)
    assert calm.letters("one") == [
        ("step.requested", "settled", ""),
        ("step.urged", "settled", "kind_unknown"),
        ("step.withdrawal_asked", "settled", ""),
    ]
    assert calm.letters("one", at=HOME) == [("step.withdrawn", "settled", "")]


def test_a_node_that_was_upgraded_knows_the_next_urge_and_leaves_the_one_before_as_it_is():
    calm = Calm()
    calm.live("before")
    calm.places[DECIDER].upgrade()
    calm.run(lambda: calm.world.scheduler.now > HOUR / 2)
    calm.live("after")
    assert calm.letters("before")[1] == ("step.urged", "settled", "kind_unknown")
    assert calm.letters("after")[1] == ("step.urged", "settled", "")


def test_letters_under_the_ids_of_anothers_letters_stop_none_of_these():
    calm = Calm()
    calm.live("one", taking=Taking(by=OTHER, sender=HOME, to=DECIDER, at=0.0))
    taken = [each for each in calm.places[DECIDER].disk.all("letters_in") if each["from"] == OTHER]
    ours = [each for each in calm.places[DECIDER].disk.all("letters_in") if each["from"] == HOME]
    assert {each["_id"].removeprefix(OTHER) for each in taken} > {each["_id"].removeprefix(HOME) for each in ours}
    assert {each["state"] for each in taken + ours} == {"settled"}
    assert [kind for kind, _, _ in calm.letters("one")] == ["step.requested", "step.urged"]
