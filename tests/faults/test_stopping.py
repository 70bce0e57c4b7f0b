"""SIGTERM: what was taken in is answered in full, what was not taken in has changed nothing, and the exit code is 0.

What cannot be promised: that a request which is on its way while we hang up is answered. Its sender gets not one
byte, and nothing was done: he sends it again under the same key.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from handlers import routes
from handlers.in_flight import InFlight
from server import main
from tests.faults.books import Client, all_of, is_quiet
from tests.faults.lives import Desks
from tests.faults.nursery import Nursery
from tests.faults.provinces import Province, command, provinces
from tests.faults.wire import Fate, Wire, request
from tests.nodes import Caller, newborn_wish, running_nodes, until
from tests.world import JIANGSU

LANES = 16
ENOUGH = 40
SLOW_READER_BYTES = 4096
PIPELINED = 400
STOPS = 3


class Load:
    """Citizens who hand in one application after the other, each over a connection of his own, until nobody answers."""

    def __init__(self, port: int, citizen: Caller, wish: Mapping[str, Any]) -> None:
        self._port = port
        self._token = citizen.token
        self._wish = wish
        self.fates: dict[str, Fate] = {}
        self.ids: dict[str, str] = {}

    async def run(self, lane: str) -> None:
        """One citizen; each application has a key of its own."""
        wire = Wire(self._port)
        for number in range(10_000):
            key = f"{lane}-{number}"
            self.fates[key], status, body = await wire.ask(self.submission(key))
            if status == 201:
                self.ids[key] = body["id"]
            if self.fates[key] is not Fate.ANSWERED or status != 201:
                break
        await wire.close()

    def submission(self, key: str) -> bytes:
        """The request under this key."""
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": key}
        return request("POST", "/api/v1/cases", headers=headers, body=self._wish)

    async def is_under_way(self) -> bool:
        """Whether it is going on at full speed."""
        return len(self.ids) >= ENOUGH


@pytest.mark.soak
async def test_a_server_that_is_told_to_stop_cuts_no_answer_and_does_nothing_unanswered(
    tmp_path: Path, forks: Nursery, database_uri: str, database_name: str, database_sweeper: Client
):
    async with provinces(tmp_path, database_uri, launch=forks.start, database=database_name) as (home, _):
        await home.start("serve")
        citizen = await home.citizen()
        wish = await newborn_wish(citizen)
        ids: set[str] = set()
        for stop in range(STOPS):
            load = Load(home.settings.port, citizen, wish)
            lanes = [asyncio.create_task(load.run(f"{stop}-{lane}")) for lane in range(LANES)]
            await until(load.is_under_way, seconds=60)
            assert await home.stop("serve") == 0
            await asyncio.gather(*lanes)
            ids |= set(load.ids.values())
            async with home.opened() as node:
                stored = {case["_id"] for case in all_of(database_sweeper, node, "cases")}
            assert Counter(load.fates.values())[Fate.CUT] == 0
            assert stored == ids, stop
            await home.start("serve")
            for key in load.fates.keys() - load.ids.keys():
                ids.add((await citizen.post("/api/v1/cases", wish, key=key)).body["id"])
        async with home.opened() as node:
            assert {case["_id"] for case in all_of(database_sweeper, node, "cases")} == ids


async def test_requests_that_come_while_connections_are_being_closed_do_nothing(
    tmp_path: Path, database_uri: str, database_name: str, database_sweeper: Client
):
    async with running_nodes(tmp_path, database_uri, database_name) as places:
        citizen = await places.citizen()
        node = places.nodes[JIANGSU].node
        in_flight = InFlight()
        server, port = main.listen(node, in_flight, doors=routes.DOORS, port=0)
        load = Load(port, citizen, await newborn_wish(citizen))
        wires = [Wire(port) for _ in range(LANES)]
        await asyncio.gather(*(wire.ask(request("GET", "/live", headers={})) for wire in wires))
        stopping = asyncio.create_task(main.stop_listening(server, in_flight, 5.0))
        for number, wire in enumerate(wires):
            wire.send(load.submission(f"too-late-{number}"))
        answers = await asyncio.gather(*(wire.read() for wire in wires))
        await stopping
        await node.store.intake.drain()
        answered = {body["id"] for fate, status, body in answers if (fate, status) == (Fate.ANSWERED, 201)}
        assert {case["_id"] for case in all_of(database_sweeper, node, "cases")} == answered
        assert Fate.CUT not in {fate for fate, _, _ in answers}


@pytest.mark.soak
async def test_a_slow_upload_and_a_slow_reader_are_served_to_the_end(
    tmp_path: Path, compiled: Mapping[str, str], database_uri: str, database_name: str
):
    launch = partial(command, more=compiled)
    async with provinces(tmp_path, database_uri, launch=launch, database=database_name) as (home, _):
        await home.start("serve")
        citizen = await home.citizen()
        submission = Load(home.settings.port, citizen, await newborn_wish(citizen)).submission("slow")
        upload, reader = Wire(home.settings.port), Wire(home.settings.port, receive_bytes=SLOW_READER_BYTES)
        await upload.open()
        await reader.open()
        upload.send(submission[:-1])
        reader.send(request("GET", "/openapi.json", headers={}) * PIPELINED)
        await asyncio.sleep(0.5)
        stopping = asyncio.create_task(home.stop("serve"))
        await until(partial(is_stopping, home))
        upload.send(submission[-1:])
        fate, status, _ = await upload.read()
        assert (fate, status) == (Fate.ANSWERED, 201)
        fates = Counter()
        while Fate.UNANSWERED not in fates and Fate.CUT not in fates:
            fates[(await reader.read())[0]] += 1
        assert fates[Fate.ANSWERED] > 0
        assert fates[Fate.CUT] == 0
        assert await stopping == 0


@pytest.mark.soak
async def test_work_that_is_told_to_stop_ends_in_order(
    tmp_path: Path, forks: Nursery, database_uri: str, database_name: str, database_sweeper: Client
):
    async with provinces(tmp_path, database_uri, launch=forks.start, database=database_name) as (home, peer):
        await asyncio.gather(home.start("serve", "work"), peer.start("serve", "work"))
        desks = await Desks.manned(home, peer)
        case = await desks.submit("while-work-stops")
        deciding = asyncio.create_task(desks.finish(case))
        for province in (home, peer, home, peer):
            assert await province.stop("work") == 0
            await province.start("work")
        await deciding
        async with home.opened() as node, peer.opened() as other:
            await until(lambda: is_quiet(database_sweeper, node, other), seconds=60)


async def is_stopping(province: Province) -> bool:
    """Whether its server has begun to stop."""
    return "node.stopping" in province.log("serve").read_text()
