"""The command `apart`: what it prints, its exit codes, that acts need a reason and are audited."""

import argparse
import json
from typing import Any

import pytest

from regions import settling
from server import operating
from server.desk.apart import set_apart
from server.domain.apart import NotDroppable, NothingApart
from server.domain.errors import StaleVersion
from server.node import Node
from tests.nodes import Places
from tests.regions.exchanging import Sweeper, node_of, send, write
from tests.regions.test_operating import parsed
from tests.world import JIANGSU, ZHEJIANG

SECRET = "320000199001010011 测试母亲"


async def run(node: Node, *words: str) -> operating.Report:
    return await operating.about_apart(node, parsed("apart", *words))


async def set_letter_apart(places: Places, *, times: int = 6) -> tuple[Node, str]:
    """Zhejiang, and the id under which a letter of Jiangsu is set apart there after so many failures."""
    letter = await write(node_of(places))
    await send(node_of(places))
    node = node_of(places, ZHEJIANG)
    while await settling.unpack(node, JIANGSU):
        pass
    for _ in range(times):
        await set_apart(node, "letter", letter.unique_id, fault=ValueError(SECRET))
        places.nodes[ZHEJIANG].node.clock.wait(minutes=11)  # type: ignore[attr-defined]
    return node, f"letter:{letter.unique_id}"


async def test_nothing_is_set_apart_as_long_as_all_goes_well(places: Places) -> None:
    report = await run(node_of(places), "list")
    assert (report.values, list(report.lines), report.code) == ([], ["nothing is set apart"], operating.DONE)


async def test_the_list_names_the_exception_and_nothing_of_what_it_says(places: Places) -> None:
    node, id = await set_letter_apart(places)
    report = await run(node, "list")
    [line] = report.lines
    assert line.startswith(f"{id}  apart since 2026-11-23T")
    assert "6 tries" in line
    assert "ValueError" in line
    assert report.code == operating.WRONG
    told = json.dumps([each.model_dump(mode="json") for each in report.values], ensure_ascii=False) + line
    assert not any(part in told for part in SECRET.split())


async def test_what_is_still_being_tried_needs_nobody(places: Places) -> None:
    node, id = await set_letter_apart(places, times=1)
    report = await run(node, "list")
    assert (report.lines[0].split()[:2], report.code) == ([id, "trying"], operating.DONE)


async def test_what_is_retried_is_handled_and_the_act_is_audited(places: Places, database_sweeper: Sweeper) -> None:
    node, id = await set_letter_apart(places)
    report = await run(node, "retry", id, "--reason", "version 0.3 is installed")
    assert report.lines[0].split()[1] == "released"
    await settling.settle(node)
    assert (await node.store.letters_in.kept([id.partition(":")[2]])).popitem()[1].state == "settled"
    (note,) = database_sweeper[node.settings.database]["audit"].find({"kind": "apart.retried"})
    assert note["about"]["reason"] == "version 0.3 is installed"
    assert note["about"]["id"] == id
    assert note["about"]["by"]


async def test_what_is_dropped_is_audited_and_cannot_be_dropped_again(
    places: Places, database_sweeper: Sweeper
) -> None:
    node, id = await set_letter_apart(places)
    report = await run(node, "drop", id, "--reason", "sent by mistake")
    assert report.lines[0].split()[1] == "dropped"
    assert database_sweeper[node.settings.database]["audit"].count_documents({"kind": "apart.dropped"}) == 1
    assert await node.store.letters_out.to_log(JIANGSU, limit=9) == [], "a letter about a letter is never refused"
    with pytest.raises(NothingApart):
        await run(node, "drop", id, "--reason", "again")
    assert (await run(node, "show", id)).lines[0].split()[1] == "dropped"


async def test_what_is_back_in_its_queue_is_not_dropped(places: Places) -> None:
    node, id = await set_letter_apart(places)
    await run(node, "retry", id, "--reason", "mended")
    with pytest.raises(StaleVersion):
        await run(node, "drop", id, "--reason", "too late")


async def test_effects_are_not_dropped_nor_is_that_audited_as_done(places: Places, database_sweeper: Sweeper) -> None:
    node = node_of(places)
    await set_apart(node, "effects", "case1", fault=ValueError())
    with pytest.raises(NotDroppable):
        await run(node, "drop", "effects:case1", "--reason", "no")
    assert database_sweeper[node.settings.database]["audit"].count_documents({"kind": "apart.dropped"}) == 0


@pytest.mark.parametrize("what", ["show", "retry", "drop"])
async def test_an_unknown_id_is_refused(places: Places, what: str) -> None:
    reason = ["--reason", "because"] if what != "show" else []
    with pytest.raises(NothingApart):
        await run(node_of(places), what, "letter:none", *reason)


@pytest.mark.parametrize(
    "words", [["retry", "letter:a"], ["drop", "letter:a", "--reason", " "], ["list", "letter:a"], ["show"]]
)
async def test_a_wrong_command_line_is_told(places: Places, words: list[str], capsys: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        await run(node_of(places), *words)
    assert ended.value.code == 2
    assert "need" in capsys.readouterr().err


def test_the_command_line_is_explained(capsys: Any) -> None:
    with pytest.raises(SystemExit):
        parsed("apart", "--help")
    assert isinstance(parsed("apart", "list"), argparse.Namespace)
    assert "let it end undone" in capsys.readouterr().out
