"""GET /openapi.json describes the doors as they are: no door more, none less, and what they really answer."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from typing import Any

import jsonschema_rs
import pytest
from pydantic import BaseModel

from handlers.base import AUDIENCES, Handler, Operation
from handlers.routes import DOORS
from server.crypto.totp import code_at
from server.desk.apart import set_apart
from server.desk.background import counting
from server.desk.officer.licence_forms import LICENCE_FORMS
from server.domain.rules.desk_acts import ACTS
from server.domain.values import china_day
from tests.domain.peaks import PEAK, announced_in, peak
from tests.http.asking import Sweeper, act, crossed, opened
from tests.http.conftest import module_wide, nodes_of_a_module
from tests.http.licensing import WHY, licensed
from tests.http.test_free_of_upload import COVERAGE, certified, civil, covered_wish, the_covered
from tests.nodes import AGENT, ANSWERS, APP_ID, MOTHER, PASSWORD, Answer, Caller, Places
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
DAY = timedelta(days=1)
FIRST, SECOND = "birth_certificate", "parenting_guidance"
GAPS = [{"kind": "field", "code": "mobile", "reason": "无法接通"}]
GIVEN = {"agent_name": AGENT.name, "agent_id_number": AGENT.id_number, "bundles": ["newborn"]}
OPERATIONS = [
    (door, path, method, declared)
    for door in DOORS
    for method, operation in door.operations.items()
    for path, declared in operation.by_path(door.path).items()
]
POST = {"role": "head", "authority": "health/320102"}
ACT = "/desk/v1/cases/{id}/steps/{step}"
LICENCE_ACT = "/desk/v1/licences/{identifier}"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory, database_uri: str, database_sweeper: Sweeper
) -> AsyncIterator[Places]:
    """Jiangsu and Zhejiang, where one may join a peak of another bundle than that of these tests."""
    folder, far = tmp_path_factory.mktemp("nodes"), PEAK.opens_at.replace(year=2099)
    joining = peak(bundle="retirement", joins_at=PEAK.joins_at.replace(year=2020), opens_at=far, closes_at=far + DAY)
    more = {"regions_folder": announced_in(folder, joining)}
    async with nodes_of_a_module(folder, database_uri, database_sweeper, **more) as places:
        yield places


async def document_of(places: Places) -> dict[str, Any]:
    answer = await places.caller().get("/openapi.json")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    return dict(answer.body)


def schema(document: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    """The schema that a content refers to."""
    found: dict[str, Any] = document
    for part in content["schema"]["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (each for name, each in value.items() if name == "$ref")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from references(inner)


async def test_it_describes_exactly_the_doors(places: Places):
    document = await document_of(places)
    found = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    chosen = {(f"{ACT}/{{act}}", "POST"), (f"{LICENCE_ACT}/{{act}}", "POST")}
    acts = {(f"{ACT}/{name}", "POST") for name in ACTS} | {(f"{LICENCE_ACT}/{name}", "POST") for name in LICENCE_FORMS}
    assert found == {(door.path, method) for door in DOORS for method in door.operations} - chosen | acts


async def test_every_operation_says_in_chinese_what_it_does(places: Places):
    document = await document_of(places)
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    summaries = [each["summary"] for each in operations]
    assert [each for each in summaries if not CHINESE.search(each) or each.endswith("。")] == []
    assert sorted(summaries) == sorted(set(summaries))
    told = [document["info"]["title"], document["info"]["description"]]
    told += [response["description"] for each in operations for response in each["responses"].values()]
    told += [
        parameter["description"]
        for each in operations
        for parameter in each["parameters"]
        if parameter["in"] == "header"
    ]
    assert [each for each in told if not CHINESE.search(each)] == []


async def test_every_component_is_called_as_its_class(places: Places):
    """pydantic puts the module into the name where two classes share one, and the mode where a class is in two."""
    schemas = (await document_of(places))["components"]["schemas"]
    assert [name for name in schemas if not re.fullmatch(r"([A-Z][a-z]+)+", name)] == []
    assert {name: schema["title"] for name, schema in schemas.items()} == {name: name for name in schemas}


@pytest.mark.parametrize("name", ACTS)
async def test_each_act_tells_what_its_body_needs_and_takes(places: Places, name: str):
    document = await document_of(places)
    operation = document["paths"][f"{ACT}/{name}"]["post"]
    assert (operation["operationId"], operation["summary"]) == (
        f"desk.{name.replace('-', '_')}",
        ACTS[name].summary,
    )
    found = schema(document, operation["requestBody"]["content"]["application/json"])
    members = ACTS[name].decision.model_fields
    assert set(found["properties"]) == set(members)
    assert set(found.get("required", ())) == {each for each, field in members.items() if field.is_required()}
    assert found["additionalProperties"] is False


async def test_it_is_of_openapi_3_1_by_its_structure(places: Places):
    document = await document_of(places)
    assert document["openapi"].startswith("3.1.")
    assert set(document) <= {"openapi", "info", "paths", "components"}
    assert {"title", "version"} <= set(document["info"])
    assert set(document["components"]) <= {"schemas", "securitySchemes"}
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    ids = [each["operationId"] for each in operations]
    assert len(ids) == len(set(ids))
    for each in operations:
        assert each["responses"]
        assert all(response["description"] for response in each["responses"].values())
        assert all(re.fullmatch(r"[1-5]\d\d|default", status) for status in each["responses"])
        names = [(parameter["in"], parameter["name"]) for parameter in each["parameters"]]
        assert len(names) == len(set(names))
        assert all(parameter["in"] in ("path", "query", "header") for parameter in each["parameters"])


async def test_every_reference_leads_to_a_valid_schema(places: Places):
    document = await document_of(places)
    schemas = document["components"]["schemas"]
    assert set(references(document)) == {f"#/components/schemas/{name}" for name in schemas}
    for each in schemas.values():
        jsonschema_rs.meta.validate({**each, "$schema": "https://json-schema.org/draft/2020-12/schema"})


@pytest.mark.parametrize(
    ("door", "path", "method", "declared"), OPERATIONS, ids=lambda each: each if isinstance(each, str) else ""
)
async def test_each_door_is_described_as_it_is(
    places: Places, door: type[Handler], path: str, *, method: str, declared: Operation
):
    document = await document_of(places)
    found = document["paths"][path][method.lower()]
    parameters = {(each["in"], each["name"]): each for each in found["parameters"]}
    assert all(each["schema"] for each in parameters.values())
    assert {name for place, name in parameters if place == "path"} == set(re.findall(r"{(\w+)}", path))
    assert all(each["required"] for (place, _), each in parameters.items() if place == "path")
    assert parameters.get(("header", "Idempotency-Key"), {}).get("required", False) == declared.is_once
    assert (("header", "Waiting-Ticket") in parameters) == declared.is_queued
    assert found["x-who"] == door.role.name.lower()
    assert ("security" in found) == (door.role in set(AUDIENCES))
    for name in (name for each in found.get("security", ()) for name in each):
        assert document["components"]["securitySchemes"][name]["scheme"] == "bearer"
    _is_described(document, found.get("requestBody"), door.takes_type, declared.takes)
    _is_described(document, found["responses"][str(declared.status)], "application/json", declared.gives)
    problem = found["responses"]["default"]["content"]["application/problem+json"]
    assert {"code", "title", "status", "errors"} <= set(schema(document, problem)["properties"])


def _is_described(document: dict[str, Any], part: Any, kind: str, model: type[BaseModel] | None) -> None:
    """A body of this model and content type, or none of ours if there is no model."""
    if model is None:
        assert part is None or "application/json" not in part.get("content", {})
        return
    assert list(part["content"]) == [kind]
    assert schema(document, part["content"][kind])["title"] == model.__name__


async def test_every_answer_keeps_to_its_description(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any]
):
    document = await document_of(places)
    case = await crossed(places, mother, wish)
    task = f"/desk/v1/tasks/{case}:{SECOND}"
    delivered = await health.post(act(case, FIRST, "deliver"), {"delivery": {"method": "electronic"}})
    assert delivered.status == 200, delivered.body
    await counting.count(places.nodes[JIANGSU].node)
    licence, issuer = await licensed(places, mother), await places.officer("public_security", name="police-here")
    anyone = places.caller()
    logged_in = await anyone.post("/api/v1/sessions", {"app_id": APP_ID, "code": "mother"})
    proof = {"name": MOTHER.name, "id_number": MOTHER.id_number, "face_token": "face-mother"}
    refreshing = {"refresh_token": logged_in.body["refresh_token"]}
    anna, security = await places.officer("health", name="anna"), await places.administrator("security")
    system = await places.administrator("system")
    await set_apart(places.nodes[JIANGSU].node, "alarm", "none", fault=ValueError())
    heads = [await security.post(f"/desk/v1/officers/{name}/posts", POST) for name in ("anna", "health")]
    posted, today = heads[0], str(china_day(places.nodes[JIANGSU].node.clock.now()))
    days = {"from_day": today, "to_day": today, "reason": "休假"}
    absence, delegating = {"substitute": "health", **days}, {"to": "health", **POST, "role": "handler", **days}
    delegating |= {"items": [FIRST]}
    substituted = await anna.post("/desk/v1/substitutions", absence)
    offered = await anna.post("/desk/v1/totp", {"password": PASSWORD})
    shown = {"code": code_at(offered.body["secret"], places.nodes[JIANGSU].node.clock.now())}
    answers: dict[tuple[str, str], Answer] = {
        ("POST", "/api/v1/sessions"): logged_in,
        ("POST", "/api/v1/sessions/refresh"): await anyone.post("/api/v1/sessions/refresh", refreshing),
        ("POST", "/api/v1/identity"): await mother.post("/api/v1/identity", proof),
        ("GET", "/api/v1/bundles"): await anyone.get("/api/v1/bundles"),
        ("GET", "/api/v1/bundles/{code}"): await anyone.get("/api/v1/bundles/newborn"),
        ("POST", "/api/v1/bundles/{code}/guide"): await anyone.post(
            "/api/v1/bundles/newborn/guide", {"answers": ANSWERS}
        ),
        ("GET", "/api/v1/items/{code}"): await anyone.get("/api/v1/items/household_registration"),
        ("GET", "/api/v1/search"): await anyone.get("/api/v1/search?q=上户口"),
        ("GET", "/api/v1/lists/{year}"): await anyone.get("/api/v1/lists/2025"),
        ("GET", "/api/v1/divisions"): await anyone.get("/api/v1/divisions?parent=500100&on=2025-11-05"),
        ("GET", "/api/v1/authorities"): await anyone.get("/api/v1/authorities?division=320102"),
        ("GET", "/api/v1/windows"): await anyone.get("/api/v1/windows?division=320102&lat=32.05&lon=118.8"),
        ("GET", "/api/v1/peaks"): await anyone.get("/api/v1/peaks"),
        ("POST", "/api/v1/peaks/{id}/ticket"): await mother.post(f"/api/v1/peaks/{PEAK.id}/ticket", {}, key=None),
        ("POST", "/api/v1/materials"): await mother.upload(),
        ("POST", "/desk/v1/licence-files"): await health.upload(path="/desk/v1/licence-files"),
        ("POST", "/api/v1/cases"): await mother.post("/api/v1/cases", wish),
        ("GET", "/api/v1/cases"): await mother.get("/api/v1/cases"),
        ("GET", "/api/v1/cases/{id}"): await mother.get(f"/api/v1/cases/{case}"),
        ("GET", "/api/v1/cases/{id}/timeline"): await mother.get(f"/api/v1/cases/{case}/timeline"),
        ("POST", "/desk/v1/sessions"): await anyone.post("/desk/v1/sessions", {"name": "health", "password": PASSWORD}),
        ("POST", "/desk/v1/officers"): await security.post("/desk/v1/officers", {"name": "new"}),
        ("GET", "/desk/v1/officers"): await security.get("/desk/v1/officers"),
        ("POST", "/desk/v1/officers/{name}/reset"): await security.post(
            "/desk/v1/officers/new/reset", {"what": "password", "reason": "忘记密码"}
        ),
        ("POST", "/desk/v1/officers/{name}/posts"): posted,
        ("GET", "/desk/v1/officers/{name}"): await security.get("/desk/v1/officers/anna"),
        ("POST", "/desk/v1/substitutions"): substituted,
        ("GET", "/desk/v1/posts"): await anna.get("/desk/v1/posts"),
        ("DELETE", "/desk/v1/substitutions/{id}"): await anna.call(
            "DELETE", f"/desk/v1/substitutions/{substituted.body['posts'][0]['id']}?reason=提前返岗"
        ),
        ("POST", "/desk/v1/delegations"): await anna.post("/desk/v1/delegations", delegating),
        ("DELETE", "/desk/v1/officers/{name}/posts/{id}"): await security.call(
            "DELETE", f"/desk/v1/officers/anna/posts/{posted.body['id']}?reason=调岗"
        ),
        ("POST", "/desk/v1/officers/{name}/end"): await security.post("/desk/v1/officers/new/end", {"reason": "调离"}),
        ("GET", "/desk/v1/system"): await system.get("/desk/v1/system"),
        ("GET", "/desk/v1/system/apart"): await system.get("/desk/v1/system/apart"),
        ("POST", "/desk/v1/system/apart/{id}/retry"): await system.post(
            "/desk/v1/system/apart/alarm:none/retry", {"reason": "已修复"}
        ),
        ("GET", "/desk/v1/audit"): await (await places.administrator("audit")).get("/desk/v1/audit"),
        ("POST", "/desk/v1/totp"): offered,
        ("POST", "/desk/v1/totp/confirmation"): await anna.post("/desk/v1/totp/confirmation", shown),
        ("POST", "/desk/v1/password"): await anna.post(
            "/desk/v1/password", {"current": PASSWORD, "new": "tulpen aus holland"}
        ),
        ("GET", "/desk/v1/tasks"): await health.get("/desk/v1/tasks"),
        ("POST", "/desk/v1/tasks/{id}/claim"): await health.post(f"{task}/claim"),
        ("POST", "/desk/v1/tasks/{id}/heartbeat"): await health.post(f"{task}/heartbeat"),
        ("POST", "/desk/v1/tasks/{id}/hand-over"): await health.post(
            f"{task}/hand-over", {"to": "health", "note": "留给自己"}
        ),
        ("DELETE", "/desk/v1/tasks/{id}/claim"): await health.call("DELETE", f"{task}/claim"),
        ("GET", "/desk/v1/colleagues"): await health.get("/desk/v1/colleagues"),
        ("GET", "/desk/v1/counts"): await health.get("/desk/v1/counts"),
        ("POST", "/desk/v1/batch"): await health.post(
            "/desk/v1/batch",
            {"act": "receive", "items": [{"case": case, "step": step, "version": 0} for step in ("no_step", FIRST)]},
        ),
        ("POST", "/desk/v1/designations"): await designated(places, mother, wish),
        ("GET", "/desk/v1/cases/{id}"): await health.get(f"/desk/v1/cases/{case}"),
        ("POST", "/desk/v1/cases/{id}/visits"): await health.post(
            f"/desk/v1/cases/{case}/visits", {"window": "320102-hall", "purpose": "提交原件"}
        ),
        ("POST", f"{ACT}/receive"): await health.post(act(case, SECOND, "receive")),
        ("POST", "/api/v1/cases/{id}/steps/{step}/urgings"): await mother.post(
            f"/api/v1/cases/{case}/steps/{SECOND}/urgings"
        ),
        ("POST", "/api/v1/cases/{id}/steps/{step}/again"): await begun_again(places, mother, health, wish),
        ("POST", "/api/v1/cases/{id}/supplements"): await supplemented(places, mother, health, case),
        ("GET", "/api/v1/cases/{id}/licences/{n}"): await mother.get(f"/api/v1/cases/{case}/licences/1"),
        ("GET", "/api/v1/cases/{id}/signings"): await mother.get(f"/api/v1/cases/{case}/signings"),
        ("GET", "/api/v1/undertakings"): await anyone.get("/api/v1/undertakings"),
        ("PUT", "/api/v1/drafts/{id}"): await mother.call("PUT", "/api/v1/drafts/mine", json=wish),
        ("GET", "/api/v1/drafts/{id}"): await mother.get("/api/v1/drafts/mine"),
        ("GET", "/api/v1/licences"): await mother.get("/api/v1/licences"),
        ("GET", "/api/v1/licences/{identifier}"): await mother.get(f"/api/v1/licences/{licence}"),
        **await shown_by_code(mother, health, licence),
        **await covered(places, mother),
        ("POST", "/desk/v1/licence-searches"): await issuer.post(
            "/desk/v1/licence-searches", {"kind": "identifier", "text": licence}
        ),
        ("GET", "/desk/v1/licences/{identifier}"): await issuer.get(f"/desk/v1/licences/{licence}"),
        ("POST", "/desk/v1/licence-checks"): await issuer.post(
            "/desk/v1/licence-checks", {"identifier": licence, "node": JIANGSU, "reason": "核验"}
        ),
        ("POST", f"{LICENCE_ACT}/suspend"): await issuer.post(f"/desk/v1/licences/{licence}/suspend", WHY),
        ("GET", "/api/v1/drafts"): await mother.get("/api/v1/drafts"),
        ("POST", "/api/v1/mandates"): await mother.post("/api/v1/mandates", GIVEN | {"ends_on": f"{tomorrow(places)}"}),
        ("GET", "/api/v1/mandates"): await mother.get("/api/v1/mandates"),
        ("GET", "/desk/v1/warnings"): await health.get("/desk/v1/warnings"),
        ("POST", "/desk/v1/searches"): await health.post("/desk/v1/searches", {"kind": "number", "text": case}),
        ("GET", "/desk/v1/done"): await health.get("/desk/v1/done"),
        ("POST", "/api/v1/cases/{id}/withdrawal"): await mother.post(f"/api/v1/cases/{case}/withdrawal"),
        ("POST", "/desk/v1/assignments"): await health.post("/desk/v1/assignments", {"authority": POST["authority"]}),
        ("GET", "/live"): await anyone.get("/live"),
        ("GET", "/ready"): await anyone.get("/ready"),
    }
    others = {("POST", f"{ACT}/{name}") for name in ACTS} - set(answers)  # they are answered as `receive` is
    others |= {("POST", f"{LICENCE_ACT}/{name}") for name in LICENCE_FORMS} - set(answers)  # as `suspend` is
    others |= {("POST", "/api/v1/cases/{id}/signings/{n}")}  # it needs papers: where leases are signed it is looked at
    assert set(answers) | others == {(method, path) for _, path, method, declared in OPERATIONS if declared.gives}
    for (method, path), answer in answers.items():
        assert answer.status < 300, (path, answer.body)
        found = document["paths"][path][method.lower()]["responses"]
        assert str(answer.status) in found, (path, answer.body)
        content = found[str(answer.status)]["content"]["application/json"]["schema"]
        jsonschema_rs.validate({**content, "components": document["components"]}, answer.body)


async def covered(places: Places, citizen: Caller) -> dict[tuple[str, str], Answer]:
    """What is answered where a licence takes the place of a material."""
    certificate, officer = await certified(places, citizen), await civil(places)
    wish = await covered_wish(citizen, certificate)
    case = await opened(places, citizen, wish)
    sha256, asked = (await the_covered(officer, case))["sha256"], {"answers": wish["answers"], "has_consented": True}
    face = await officer.get(f"/desk/v1/cases/{case}/materials/{sha256}/licence")
    return {
        ("POST", "/api/v1/bundles/{code}/coverage"): await citizen.post(COVERAGE, asked),
        ("GET", "/desk/v1/cases/{id}/materials/{sha256}/licence"): face,
    }


async def shown_by_code(citizen: Caller, officer: Caller, licence: str) -> dict[tuple[str, str], Answer]:
    """What both are answered when a licence is shown by a code, and another is not."""
    found = {}
    place = {"at": POST["authority"], "item": FIRST, "purpose": "核验"}
    for answer, body in (("decline", None), ("confirm", {"licences": [licence]})):
        code = await citizen.post("/api/v1/licences/codes", {"licences": [licence]})
        asked = await officer.post("/desk/v1/licence-codes", {"code": code.body["code"], **place})
        requests = await citizen.get("/api/v1/licence-requests")
        (waiting,) = [each["id"] for each in requests.body["requests"] if each["state"] == "waiting"]
        answered = await citizen.post(f"/api/v1/licence-requests/{waiting}/{answer}", body)
        found |= {
            ("POST", "/api/v1/licences/codes"): code,
            ("POST", "/desk/v1/licence-codes"): asked,
            ("GET", "/api/v1/licence-requests"): requests,
            ("POST", f"/api/v1/licence-requests/{{id}}/{answer}"): answered,
        }
    return found | {
        ("GET", "/desk/v1/licence-requests/{id}"): await officer.get(f"/desk/v1/licence-requests/{asked.body['id']}"),
        ("GET", "/api/v1/licences/{identifier}/uses"): await citizen.get(f"/api/v1/licences/{licence}/uses"),
    }


async def begun_again(places: Places, citizen: Caller, officer: Caller, wish: dict[str, Any]) -> Answer:
    """What the citizen is answered who begins again what the officer declined as another county's."""
    case = await opened(places, citizen, wish)
    said = {"decline_as": "wrong_agency", "grounds": "不属于本机关职权范围。", "agency": "测试医院"}
    for name, decision in (("receive", {}), ("decline", {**said, "division": "320106"})):
        assert (await officer.post(act(case, FIRST, name), decision)).status == 200
    return await citizen.post(f"/api/v1/cases/{case}/steps/{FIRST}/again")


