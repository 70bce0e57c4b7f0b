"""Doors, each asked by whom it would show something that is not true."""

from collections.abc import Callable
from typing import Any

from tests.http.asking import act
from tests.http.insider.scene import FAR, FIRST, FORGED, Scene
from tests.nodes import MOTHER, PASSWORD, Answer, Caller
from tests.world import JIANGSU

Door = Callable[[Scene], Any]


async def my_case(scene: Scene) -> Answer:
    return await scene.mother.get(f"/api/v1/cases/{scene.home}")


async def case_of_the_stranger(scene: Scene) -> Answer:
    """The mother's case, asked for by somebody who has no part in it."""
    return await scene.stranger.get(f"/api/v1/cases/{scene.home}")


async def desk_case(scene: Scene) -> Answer:
    return await scene.health.get(f"/desk/v1/cases/{scene.home}")


async def approve(scene: Scene) -> Answer:
    """With this the next step would be asked for in another province."""
    return await scene.health.post(act(scene.home, FIRST, "approve"))


async def receive_there(scene: Scene) -> Answer:
    return await scene.police.post(act(f"{JIANGSU}:{scene.far}", FAR, "receive"))


async def tasks(scene: Scene) -> Answer:
    return await scene.health.get("/desk/v1/tasks")


async def deeds(scene: Scene) -> Answer:
    return await scene.health.get("/desk/v1/done")


async def my_timeline(scene: Scene) -> Answer:
    return await scene.mother.get(f"/api/v1/cases/{scene.home}/timeline")


async def sign_in(scene: Scene, name: str = "health", password: str = PASSWORD) -> Answer:
    return await scene.places.caller().post("/desk/v1/sessions", {"name": name, "password": password})


async def submit(scene: Scene) -> Answer:
    return await scene.mother.post("/api/v1/cases", scene.more["wish"])


async def submit_as_agent(scene: Scene) -> Answer:
    wish = {**scene.more["death"], "mandate": FORGED}
    return await scene.stranger.post("/api/v1/cases", wish)


async def submit_with_a_promise(scene: Scene) -> Answer:
    return await scene.mother.post("/api/v1/cases", scene.more["promise"])


async def submit_the_promise_of_the_stranger(scene: Scene) -> Answer:
    """Who is on the list of the dishonest."""
    return await scene.stranger.post("/api/v1/cases", scene.more["promise of the stranger"])


async def search(scene: Scene) -> Answer:
    return await scene.health.post("/desk/v1/searches", {"kind": "name", "text": MOTHER.name}, key=None)


async def my_draft(scene: Scene) -> Answer:
    return await scene.mother.get("/api/v1/drafts/begun")


async def cases_of_the_nameless(scene: Scene) -> Answer:
    """Asked for with a token of a session that has proven no name."""
    caller: Caller = scene.more["nameless"]
    return await caller.get("/api/v1/cases")


async def my_mandates(scene: Scene) -> Answer:
    return await scene.mother.get("/api/v1/mandates")


async def other_case(scene: Scene) -> Answer:
    return await scene.stranger.get(f"/api/v1/cases/{scene.other}")


async def cases_of_the_stranger(scene: Scene) -> Answer:
    return await scene.stranger.get("/api/v1/cases")


async def my_cases(scene: Scene) -> Answer:
    return await scene.mother.get("/api/v1/cases")


async def refresh(scene: Scene, token: str) -> Answer:
    return await scene.places.caller().post("/api/v1/sessions/refresh", {"refresh_token": token})


async def sign_in_as_mallory(scene: Scene) -> Answer:
    return await sign_in(scene, "mallory")
