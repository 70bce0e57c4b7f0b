"""How often a case is read for one act of an officer."""

from server.desk.officer.reviewing import ActRequest, act_on, form_of
from tests.nodes import HandClock, Places
from tests.regions.exchanging import entry_of, node_of
from tests.regions.test_set_apart import FIRST, opened, swept
from tests.regions.trap import trapped


async def test_a_case_is_loaded_and_written_once_for_an_act(places: Places, clock: HandClock) -> None:
    (case,) = await opened(places, 1)
    clock.wait(seconds=10)
    await places.officer("health")
    node, trap = trapped(node_of(places))
    entry = await entry_of(node, "health")
    await swept(node)
    for act in ("receive", "accept", "approve"):
        trap.seen.clear()
        record = await act_on(
            node, entry, ActRequest(case=case, step=FIRST, act=act, key=act, decision=form_of(act).decision())
        )
        assert trap.seen.count(("get", "cases")) == 1
        assert trap.seen.count(("replace", "cases")) == 1
    assert record.case.steps[FIRST].state == "approved"
