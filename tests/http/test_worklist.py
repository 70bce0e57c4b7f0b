"""The officers' worklist: what each sees and in which order, who has what in hand, how much there is, acts on many."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pymongo
import pytest
import pytest_asyncio

from server.desk.background import counting
from server.desk.officer.appointing import PostUnfit
from server.desk.officer.claiming import MOST_HELD
from server.domain.effects.effects import Task
from server.domain.people.claims import Claim
from server.domain.people.posts import PostRole
from server.domain.time.counts import AuthorityCounts, rest_after
from server.node import Node
from server.staffing import seed_officers
from server.store.effects.tasks import written_task
from server.working import COUNT_SECONDS
from tests.http.asking import act, opened, pointers, refused
from tests.http.conftest import module_wide, nodes_of_a_module
from tests.nodes import (
    HERE,
    HOSPITALS,
    PASSWORD,
    Answer,
    Caller,
    HandClock,
    Places,
    data_of,
    newborn_wish,
    running_nodes,
    until,
)
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
FIRST = "birth_certificate"
TODAY = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
TASKS, COUNTS = "/desk/v1/tasks", "/desk/v1/counts"
NEIGHBOUR = "320104"


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory,
    database_uri: str,
    database_sweeper: pymongo.MongoClient[dict[str, Any]],
    clock: HandClock,
) -> AsyncIterator[Places]:
    """One node, whose clock the tests hold; its officers may be idle for hours."""
    more = {"divisions": (JIANGSU,), "clock": clock, "desk_idle_seconds": 43_200}
    async with nodes_of_a_module(tmp_path_factory.mktemp("nodes"), database_uri, database_sweeper, **more) as places:
        yield places


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def a_morning(clock: HandClock) -> None:
    """Each test begins on the same morning, so that tokens are good."""
    clock.at = TODAY


@module_wide
async def node(places: Places) -> Node:
    return places.nodes[JIANGSU].node


@module_wide
async def wish(mother: Caller) -> dict[str, Any]:
    """An application of which everything is decided in this province."""
    return await newborn_wish(mother) | {"answers": {"household": HERE, "maternity_insurance": "no"}}


def task(id: str, department: str, *, state: Any = "sent", due: str = "", opened: int = 0, **more: Any) -> Task:
    """A task of the county's authority that decides; those of one department are one test's."""
    more = {"authority": place_of(department), "authority_name": "某某局", **more}
    moment = datetime(2026, 11, 20, 5, 45, 0, 123000, tzinfo=UTC) + timedelta(days=opened)
    case, _, step = id.rpartition(":")
    told: dict[str, Any] = {"case": case, "step": step, "event": 1, "is_open": True, "item_name": "事项", **more}
    told |= {"bundle_name": "一件事", "opened_at": moment, "since": moment}
    return Task(department=department, state=state, due_on=due, **told)


def place_of(department: str, county: str = HERE) -> str:
    """The authority of a county."""
    return f"{department}/{county}"


async def put(node: Node, *told: Task) -> None:
    """Lay these on the desks, as what follows from an event is carried there."""
    for each in told:
        await node.store.carry([{"task": written_task(each)}])


async def posted(places: Places, name: str, *posts: tuple[str, PostRole]) -> Caller:
    """An officer with just these posts, each a role at an authority."""
    caller = await places.officer("health", name=name, roles=())
    for place, role in posts:
        await places.appoint(name, place, (role,))
    return caller


async def count_all(node: Node) -> None:
    while await counting.count(node):
        pass


async def pages(caller: Caller, **asked: str) -> list[list[str]]:
    """The ids of all pages of a list."""
    found: list[list[str]] = []
    following: str | None = ""
    while following is not None:
        answer = await caller.get(TASKS, params=asked | ({"after": following} if following else {}))
        assert answer.status == 200, answer.body
        found.append([line["id"] for line in answer.body["tasks"]])
        following = answer.body["next"]
    return found


async def shown(caller: Caller, **asked: str) -> list[str]:
    """The ids of the first page."""
    return [line["id"] for line in (await caller.get(TASKS, params=asked)).body["tasks"]]


async def line_of(caller: Caller, id: str, **asked: str) -> dict[str, Any]:
    lines = (await caller.get(TASKS, params=asked)).body["tasks"]
    return next(line for line in lines if line["id"] == id)


async def claim(caller: Caller, id: str) -> Answer:
    return await caller.post(f"{TASKS}/{quote(id, safe='')}/claim")


async def take(node: Node, holder: str, id: str, *, department: str) -> None:
    """A task in an officer's hands, as a claim leaves it: for tests that need a hundred."""
    case, _, step = id.rpartition(":")
    lease = {"holder": holder, "until": node.clock.now() + timedelta(minutes=15)}
    assert await node.store.claims.put(
        Claim(id=id, case=case, step=step, authority=place_of(department), version=1, **lease)
    )


