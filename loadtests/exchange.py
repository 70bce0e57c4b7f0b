"""Measures what one letter between two nodes costs in CPU time: its cryptography, and its whole path on each side.

python -m loadtests.exchange --letters 400 --batches 1,50,200

Two nodes of this machine with an embedded database. What `work` does runs in this process and is measured here; each
`serve` is a process of its own, measured from outside; the database server is left out. The letters are real ones:
`step.requested`, by which the receiver begins its copy of a case, and `step.received`, by which the home follows.
The cases come from a hundred counties: half of them hand in, the other half register the households.
"""

import argparse
import asyncio
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import uvloop
from pydantic import SecretStr

from loadtests.cryptography import cryptography
from regions import outbox, settling
from regions.founding import found
from server import main
from server.demo.database import database_server
from server.demo.people import fictitious_id_number
from server.demo.ports import HOST, reserved
from server.demo.processes import ready, start, stop
from server.desk import acting, relay
from server.domain.aggregate.actors import Actor
from server.domain.aggregate.judging import Judgement
from server.domain.case.acts import Accept, Approve, Facts, Open, Receive
from server.domain.case.case import Case
from server.domain.case.events import Event
from server.domain.catalogue.divisions import province_of
from server.domain.effects.records import CaseRecord
from server.domain.exchange.directory import NodeEntry
from server.domain.materials import Upload
from server.domain.people.persons import Person
from server.domain.rules.decide import decide
from server.domain.rules.opening import MaterialGiven, Submission, application_of
from server.node import Node
from server.tools.logs import configure
from server.tools.settings import Settings

HOME, ABROAD = "320000", "330000"
FIRST, FOREIGN = "birth_certificate", "household_registration"
COUNTIES = 50
MATERIALS = ("mother_identity_card", "mother_household_register")


