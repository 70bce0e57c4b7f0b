"""Two provinces with everything that an insider may write to."""

from typing import Any

from server.desk.background import chaining
from server.desk.officer import officers
from server.domain.audit import Doer
from server.store.people.dishonest import DISHONEST, part_of
from tests.http.asking import Sweeper, act, crossed, opened
from tests.http.insider.doors import desk_case, refresh
from tests.http.insider.scene import FIRST, FORGED, Raw, Scene
from tests.http.test_agents import death_wish, mandate_wish
from tests.http.test_undertakings import LATER
from tests.http.test_undertakings import signed as signed_text
from tests.http.test_visits import CAME
from tests.nodes import APP_ID, HERE, STRANGER, Caller, Places, newborn_wish
from tests.world import JIANGSU, ZHEJIANG


async def set_up(places: Places, sweeper: Sweeper) -> Scene:
    """Everything that the ways write upon; all that is on record is chained."""
    mother, stranger = await places.citizen("mother"), await places.citizen("stranger")
    wish = await newborn_wish(mother)
    home = await opened(places, mother, {**wish, "answers": {**wish["answers"], "household": HERE}})
    other = await opened(places, stranger, await newborn_wish(stranger))
    far = await crossed(places, mother, wish)
    health, police = await places.officer("health"), await places.officer("public_security", ZHEJIANG)
    await places.officer("health", name="other")
    raws = [Raw(sweeper[places.nodes[each].node.settings.database]) for each in (JIANGSU, ZHEJIANG)]
    before = {"cases": [raws[0].one("cases", home)]}
    scene = Scene(places, *raws, mother, stranger, health, police, home, other, far, before)
    await _work_at_desks(scene)
    await _write_at_home(scene, wish)
    await _end_an_officer(scene)
    await _renew_and_sign_out(scene)
    await places.settle()
    await _chain(scene)
    return scene


async def _chain(scene: Scene) -> None:
    """A link of the record, and one of the heads of cases."""
    assert not await chaining.chain(scene.node(), "audit")
    assert not await chaining.chain(scene.node(), "heads")


async def _work_at_desks(scene: Scene) -> None:
    for case in (scene.home, scene.other):
        for name in ("receive", "accept"):
            assert (await scene.health.post(act(case, FIRST, name))).status == 200
    for path, said in ((f"cases/{scene.home}/visits", CAME), (f"tasks/{scene.home}:{FIRST}/claim", {})):
        answer = await scene.health.post(f"/desk/v1/{path}", said)
        assert answer.status in (200, 201), answer.body
    await _chain(scene)
    assert (await desk_case(scene)).status == 200
    await _chain(scene)


async def _write_at_home(scene: Scene, wish: dict[str, Any]) -> None:
    mother, node = scene.mother, scene.node()
    assert (await mother.call("PUT", "/api/v1/drafts/begun", json={"bundle": "newborn"})).status == 200
    given = await mother.post("/api/v1/mandates", mandate_wish(node.clock))  # type: ignore[arg-type]
    scene.before["mandates"] = [scene.here.one("mandates", given.body["id"])]
    assert (await mother.call("DELETE", f"/api/v1/mandates/{given.body['id']}")).status == 204
    await _list_the_stranger(scene)
    nameless = scene.places.caller()
    answer = await nameless.post("/api/v1/sessions", {"app_id": APP_ID, "code": "stranger"})
    nameless.token = answer.body["access_token"]
    death = await death_wish(scene.stranger)
    scene.more |= {"wish": wish, "death": death, "nameless": nameless}
    scene.more |= {"promise": await _promised(mother), "promise of the stranger": await _promised(scene.stranger)}


async def _list_the_stranger(scene: Scene) -> None:
    """As dishonest, after somebody else in the same part of the list."""
    person, room = scene.key_of("stranger"), scene.node().store.dishonest
    await room.add([part_of(person) + FORGED])
    scene.before[DISHONEST] = list(scene.here.all(DISHONEST).values())
    await room.add([person])


async def _promised(citizen: Caller) -> dict[str, Any]:
    """What is handed in after a death, but for one material that is promised."""
    whole, texts = await death_wish(citizen), (await citizen.get("/api/v1/undertakings")).body["undertakings"]
    materials = [each for each in whole["materials"] if each["code"] != LATER]
    signed = [signed_text(each) for each in texts if each["kind"] == "deferral"]
    return {**whole, "materials": materials, "deferred": [LATER], "undertakings": signed}


async def _end_an_officer(scene: Scene) -> None:
    """Of whom older documents are remembered."""
    scene.more["ended"] = await scene.places.officer("health", name="ended")
    said = {"officers": "name", "posts": "officer", "desk_sessions": "officer"}
    found = {each: list(scene.here.collections[each].find({name: "ended"})) for each, name in said.items()}
    scene.before |= found
    await officers.end(scene.node(), "ended", reason="retired", by=Doer(name="op"))


async def _renew_and_sign_out(scene: Scene) -> None:
    """One session of the stranger is renewed, another is over; older documents of both are remembered."""
    proof = {"name": STRANGER.name, "id_number": STRANGER.id_number, "face_token": "face-stranger"}
    for name in ("sessions", "signed out"):
        phone = scene.places.caller()
        first = await phone.post("/api/v1/sessions", {"app_id": APP_ID, "code": "stranger"})
        phone.token, used = first.body["access_token"], first.body["refresh_token"]
        scene.before[name] = [scene.here.one("sessions", used.partition(".")[0])]
        proven = await phone.post("/api/v1/identity", proof)
        if name == "sessions":
            renewed = await refresh(scene, proven.body["refresh_token"])
            scene.more |= {"used": used, "unused": renewed.body["refresh_token"]}
        else:
            scene.more[name] = used
            assert (await phone.call("DELETE", "/api/v1/sessions/current")).status == 204
