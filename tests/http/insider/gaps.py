"""Ways that nothing tells yet, each with its reason: what was written is old, or is not there any more."""

from collections.abc import Callable

from tests.http.insider import doors
from tests.http.insider.checks import Way, no_receipt_proves_it
from tests.http.insider.scene import Scene

ENDS = "an older document of ours carries its proof: the end of a right stands nowhere else yet"
GONE = "a document that was removed is not missed"


def put_back(*collections: str) -> Callable[[Scene], None]:
    def write(scene: Scene) -> None:
        for collection in collections:
            for document in scene.before[collection]:
                scene.here.put(collection, document)

    return write


def remove_a_letter(scene: Scene) -> None:
    letter = next(iter(scene.here.all("letters_out").values()))
    scene.here.remove("letters_out", letter["_id"])


def take_letters_from_the_log(scene: Scene) -> None:
    (entry,) = scene.here.all("log").values()
    scene.here.set("log", entry["_id"], letters=[])


async def is_told(scene: Scene) -> None:
    """Whoever looks into the case is refused, or a command names what is missing."""
    answers = [await scene.mother.get(f"/api/v1/cases/{case}") for case in (scene.home, scene.far)]
    assert 409 in [answer.status for answer in answers] or await scene.audit() or await scene.cases()


async def no_promise_counts(scene: Scene) -> None:
    """The stranger, who is on the list, may make no undertaking."""
    answer = await scene.stranger.post("/api/v1/cases", scene.more["promise of the stranger"])
    assert answer.status in (403, 409)


async def mandate_is_over(scene: Scene) -> None:
    """The mother is not shown it as one in force."""
    answer = await doors.my_mandates(scene)
    assert answer.status == 409 or "in_force" not in [each["state"] for each in answer.body["given"]]


async def ended_comes_back(scene: Scene) -> None:
    """What was ended admits nobody."""
    caller = scene.more["ended"]
    assert (await caller.get("/desk/v1/tasks")).status in (401, 403, 409)


RECEIPTS = "the hash of a batch covers the root of its letters, and nothing compares it with them once they have gone"
OPEN = (
    Way("the log forgets letters that went", take_letters_from_the_log, no_receipt_proves_it, "open", RECEIPTS),
    Way("a letter is removed before it goes", remove_a_letter, is_told, "open", GONE),
    Way(
        "an ended officer is put back, with session and posts",
        put_back("officers", "posts", "desk_sessions"),
        ended_comes_back,
        "open",
        ENDS,
    ),
    Way("a mandate is put back that was taken back", put_back("mandates"), mandate_is_over, "open", ENDS),
    Way(
        "a dishonest person is taken off the list",
        lambda scene: scene.here.remove("dishonest", scene.key_of("stranger")),
        no_promise_counts,
        "open",
        GONE,
    ),
)