async def release(caller: Caller, id: str) -> Answer:
    return await caller.call("DELETE", f"{TASKS}/{id}/claim")


async def beat(caller: Caller, id: str) -> Answer:
    return await caller.post(f"{TASKS}/{id}/heartbeat")


async def pass_on(caller: Caller, id: str, to: str, note: str = "") -> Answer:
    return await caller.post(f"{TASKS}/{id}/hand-over", {"to": to, "note": note})


async def two_of(places: Places, department: str) -> tuple[Caller, Caller]:
    """Anna and Bert at the same authorities."""
    names = [f"{name}-{department}" for name in ("anna", "bert")]
    anna, bert = [await places.officer(department, name=name) for name in names]
    for name in names:
        await places.appoint(name, place_of(department))
    return anna, bert


async def test_soonest_due_comes_first_over_all_states_and_pages(places: Places, node: Node):
    officer = await places.officer("transport")
    dues = ["", *(f"2026-12-{day:02d}" for day in range(1, 29))]
    states = ("sent", "received", "accepted")
    told = [
        task(f"t{n:03d}:x", "transport", state=states[n % 3], opened=n % 7, due=dues[n * 7 % len(dues)])
        for n in range(120)
    ]
    await put(node, *told)
    found = await pages(officer)
    assert [len(page) for page in found] == [50, 50, 20]
    expected = sorted(told, key=lambda each: (each.due_on or "9999", each.opened_at, each.id))
    assert [id for page in found for id in page] == [each.id for each in expected]
    received = await pages(officer, state="received")
    assert [id for page in received for id in page] == [each.id for each in expected if each.state == "received"]


async def test_a_task_that_moves_between_pages_hides_no_other(places: Places, node: Node):
    officer = await posted(places, "customs", (place_of("customs"), "handler"))
    await put(node, *(task(f"m{number:02d}:x", "customs", due="2026-12-01") for number in range(60)))
    first = (await officer.get(TASKS)).body
    await put(node, *(task(f"m{n:02d}:x", "customs", state="accepted", due="2026-12-01", event=2) for n in (3, 55)))
    second = (await officer.get(TASKS, params={"after": first["next"]})).body
    assert [line["id"] for line in first["tasks"] + second["tasks"]] == [f"m{number:02d}:x" for number in range(60)]


async def test_urgency_is_a_bound_on_the_due_date(places: Places, node: Node):
    officer = await places.officer("taxation")
    days = ("", "2026-11-20", "2026-11-22", "2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26")
    await put(node, *(task(f"due{day}:x", "taxation", due=day, state="accepted") for day in days))
    assert await shown(officer, urgency="overdue") == ["due2026-11-20:x", "due2026-11-22:x"]
    soon = ["due2026-11-23:x", "due2026-11-24:x", "due2026-11-25:x"]
    assert await shown(officer, urgency="soon") == soon
    assert await shown(officer, urgency="soon", state="accepted") == soon
    assert await shown(officer, urgency="soon", state="sent") == []
    await claim(officer, "due2026-11-24:x")
    await claim(officer, "due:x")
    await claim(officer, "due2026-11-20:x")
    assert await shown(officer, mine="true") == ["due2026-11-20:x", "due2026-11-24:x", "due:x"]
    assert await shown(officer, mine="true", urgency="overdue") == ["due2026-11-20:x"]
    assert await shown(officer, mine="true", urgency="soon") == ["due2026-11-24:x"]
    assert await shown(officer, mine="true", state="sent") == []


