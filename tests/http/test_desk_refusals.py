"""What the doors of officers refuse: other authorities' steps, other provinces' steps, and acts out of order."""

from typing import Any

import pytest
import pytest_asyncio

from server.domain.rules.desk_acts import ACTS
from tests.http.asking import act, crossed, opened, pointers, refused, state_of
from tests.nodes import PASSWORD, Answer, Caller, Places
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
FIRST, ABROAD = "birth_certificate", "household_registration"


@pytest_asyncio.fixture(loop_scope="module")
async def case(places: Places, mother: Caller, wish: dict[str, Any]) -> str:
    """A fresh case; its first step lies on a desk of health."""
    return await opened(places, mother, wish)


async def done(officer: Caller, case: str, *names: str) -> Answer:
    """The answer to the last of these acts on the first step; all must be granted."""
    for name in names:
        answer = await officer.post(act(case, FIRST, name))
        assert answer.status == 200, answer.body
    return answer


async def test_a_wrong_password_and_an_unknown_officer_get_the_same_answer(places: Places, health: Caller):
    wrong = await places.caller().post("/desk/v1/sessions", {"name": "health", "password": "guessed"})
    unknown = await places.caller().post("/desk/v1/sessions", {"name": "nobody", "password": PASSWORD})
    impossible = await places.caller().post("/desk/v1/sessions", {"name": "he\0lth", "password": PASSWORD})
    problem = refused(wrong, 401, "wrong_password")
    assert refused(unknown, 401, "wrong_password") == problem == refused(impossible, 401, "wrong_password")
    assert set(wrong.headers) == set(unknown.headers)


async def test_an_officer_of_another_authority_sees_and_moves_nothing(
    mother: Caller, insurance: Caller, case: str, places: Places
):
    refused(await insurance.get(f"/desk/v1/cases/{case}"), 404, "no_such_case")
    for name in ("receive", "accept", "approve"):
        refused(await insurance.post(act(case, FIRST, name)), 404, "no_such_case")
    refused(await insurance.post(act(case, FIRST, "refuse"), {"grounds": "不符合条件"}), 404, "no_such_case")
    assert case not in [task["case"] for task in (await insurance.get("/desk/v1/tasks")).body["tasks"]]
    await places.settle()
    assert await state_of(mother, case, FIRST) == "sent"


ORDERS: list[tuple[tuple[str, ...], list[str]]] = [
    ((), ["accept", "approve", "refuse"]),
    (("receive",), ["receive", "approve", "refuse"]),
    (("receive", "accept"), ["receive", "accept"]),
    (("receive", "accept", "approve"), ["receive", "accept", "approve", "refuse"]),
]


@pytest.mark.parametrize(("before", "forbidden"), ORDERS, ids=lambda each: "+".join(each) or "nothing")
async def test_an_act_that_the_state_does_not_allow_is_refused(
    health: Caller, case: str, before: tuple[str, ...], forbidden: list[str]
):
    if before:
        await done(health, case, *before)
    for name in forbidden:
        body = {"grounds": "不符合条件"} if name == "refuse" else {}
        refused(await health.post(act(case, FIRST, name), body), 409, "state_forbids")


async def test_a_step_that_waits_is_on_no_desk(insurance: Caller, health: Caller, case: str):
    """The home holds it until it is sent: no act fits, and who will decide it does not learn of the case."""
    refused(await insurance.post(act(case, "medical_insurance", "receive")), 404, "no_such_case")
    refused(await health.post(act(case, "medical_insurance", "receive")), 403, "not_your_authority")


async def test_a_step_that_another_province_decides_is_not_ours_at_the_desk(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any]
):
    case = await crossed(places, mother, wish)
    police_here = await places.officer("public_security", JIANGSU)
    for name, body in (("receive", {}), ("accept", {}), ("approve", {}), ("refuse", {"grounds": "不符合条件"})):
        refused(await health.post(act(case, ABROAD, name), body), 409, "not_our_step")
        refused(await police_here.post(act(case, ABROAD, name), body), 404, "no_such_case")
    refused(await police_here.get(f"/desk/v1/cases/{case}"), 404, "no_such_case")
    await places.settle()
    assert await state_of(mother, case, ABROAD) == "sent"


async def test_the_other_province_knows_no_more_than_its_step(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    case = await crossed(places, mother, wish)
    abroad = f"{JIANGSU}:{case}"
    refused(await police.post(act(abroad, FIRST, "receive")), 404, "no_such_step")
    refused(await police.post(act(case, ABROAD, "receive")), 404, "no_such_case")
    refused(await police.get(f"/desk/v1/cases/{case}"), 404, "no_such_case")
    assert (await police.get(f"/desk/v1/cases/{abroad}")).status == 200


async def test_what_does_not_exist_is_missing(health: Caller, case: str):
    refused(await health.post(act(case, FIRST, "bless")), 404, "no_such_act")
    refused(await health.post(act(case, "no_step", "receive")), 404, "no_such_step")
    refused(await health.post(act("none", FIRST, "receive")), 404, "no_such_case")
    refused(await health.get("/desk/v1/cases/none"), 404, "no_such_case")


async def test_an_act_on_a_stale_version_is_refused(health: Caller, case: str):
    """Of two officers who saw the same state, the second is told to look again."""
    seen = (await health.get(f"/desk/v1/cases/{case}")).body["steps"][0]["step"]["version"]
    received = await health.post(act(case, FIRST, "receive"), {"version": seen})
    assert received.status == 200
    refused(await health.post(act(case, FIRST, "accept"), {"version": seen}), 412, "step_changed")
    refused(await health.post(act(case, FIRST, "accept"), {"version": 999}), 412, "stale_version")
    accepted = await health.post(act(case, FIRST, "accept"), {"version": received.body["version"]})
    assert accepted.body["state"] == "accepted"


async def test_a_key_is_good_for_one_act_only(health: Caller, case: str):
    first = await health.post(act(case, FIRST, "receive"), key="one-act")
    again = await health.post(act(case, FIRST, "receive"), key="one-act")
    assert (first.status, again.status, again.body) == (200, 200, first.body)
    for name, body in (("receive", {"version": 1}), ("accept", {})):
        refused(await health.post(act(case, FIRST, name), body, key="one-act"), 409, "idempotency_key_reused")
    refused(await health.post(act(case, FIRST, "accept"), key=None), 400, "idempotency_key_missing")


async def test_the_same_key_of_another_officer_is_another_key(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any]
):
    case = await opened(places, mother, wish)
    deputy = await places.officer("health", name="deputy")
    assert (await health.post(act(case, FIRST, "receive"), key="shared")).status == 200
    assert (await deputy.post(act(case, FIRST, "accept"), key="shared")).body["state"] == "accepted"


