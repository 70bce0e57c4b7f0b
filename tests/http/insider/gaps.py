"""Ways that nothing tells yet, each with its reason: what was written is old, or is not there any more."""

from tests.http.insider.checks import Way, no_receipt_proves_it
from tests.http.insider.scene import Scene

GONE = "a document that was removed is not missed"


def take_letters_from_the_log(scene: Scene) -> None:
    (entry,) = scene.here.all("log").values()
    scene.here.set("log", entry["_id"], letters=[])


async def no_promise_counts(scene: Scene) -> None:
    """The stranger, who is on the list, may make no undertaking."""
    answer = await scene.stranger.post("/api/v1/cases", scene.more["promise of the stranger"])
    assert answer.status in (403, 409)


RECEIPTS = "the hash of a batch covers the root of its letters, and nothing compares it with them once they have gone"
OPEN = (
    Way("the log forgets letters that went", take_letters_from_the_log, no_receipt_proves_it, "open", RECEIPTS),
    Way(
        "a dishonest person is taken off the list",
        lambda scene: scene.here.remove("dishonest", scene.key_of("stranger")),
        no_promise_counts,
        "open",
        GONE,
    ),
)
