"""A node opens no database but its own; a copy is told that it is one, and adopted by a command."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server import adopting, cli, main
from server.crypto.keyring import make_keys, save_keys
from server.domain.audit import AuditFilter
from server.domain.identity import (
    DatabaseMoved,
    DatabaseOfAnotherNode,
    DrillOnly,
    FolderOfAnother,
    FolderTaken,
    OriginChanged,
    OtherKeys,
)
from server.store.ends import ENDS, LASTING, EndsBroken
from server.store.numbered import entry_id
from server.store.people.posts import POSTS
from server.tools.settings import Settings
from tests.http.conftest import module_wide
from tests.nodes import Places, data_of
from tests.regions.exchanging import Sweeper, environment
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")


@module_wide
async def settings(alone: Places) -> Settings:
    """Those of a node that has its database and its folder."""
    return alone.nodes[JIANGSU].node.settings


async def opened(settings: Settings, **choices: Any) -> str:
    """The incarnation of a node that starts with these settings."""
    async with main.opened(settings, data=data_of(settings), **choices) as node:
        held = await node.store.identity.held()
        assert held
        return held.incarnation


@pytest.fixture
def copy(settings: Settings, tmp_path: Path, database_sweeper: Sweeper) -> Iterator[Callable[..., Settings]]:
    """Copy database and folder, as a backup that is put back beside them; the settings of a node there."""
    name = f"{settings.database}_copy"

    def copied(**choices: Any) -> Settings:
        for each in database_sweeper[settings.database].list_collection_names():
            if documents := list(database_sweeper[settings.database][each].find()):
                database_sweeper[name][each].insert_many(documents)
        shutil.copytree(settings.data_folder, tmp_path / "files")
        return settings.model_copy(update={"database": name, "data_folder": tmp_path / "files", **choices})

    yield copied
    database_sweeper.drop_database(name)


async def test_another_key_file_of_the_same_division_is_refused(settings: Settings, tmp_path: Path):
    save_keys(make_keys(JIANGSU), tmp_path / "keys.json")
    with pytest.raises(OtherKeys, match="lookup"):
        await opened(settings.model_copy(update={"keys_file": tmp_path / "keys.json"}))


async def test_the_database_of_another_node_is_refused(settings: Settings, tmp_path: Path):
    save_keys(make_keys(ZHEJIANG), tmp_path / "keys.json")
    other = {"division": ZHEJIANG, "keys_file": tmp_path / "keys.json"}
    with pytest.raises(DatabaseOfAnotherNode, match=f"node of {JIANGSU}.*{ZHEJIANG}"):
        await opened(settings.model_copy(update=other))


async def test_another_folder_an_empty_database_and_another_origin_are_refused(
    settings: Settings, tmp_path: Path, database_sweeper: Sweeper
):
    empty = f"{settings.database}_typo"
    for fault, choices in (
        (FolderOfAnother, {"data_folder": tmp_path}),
        (FolderTaken, {"database": empty}),
        (OriginChanged, {"origin": "https://drill.example.cn"}),
    ):
        with pytest.raises(fault, match="adopt"):
            await opened(settings.model_copy(update=choices))
    database_sweeper.drop_database(empty)


async def test_a_copy_is_refused_and_opens_under_a_new_incarnation_once_it_is_adopted(
    settings: Settings, copy: Callable[..., Settings]
):
    there = copy()
    with pytest.raises(DatabaseMoved):
        await opened(there)
    seen = await adopting._adopted(there, None)
    assert [fault.partition(":")[0] for fault in seen.faults] == ["database_moved"]
    with pytest.raises(DatabaseMoved):
        await opened(there)
    done = await adopting._adopted(there, "production")
    assert (done.faults, done.use) == ((), "production")
    assert done.incarnation == await opened(there) != await opened(settings) == seen.incarnation


async def test_an_adoption_is_audited_with_who_and_what_was_before(settings: Settings, copy: Callable[..., Settings]):
    there = copy()
    before = await adopting._adopted(there, None)
    after = await adopting._adopted(there, "drill")
    async with main.opened(there, data=data_of(there)) as node:
        (entry,) = (await node.store.audit.entries(AuditFilter(kind="node.adopted"), limit=9)).found
    assert entry.about.keys() == {"incarnation", "use", "by", "before", "from"}
    assert (entry.about["incarnation"], entry.about["before"]) == (after.incarnation, before.incarnation)
    assert entry.about["from"] == f"{before.place.replace(there.database, settings.database)}, {settings.origin}"


async def test_nobody_adopts_with_the_keys_of_another(copy: Callable[..., Settings], tmp_path: Path):
    save_keys(make_keys(JIANGSU), tmp_path / "other.json")
    there = copy(keys_file=tmp_path / "other.json")
    with pytest.raises(OtherKeys):
        await adopting._adopted(there, "production")
    assert (await adopting._adopted(there, None)).faults[0].startswith("other_keys: ")


async def test_a_database_that_lacks_ends_of_rights_is_refused_until_it_is_adopted(
    copy: Callable[..., Settings], database_sweeper: Sweeper
):
    there = copy()
    await adopting._adopted(there, "production")
    async with main.opened(there, data=data_of(there)) as node:
        await node.store.ends.end(POSTS, "ended", at=node.clock.now())
        await node.store.ends.follow(node.clock.now(), process="work")
    database_sweeper[there.database][ENDS].delete_one({"_id": entry_id(LASTING, 1)})
    with pytest.raises(EndsBroken, match="adopt --as production"):
        await opened(there)
    (fault,) = (await adopting._adopted(there, None)).faults
    assert fault.startswith("ends_broken: ")
    assert (await adopting._adopted(there, "production")).faults == ()
    await opened(there)


async def test_a_drill_does_not_start_to_speak_by_mistake(copy: Callable[..., Settings]):
    there = copy()
    await adopting._adopted(there, "drill")
    with pytest.raises(DrillOnly, match="--quiet"):
        await opened(there, is_quiet=False)
    await opened(there, is_quiet=True)
    await opened(there)  # a command


async def test_the_command_says_what_it_would_do_then_does_it(
    copy: Callable[..., Settings],
    alone: Places,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    there = copy()
    for name, value in environment(replace(alone.nodes[JIANGSU].node, settings=there), tmp_path).items():
        monkeypatch.setenv(name, value)

    async def said(*words: str) -> tuple[int, str]:
        code = await asyncio.to_thread(cli.run, ["adopt", *words])  # it makes a loop of its own
        return code, capsys.readouterr().out

    code, text = await said()
    assert code == 1
    assert "database_moved: " in text
    assert "adopt --as production" in text
    assert "adopt --as drill" in text
    assert text.endswith("Nothing was changed.\n")
    code, text = await said("--as", "production")
    assert code == 0
    assert "peers --open-stream" in text
    code, text = await said("--json")
    assert (code, json.loads(text)["faults"]) == (0, [])
