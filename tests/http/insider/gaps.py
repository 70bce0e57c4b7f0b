"""Ways that nothing tells yet, each with its reason: what was written is old, or is not there any more."""

from tests.http.insider.checks import Way
from tests.http.insider.scene import Scene

GONE = "a document that was removed is not missed"


async def no_promise_counts(scene: Scene) -> None:
    """The stranger, who is on the list, may make no undertaking."""
    answer = await scene.stranger.post("/api/v1/cases", scene.more["promise of the stranger"])
    assert answer.status in (403, 409)


OPEN = (
    Way(
        "a dishonest person is taken off the list",
        lambda scene: scene.here.remove("dishonest", scene.key_of("stranger")),
        no_promise_counts,
        "open",
        GONE,
    ),
)