@dataclass(frozen=True)
class Side:
    """One node: opened here, where its `work` is done, and its `serve` as a process of its own."""

    node: Node
    serve: int

    def serve_seconds(self) -> float:
        """The CPU time that `serve` has used so far."""
        fields = Path(f"/proc/{self.serve}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def peer(self) -> NodeEntry:
        """The other node."""
        return next(self.node.directory.peers_of(self.node.here))


@dataclass(frozen=True)
class Process:
    """The settings of a node, and the process id of its `serve`."""

    settings: Settings
    serve: int


@asynccontextmanager
async def processes(folder: Path, *, batch_letters: int) -> AsyncIterator[tuple[Process, Process]]:
    """The home and the decider, their databases empty; all processes end with the block."""
    async with AsyncExitStack() as stack:
        uri = await stack.enter_async_context(database_server(folder, None))
        ports = {node: stack.enter_context(reserved()) for node in (HOME, ABROAD)}
        origins = {node: f"http://{HOST}:{port}" for node, port in ports.items()}
        publisher_key = found(folder / "keys", origins, {}, at=datetime.now(UTC))
        (folder / "node.toml").write_text("")
        both = []
        for division, port in ports.items():
            settings = Settings(
                division=division,
                port=port,
                origin=origins[division],
                mongodb_uri=uri,
                data_folder=folder / division,
                keys_file=folder / "keys" / f"{division}.keys.json",
                directory_file=folder / "keys" / "directory.jws",
                publisher_key=publisher_key,
                platform_url=f"http://{HOST}:9",
                platform_app_id="none",
                platform_app_secret=SecretStr("none"),
                log_level="error",
                batch_letters=batch_letters,
            )
            told = {
                f"TONGBAN_{key.upper()}": str(value) for key, value in settings.model_dump(exclude_none=True).items()
            }
            told |= {"TONGBAN_CONFIG": str(folder / "node.toml"), "TONGBAN_PLATFORM_APP_SECRET": "none"}
            command = [sys.executable, "-m", "server", "serve"]
            child = await start(division, command, log=folder / f"{division}.log", environ=told)
            stack.push_async_callback(stop, child)
            await ready(child, f"{origins[division]}/ready")
            both.append(Process(settings, child.process.pid))
        yield both[0], both[1]


async def ask_abroad(home: Node, count: int) -> list[str]:
    """So many cases whose step abroad is to be asked for; answers their numbers."""
    numbers = [f"measured{number:05d}" for number in range(count)]
    places = zip(itertools.cycle(_counties(home, HOME)), itertools.cycle(_counties(home, ABROAD)), strict=False)
    for number, (here, there) in zip(numbers, places, strict=False):
        opened = _opened(home, number, division=here, household=there)
        record = await home.store.cases.commit(None, acting.commit_of(None, *opened))
        by = _officer(HOME, record, FIRST)
        for kind in (Receive, Accept, Approve):
            record = await acting.perform(home, record.id, kind(id=f"{number}-{kind.name}", by=by, step=FIRST))
        await relay.relay(home, record)
    return numbers


def _counties(home: Node, province: str) -> list[str]:
    """The first counties of a province."""
    divisions = home.published.divisions.divisions
    inside = (each for each in divisions if province_of(each.code) == province and each.is_routable)
    return [each.code for each in inside if each.kind == "county" and each.is_valid(home.context().on)][:COUNTIES]


def _officer(node: str, record: CaseRecord, step: str) -> Actor:
    """An officer of the authority that decides a step."""
    authority = record.case.step(step).authority
    return Actor(
        node=node, part="officer", authority=authority.id if authority else "", name="measured", role="approver"
    )


def _opened(home: Node, number: str, *, division: str, household: str) -> tuple[Judgement[Case, Event], Facts]:
    """The events by which a case of this number is opened, and the facts they rest on."""
    facts, mother = home.facts(), Person(key="measured", name="测试母亲", id_number=mother_id_number())
    upload = Upload(id="measured", name="photo.png", size=1000, media_type="image/png", sha256="0" * 64)
    form = {
        "mobile": "13800000000",
        "mother_name": mother.name,
        "mother_id_number": mother.id_number,
        "child_name": "测试宝宝",
        "child_sex": "female",
        "child_birth_date": "2026-11-02",
        "child_birth_place": "320100",
        "child_birth_hospital": "测试医院",
        "home_address": "测试路1号",
    }
    answers = {"household": household, "maternity_insurance": "no"}
    given = tuple(MaterialGiven(code=code, id=upload.id) for code in MATERIALS)
    wish = Submission(bundle="newborn", division=division, answers=answers, form=form, materials=given)
    uploads = {upload.id: upload}
    context = home.context(division)
    application = application_of(home.catalogue, wish, applicant=mother, uploads=uploads, context=context)
    act = Open(id=number, by=Actor(node=HOME, part="citizen"), number=number, application=application)
    return decide(None, act, facts), facts


def mother_id_number() -> str:
    """A made-up number with the code of a province, which no real one has."""
    return fictitious_id_number(HOME, date(1990, 1, 1), 101)


async def spent(run: Callable[[], Awaitable[Any]]) -> float:
    """The CPU seconds that this process uses for it."""
    before = time.process_time()
    await run()
    return time.process_time() - before


async def carried(sender: Side, receiver: Side, *, letters: int) -> dict[str, float]:
    """What it costs to bring the letters that wait at the sender to the receiver, in microseconds for each."""
    before, began = receiver.serve_seconds(), time.perf_counter()

    async def deliver() -> None:
        while await outbox.deliver(sender.node, sender.peer):
            pass

    async def settle() -> None:
        while await settling.unpack(receiver.node, sender.node.here) or await settling.settle(receiver.node):
            pass

    sending = await spent(deliver)
    keeping = receiver.serve_seconds() - before
    settled = await spent(settle)
    seconds = time.perf_counter() - began
    micro = 1e6 / letters
    waiting = await receiver.node.store.letters_in.listed("waiting", limit=1)
    if waiting:
        raise RuntimeError(f"a letter was not settled: {waiting[0].reason}")
    return {
        "sender": round(sending * micro, 1),
        "receiver_serve": round(keeping * micro, 1),
        "receiver_work": round(settled * micro, 1),
        "receiver": round((keeping + settled) * micro, 1),
        "letters_per_second": round(letters / seconds, 1),
    }


async def receive_all(abroad: Node, numbers: Sequence[str]) -> None:
    """The decider takes each step onto a desk, of which it tells the home."""
    for number in numbers:
        by = _officer(ABROAD, await abroad.store.cases.case(f"{HOME}:{number}"), FOREIGN)
        act = Receive(id=f"{number}-abroad", by=by, step=FOREIGN)
        await relay.relay(abroad, await acting.perform(abroad, f"{HOME}:{number}", act))


async def measured(letters: int, batch: int) -> dict[str, Any]:
    """The figures of one size of batches."""
    with tempfile.TemporaryDirectory(prefix="exchange") as folder:
        async with processes(Path(folder), batch_letters=batch) as both:
            return await asyncio.to_thread(_in_the_loop_of_the_product, both, letters)


def _in_the_loop_of_the_product(both: tuple[Process, Process], letters: int) -> dict[str, Any]:
    """What `work` does is done in the loop in which it is done there."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measured(both, letters))


async def _measured(both: tuple[Process, Process], letters: int) -> dict[str, Any]:
    batch = both[0].settings.batch_letters
    async with main.opened(both[0].settings) as here, main.opened(both[1].settings) as there:
        home, abroad = Side(here, both[0].serve), Side(there, both[1].serve)
        print(f"batches of {batch}: making {letters} cases ...", file=sys.stderr)
        numbers = await ask_abroad(home.node, letters)
        texts = [each.text for each in await home.node.store.letters_out.to_log(ABROAD, limit=batch)]
        print(f"batches of {batch}: carrying their letters ...", file=sys.stderr)
        requested = await carried(home, abroad, letters=letters)
        await receive_all(abroad.node, numbers)
        received = await carried(abroad, home, letters=letters)
        return {
            "batch": batch,
            "bytes_per_letter": round(sum(map(len, texts)) / len(texts)),
            "cryptography_us": cryptography(home.node, abroad.node, texts),
            "requested_us": requested,
            "received_us": received,
        }


def told(row: dict[str, Any]) -> str:
    """A few lines for people."""
    crypto, there, back = row["cryptography_us"], row["requested_us"], row["received_us"]
    return "\n".join(
        (
            f"batches of {row['batch']}, {row['bytes_per_letter']} bytes a letter; µs of CPU for each letter:",
            f"  cryptography  sender {crypto['sender']}, receiver {crypto['receiver']}, a proof {crypto['prove_one']}",
            *(
                f"  {name}  sender {cost['sender']}, receiver {cost['receiver']} (serve {cost['receiver_serve']}, "
                f"work {cost['receiver_work']}); {cost['letters_per_second']} letters/s"
                for name, cost in (("step.requested", there), ("step.received ", back))
            ),
        )
    )


def run() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.exchange", description=__doc__.splitlines()[0])
    parser.add_argument("--letters", type=int, default=400, help="of each kind and size (default %(default)s)")
    parser.add_argument("--batches", default="1,50,200", help="letters in a batch, at most (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    chosen = parser.parse_args()
    configure("error")
    rows = [asyncio.run(measured(chosen.letters, int(batch))) for batch in chosen.batches.split(",")]
    print(json.dumps(rows) if chosen.json else "\n".join(map(told, rows)))


if __name__ == "__main__":
    run()
