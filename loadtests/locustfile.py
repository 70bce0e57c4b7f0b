"""What Locust runs: users (closed model) or a source of arrivals (open), as many as the shape of the plan says."""

import os
import random
import time
from typing import Any, ClassVar

import gevent
from gevent.pool import Pool
from locust import FastHttpUser, LoadTestShape, User, events, task
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from loadtests.cpu_clock import CpuClock
from loadtests.journeys.abuser import AbuserJourney
from loadtests.journeys.citizen import CitizenJourney, LoginJourney
from loadtests.journeys.journey import Journey, Stage, in_turn
from loadtests.journeys.officer import OfficerJourney
from loadtests.journeys.peer import PeerJourney
from loadtests.plan import MIXES, plan_from, read_target
from loadtests.records import RecordBook

PLAN = plan_from(os.environ)
TARGET = read_target(PLAN.target, mix=PLAN.mix)
BOOK = RecordBook(PLAN.kept)
MIX = MIXES[PLAN.mix]
TICK_SECONDS = 0.05
SAMPLE_SECONDS = 1.0
KILL_SECONDS = 1.0
STOP_SECONDS, TOLD_SECONDS, MOST_A_SECOND = 30.0, 4.0, 1000.0
NETWORK_SECONDS = 60.0


def stage_of(environment: Any) -> Stage:
    """What the journeys of this process share."""
    return Stage(PLAN, TARGET, BOOK, environment.events.request.fire)


class Traveller(FastHttpUser):
    """Somebody on one kind of journey, again and again."""

    abstract = True
    host = TARGET.base_url()
    network_timeout = NETWORK_SECONDS
    connection_timeout = NETWORK_SECONDS
    journey: ClassVar[type[Journey]]

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.on_way = self.journey(stage_of(environment), self.client)

    @task
    def go(self) -> None:
        """One round of the journey, and a pause."""
        self.on_way.go()
        self.on_way.pause(0.2, 1.0)


class Citizen(Traveller):
    """Applies and watches."""

    weight, abstract = MIX.get("citizen", 0), PLAN.model == "open" or "citizen" not in MIX
    journey = CitizenJourney


class CountyOfficer(Traveller):
    """Works at the desks of the counties."""

    weight, abstract = MIX.get("officer", 0), PLAN.model == "open" or "officer" not in MIX
    journey = OfficerJourney


class PeerNode(Traveller):
    """Asks as a node does."""

    weight, abstract = MIX.get("peer", 0), PLAN.model == "open" or "peer" not in MIX
    journey = PeerJourney


class Login(Traveller):
    """Logs in, looks, logs in again."""

    weight, abstract = MIX.get("login", 0), PLAN.model == "open" or "login" not in MIX
    journey = LoginJourney


class Abuser(Traveller):
    """Tries what nobody should."""

    weight, abstract = MIX.get("abuser", 0), PLAN.model == "open" or "abuser" not in MIX
    journey = AbuserJourney


class Arrivals(User):
    """The source of arrivals in one process: it begins journeys at a rate that does not wait for any of them."""

    abstract = PLAN.model == "closed"

    @task
    def begin(self) -> None:
        """Begin what is due to the end of the run; what would be more than `most_in_flight` is shed, and counted."""
        pool, idle = Pool(PLAN.most_in_flight), list[Traveller]()
        kinds = [each for each in (Citizen, CountyOfficer, PeerNode, Login, Abuser) if each.journey.name in MIX]
        deck = in_turn([each for each in kinds for _ in range(MIX[each.journey.name])])  # nobody stays away by chance
        owed, begun, began = 0.0, 0, time.perf_counter()
        before = began
        try:
            while (now := time.perf_counter()) < began + PLAN.seconds:
                owed += PLAN.level(now - began) / PLAN.workers * (now - before)
                before = now
                for _ in range(int(owed)):
                    if pool.full():
                        self._tell_shed()
                    else:
                        begun += 1
                        pool.spawn(self._one, next(deck), idle)
                owed -= int(owed)
                gevent.sleep(random.expovariate(1 / TICK_SECONDS))
            pool.join()
        finally:
            BOOK.write("arrivals", begun=begun)
            pool.kill(timeout=KILL_SECONDS)
        raise StopUser

    def _one(self, kind: type[Traveller], idle: list[Traveller]) -> None:
        """One arrival goes its way once, with the connections of somebody of its kind who has left."""
        known = next((each for each in idle if type(each) is kind), None)
        if known is None:
            known = kind(self.environment)
        else:
            idle.remove(known)
        known.on_way = kind.journey(stage_of(self.environment), known.client)
        known.on_way.go()
        idle.append(known)

    def _tell_shed(self) -> None:
        self.environment.events.request.fire(
            request_type="shed", name="arrivals", response_time=0, response_length=0, exception=None, context={}
        )


class PlannedShape(LoadTestShape):
    """As many users as the plan has at this second; of arrivals, one source in each process."""

    def __init__(self) -> None:
        super().__init__()
        self._idle_since = 0.0

    def tick(self) -> tuple[int, float] | None:
        """The number of users and how many of them may begin in a second; None ends the run.

        Who is on the way at the end arrives, and workers tell what they counted: a master waits for neither.
        """
        at = self.get_run_time()
        if at > PLAN.seconds:
            if self.get_current_user_count():
                self._idle_since = at
            is_over = at > PLAN.seconds + STOP_SECONDS or at > self._idle_since + TOLD_SECONDS * (PLAN.workers > 1)
            return None if is_over else (0, MOST_A_SECOND)
        users = PLAN.workers if PLAN.model == "open" else max(1, round(PLAN.level(at)))
        return users, max(1.0, users / 2, abs(users - self.get_current_user_count()) / 2)


@events.test_start.add_listener
def keep_cpu(environment: Any, **_: Any) -> None:
    """Write down, second by second, what this process uses; a master has no users, and tells all the same."""
    random.seed()  # processes that were forked from one go different ways
    BOOK.write("began", role="master" if isinstance(environment.runner, MasterRunner) else "user")
    clock = CpuClock()

    def tell() -> None:
        while True:
            gevent.sleep(SAMPLE_SECONDS)
            BOOK.write("cpu", pid=os.getpid(), share=clock.share())

    gevent.spawn(tell)
    if isinstance(environment.runner, WorkerRunner):
        BOOK.write("worker", index=environment.runner.worker_index)
