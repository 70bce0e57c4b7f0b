"""The servers that a node is compared with keep every wish, refuse what is none, and are of the same stuff."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pymongo
import pytest

from loadtests.baselines.serving import COLLECTION, DURABLE, etag_of
from loadtests.bench.contestants import (
    BASELINES,
    WISHES,
    BaselineDidNotStart,
    BodyTooLong,
    body_of,
    started_baseline,
    submissions,
)
from loadtests.bench.loader import load, request_bytes
from loadtests.demos import cpu_seconds_of
from server.store.mongo import MongoDatabase

ROOT = Path(__file__).parents[1]
PYTHON = Path(sys.executable)
WISH = {
    "bundle": "newborn",
    "division": "320102",
    "answers": {"household": "330102"},
    "form": {"home_address": "示例路1号", "child_name": "周小禾"},
    "materials": [{"code": "mother_identity_card", "id": "m1"}],
}


def test_every_body_has_as_many_bytes_and_differs_in_its_address_alone() -> None:
    body = body_of(WISH)
    wish = json.loads(body)
    assert len(body) == 1200
    assert wish["form"].pop("home_address").startswith("示例路1号")
    assert wish == {**WISH, "form": {"child_name": "周小禾"}}


def test_a_wish_that_is_too_long_is_refused() -> None:
    with pytest.raises(BodyTooLong):
        body_of(WISH, 100)


# The servers


async def _status(port: int, body: bytes) -> int:
    async with aiohttp.ClientSession() as http, http.post(f"http://127.0.0.1:{port}{WISHES}", data=body) as answer:
        return answer.status


@pytest.mark.parametrize("name", BASELINES)
async def test_a_baseline_inserts_every_wish_and_refuses_what_is_none(
    name: str, database_uri: str, database_name: str, database_sweeper: pymongo.MongoClient[dict[str, Any]]
) -> None:
    made = submissions(WISHES, bodies=[body_of(WISH)], authorization="")(5)
    with started_baseline(name, database_uri, database_name, python=PYTHON) as baseline:
        result = await load(baseline.port, made, status=201, connections=2)
        refused = [
            await _status(baseline.port, body) for body in (b"no json", b"{}", body_of({**WISH, "answers": {"a": 1}}))
        ]
        assert cpu_seconds_of(baseline.pid) > 0
    assert (result.answered, result.failed) == (5, 0), result.first_failure
    assert refused == [422, 422, 422]
    kept = list(database_sweeper[database_name][COLLECTION].find())
    assert len({each.pop("_id") for each in kept}) == 5
    assert all(each.pop("opened_at") for each in kept)
    assert kept == [json.loads(body_of(WISH))] * 5


async def test_the_bare_page_has_the_bytes_that_were_given(tmp_path: Path, database_uri: str) -> None:
    page = tmp_path / "page"
    page.write_bytes(b'{"page":1}')
    with started_baseline("bare_tornado", database_uri, "unused", page=page, python=PYTHON) as baseline:
        url = f"http://127.0.0.1:{baseline.port}/page"
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            assert (answer.status, await answer.read()) == (200, b'{"page":1}')
        unchanged = request_bytes("GET", "/page", headers={"If-None-Match": etag_of(b'{"page":1}')})
        result = await load(baseline.port, [unchanged], status=304, connections=1)
    assert result.answered == 1


def test_an_interpreter_that_is_not_there_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(BaselineDidNotStart, match="make bench"),
        started_baseline("x", "", "", python=tmp_path / "none"),
    ):
        pass


def test_a_baseline_that_ends_at_once_is_told(database_uri: str) -> None:
    with pytest.raises(BaselineDidNotStart), started_baseline("no_such", database_uri, "unused", python=PYTHON):
        pass


async def test_baselines_write_as_durably_as_a_node(database_uri: str) -> None:
    database = MongoDatabase.connect(database_uri, "unused", queries=())
    assert database._database.write_concern == DURABLE  # nothing public tells it
    await database.close()


@pytest.mark.parametrize("package", ["aiohttp", "motor", "pydantic", "pydantic-core", "pymongo", "tornado", "uvloop"])
def test_baselines_have_the_versions_of_a_node(package: str) -> None:
    pinned = [
        re.search(rf"^{package}==(\S+)", (ROOT / f"requirements/{name}.txt").read_text(), re.MULTILINE)
        for name in ("runtime", "load")
    ]
    assert all(pinned)
    assert len({each[1] for each in pinned if each}) == 1
