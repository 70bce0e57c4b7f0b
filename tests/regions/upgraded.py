"""`python -m tests.regions.upgraded inform|settle CASE MOMENT`: what a node does at once after its upgrade.

It is started in a folder of newer code, as the node of the settings in the environment.
"""

import argparse
import asyncio
import json
import sys
from datetime import datetime

from server import main
from server.desk import relay
from server.desk.officer.reviewing import ActRequest, act_on, form_of
from server.desk.wording import words_of
from server.domain.case.happening import Moved
from server.node import Node
from server.tools.logs import configure
from server.tools.settings import load_settings
from tests.nodes import HandClock
from tests.regions.exchanging import entry_of, send, settle

STEP = "household_registration"
OFFICER = "public_security"
DECISIONS = {"inform": {"progress": "材料已核实"}, "accept": {}}


async def inform(node: Node, clock: HandClock, case: str) -> None:
    """The decider informs the applicant, accepts the step, and tells the home of both."""
    entry = await entry_of(node, OFFICER)
    for act, said in DECISIONS.items():
        decision = form_of(act).decision.model_validate(said)
        record = await act_on(node, entry, ActRequest(case=case, step=STEP, act=act, key=act, decision=decision))
        await relay.relay_soon(node, record)
        clock.wait(seconds=1)  # the letters stand in the log in the order of their moments
    await send(node)


async def settled(node: Node, clock: HandClock, case: str) -> dict[str, object]:
    """The home settles what has waited: the step after it, and what the applicant reads of what happened to it."""
    for _ in range(2):  # what waits behind another letter comes to its turn after it
        await settle(node)
        clock.wait(minutes=5)
    record = await node.store.cases.case(case)
    told = [event for event in record.events if isinstance(event, Moved) and event.step == STEP]
    catalogue = node.catalogue_of(record.case.catalogue)
    words = [(event.act, words_of(catalogue, record.case, event)) for event in told]
    return {"state": record.case.step(STEP).state, "told": words}


async def run(what: str, case: str, at: datetime) -> None:
    """Do it, and print what there is to be seen."""
    settings = load_settings()
    configure(settings.log_level)
    clock = HandClock(at)
    async with main.opened(settings, clock=clock) as node:
        if what == "inform":
            await inform(node, clock, case)
        else:
            sys.stdout.write(json.dumps(await settled(node, clock, case), ensure_ascii=False))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["inform", "settle"])
    parser.add_argument("case")
    parser.add_argument("at", type=datetime.fromisoformat)
    chosen = parser.parse_args()
    asyncio.run(run(chosen.what, chosen.case, chosen.at))