@pytest.mark.parametrize(("name", "value"), [("state", "lost"), ("urgency", "very"), ("mine", "perhaps")])
async def test_a_filter_that_is_none_is_refused_by_its_name(places: Places, name: str, value: str):
    officer = await places.officer("customs")
    assert pointers(refused(await officer.get(TASKS, params={name: value}), 422, "body_faulty")) == {f"/{name}": "type"}


async def test_of_two_officers_who_claim_at_once_one_wins_and_the_other_is_told_who(places: Places, node: Node):
    anna, bert = await two_of(places, "housing")
    for number in range(8):
        id = f"330000:race{number}:x"
        await put(node, task(id, "housing"))
        answers = await asyncio.gather(claim(anna, id), claim(bert, id), claim(anna, id), claim(bert, id))
        winners = {answer.body["holder"] for answer in answers if answer.status == 200}
        assert len(winners) == 1
        lost = [answer for answer in answers if answer.status != 200]
        assert lost
        for answer in lost:
            problem = refused(answer, 409, "claimed_by_another")
            assert {problem["holder"]} == winners
            assert problem["until"] == "2026-11-23T12:15:00.000+08:00"


async def test_an_officer_does_not_see_what_a_colleague_has_and_a_head_does(places: Places, node: Node):
    anna, bert = await two_of(places, "education")
    head = await places.officer("education", name="head-education", roles=("head",))
    await put(node, task("seen-a:x", "education", due="2026-12-01"), task("seen-b:x", "education", due="2026-12-02"))
    await claim(anna, "seen-a:x")
    assert await shown(anna) == ["seen-a:x", "seen-b:x"]
    assert await shown(bert) == ["seen-b:x"]
    assert await shown(head) == ["seen-a:x", "seen-b:x"]
    line = await line_of(head, "seen-a:x")
    assert (line["holder"], line["until"]) == ("anna-education", "2026-11-23T12:15:00.000+08:00")
    assert ((await line_of(head, "seen-b:x"))["holder"], (await line_of(head, "seen-b:x"))["until"]) == ("", None)
    assert await shown(anna, mine="true") == ["seen-a:x"]
    assert await shown(bert, mine="true") == []


async def test_pages_go_on_past_what_colleagues_have(places: Places, node: Node):
    anna, bert = await two_of(places, "ecology")
    many = [f"e{number:03d}:x" for number in range(130)]
    await put(node, *(task(id, "ecology", due="2026-12-01") for id in many))
    await asyncio.gather(*(take(node, "anna-ecology", id, department="ecology") for id in many[:90]))
    assert [id for page in await pages(bert) for id in page] == many[90:]
    assert [id for page in await pages(anna) for id in page] == many
    assert [len(page) for page in await pages(anna, mine="true")] == [50, 40]


async def test_each_sees_the_tasks_of_their_posts_and_the_head_above_none(places: Places, node: Node):
    justice, conscription, tobacco = (place_of(each) for each in ("justice", "conscription", "tobacco"))
    above = await posted(places, "above-justice", (place_of("justice", "320100"), "head"))
    head = await posted(places, "head-justice", (justice, "head"))
    both = await posted(places, "both", (justice, "handler"), (conscription, "window"))
    for number, department in enumerate(("justice", "conscription", "tobacco")):
        await put(
            node, task(f"l{number}:x", department, due=f"2026-10-0{number + 1}", state=("sent", "accepted")[number % 2])
        )
    assert await shown(above) == []
    assert await shown(both) == ["l0:x", "l1:x"]
    assert await shown(both, authority=conscription) == ["l1:x"]
    assert await shown(head) == await shown(head, authority=justice) == ["l0:x"]
    for caller, asked in ((head, {"authority": tobacco}), (above, {"authority": justice}), (head, {"window": "w1"})):
        refused(await caller.get(TASKS, params=asked), 403, "not_your_post")