@pytest.mark.parametrize("body", [{}, {"grounds": ""}, {"grounds": "  "}])
async def test_a_refusal_needs_grounds(health: Caller, case: str, body: dict[str, Any]):
    await done(health, case, "receive", "accept")
    problem = refused(await health.post(act(case, FIRST, "refuse"), body), 422, "decision_incomplete")
    assert pointers(problem) == {"/grounds": "required"}


BODIES: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("approve", {"mood": "good"}, {"/mood": "unknown"}),
    ("approve", {"grounds": "符合条件"}, {"/grounds": "unknown"}),
    ("approve", {"version": "new"}, {"/version": "type"}),
    ("approve", {"version": 2**53}, {"/version": "type"}),
    ("approve", {"version": -1}, {"/version": "type"}),
    ("approve", {"result": {"证号": "1"}}, {"/result/证号": "unknown"}),
    ("approve", {"result": {"licence": 1}}, {"/result/licence": "type"}),
    ("receive", {"result": {}}, {"/result": "unknown"}),
    ("refuse", {"grounds": "x" * 2001}, {"/grounds": "type"}),
    ("refuse", {"mood": "good"}, {"/mood": "unknown", "/grounds": "required"}),
    ("suspend", {"days": 0, "procedure": "鉴定"}, {"/days": "type", "/grounds": "required"}),
    ("deliver", {"delivery": {"number": "P1"}}, {"/delivery/method": "required"}),
    ("ask-supplement", {"gaps": [{"kind": "field", "code": "mobile"}]}, {"/gaps/0/reason": "required"}),
    ("opinion", {"answer": "maybe"}, {"/answer": "type"}),
    ("post-paper", {"courier": "邮政", "number": "单号"}, {"/number": "type"}),
    ("approve", [], {"": "type"}),
]


@pytest.mark.parametrize(("name", "body", "faults"), BODIES, ids=lambda each: str(each)[:60])
async def test_a_decision_of_another_shape_is_refused_by_pointer(
    health: Caller, name: str, body: dict[str, Any], faults: dict[str, str]
):
    problem = refused(await health.post(act("some", FIRST, name), body), 422, "body_faulty")
    assert pointers(problem) == faults


NEEDS = {
    "receive": (),
    "accept": (),
    "approve": (),
    "resume": (),
    "confirm-paper": (),
    "refuse": ("grounds",),
    "propose": ("grounds", "outcome"),
    "check": ("grounds",),
    "turn-back": ("grounds",),
    "follow-up": ("grounds",),
    "decline": ("decline_as", "grounds"),
    "suspend": ("procedure", "grounds", "days"),
    "extend": ("days", "grounds"),
    "ask-supplement": ("gaps",),
    "opinion": ("answer",),
    "transfer": ("division", "grounds"),
    "return-opinion": ("department", "grounds"),
    "deliver": ("delivery",),
    "post-paper": ("courier", "number"),
}


async def test_it_is_known_of_every_act_what_it_needs():
    assert set(NEEDS) == set(ACTS)


@pytest.mark.parametrize("blank", [{}, dict.fromkeys(sum(NEEDS.values(), ()), " ")], ids=["missing", "blank"])
@pytest.mark.parametrize("name", [name for name, needs in NEEDS.items() if needs])
async def test_what_an_act_needs_and_is_not_said_is_named_by_pointer(health: Caller, name: str, blank: dict[str, str]):
    body = {member: blank[member] for member in NEEDS[name] if member in blank}
    problem = refused(await health.post(act("some", FIRST, name), body), 422, "decision_incomplete")
    assert pointers(problem) == {f"/{member}": "required" for member in NEEDS[name]}


async def test_a_result_that_the_item_does_not_yield_is_refused(health: Caller, case: str):
    await done(health, case, "receive", "accept")
    answer = await health.post(act(case, FIRST, "approve"), {"result": {"child_id_number": "320000202611020010"}})
    assert pointers(refused(answer, 422, "form_faulty")) == {"/result/child_id_number": "unknown"}


async def test_a_result_of_another_type_than_its_field_is_refused(
    places: Places, mother: Caller, police: Caller, wish: dict[str, Any]
):
    abroad = f"{JIANGSU}:{await crossed(places, mother, wish)}"
    for name in ("receive", "accept"):
        assert (await police.post(act(abroad, ABROAD, name))).status == 200
    answer = await police.post(act(abroad, ABROAD, "approve"), {"result": {"child_id_number": "1234"}})
    assert pointers(refused(answer, 422, "form_faulty")) == {"/result/child_id_number": "id_number"}
