"""Ways to write to people: officers, citizens, and what they hold."""

from collections.abc import Callable
from typing import Any

from structlog.testing import capture_logs

from server.store.people.dishonest import DISHONEST, HEAD, part_of
from tests.http.asking import refused
from tests.http.insider import doors
from tests.http.insider.checks import Way, at
from tests.http.insider.scene import FORGED, Scene


def add_an_officer(scene: Scene) -> None:
    """With a known password: that of another officer."""
    health = scene.here.one("officers", name="health")
    scene.here.put("officers", health, _id="officer:mallory", name="mallory", list_key="active|officer|mallory")


def officer(**members: Any) -> Callable[[Scene], None]:
    return lambda scene: scene.here.set("officers", "officer:health", **members)


def add_a_post(scene: Scene) -> None:
    post = scene.here.one("posts", officer="health", role="approver")
    place = {name: post[name].replace(post["_id"], FORGED) for name in ("officer_key", "authority_key")}
    scene.here.put("posts", post, _id=FORGED, items=[], **place)


def change_a_post(scene: Scene) -> None:
    post = scene.here.one("posts", officer="health", role="approver")
    scene.here.set("posts", post["_id"], authority="medical_insurance_bureau/320102")


def move_a_post(scene: Scene) -> None:
    """A post of another officer, made one of this officer's by the place in which it is looked for."""
    post = scene.here.one("posts", officer="other")
    scene.here.set("posts", post["_id"], officer_key=post["officer_key"].replace("other", "health", 1))


def lengthen_a_session(scene: Scene) -> None:
    session = scene.here.one("desk_sessions", officer="health")
    scene.here.set("desk_sessions", session["_id"], ends_at="2099-01-01T00:00:00.000Z")


def name_the_nameless(scene: Scene) -> None:
    (session,) = [each for each in scene.here.all("sessions").values() if not each["person"]]
    scene.here.set("sessions", session["_id"], person=scene.key_of("mother"))


def swap_persons(scene: Scene) -> None:
    mother, stranger = [scene.here.one("persons", scene.key_of(each)) for each in ("mother", "stranger")]
    scene.here.put("persons", stranger, _id=mother["_id"])


def insert_a_mandate(scene: Scene) -> None:
    (mandate,) = scene.here.all("mandates").values()
    agent = scene.key_of("stranger")
    place = {name: mandate[name].replace(mandate["_id"], FORGED) for name in ("principal_key", "agent_key")}
    scene.here.put("mandates", mandate, _id=FORGED, agent=agent, **place)


def list_as_dishonest(scene: Scene) -> None:
    person = scene.key_of("mother")
    scene.here.put(DISHONEST, {"_id": f"part:{part_of(person)}", "persons": [person], "version": 9})


def remove_from_the_list(*names: str) -> Callable[[Scene], None]:
    """Remove the head of the list of the dishonest, or the part in which the stranger stands."""
    return lambda scene: scene.here.remove(DISHONEST, *(_in_the_list(scene, each) for each in names))


def put_back_in_the_list(*names: str) -> Callable[[Scene], None]:
    """The same as they were before the stranger was listed."""

    def write(scene: Scene) -> None:
        for id in (_in_the_list(scene, each) for each in names):
            (document,) = [each for each in scene.before[DISHONEST] if each["_id"] == id]
            scene.here.put(DISHONEST, document)

    return write


def _in_the_list(scene: Scene, name: str) -> str:
    return HEAD if name == HEAD else f"part:{part_of(scene.key_of('stranger'))}"


def reset_attempts(scene: Scene) -> None:
    for id in scene.here.all("attempts"):
        scene.here.set("attempts", id, failures=0, free_at="", familiar_until="t2099-01-01T00:00:00.000Z")


async def guess_and_remove_the_attempts(scene: Scene) -> None:
    """Somebody has guessed at the password of an officer as often as they may at once, and wants to go on."""
    for seconds in (0, 0, 0, 1, 2, 4, 0):
        assert (await doors.sign_in(scene, "other", "guessed")).status == 401
        scene.node().clock.wait(seconds=seconds)  # type: ignore[attr-defined]
    scene.here.remove("attempts", *scene.here.all("attempts"))


async def next_guess_waits(scene: Scene) -> None:
    """All the same nobody may try the next password of this officer yet, right or wrong, and it is told."""
    with capture_logs() as logged:
        refused(await doors.sign_in(scene, "other"), 429, "too_many_attempts")
    assert {"stored.older"} == {each["event"] for each in logged if each.get("collection") == "attempts"}


