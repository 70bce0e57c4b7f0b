"""Ways that nothing tells yet, each with its reason: what was removed is not missed."""

from collections.abc import Callable

from regions.evidence import check_receipts
from server import main
from server.desk.officer.pacing import take_turn
from server.domain.throttle import TooManyAttempts
from server.store.cases.visits import VISITS
from server.store.effects.claims import CLAIMS
from server.store.effects.tasks import TASKS
from server.store.people.attempts import ATTEMPTS
from server.store.trust import TRUST
from tests.http.insider.checks import Way
from tests.http.insider.people import guess_and_remove_the_attempts
from tests.http.insider.scene import Scene
from tests.nodes import data_of

UNMISSED = (CLAIMS, TASKS, VISITS)
LOCAL = "127.0.0.1"


def remove_all(collection: str) -> Callable[[Scene], None]:
    return lambda scene: scene.here.remove(collection, *scene.here.all(collection))


async def a_command_tells_it(scene: Scene) -> None:
    assert await scene.audit() | await scene.cases() or not (await check_receipts(scene.node())).verified


async def another_process_lets_nobody_guess(scene: Scene) -> None:
    """It has never met the attempts that were removed."""
    node = scene.node()
    async with main.opened(node.settings, clock=node.clock, data=data_of(node.settings)) as other:
        try:
            await take_turn(other, "other", LOCAL)
        except TooManyAttempts:
            return
    raise AssertionError("the next password may be tried")


OPEN = (
    *(
        Way(f"all {each} are removed", remove_all(each), a_command_tells_it, "open", TRUST[each].removed)
        for each in UNMISSED
    ),
    Way(
        "the alarm of a case is put to rest",
        lambda scene: scene.here.set("cases", scene.home, alarm="done"),
        a_command_tells_it,
        "open",
        "no deadline of the case is seen to before it moves again",
    ),
    Way(
        "attempts at a password are removed, and another process is asked",
        guess_and_remove_the_attempts,
        another_process_lets_nobody_guess,
        "open",
        TRUST[ATTEMPTS].removed,
    ),
)
