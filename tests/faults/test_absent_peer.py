"""The other province is down while a case is handed in and goes its way: the case waits, and says where."""

import asyncio
from pathlib import Path
from typing import Any

from server.domain.exchange import Outbound
from tests.faults.books import ABROAD, Client, check_finished, is_quiet
from tests.faults.lives import AFTERWARDS, FIRST, MEANWHILE, Desks
from tests.faults.nursery import Nursery
from tests.faults.provinces import provinces
from tests.nodes import Caller, until
from tests.world import ZHEJIANG

FAILURES = 4


async def step_abroad(citizen: Caller, case: str) -> Any:
    """What the citizen is shown of the step that the other province decides."""
    steps = (await citizen.get(f"/api/v1/cases/{case}")).body["steps"]
    return next(step for step in steps if step["step"] == ABROAD)


async def test_a_case_waits_for_a_province_that_is_down_and_goes_on_when_it_returns(
    tmp_path: Path, forks: Nursery, database_uri: str, database_name: str, database_sweeper: Client
):
    async with provinces(tmp_path, database_uri, launch=forks.start, database=database_name) as (home, peer):
        await asyncio.gather(home.start("serve", "work"), peer.start("serve", "work"))
        desks = await Desks.manned(home, peer)
        await asyncio.gather(peer.kill("serve"), peer.kill("work"))
        async with home.opened() as node, peer.opened() as other:
            case = await desks.submit("while-nobody-is-there")
            for step in (FIRST, *MEANWHILE):
                await desks.decide(case, step)

            async def has_failed_often() -> Outbound | None:
                state = await node.store.peers.outbound(ZHEJIANG)
                return state if state.failures >= FAILURES else None

            state = await until(has_failed_often, seconds=60)
            assert (state.reason, state.acknowledged) == ("unreachable", BEGINNING)
            assert state.next_attempt_at is not None
            shown = await step_abroad(desks.citizen, case)
            assert (shown["state"], shown["holder"]["node"]) == ("sent", ZHEJIANG)
            assert not await is_quiet(database_sweeper, node, other)
            await peer.start("serve", "work")
            await desks.decide(case, ABROAD)
            await asyncio.gather(*(desks.decide(case, step) for step in AFTERWARDS))
            await until(lambda: is_quiet(database_sweeper, node, other), seconds=60)
            await check_finished(database_sweeper, node, other, cases=[case])
            healed = await node.store.peers.outbound(ZHEJIANG)
            assert (healed.failures, healed.reason, healed.next_attempt_at) == (0, "", None)
