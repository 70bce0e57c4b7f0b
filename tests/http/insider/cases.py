"""Ways to write to cases and to what follows from them."""

from collections.abc import Callable
from typing import Any

from server.domain.values import moment_key
from tests.http.insider import doors
from tests.http.insider.checks import Way, at, no_phone_is_told, not_shown, nothing_moves
from tests.http.insider.scene import FIRST, FORGED, Scene
from tests.world import JIANGSU


def case(**members: Any) -> Callable[[Scene], None]:
    """Write these into the document of the mother's case."""
    return lambda scene: scene.here.set("cases", scene.home, **members)


def of_other(*names: str) -> Callable[[Scene], None]:
    """Write what stands in these members of the stranger's case into the mother's."""

    def write(scene: Scene) -> None:
        other = scene.case(scene.other)
        scene.here.set("cases", scene.home, **{name: other[name] for name in names})

    return write


def forge_an_approval(scene: Scene) -> None:
    """In Zhejiang: a decision as if it had been made there, with the letter that tells it waiting to be carried."""
    document = scene.there.one("cases", f"{JIANGSU}:{scene.far}")
    approved = {"kind": "approved", "act_id": FORGED, "act_digest": "", "seal": document["events"][-1]["seal"]}
    forged = scene.forged_chain(document, [*document["events"], approved])
    letter = next(iter(scene.here.all("letters_out").values()))
    told = {name: letter[name] for name in ("_id", "kind", "about", "at", "text") if name in letter}
    effect = {"event": forged["version"], "index": 0, "letter": {**told, "_id": FORGED, "to": JIANGSU}}
    scene.there.put("cases", {**forged, "effects": [effect], "relay": moment_key(scene.node().clock.now())})


def forget_the_last_event(scene: Scene) -> None:
    document = scene.case()
    scene.here.put("cases", scene.forged_chain(document, document["events"][:-1]))


def add_an_event(scene: Scene) -> None:
    decided = next(each for each in scene.case(scene.far)["events"] if each["kind"] == "approved")
    document = scene.case()
    scene.here.put("cases", scene.forged_chain(document, [*document["events"], decided]))


def open_to_the_stranger(member: str) -> Callable[[Scene], None]:
    def write(scene: Scene) -> None:
        _, _, place = scene.case()["owner_key"].partition("|")
        scene.here.set("cases", scene.home, **{member: f"{scene.key_of('stranger')}|{place}"})

    return write


def insert_an_effect(scene: Scene) -> None:
    """A letter of another case, under another id, as if the mother's case had written it."""
    document, letter = scene.case(), next(iter(scene.here.all("letters_out").values()))
    told = {**{name: letter[name] for name in ("to", "kind", "about", "at", "text", "data_key")}, "_id": FORGED}
    effect = {"event": document["version"], "index": 9, "letter": told}
    relay = moment_key(scene.node().clock.now())
    scene.here.put("cases", document, effects=[effect], relayed=document["version"] - 1, relay=relay)


def copy_case(scene: Scene) -> None:
    """The mother's case under the id of the stranger's, whose owner then reads it."""
    scene.here.put("cases", scene.case(), _id=scene.other, owner_key=scene.case(scene.other)["owner_key"])


SHOWN = at(doors.my_case, doors.desk_case, doors.approve)
CASES = (
    Way("(a) an approval is forged, for the node to seal and to tell", forge_an_approval, at(doors.receive_there)),
    Way("a case takes over the state of another", of_other("state"), SHOWN),
    Way("a case takes over all that another tells", of_other("events", "link", "state", "version", "plans"), SHOWN),
    Way("an event is added and the chain made anew", add_an_event, SHOWN),
    Way("the last event is taken away and the chain made anew", forget_the_last_event, SHOWN),
    Way("the link is another", case(link="A" * 43), SHOWN),
    Way("the version is another", case(version=99), SHOWN),
    Way(
        "(c) a case is given to a stranger",
        open_to_the_stranger("owner_key"),
        at(doors.case_of_the_stranger, doors.my_case),
    ),
    Way(
        "a case is given to a stranger, who lists it",
        open_to_the_stranger("owner_key"),
        not_shown(doors.cases_of_the_stranger),
    ),
    Way("(c) a stranger becomes the agent", open_to_the_stranger("agent_key"), at(doors.case_of_the_stranger)),
    Way("effects are inserted, so that a letter goes", insert_an_effect, SHOWN),
    Way("the counts of threads are others", case(threads={FORGED: 1}), SHOWN),
    Way("keys of two cases are swapped", of_other("key"), SHOWN),
    Way("a case is copied under the id of another", copy_case, at(doors.other_case)),
    Way("a line of another case is shown", of_other("line"), not_shown(doors.my_cases)),
    Way("effects are to be carried again", case(relayed=0, relay="t2000"), nothing_moves),
)

# What follows from cases.


def task(**members: Any) -> Callable[[Scene], None]:
    return lambda scene: scene.here.set("tasks", f"{scene.home}:{FIRST}", **members)


def insert_a_task(scene: Scene) -> None:
    """A task of the stranger's case under another id, so that it stands twice on the worklist."""
    whole = scene.here.one("tasks", f"{scene.other}:{FIRST}")
    names = ("place", "node_key", "key")
    scene.here.put("tasks", whole, _id=f"{FORGED}:{FIRST}", **{name: whole[name] + "x" for name in names})


def turn_a_clue(scene: Scene) -> None:
    """What finds the mother's case finds the stranger's."""
    for clue in scene.here.collections["clues"].find({"case": scene.home}):
        scene.here.set("clues", clue["_id"], case=scene.other)


def claim_for_another(scene: Scene) -> None:
    (claim,) = scene.here.all("claims").values()
    scene.here.set("claims", claim["_id"], holder="other")


def change_a_deed(scene: Scene) -> None:
    deed = scene.here.one("deeds", officer="health", act="accept")
    scene.here.set("deeds", deed["_id"], act="approve")


def insert_a_visit(scene: Scene) -> None:
    (visit,) = scene.here.all("visits").values()
    scene.here.put("visits", visit, _id=FORGED, case_key=f"{visit['case_key']}x")


def change_a_notice(scene: Scene) -> None:
    notice = scene.here.one("notices", template="accepted")
    scene.here.set("notices", notice["_id"], values={**notice["values"], "state": "准予"})


def insert_a_checkpoint(scene: Scene) -> None:
    """As if a worker had died while it saw to it, so that another one takes it over."""
    told = {"step": FIRST, "name": "lapse", "kind": "by_law", "on": "2026-11-23"}
    scene.here.put("rungs", {"_id": FORGED, "case": scene.home, "rung": told, "key": "claimed|t2000|x", "version": 1})


async def checkpoint_is_set_apart(scene: Scene) -> None:
    await nothing_moves(scene)
    assert scene.here.one("apart", thing=FORGED)["kind"] == "rung"


FOLLOWING = (
    Way("a task says something else", task(item_name=FORGED), not_shown(doors.tasks, FORGED)),
    Way("a task is inserted", insert_a_task, not_shown(doors.tasks, FORGED)),
    Way("another officer holds the task", claim_for_another, at(doors.tasks)),
    Way("an officer did something else", change_a_deed, at(doors.deeds)),
    Way("a case is found by what it does not say", turn_a_clue, at(doors.search)),
    Way("a visit is inserted", insert_a_visit, at(doors.my_timeline)),
    Way("a notice says something else", change_a_notice, no_phone_is_told),
    Way("a checkpoint is inserted", insert_a_checkpoint, checkpoint_is_set_apart),
)
