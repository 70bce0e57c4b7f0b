"""A birth, from the draft to the last licence, with everybody who may have a part in it: what a node then keeps."""

from typing import Any

from server.desk import apart
from server.desk.background import chaining, counting, notifying
from server.desk.background.clockwork import tick
from server.desk.background.reprojecting import reproject
from server.desk.background.timekeeping import ClockGuard
from server.node import Node
from tests.http.asking import act, opened
from tests.http.test_agents import mandate_wish
from tests.http.test_visits import CAME
from tests.nodes import MOTHER, PNG, Answer, Caller, Places, newborn_wish
from tests.world import JIANGSU, ZHEJIANG, person

FIRST, FAR = "birth_certificate", "household_registration"
MOBILE, LATER_MOBILE, NEW_ADDRESS = "13822223333", "13911111111", "改后的测试大街77号"
CHILD = person("测试宝宝", born="20261102", sequence="007").id_number
FILE_NAME, AGENTS_FILE_NAME = "测试宝宝的照片.png", "测试代理的扫描件.png"
NOTE = "请先核对测试母亲的户口簿"
SHOWN_FOR = "为测试母亲核对户口簿"
PERSONAL = (MOBILE, LATER_MOBILE, CHILD, NEW_ADDRESS, FILE_NAME, AGENTS_FILE_NAME, NOTE, SHOWN_FOR)
AFTERWARDS = (
    ("vaccination_card", "disease_control"),
    ("social_security_card", "human_resources"),
    ("medical_insurance", "medical_insurance_bureau"),
    ("parenting_guidance", "health"),
)


async def tell(places: Places) -> None:
    """Let it all happen at Jiangsu and Zhejiang, whose clock a test holds."""
    mother, health = await places.citizen("mother"), await places.officer("health")
    node = places.nodes[JIANGSU].node
    case = await _submitted(places, mother)
    await _worked_on(places, health, mother, case)
    await _decided_abroad(places, f"{JIANGSU}:{case}")
    for step, department in AFTERWARDS:
        await places.decide(case, step, department=department)
    shown = await mother.get(f"/api/v1/cases/{case}")
    assert (shown.body["state"], shown.body["outcome"]) == ("closed", "completed")
    await _licence_used(places, mother)
    await _for_another(places, mother)
    await _at_the_node(node)
    node.clock.wait(days=20)  # type: ignore[attr-defined]
    for running in places.nodes.values():
        await tick(running.node)
    await places.settle()


async def _submitted(places: Places, mother: Caller) -> str:
    wish = await newborn_wish(mother)
    wish["form"] |= {"mobile": MOBILE}
    uploaded = await mother.upload(PNG + b"with a name", name=FILE_NAME)
    wish["materials"] = [{**each, "id": uploaded.body["id"]} for each in wish["materials"]]
    for id in ("finished", "begun"):
        assert (await mother.call("PUT", f"/api/v1/drafts/{id}", json=wish)).status == 200
    return await opened(places, mother, {"draft": "finished", "version": 1})


async def _worked_on(places: Places, health: Caller, mother: Caller, case: str) -> None:
    """Taken in hand, handed over, looked at, looked for, visited, and put right by the mother."""
    colleague = await places.officer("health", name="colleague")
    task = f"/desk/v1/tasks/{case}:{FIRST}"
    _done(await health.post(f"{task}/claim"))
    _done(await health.post(f"{task}/hand-over", {"to": "colleague", "note": NOTE}))
    _done(await colleague.call("DELETE", f"{task}/claim"))
    _done(await health.get(f"/desk/v1/cases/{case}"))
    _done(await health.post("/desk/v1/searches", {"kind": "name", "text": MOTHER.name}, key=None))
    _done(await health.post(f"/desk/v1/cases/{case}/visits", CAME))
    gaps = [{"kind": "field", "code": code, "reason": "与证件不一致"} for code in ("mobile", "home_address")]
    _done(await health.post(act(case, FIRST, "receive")))
    _done(await health.post(act(case, FIRST, "ask-supplement"), {"gaps": gaps[:1]}))
    await places.settle()
    _done(await mother.post(f"/api/v1/cases/{case}/supplements", {"step": FIRST, "form": {"mobile": LATER_MOBILE}}))
    await places.settle()
    _done(await health.post(act(case, FIRST, "accept")))
    _done(await health.post(act(case, FIRST, "approve")))
    await places.settle()


