"""The officers' worklist: what each sees and in which order, who has what in hand, how much there is, acts on many."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pymongo
import pytest
import pytest_asyncio

from server.desk.background import counting
from server.desk.officer.claiming import MOST_HELD
from server.domain.effects.effects import Task
from server.domain.people.claims import Claim
from server.domain.time.counts import DepartmentCounts
from server.main import seed_officers
from server.node import Node
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
TASKS = "/desk/v1/tasks"


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
    """A task of the department that decides; those of one department are one test's."""
    moment = datetime(2026, 11, 20, 5, 45, 0, 123000, tzinfo=UTC) + timedelta(days=opened)
    case, _, step = id.rpartition(":")
    told: dict[str, Any] = {"case": case, "step": step, "event": 1, "is_open": True, "item_name": "事项", **more}
    told |= {"bundle_name": "一件事", "opened_at": moment, "since": moment}
    return Task(department=department, state=state, due_on=due, **told)


async def put(node: Node, *told: Task) -> None:
    for each in told:
        await node.store.tasks.put(written_task(each))


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
    assert await node.store.claims.put(Claim(id=id, case=case, step=step, department=department, version=1, **lease))


async def release(caller: Caller, id: str) -> Answer:
    return await caller.call("DELETE", f"{TASKS}/{id}/claim")


async def beat(caller: Caller, id: str) -> Answer:
    return await caller.post(f"{TASKS}/{id}/heartbeat")


async def pass_on(caller: Caller, id: str, to: str, note: str = "") -> Answer:
    return await caller.post(f"{TASKS}/{id}/hand-over", {"to": to, "note": note})


async def two_of(places: Places, department: str) -> tuple[Caller, Caller]:
    """Anna and Bert of one department."""
    return (
        await places.officer(department, name=f"anna-{department}"),
        await places.officer(department, name=f"bert-{department}"),
    )


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
    officer = await places.officer("customs")
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
    head = await places.officer("education", name="head-education", rank="head")
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


async def test_a_leader_sees_every_department_and_others_their_own(places: Places, node: Node):
    leader = await places.officer("justice", name="leader", rank="leader")
    head = await places.officer("justice", name="head-justice", rank="head")
    for number, department in enumerate(("justice", "conscription", "tobacco")):
        await put(
            node, task(f"l{number}:x", department, due=f"2026-10-0{number + 1}", state=("sent", "accepted")[number % 2])
        )
    assert (await shown(leader))[:3] == ["l0:x", "l1:x", "l2:x"]
    assert await shown(leader, department="tobacco") == ["l2:x"]
    assert await shown(head) == await shown(head, department="justice") == ["l0:x"]
    refused(await head.get(TASKS, params={"department": "tobacco"}), 403, "not_your_department")


async def test_an_officers_rank_is_seeded_and_told_when_he_signs_in(places: Places, node: Node):
    seats = [
        {"name": "seeded", "department": "justice", "password": PASSWORD},
        {"name": "seeded-head", "department": "justice", "password": PASSWORD, "rank": "head"},
    ]
    assert await seed_officers(node.settings, seats, data=data_of(node.settings)) == 2
    for name, rank in (("seeded", "officer"), ("seeded-head", "head")):
        answer = await places.caller().post("/desk/v1/sessions", {"name": name, "password": PASSWORD})
        assert (answer.body["name"], answer.body["department"], answer.body["rank"]) == (name, "justice", rank)
    with pytest.raises(ValueError, match="king"):
        await seed_officers(node.settings, [seats[0] | {"rank": "king"}], data=data_of(node.settings))


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
    head = await places.officer("tobacco", name="head-tobacco", rank="head")
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
    leader = await places.officer("justice", name="leader", rank="leader")
    await put(node, task("bank-b:x", "bank"), task("bank-e:x", "bank", state="delivered", is_open=False))
    other = await places.officer("customs")
    for does in (claim, beat, release):
        refused(await does(anna, "no:such"), 404, "no_such_task")
        refused(await does(other, "bank-b:x"), 403, "not_your_department")
        refused(await does(leader, "bank-b:x"), 403, "not_your_department")
    for does in (claim, beat):
        refused(await does(anna, "bank-e:x"), 409, "task_ended")
    refused(await pass_on(other, "bank-b:x", "anna-bank"), 403, "not_your_department")
    assert (await pass_on(leader, "bank-b:x", "anna-bank")).body["holder"] == "anna-bank"