async def test_an_officers_posts_are_seeded_once(places: Places, node: Node):
    post = {"authority": place_of("civil_affairs"), "role": "handler", "items": ["marriage_registration"]}
    seats: list[dict[str, Any]] = [
        {"name": "seeded", "password": PASSWORD, "posts": [post]},
        {"name": "seeded-head", "password": PASSWORD, "posts": [{**post, "role": "head", "items": []}]},
    ]
    for added in (2, 0):
        assert await seed_officers(node.settings, seats, data=data_of(node.settings)) == added
    for name, role in (("seeded", "handler"), ("seeded-head", "head")):
        answer = await places.caller().post("/desk/v1/sessions", {"name": name, "password": PASSWORD})
        assert (answer.body["name"], answer.body["role"]) == (name, "officer")
        found = await node.store.posts.of_officer(name)
        assert [(each.role, each.authority) for each in found] == [(role, post["authority"])]
    with pytest.raises(ValueError, match="role"):
        await seed_officers(
            node.settings, [seats[0] | {"posts": [post | {"role": "king"}]}], data=data_of(node.settings)
        )
    elsewhere = post | {"authority": "civil_affairs/330106"}
    with pytest.raises(PostUnfit):
        await seed_officers(node.settings, [seats[0] | {"posts": [elsewhere]}], data=data_of(node.settings))


async def test_a_lease_ends_by_itself_and_a_heartbeat_prolongs_it(places: Places, node: Node, clock: HandClock):
    anna, bert = await two_of(places, "city_management")
    await put(node, task("lease-a:x", "city_management"))
    await claim(anna, "lease-a:x")
    clock.wait(minutes=14)
    assert (await beat(anna, "lease-a:x")).body["until"] == "2026-11-23T12:29:00.000+08:00"
    clock.wait(minutes=14, seconds=59)
    refused(await claim(bert, "lease-a:x"), 409, "claimed_by_another")
    clock.wait(seconds=1)
    assert await shown(bert) == ["lease-a:x"]
    assert await shown(anna, mine="true") == []
    assert (await beat(anna, "lease-a:x")).body["holder"] == "anna-city_management", "nobody took it meanwhile"
    clock.wait(minutes=15)
    assert (await claim(bert, "lease-a:x")).body["holder"] == "bert-city_management"
    problem = refused(await beat(anna, "lease-a:x"), 409, "claim_lost")
    assert problem["holder"] == "bert-city_management"
    clock.wait(minutes=20)
    refused(await beat(anna, "lease-a:x"), 409, "claim_lost")


async def test_what_is_given_back_is_free_again(places: Places, node: Node):
    anna, bert = await two_of(places, "fire_rescue")
    await put(node, task("back-a:x", "fire_rescue"))
    await claim(anna, "back-a:x")
    refused(await release(bert, "back-a:x"), 409, "claimed_by_another")
    assert (await release(anna, "back-a:x")).body["holder"] == ""
    assert (await release(anna, "back-a:x")).status == 200
    refused(await beat(anna, "back-a:x"), 409, "claim_lost")
    assert (await claim(bert, "back-a:x")).status == 200


async def test_a_hand_over_gives_the_task_with_its_note(places: Places, node: Node):
    anna, bert = await two_of(places, "tobacco")
    head = await places.officer("tobacco", name="head-tobacco", roles=("head",))
    await put(node, task("h:x", "tobacco", due="2026-12-01"))
    refused(await pass_on(anna, "h:x", "bert-tobacco"), 409, "claim_needed")
    await claim(anna, "h:x")
    passed = await pass_on(anna, "h:x", "bert-tobacco", "已电话核实，待收原件")
    assert (passed.status, passed.body["holder"]) == (200, "bert-tobacco")
    assert (await pass_on(anna, "h:x", "bert-tobacco", "已电话核实，待收原件")).body == passed.body, "a repeat"
    line = await line_of(bert, "h:x", mine="true")
    assert line["hand_over"] == {
        "by": "anna-tobacco",
        "to": "bert-tobacco",
        "note": "已电话核实，待收原件",
        "at": "2026-11-23T12:00:00.000+08:00",
    }
    assert "h:x" not in await shown(anna)
    refused(await pass_on(anna, "h:x", "anna-tobacco"), 409, "claimed_by_another")
    assert (await pass_on(head, "h:x", "anna-tobacco", "由安娜继续")).body["holder"] == "anna-tobacco"
    await release(anna, "h:x")
    assert (await line_of(bert, "h:x"))["hand_over"]["note"] == "由安娜继续"


