"""The format rule: tomorrow's code reads what today's wrote, and today's reads and keeps what tomorrow's wrote."""

import re
from pathlib import Path

from server.domain.values import Value
from tests.store import side_by_side, tomorrow
from tests.test_docs import ROOT

# What is written anew as a whole, sealed under a fresh key: a member that its writer does not know is gone then. All of
# it is somebody's for some days at most, who writes it.
WRITTEN_ANEW = {"sessions", "claims", "drafts"}
# What follows from cases, is read in the same way, and needs a case to be written.
MADE_ANEW = {"AuthorityCounts", "Checkpoint", "Offered"}


async def test_optional_members_of_tomorrow_are_passed_over_and_kept_and_missing_ones_are_no_fault(
    tmp_path: Path, database_uri: str, database_name: str
):
    new, old = f"{database_name}_new", f"{database_name}_old"
    tomorrow.make(tmp_path)
    await tomorrow.ask(tmp_path, database_uri, "write", new)
    async with side_by_side.opened(database_uri, old, tmp_path / "files") as store:
        await side_by_side.write(store)
    async with side_by_side.opened(database_uri, new, tmp_path / "files") as store:
        found = await side_by_side.read(store)
        wanted = side_by_side.values()
        assert {room: type(value) for room, value in found.items()} == {
            room: type(each) for room, each in wanted.items()
        }
        assert [room for room, value in found.items() if not isinstance(value, Value)] == []
        assert found | {"calendar": wanted["calendar"]} == wanted  # that one counts how often it was written
        await side_by_side.change(store)
    after, before = await tomorrow.ask(tmp_path, database_uri, "read", new, old)
    assert set(before.values()) == {""}
    assert {room for room, member in after.items() if member != "red"} == WRITTEN_ANEW


def test_every_kind_that_a_room_reads_by_its_known_members_is_tried():
    rooms = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "server/store").rglob("*.py"))
    tried = {kind.__name__ for kind, _ in side_by_side.VALUES.values()}
    assert set(re.findall(r"\bknown\(([A-Z]\w+)", rooms)) == tried | MADE_ANEW