async def test_nobody_takes_more_in_hand_than_he_may(places: Places, node: Node, clock: HandClock):
    anna, bert = await two_of(places, "natural_resources")
    head = await places.officer("natural_resources", name="head-natural", rank="head")
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
    refused(await other.post(act(case, FIRST, "accept")), 403, "not_your_department")
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
    """Officers of several departments move the steps of one case at once; each names the version of his step."""
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


async def test_counts_are_those_of_the_last_counting(places: Places, node: Node, clock: HandClock):
    anna, bert = await two_of(places, "veterans_affairs")
    head = await places.officer("veterans_affairs", name="head-veterans", rank="head")
    leader = await places.officer("justice", name="leader", rank="leader")
    empty = (await anna.get("/desk/v1/counts")).body
    days = ("", "2026-11-22", "2026-11-23", "2026-11-25", "2026-11-26")
    await put(node, *(task(f"v{day}:x", "veterans_affairs", due=day, state="accepted") for day in days))
    await put(node, task("v:sent", "veterans_affairs"), task("v:end", "veterans_affairs", is_open=False))
    for officer, id in ((anna, "v:x"), (anna, "v:sent"), (bert, "v2026-11-22:x")):
        assert (await claim(officer, id)).status == 200
    assert (await anna.get("/desk/v1/counts")).body == empty, "the door reads what was counted and counts nothing"
    await counting.count(node)
    counted = (await anna.get("/desk/v1/counts")).body
    [line] = counted["departments"]
    assert line == {
        "department": "veterans_affairs",
        "name": "退役军人事务",
        "open": 6,
        "states": {"accepted": 5, "sent": 1},
        "overdue": 1,
        "soon": 2,
        "counted_at": "2026-11-23T12:00:00.000+08:00",
    }
    assert (counted["mine"], counted["counted_at"]) == (2, line["counted_at"])
    assert (await bert.get("/desk/v1/counts")).body == counted | {"mine": 1}
    assert (await head.get("/desk/v1/counts")).body == counted | {"mine": 0}
    everything = (await leader.get("/desk/v1/counts")).body["departments"]
    assert line in everything
    assert [each["department"] for each in everything] == list(counting.departments(node))


async def test_counting_again_counts_anew_unless_somebody_just_did(places: Places, node: Node, clock: HandClock):
    officer = await places.officer("disease_control")

    async def number() -> tuple[int, str]:
        [line] = (await officer.get("/desk/v1/counts")).body["departments"]
        return line["open"], line["counted_at"][11:19]

    clock.wait(hours=1)
    await counting.count(node)
    before, at = await number()
    assert at == "13:00:00"
    await put(node, task("d:x", "disease_control"))
    clock.wait(seconds=19)
    await counting.count(node)
    assert await number() == (before, "13:00:00")
    clock.wait(seconds=1)
    await counting.count(node)
    assert await number() == (before + 1, "13:00:20")
    clock.wait(hours=1)
    await asyncio.gather(*(counting.count(node) for _ in range(3)))
    assert await number() == (before + 1, "14:00:20")


@pytest.mark.parametrize(("tasks", "seconds"), [(0, 20), (10_000, 20), (30_000, 36), (100_000, 45)])
async def test_counting_of_many_tasks_rests_longer_yet_counts_are_new_within_a_minute(tasks: int, seconds: int):
    half = tasks // 2
    counted = DepartmentCounts(
        department="health",
        states={"sent": half, "accepted": tasks - half},
        overdue=0,
        soon=0,
        held=(),
        counted_at=TODAY,
    )
    assert counting.rest_after(counted).total_seconds() == seconds
    assert seconds + 1.2 * COUNT_SECONDS < 52, "which leaves time for the counting itself"


async def test_work_counts_by_itself(tmp_path: Path, database_uri: str, database_name: str):
    alone = (JIANGSU,)
    async with running_nodes(tmp_path, database_uri, database_name, divisions=alone, is_working=True) as places:
        officer = await places.officer("health")

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