async def test_only_a_colleague_is_passed_a_task(places: Places, node: Node):
    anna, _ = await two_of(places, "customs")
    await places.officer("taxation")
    await put(node, task("coll-c:x", "customs"))
    await claim(anna, "coll-c:x")
    for to in ("nobody", "taxation", "a\0b"):
        assert pointers(refused(await pass_on(anna, "coll-c:x", to), 422, "no_such_colleague")) == {"/to": "colleague"}
    assert pointers(refused(await anna.post(f"{TASKS}/coll-c:x/hand-over", {}), 422, "body_faulty")) == {
        "/to": "required"
    }


async def test_what_is_not_there_not_open_or_not_ones_own_is_claimed_by_nobody(places: Places, node: Node):
    anna, _ = await two_of(places, "bank")
    above = await posted(places, "above-bank", (place_of("bank", "320100"), "head"))
    head = await posted(places, "head-bank", (place_of("bank"), "head"))
    await put(node, task("bank-b:x", "bank"), task("bank-e:x", "bank", state="delivered", is_open=False))
    other = await places.officer("customs")
    for does in (claim, beat, release):
        refused(await does(anna, "no:such"), 404, "no_such_task")
        refused(await does(other, "bank-b:x"), 404, "no_such_task")
        refused(await does(above, "bank-b:x"), 404, "no_such_task")
    for does in (claim, beat):
        refused(await does(anna, "bank-e:x"), 409, "task_ended")
    for caller in (other, above):
        refused(await pass_on(caller, "bank-b:x", "anna-bank"), 404, "no_such_task")
    assert (await pass_on(head, "bank-b:x", "anna-bank")).body["holder"] == "anna-bank"


async def test_nobody_takes_more_in_hand_than_he_may(places: Places, node: Node, clock: HandClock):
    anna, bert = await two_of(places, "natural_resources")
    head = await places.officer("natural_resources", name="head-natural", roles=("head",))
    many = [f"n{number:03d}:x" for number in range(MOST_HELD + 1)]
    await put(node, *(task(id, "natural_resources", due="2026-12-01") for id in many))
    await asyncio.gather(
        *(take(node, "anna-natural_resources", id, department="natural_resources") for id in many[:MOST_HELD])
    )
    refused(await claim(anna, many[-1]), 409, "holds_too_many")
    refused(await pass_on(head, many[-1], "anna-natural_resources"), 409, "holds_too_many")
    assert (await claim(anna, many[0])).status == 200
    assert (await claim(bert, many[-1])).status == 200
    clock.wait(minutes=15)
    assert (await claim(anna, many[-1])).status == 200


async def test_nobody_acts_on_what_a_colleague_has_and_who_acted_before_is_told_so(
    places: Places, mother: Caller, wish: dict[str, Any], clock: HandClock
):
    anna, bert = await two_of(places, "health")
    case = await opened(places, mother, wish)
    assert (await bert.post(act(case, FIRST, "receive"), key="before")).status == 200
    await claim(anna, f"{case}:{FIRST}")
    problem = refused(await bert.post(act(case, FIRST, "accept")), 409, "claimed_by_another")
    assert problem["holder"] == "anna-health"
    again = await bert.post(act(case, FIRST, "receive"), key="before")
    assert (again.status, again.body["state"]) == (200, "received")
    other = await places.officer("customs")
    refused(await other.post(act(case, FIRST, "accept")), 404, "no_such_case")
    clock.wait(minutes=15)
    assert (await bert.post(act(case, FIRST, "accept"))).status == 200, "no claim is needed to act"


