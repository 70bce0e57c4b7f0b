"""A right ended by one process is over in every other, whatever is put back; with real processes."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from server.desk.officer import officers
from server.domain.audit import Doer
from server.store.ends import ENDS, HEADS
from server.store.people.accounts import OFFICERS, document_id
from tests.faults.books import Client
from tests.faults.provinces import command, provinces
from tests.faults.test_data_of_another_version import ended
from tests.nodes import Caller, until

pytestmark = pytest.mark.soak
NAME = "health"


async def test_serve_learns_what_a_command_ended_and_starts_on_no_log_that_was_cut(
    tmp_path: Path, compiled: Mapping[str, str], database_uri: str, database_name: str, database_sweeper: Client
):
    launch = partial(command, more=compiled)
    async with provinces(tmp_path, database_uri, launch=launch, database=database_name) as (home, _):
        await home.start("serve", "work")
        rooms = database_sweeper[home.settings.database]
        officer = await home.officer(NAME)
        before = rooms[OFFICERS].find_one({"_id": document_id(NAME)})
        assert before is not None
        async with home.opened() as node:
            await officers.end(node, NAME, reason="调离", by=Doer(name="operator"))
        rooms[OFFICERS].replace_one({"_id": before["_id"]}, before)
        await until(lambda: is_told_that_they_have_ended(officer))
        heads = home.settings.data_folder / HEADS
        await until(lambda: files_hold(heads, rooms[ENDS].count_documents({})))
        assert [await home.stop(each) for each in ("serve", "work")] == [0, 0]
        last = max(each["_id"] for each in rooms[ENDS].find())
        rooms[ENDS].delete_one({"_id": last})
        for words in (["serve"], ["work"], ["serve", "--quiet"], ["peers"]):
            ending, said = await ended(home, *words)
            assert (ending, "ends_broken: " in said) == (1, True), said
        assert (await ended(home, "adopt"))[0] == 1
        assert (await ended(home, "adopt", "--as", "production"))[0] == 0
        await home.start("serve", "work")


async def is_told_that_they_have_ended(officer: Caller) -> bool:
    """Whether the process lets them in no more, though their account stands there as it was."""
    answer = await officer.get("/desk/v1/tasks")
    return answer.status == 401 and answer.code == "officer_ended"


async def files_hold(folder: Path, number: int) -> bool:
    """Whether `serve` and `work` have each kept the head of this number."""
    return kept(folder) == [number] * 2


def kept(folder: Path) -> list[int]:
    """The numbers of the heads in all files."""
    return [json.loads(file.read_bytes())["number"] for file in folder.glob("*/lasting/*.json")]
