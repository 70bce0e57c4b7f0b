"""A real `work` whose clock is ten days ahead of the database's: it does nothing by date until the clock is right."""

import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from server.demo.processes import Child, start
from server.domain.values import moment_key
from tests.faults.books import Client
from tests.faults.provinces import HOST, Province, county_of, insist, provinces
from tests.nodes import Caller, newborn_wish, until

TEN_DAYS = timedelta(days=10)
BY_DATE = ("cases", "rungs", "warnings", "notices", "counts", "sessions", "desk_sessions")


async def shifted(name: str, *, log: Path, environ: Mapping[str, str]) -> Child:
    """A process, of which `work` has a clock that is ten days ahead."""
    module = ["tests.faults.shifted", name, str(TEN_DAYS.total_seconds())] if name == "work" else ["server", name]
    return await start(name, [sys.executable, "-m", *module], log=log, environ=environ)


async def counted(anyone: Caller) -> Mapping[str, float]:
    """What `work` says of its clock, and when it last ran the clockwork."""
    answer = await anyone.get("/metrics")
    families = text_string_to_metric_families(answer.body.decode())
    samples = [sample for family in families for sample in family.samples]
    return {each.name: each.value for each in samples if each.labels.get("loop", "clockwork") == "clockwork"}


@pytest.mark.soak
async def test_ten_days_ahead_it_accepts_nothing_by_law_and_says_so_until_its_clock_is_right(
    tmp_path: Path, compiled: Mapping[str, str], database_uri: str, database_name: str, database_sweeper: Client
):
    async def launch(name: str, *, log: Path, environ: Mapping[str, str]) -> Child:
        return await shifted(name, log=log, environ={**environ, **compiled})

    async with provinces(tmp_path, database_uri, launch=launch, database=database_name) as (home, _):
        await home.start("serve")
        await handed_in(home)
        database = database_sweeper[home.settings.database]
        await until(lambda: is_relayed(database))
        in_ten_days = moment_key(datetime.now(UTC) + TEN_DAYS)
        assert database.cases.count_documents({"alarm": {"$gte": "t", "$lt": in_ten_days}}) == 1, "it would be due"
        before = stored(database)

        work = await launch("work", log=home.log("work"), environ=home.environ())
        home.children["work"] = work
        anyone = Caller(home.http, f"http://{HOST}:{home.settings.work_port}")
        await until(lambda: is_held(anyone), seconds=60)
        ran_at = (await counted(anyone))["loop_last_success_timestamp_seconds"]
        await until(lambda: has_run_since(anyone, ran_at), seconds=60)
        assert stored(database) == before
        answer = await anyone.get("/ready")
        assert (answer.status, answer.code) == (503, "clock_held")
        assert answer.body["detail"].startswith("本机时钟比数据库快")

        work.process.send_signal(signal.SIGUSR1)
        await until(lambda: is_ready(anyone), seconds=60)
        assert (await anyone.get("/ready")).body["clock"] == "unproven"
        assert stored(database)["cases"] == before["cases"]


async def handed_in(home: Province) -> None:
    """One application, all of whose steps are decided here."""
    citizen, county = await home.citizen(), county_of(home.division)
    wish = await newborn_wish(citizen, division=county)
    wish |= {"answers": {"household": county, "maternity_insurance": "no"}}
    await insist(citizen, "/api/v1/cases", wish, key="one")


def stored(database: Any) -> Mapping[str, list[Any]]:
    """All that is done by date."""
    return {name: list(database[name].find().sort("_id")) for name in BY_DATE}


async def is_relayed(database: Any) -> bool:
    return database.cases.count_documents({"relay": "done"}) == 1


async def is_held(anyone: Caller) -> bool:
    try:
        return (await anyone.get("/ready")).status == 503 and (await counted(anyone))["clock_state"] == 4
    except OSError:
        return False


async def has_run_since(anyone: Caller, at: float) -> bool:
    return (await counted(anyone))["loop_last_success_timestamp_seconds"] > at


async def is_ready(anyone: Caller) -> bool:
    return (await anyone.get("/ready")).status == 200