async def test_a_changed_step_says_what_changed_when_and_by_whom(
    places: Places, mother: Caller, wish: dict[str, Any], clock: HandClock
):
    anna, bert = await two_of(places, "health")
    case = await opened(places, mother, wish)
    seen = (await anna.get(f"/desk/v1/cases/{case}")).body["steps"][0]["step"]["version"]
    clock.wait(minutes=90)
    await bert.post(act(case, FIRST, "receive"))
    clock.wait(minutes=5)
    await bert.post(act(case, FIRST, "accept"))
    answer = await anna.post(act(case, FIRST, "refuse"), {"version": seen, "grounds": "写了很久的理由"})
    problem = refused(answer, 412, "step_changed")
    assert problem["errors"] == [
        {
            "pointer": "/version",
            "code": "receive",
            "detail": f"2026年11月23日13:30，由{HOSPITALS}收件。",
        },
        {
            "pointer": "/version",
            "code": "accept",
            "detail": f"2026年11月23日13:35，由{HOSPITALS}受理。",
        },
    ]


async def test_changes_of_other_steps_hinder_nobody(places: Places, mother: Caller, wish: dict[str, Any]):
    """Officers of several authorities move the steps of one case at once; each names the version of their step."""
    health = await places.officer("health")
    case = await opened(places, mother, wish)
    await places.decide(case, FIRST, department="health")
    lines = [line for line in (await health.get("/desk/v1/tasks")).body["tasks"] if line["case"] == case]
    police = await places.officer("public_security")
    lines += [line for line in (await police.get("/desk/v1/tasks")).body["tasks"] if line["case"] == case]
    assert len(lines) >= 2
    callers = {"health": health, "public_security": police}
    answers = await asyncio.gather(
        *(
            callers[line["department"]].post(act(case, line["step"], "receive"), {"version": line["version"]})
            for line in lines
            if line["state"] == "sent"
        )
    )
    assert len(answers) >= 2
    assert {answer.status for answer in answers} == {200}


async def test_counts_are_those_of_the_last_counting(places: Places, node: Node):
    own, next_door, city = (place_of("veterans_affairs", county) for county in (HERE, NEIGHBOUR, "320100"))
    anna = await posted(places, "anna-veterans", (own, "handler"))
    bert = await posted(places, "bert-veterans", (own, "approver"))
    head = await posted(places, "head-veterans", (own, "head"))
    above = await posted(places, "above-veterans", (city, "head"))
    empty = (await anna.get(COUNTS)).body
    assert empty == {"authorities": [], "below": [], "mine": 0, "counted_at": None}
    days = ("", "2026-11-22", "2026-11-23", "2026-11-25", "2026-11-26")
    await put(node, *(task(f"v{day}:x", "veterans_affairs", due=day, state="accepted") for day in days))
    await put(node, task("v:sent", "veterans_affairs"), task("v:end", "veterans_affairs", is_open=False))
    await put(node, task("v:there", "veterans_affairs", due="2026-11-22", authority=next_door))
    for officer, id in ((anna, "v:x"), (anna, "v:sent"), (bert, "v2026-11-22:x")):
        assert (await claim(officer, id)).status == 200
    assert (await anna.get(COUNTS)).body == empty | {"mine": 2}, "the door reads what was counted and counts nothing"
    await count_all(node)
    counted = (await anna.get(COUNTS)).body
    [line] = counted["authorities"]
    assert line == {
        "authority": own,
        "authority_name": "南京市玄武区退役军人事务局",
        "open": 6,
        "states": {"accepted": 5, "sent": 1},
        "overdue": 1,
        "soon": 2,
        "counted_at": "2026-11-23T12:00:00.000+08:00",
    }
    assert (counted["below"], counted["mine"], counted["counted_at"]) == ([], 2, line["counted_at"])
    assert (await bert.get(COUNTS)).body == counted | {"mine": 1}
    its_own = (await head.get(COUNTS)).body
    assert its_own | {"below": []} == counted | {"mine": 0}
    assert [(each["all"]["open"], each["each"]) for each in its_own["below"]] == [(0, [])], (
        "nothing lies below a county"
    )
    seen = (await above.get(COUNTS)).body
    assert (seen["authorities"], seen["mine"]) == ([], 0)
    [below] = seen["below"]
    assert {each["authority"]: each["open"] for each in below["each"]} == {own: 6, next_door: 1}
    assert line in below["each"]
    assert (below["all"]["authority"], below["all"]["open"], below["all"]["states"]) == (
        city,
        7,
        {"accepted": 5, "sent": 2},
    )
    assert (below["all"]["overdue"], below["all"]["soon"]) == (2, 2)