async def _decided_abroad(places: Places, case: str) -> None:
    police = await places.officer("public_security", ZHEJIANG)
    gaps = [{"kind": "field", "code": "home_address", "reason": "与证件不一致"}]
    _done(await police.post(act(case, FAR, "receive")))
    _done(await police.post(act(case, FAR, "ask-supplement"), {"gaps": gaps}))
    await places.settle()
    mother = await places.citizen("mother")
    supply = {"step": FAR, "form": {"home_address": NEW_ADDRESS}}
    _done(await mother.post(f"/api/v1/cases/{case.partition(':')[2]}/supplements", supply))
    await places.settle()
    _done(await police.post(act(case, FAR, "accept")))
    _done(await police.post(act(case, FAR, "approve"), {"result": {"child_id_number": CHILD}}))
    await places.settle()


async def _licence_used(places: Places, mother: Caller) -> None:
    """The child's licence is looked at where it was issued, and shown at a desk of Jiangsu."""
    mine = (await mother.get("/api/v1/licences")).body["licences"]
    (licence,) = [each["identifier"] for each in mine if each["node"] == ZHEJIANG]
    police, health = await places.officer("public_security", ZHEJIANG), await places.officer("health")
    _done(await police.get(f"/desk/v1/licences/{licence}"))
    code = _done(await mother.post("/api/v1/licences/codes", {"licences": [licence]})).body["code"]
    asked = {"code": code, "at": "health/320102", "item": FIRST, "purpose": SHOWN_FOR}
    shown = _done(await health.post("/desk/v1/licence-codes", asked)).body["id"]
    request = (await mother.get("/api/v1/licence-requests")).body["requests"][0]["id"]
    _done(await mother.post(f"/api/v1/licence-requests/{request}/confirm", {"licences": [licence]}))
    (face,) = _done(await health.get(f"/desk/v1/licence-requests/{shown}")).body["licences"]
    assert face["holders"][0]["number"] == CHILD


async def _for_another(places: Places, mother: Caller) -> None:
    """The agent hands in for the mother, and nobody takes it up."""
    agent, node = await places.citizen("agent"), places.nodes[JIANGSU].node
    asked = mandate_wish(node.clock, bundles=["newborn"])  # type: ignore[arg-type]
    mandate = _done(await mother.post("/api/v1/mandates", asked)).body["id"]
    uploaded = await agent.upload(PNG + b"of the agent", name=AGENTS_FILE_NAME)
    wish: dict[str, Any] = await newborn_wish(agent)
    wish["materials"] = [{**each, "id": uploaded.body["id"]} for each in wish["materials"]]
    case = await opened(places, agent, {**wish, "mandate": mandate})
    _done(await agent.get(f"/api/v1/cases/{case}"))
    await node.store.dishonest.add([node.keys.owner("person", MOTHER.id_number)])


async def _at_the_node(node: Node) -> None:
    """What loops do, and what goes wrong."""
    while await notifying.notify(node):
        pass
    await counting.count(node)
    room, mother = node.store.waiting.of("a-peak"), node.keys.owner("person", MOTHER.id_number)
    room.draw(node.keys.lot(mother, "a-peak"))
    await room.tell(is_over=True)
    await room.arrive(mother, at_least=0)
    await reproject(node)
    await ClockGuard(node, lambda: 0.0).look()
    await apart.set_apart(node, "notice", "nothing", fault=ValueError(MOTHER.name))
    assert not await chaining.chain(node, "audit")
    assert not await chaining.chain(node, "heads")


def _done(answer: Answer) -> Answer:
    assert answer.status in (200, 201, 204), answer.body
    return answer