async def designated(places: Places, citizen: Caller, wish: dict[str, Any]) -> Answer:
    """What the head of a city's authority is answered who designates after a transfer."""
    case, step, why = f"{JIANGSU}:{await crossed(places, citizen, wish)}", "household_registration", "户口在该区"
    police = await places.officer("public_security", ZHEJIANG)
    assert (await police.post(act(case, step, "receive"))).status == 200
    moved = await police.post(act(case, step, "transfer"), {"division": "330102", "grounds": why})
    assert moved.status == 200, moved.body
    head = await places.officer("public_security", ZHEJIANG, name="head", roles=("head",))
    wanted = {"case": case, "step": step, "division": "330105", "grounds": why}
    return await head.post("/desk/v1/designations", wanted)


async def supplemented(places: Places, citizen: Caller, officer: Caller, case: str) -> Answer:
    """What the citizen is answered who puts right what the officer asks for."""
    asked = await officer.post(act(case, SECOND, "ask-supplement"), {"gaps": GAPS})
    assert asked.status == 200, asked.body
    await places.settle()
    supply = {"step": SECOND, "form": {"mobile": "13800000001"}}
    return await citizen.post(f"/api/v1/cases/{case}/supplements", supply)


def tomorrow(places: Places) -> date:
    """The day after the one on which the nodes' clock stands."""
    return china_day(places.nodes[JIANGSU].node.clock.now()) + timedelta(days=1)


async def test_a_problem_keeps_to_its_description_too(places: Places, mother: Caller):
    document = await document_of(places)
    answer = await mother.post("/api/v1/cases", {"bundle": "newborn"})
    content = document["paths"]["/api/v1/cases"]["post"]["responses"]["default"]["content"]["application/problem+json"]
    assert answer.body["errors"]
    jsonschema_rs.validate({**content["schema"], "components": document["components"]}, answer.body)