async def test_counts_follow_a_case_from_state_to_state(
    places: Places, node: Node, mother: Caller, wish: dict[str, Any], clock: HandClock
):
    place = f"provider/{place_of('health')}"
    officer = await places.officer("health")
    case = await opened(places, mother, wish)

    async def states() -> Counter[str]:
        lines = (await officer.get(COUNTS)).body["authorities"]
        return Counter(next(line["states"] for line in lines if line["authority"] == place))

    clock.wait(minutes=1)
    await count_all(node)
    before = await states()
    for act_name, left, came in (("receive", "sent", "received"), ("accept", "received", "accepted")):
        assert (await officer.post(act(case, FIRST, act_name))).status == 200
        await places.settle()
        assert await states() == before, "stale until it is counted"
        clock.wait(minutes=1)
        await count_all(node)
        after = await states()
        assert after == before - Counter({left: 1}) + Counter({came: 1})
        before = after


async def test_counting_counts_anew_what_moved_once_it_has_rested(places: Places, node: Node, clock: HandClock):
    place, name = place_of("disease_control"), "counted"
    officer = await posted(places, name, (place, "handler"))

    async def shows(states: dict[str, int], at: str) -> bool:
        [line] = (await officer.get(COUNTS)).body["authorities"]
        return (line["states"], line["counted_at"][5:19]) == (states, at)

    clock.wait(hours=1)
    await put(node, task("d:x", "disease_control"))
    await count_all(node)
    assert await shows({"sent": 1}, "11-23T13:00:00")
    await put(node, task("d:y", "disease_control", due="2026-11-26"))
    await put(node, task("d:x", "disease_control", state="accepted", event=2))
    clock.wait(seconds=4)
    await count_all(node)
    assert await shows({"sent": 1}, "11-23T13:00:00"), "stale, but just counted"
    clock.wait(seconds=2)
    await asyncio.gather(*(count_all(node) for _ in range(3)))
    assert await shows({"accepted": 1, "sent": 1}, "11-23T13:00:06")
    clock.wait(hours=1)
    await count_all(node)
    assert await shows({"accepted": 1, "sent": 1}, "11-23T13:00:06"), "nothing moved"
    await put(node, task("d:x", "disease_control", state="approved", event=3, is_open=False))
    await count_all(node)
    assert await shows({"sent": 1}, "11-23T14:00:06")
    clock.to(11, 24, 9)
    officer = await posted(places, name, (place, "handler"))
    await count_all(node)
    assert await shows({"sent": 1}, "11-24T09:00:00"), "another day, and what is due presses more"
    assert [each["soon"] for each in (await officer.get(COUNTS)).body["authorities"]] == [1]


@pytest.mark.parametrize(("tasks", "seconds"), [(0, 5), (1_000, 5), (10_000, 30), (100_000, 45)])
async def test_counting_of_many_tasks_rests_longer_yet_counts_are_new_within_a_minute(tasks: int, seconds: int):
    half = tasks // 2
    counted = AuthorityCounts(
        authority="health/320102",
        states={"sent": half, "accepted": tasks - half},
        overdue=0,
        soon=0,
        counted_at=TODAY,
    )
    assert rest_after(counted).total_seconds() == seconds
    assert seconds + 1.2 * COUNT_SECONDS < 52, "which leaves time for the counting itself"


