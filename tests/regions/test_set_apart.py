"""Whatever one thing raises, at whichever step of whichever loop, no other waits for it, and it is done in the end."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date

import pytest

from regions import apart, fetching, settling
from server.desk import relay
from server.desk.background import clockwork, notifying, reminding, reprojecting
from server.desk.citizen import drafts
from server.domain.apart import Kind
from server.domain.audit import Doer
from server.node import Node
from tests.http.peer_questions import far_case, picture
from tests.http.test_projecting import with_holiday
from tests.nodes import HandClock, Places, newborn_wish
from tests.regions.exchanging import node_of, send
from tests.regions.trap import Planted, Step, Trap, trapped
from tests.world import JIANGSU, ZHEJIANG

Run = Callable[[Node], Awaitable[bool]]
FIRST, FAR = "birth_certificate", "household_registration"


@pytest.fixture
def relays_at_once() -> bool:
    return False


async def opened(places: Places, count: int) -> list[str]:
    """Cases of Jiangsu; what follows from them is not carried yet."""
    mother = await places.citizen()
    wish = await newborn_wish(mother)
    return [str((await mother.post("/api/v1/cases", wish)).body["id"]) for _ in range(count)]


async def decided(places: Places, count: int) -> list[str]:
    """Cases of Jiangsu whose first step was approved; what follows is not carried yet."""
    cases = await opened(places, count)
    officer = await places.officer("health")
    for case in cases:
        for act in ("receive", "accept", "approve"):
            assert (await officer.post(f"/desk/v1/cases/{case}/steps/{FIRST}/{act}")).status == 200
    return cases


async def sent_abroad(places: Places, clock: HandClock, count: int) -> list[str]:
    """Cases of Jiangsu of which one step is asked of Zhejiang, where the letters are kept."""
    cases = await decided(places, count)
    clock.wait(seconds=10)
    await swept(node_of(places))
    await send(node_of(places))
    return cases


async def swept(node: Node) -> None:
    while await relay.sweep(node):
        pass


async def spring(node: Node, trap: Trap, run: Run, *needles: str, kinds: Sequence[Kind], times: int) -> list[Step]:
    """Run the loop with the trap at one step after the other that is about one of the needles, until none is new."""
    trap.needles = needles
    met: list[Step] = []
    while True:
        trap.arm(times)
        while await run(node):
            pass
        trap.disarm()
        if trap.now is None:
            return met
        met.append(trap.now)
        for row in await apart.listed(node, limit=100):
            assert row.kind in kinds
            assert row.fault == "Planted"
            if row.state == "apart":
                await apart.retry(node, row.id, by=Doer(name="test"), reason="planted")
        clock_of(node).wait(minutes=11)  # longer than any pause
        await apart.release_due(node)


def clock_of(node: Node) -> HandClock:
    assert isinstance(node.clock, HandClock)
    return node.clock


async def nothing_is_left(node: Node) -> None:
    """What was released did not raise again for long."""
    clock_of(node).wait(hours=2)
    while await apart.release_due(node):
        pass
    assert await apart.listed(node, limit=100) == []


def steps(*said: str) -> set[Step]:
    """`get_many cases` and so on."""
    found = [each.split() for each in said]
    return {(name, collection) for name, collection in found}


async def events(node: Node, cases: Sequence[str]) -> list[int]:
    """How many events each case of Jiangsu has there; 0 if it is not there."""
    found = [await node.store.cases.find(f"{JIANGSU}:{case}") for case in cases]
    return [len(record.events) if record else 0 for record in found]


async def due_days(node: Node, cases: Sequence[str]) -> list[str]:
    """Until when the first step of each case is due."""
    return [(await node.store.tasks.task(f"{case}:{FIRST}")).due_on for case in cases]


async def test_settling(places: Places, clock: HandClock) -> None:
    cases = await sent_abroad(places, clock, 7)
    node, trap = trapped(node_of(places, ZHEJIANG))
    while await settling.unpack(node, JIANGSU):
        pass
    met: set[Step] = set()
    letters = {str(each.letter.case): each.id for each in await node.store.letters_in.listed("waiting", limit=9)}
    for case in cases[1:6]:
        await node.store.apart.hold("letter", letters[f"{JIANGSU}/{case}"])
    for case in cases[:6]:  # a step that the sweep takes over is met once for each letter
        letter = letters[f"{JIANGSU}/{case}"]
        await node.store.apart.release("letter", letter, at=clock.now())
        met |= set(await spring(node, trap, settling.settle, case, letter, kinds=["letter"], times=2))
        assert await events(node, cases[6:]) == [1]
    assert set(await events(node, cases)) == {1}
    assert met >= steps("get_many cases", "insert_many cases", "put_newer tasks", "mark_many letters_in")
    await swept(node)
    for case in cases:
        assert (await node.store.tasks.task(f"{JIANGSU}:{case}:{FAR}")).state == "sent"
    assert await node.store.letters_in.listed("waiting", limit=9) == []
    await nothing_is_left(node)


async def test_spreading(places: Places, clock: HandClock) -> None:
    cases = await sent_abroad(places, clock, 2)
    node, trap = trapped(node_of(places, ZHEJIANG))

    async def spread(node: Node) -> bool:
        return await settling.unpack(node, JIANGSU)

    met = await spring(node, trap, spread, cases[0], kinds=["batch"], times=2)
    assert met == [("insert_many", "letters_in")]
    await nothing_is_left(node)
    assert len(await node.store.letters_in.listed("waiting", limit=9)) == 2
    while await settling.settle(node):
        pass
    assert await events(node, cases) == [1, 1]


async def test_carrying_effects(places: Places, clock: HandClock) -> None:
    cases = await decided(places, 2)
    clock.wait(seconds=10)
    node, trap = trapped(node_of(places))
    met = await spring(node, trap, relay.sweep, cases[0], kinds=["effects"], times=2)
    carried = ("put_newer tasks", "insert_many letters_out", "insert_many notices")
    assert set(met) >= steps(*carried, "mark_many cases")
    for case in cases:
        assert (await node.store.tasks.task(f"{case}:{FIRST}")).state == "approved"
        assert (await node.store.cases.case(case)).document["relay"] == "done"
    await nothing_is_left(node)


async def test_sending_notices(places: Places, clock: HandClock) -> None:
    await decided(places, 2)
    clock.wait(seconds=10)
    node, trap = trapped(node_of(places))
    await swept(node)
    first, *others = await node.store.notices.due(clock.now(), limit=9)
    assert others
    met = await spring(node, trap, notifying.notify, first.notice.id, kinds=["notice"], times=1)
    assert met == [("mark", "notices")]
    assert await node.store.notices.due(clock.now(), limit=9) == []
    await nothing_is_left(node)


async def test_heeding_alarms_and_rungs_that_somebody_left(places: Places, clock: HandClock) -> None:
    cases = await opened(places, 2)
    clock.wait(seconds=10)
    node, trap = trapped(node_of(places))
    await swept(node)
    clock.to(12, 1)  # five working days are over: what nobody has spoken about is accepted by law
    met = set(await spring(node, trap, clockwork.tick, cases[0], kinds=["alarm", "rung"], times=1))
    assert met >= steps("mark cases", "get cases", "get_many rungs", "insert rungs", "replace cases", "mark rungs")
    for case in cases:
        assert (await node.store.cases.case(case)).case.steps[FIRST].state == "accepted"
    await nothing_is_left(node)


async def test_fetching_contents(places: Places) -> None:
    mother = await places.citizen()
    cases = [await far_case(places, mother, picture(2000, code), picture(2001, code)) for code in ("one", "two")]
    node, trap = trapped(node_of(places, ZHEJIANG))

    async def fetch(node: Node) -> bool:
        return await fetching.fetch(node, JIANGSU)

    last = (await node.store.fetches.of_step(f"{JIANGSU}:{cases[0]}", FAR))[-1]
    await node.store.apart.hold("fetch", last.id)  # only when it comes, all materials of the case are here
    while await fetch(node):
        pass
    await node.store.apart.release("fetch", last.id, at=clock_of(node).now())
    met = set(await spring(node, trap, fetch, cases[0], kinds=["fetch"], times=1))
    assert met >= steps("mark fetches", "get cases", "replace cases")
    for case in cases:
        assert (await node.store.cases.case(f"{JIANGSU}:{case}")).case.steps[FAR].arrived_at
    await nothing_is_left(node)


async def test_bringing_dates_to_another_calendar(places: Places, clock: HandClock) -> None:
    cases = await opened(places, 2)
    clock.wait(seconds=10)
    node, trap = trapped(node_of(places))
    await swept(node)
    while await reprojecting.reproject(node):
        pass
    changed = with_holiday(node, date(2026, 11, 25))
    trap.needles = cases[:1]
    trap.arm(1)
    while await reprojecting.reproject(changed):
        pass
    trap.disarm()
    assert trap.raised == [("get", "cases")]
    assert await due_days(changed, cases) == ["2026-11-30", "2026-12-01"]
    assert [row.id for row in await apart.listed(node, limit=9)] == [f"dates:{cases[0]}"]
    clock.wait(minutes=1)
    await apart.release_due(changed)
    assert await due_days(changed, cases) == ["2026-12-01", "2026-12-01"]
    await nothing_is_left(changed)


async def test_reminding_of_drafts(places: Places, clock: HandClock) -> None:
    node, trap = trapped(node_of(places))
    wish = {"bundle": "newborn", "division": JIANGSU, "answers": {}, "form": {}, "materials": []}
    for code in ("mother", "stranger"):
        citizen = await places.citizen(code)
        assert (await citizen.call("PUT", "/api/v1/drafts/mine", json=wish)).status == 200
    clock.wait(days=node.settings.draft_days - 1)
    broken, _ = await drafts.expiring(node)

    async def remind(node: Node) -> bool:
        await reminding.remind_of_drafts(node)
        return False

    met = await spring(node, trap, remind, broken.owner, kinds=["draft"], times=2)
    assert met == [("get_many", "notices"), ("insert_many", "notices")]
    assert len(await node.store.notices.due(clock.now(), limit=9)) == 2


class RaisingPlatform:
    """A platform whose answer nobody foresaw; it counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    @property
    def messages(self) -> "RaisingPlatform":
        return self

    async def send(self, *_said: object, **_more: object) -> None:
        self.asked += 1
        raise Planted("an answer of another kind")


async def test_a_notice_that_may_have_been_sent_is_not_sent_again(places: Places, clock: HandClock) -> None:
    await decided(places, 1)
    clock.wait(seconds=10)
    platform = RaisingPlatform()
    node = replace(node_of(places), platform=platform)  # type: ignore[arg-type]
    await swept(node)
    ids = [each.notice.id for each in await node.store.notices.due(clock.now(), limit=9)]
    for _ in range(3):
        await notifying.notify(node)
        clock.wait(minutes=11)
        await apart.release_due(node)
    assert platform.asked == len(ids)
    found = await node.store.notices.notices(ids)
    assert {each.state for each in found.values()} == {"unknown"}
    await nothing_is_left(node)