def swap_materials(scene: Scene) -> None:
    """What the stranger has uploaded, as what the mother hands in."""
    theirs = next(id for id in scene.here.all("materials") if id.startswith(scene.key_of("stranger")))
    handed_in = scene.more["wish"]["materials"][0]["id"]
    scene.here.put("materials", scene.here.one("materials", theirs), _id=f"{scene.key_of('mother')}:{handed_in}")


def change_the_draft(scene: Scene) -> None:
    (draft,) = [each for each in scene.here.all("drafts").values() if "text" in each]
    scene.here.set("drafts", draft["_id"], expires_at="2099-01-01T00:00:00.000Z")


def put_back(*collections: str) -> Callable[[Scene], None]:
    def write(scene: Scene) -> None:
        for collection in collections:
            for document in scene.before[collection]:
                scene.here.put(collection, document)

    return write


async def mandate_is_over(scene: Scene) -> None:
    """The mother is not shown it as one in force."""
    answer = await doors.my_mandates(scene)
    assert answer.status == 409 or "in_force" not in [each["state"] for each in answer.body["given"]]


async def ended_comes_back(scene: Scene) -> None:
    """What was ended admits nobody."""
    caller = scene.more["ended"]
    assert (await caller.get("/desk/v1/tasks")).status in (401, 403, 409)


async def renew_a_session_put_back(scene: Scene) -> None:
    """Somebody who has a used refresh token of the stranger puts the session back that it was for, and goes on."""
    for document in scene.before["sessions"]:
        scene.here.put("sessions", document)
    scene.more["intruder"] = (await doors.refresh(scene, scene.more["used"])).body


async def the_phone_ends_it(scene: Scene) -> None:
    """The phone's own token is of another line: it ends the session, and every token of the intruder with it."""
    intruder = scene.places.caller()
    intruder.token = scene.more["intruder"]["access_token"]
    assert (await doors.refresh(scene, scene.more["unused"])).code == "no_such_session"
    assert (await intruder.get("/api/v1/cases")).code == "no_such_session"
    assert (await doors.refresh(scene, scene.more["intruder"]["refresh_token"])).code == "no_such_session"


def put_back_signed_out(scene: Scene) -> None:
    for document in scene.before["signed out"]:
        scene.here.put("sessions", document)


async def nobody_goes_on(scene: Scene) -> None:
    """No refresh token of the session that was signed out counts."""
    assert (await doors.refresh(scene, scene.more["signed out"])).code == "no_such_session"


PEOPLE = (
    Way("(d) an officer is added", add_an_officer, at(doors.sign_in_as_mallory)),
    Way("an officer becomes an administrator", officer(role="audit"), at(doors.tasks)),
    Way("an officer has another password", officer(password_hash="$argon2id$v=19$forged"), at(doors.sign_in)),
    Way("a post is inserted", add_a_post, at(doors.tasks, doors.approve)),
    Way("a post is one at another authority", change_a_post, at(doors.tasks, doors.approve)),
    Way("a post is another officer's", move_a_post, at(doors.tasks, doors.approve)),
    Way("a session of the desk does not end", lengthen_a_session, at(doors.tasks)),
    Way("a session speaks for another person", name_the_nameless, at(doors.cases_of_the_nameless)),
    Way("a person is another one", swap_persons, at(doors.submit)),
    Way("a mandate is inserted", insert_a_mandate, at(doors.submit_as_agent)),
    Way("a person is listed as dishonest", list_as_dishonest, at(doors.submit_with_a_promise)),
    *(
        Way(f"{what} the list of the dishonest {how}", write, at(doors.submit_the_promise_of_the_stranger))
        for what, names in (
            ("a part of", ("part",)),
            ("the head of", (HEAD,)),
            ("a part and the head of", ("part", HEAD)),
        )
        for how, write in (("is removed", remove_from_the_list(*names)), ("is put back", put_back_in_the_list(*names)))
    ),
    Way("attempts at a password are forgotten", reset_attempts, at(doors.sign_in)),
    Way("attempts at a password are removed", guess_and_remove_the_attempts, next_guess_waits),
    Way("a material is another person's", swap_materials, at(doors.submit)),
    Way("a draft is another", change_the_draft, at(doors.my_draft)),
    Way(
        "an ended officer is put back, with session and posts",
        put_back("officers", "posts", "desk_sessions"),
        ended_comes_back,
    ),
    Way("a citizen's session is put back, and gone on with", renew_a_session_put_back, the_phone_ends_it),
    Way("a citizen's session is put back that was signed out", put_back_signed_out, nobody_goes_on),
    Way("a mandate is put back that was taken back", put_back("mandates"), mandate_is_over),
)