async def test_work_counts_by_itself(tmp_path: Path, database_uri: str, database_name: str):
    alone = (JIANGSU,)
    async with running_nodes(tmp_path, database_uri, database_name, divisions=alone, is_working=True) as places:
        officer, citizen = await places.officer("health"), await places.citizen("mother")
        answers = {"answers": {"household": HERE, "maternity_insurance": "no"}}
        assert (await citizen.post("/api/v1/cases", await newborn_wish(citizen) | answers)).status == 201

        async def counted() -> str | None:
            return (await officer.get("/desk/v1/counts")).body["counted_at"]

        assert await until(counted)


async def test_a_batch_does_item_by_item_and_a_refusal_stops_no_other(
    places: Places, mother: Caller, wish: dict[str, Any]
):
    anna, bert = await two_of(places, "health")
    first, second, third = [await opened(places, mother, wish) for _ in range(3)]
    versions = {
        case: (await anna.get(f"/desk/v1/cases/{case}")).body["steps"][0]["step"]["version"]
        for case in (first, second, third)
    }
    await claim(bert, f"{second}:{FIRST}")
    await bert.post(act(third, FIRST, "receive"))
    items = [{"case": case, "step": FIRST, "version": version} for case, version in versions.items()]
    batch = {"act": "receive", "items": [*items, {"case": "none", "step": FIRST, "version": 1}]}
    answer = await anna.post("/desk/v1/batch", batch, key="a-batch")
    assert answer.status == 200
    lines = answer.body["items"]
    assert [(line["case"], line["state"], line["refusal"] and line["refusal"]["code"]) for line in lines] == [
        (first, "received", None),
        (second, None, "claimed_by_another"),
        (third, None, "step_changed"),
        ("none", None, "no_such_case"),
    ]
    assert lines[0]["version"] > versions[first]
    assert lines[2]["refusal"]["errors"][0]["code"] == "receive"
    assert all(line["refusal"]["title"] and line["refusal"]["detail"] for line in lines[1:])
    assert (await anna.post("/desk/v1/batch", batch, key="a-batch")).body == answer.body, "a repeat does nothing twice"
    await release(bert, f"{second}:{FIRST}")
    again = (await anna.post("/desk/v1/batch", batch, key="a-batch")).body["items"]
    assert [line["state"] for line in again] == ["received", "received", None, None]


async def test_what_a_batch_moved_is_carried_at_once(places: Places, mother: Caller, wish: dict[str, Any]):
    officer = await places.officer("health")
    cases = [await opened(places, mother, wish) for _ in range(3)]
    lines = [await line_of(officer, f"{case}:{FIRST}", state="sent") for case in cases]
    items = [{"case": line["case"], "step": line["step"], "version": line["version"]} for line in lines]
    assert (await officer.post("/desk/v1/batch", {"act": "receive", "items": items})).status == 200
    running = places.nodes[JIANGSU]
    await running.in_flight.drain()
    running.in_flight.is_draining = False
    received = await shown(officer, state="received")
    assert {f"{case}:{FIRST}" for case in cases} <= set(received)


ITEM = {"case": "c", "step": "s", "version": 1}
BATCHES: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"act": "approve", "items": [ITEM]}, {"/act": "type"}),
    ({"act": "receive", "items": []}, {"/items": "type"}),
    ({"act": "receive", "items": [ITEM] * 51}, {"/items": "type"}),
    ({"act": "receive", "items": [ITEM, {"case": "c", "step": "s"}]}, {"/items/1/version": "required"}),
    ({"items": [ITEM]}, {"/act": "required"}),
]


@pytest.mark.parametrize(("body", "faults"), BATCHES, ids=lambda each: str(each)[:40])
async def test_a_batch_of_another_shape_is_refused(places: Places, body: dict[str, Any], faults: dict[str, str]):
    officer = await places.officer("health")
    assert pointers(refused(await officer.post("/desk/v1/batch", body), 422, "body_faulty")) == faults
    refused(await officer.post("/desk/v1/batch", body, key=None), 400, "idempotency_key_missing")
