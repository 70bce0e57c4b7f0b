"""The audit administrator reads what is on record, page by page; that they do is on record before they see anything."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pymongo
import pytest

from server import cli
from server.desk.background import chaining
from server.domain.audit import MEANINGS, AuditKind
from server.domain.errors import Unavailable
from server.node import Node
from server.store.audit import Audit
from server.store.audit_chain import AUDIT
from tests.http.asking import PERSONAL, Sweeper, in_a_session, opened, pointers, refused
from tests.http.conftest import module_wide, nodes_of_a_module
from tests.http.test_officers_ended import command
from tests.nodes import HERE, Caller, HandClock, Places
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALL = "/desk/v1/audit"
LONG_AGO = datetime(2026, 3, 4, 20, 0, tzinfo=UTC)  # in China it is the 5th


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory,
    database_uri: str,
    database_sweeper: pymongo.MongoClient[dict[str, Any]],
    clock: HandClock,
) -> AsyncIterator[Places]:
    """One node under a clock that stands still."""
    folder, alone = tmp_path_factory.mktemp("nodes"), (JIANGSU,)
    async with nodes_of_a_module(folder, database_uri, database_sweeper, divisions=alone, clock=clock) as places:
        yield places


@module_wide
async def auditor(places: Places) -> Caller:
    return await places.administrator("audit", "ann")


async def noted(node: Node, number: int, kind: AuditKind = "case.read", **about: str) -> None:
    """An entry of long ago, each a second after the one before."""
    at = LONG_AGO + timedelta(seconds=number)
    await node.store.audit.note(f"{kind} {number} {about}", kind, at=at, about=about)


async def read(auditor: Caller, **wanted: str) -> list[dict[str, Any]]:
    """All pages."""
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        answer = await auditor.get(ALL, params=wanted | after)
        assert answer.status == 200, answer.body
        found += answer.body["entries"]
        if answer.body["next"] is None:
            return found
        after = {"after": answer.body["next"]}


# Who else comes in is asked in test_administrators.py.


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"kind": "case.eaten"}, "/kind"),
        ({"since": "yesterday"}, "/since"),
        ({"until": "1926-11-23"}, "/until"),
        ({"officer": "320102199001010011"}, "/officer"),
        ({"officer": "a|b"}, "/officer"),
        ({"case": "320000"}, "/case"),
        ({"case": "320000/a|b"}, "/case"),
    ],
)
async def test_what_is_no_filter_is_refused_and_not_noted(
    auditor: Caller, node: Node, database_sweeper: Sweeper, wanted: dict[str, str], pointer: str
):
    books = database_sweeper[node.settings.database][AUDIT]
    before = books.count_documents({"kind": "audit.read"})
    assert pointer in pointers(refused(await auditor.get(ALL, params=wanted), 422, "body_faulty"))
    assert books.count_documents({"kind": "audit.read"}) == before


async def test_nothing_is_given_if_the_reading_cannot_be_noted(
    auditor: Caller, node: Node, monkeypatch: pytest.MonkeyPatch
):
    async def unwritable(*_: object, **__: object) -> None:
        raise Unavailable

    monkeypatch.setattr(Audit, "note", unwritable)
    answer = await auditor.get(ALL)
    assert answer.status == 503
    assert "entries" not in answer.body


async def test_a_reading_is_noted_with_who_and_what_before_it_is_given(auditor: Caller):
    answer = await auditor.get(ALL, params={"kind": "audit.read", "officer": "ann", "since": "2026-11-23"})
    first = answer.body["entries"][0]
    assert in_a_session(first["about"]) == {"by": "ann", "filter": "since=2026-11-23 kind=audit.read officer=ann"}
    assert (first["kind"], first["times"]) == ("audit.read", 1)
    assert first["at"].startswith("2026-11-23T")


async def test_a_look_into_a_case_is_read_without_what_the_case_says(
    places: Places, auditor: Caller, mother: Caller, wish: dict[str, Any]
):
    here = wish | {"answers": {"household": HERE, "maternity_insurance": "no"}}
    case, health = await opened(places, mother, here), await places.officer("health")
    assert (await health.get(f"/desk/v1/cases/{case}")).status == 200
    (found,) = await read(auditor, case=f"{JIANGSU}/{case}", kind="case.read")
    assert (found["about"]["officer"], found["about"]["reason"]) == ("health", "decides birth_certificate")
    everything = json.dumps(await read(auditor), ensure_ascii=False)
    assert not [each for each in PERSONAL if each in everything]


async def test_a_place_in_the_list_tells_no_session(auditor: Caller, node: Node, database_sweeper: Sweeper):
    entry = database_sweeper[node.settings.database][AUDIT].find_one({"kind": "officer.signed_in"})
    assert entry
    session = entry["_id"].rpartition(":")[2]
    assert session not in "".join(value for name, value in entry.items() if name.endswith("_key"))


async def test_pages_come_newest_first_and_each_entry_once(auditor: Caller, node: Node):
    for number in range(103):
        await noted(node, number // 3, officer="paged", case=f"{JIANGSU}/c{number}")
    answer = await auditor.get(ALL, params={"officer": "paged"})
    assert len(answer.body["entries"]) == 50
    found = await read(auditor, officer="paged")
    assert len({each["about"]["case"] for each in found}) == len(found) == 103
    moments = [each["at"] for each in found]
    assert moments == sorted(moments, reverse=True)
    exactly = await auditor.get(ALL, params={"officer": "paged", "after": answer.body["next"]})
    assert (len(exactly.body["entries"]), exactly.body["next"] is None) == (50, False)
    for strange in ("\0", "~", "zzz", "2026-11-23", "t"):
        assert (await auditor.get(ALL, params={"after": strange})).status == 200


async def test_filters_are_combined(auditor: Caller, node: Node):
    first, second = f"{JIANGSU}/x1", f"{JIANGSU}/x11"
    await noted(node, 1, officer="carl", case=first)
    await noted(node, 2, "material.read", officer="carl", case=first)
    await noted(node, 3, officer="carlo", case=first)
    await noted(node, 4, officer="carl", case=second)
    await noted(node, 5, "officer.ended", name="carl", by="root")

    async def moments(**wanted: str) -> list[int]:
        found = await read(auditor, until="2026-03-05", **wanted)
        return [int(each["at"][17:19]) for each in found]

    assert await moments(officer="carl") == [4, 2, 1]
    assert await moments(case=first) == [3, 2, 1]
    assert await moments(case=first, officer="carl") == [2, 1]
    assert await moments(case=first, officer="carl", kind="case.read") == [1]
    assert await moments(officer="root", kind="officer.ended") == [5]
    assert await moments(kind="officer.reset") == []
    assert await moments(case=f"{JIANGSU}/x") == []


async def test_a_day_is_one_in_china(auditor: Caller, node: Node):
    at = datetime(2026, 4, 1, 16, 0, tzinfo=UTC)  # midnight in China: the 2nd begins
    for number, moment in enumerate((at - timedelta(milliseconds=1), at, at + timedelta(days=1))):
        await node.store.audit.note(f"day {number}", "case.read", at=moment, about={"officer": "dan", "case": ""})

    async def found(**wanted: str) -> list[str]:
        return [each["at"][:10] for each in await read(auditor, officer="dan", **wanted)]

    assert await found(since="2026-04-02", until="2026-04-02") == ["2026-04-02"]
    assert await found(until="2026-04-01") == ["2026-04-01"]
    assert await found(since="2026-04-03") == ["2026-04-03"]
    assert await found(since="2026-04-03", until="2026-04-01") == []


async def test_a_short_page_goes_on_where_it_stopped(auditor: Caller, node: Node):
    """The kind is looked for in what the officer did: what does not fit is passed over, and nothing is lost."""
    await noted(node, 0, "material.read", officer="busy")
    for number in range(1, 1100):
        await noted(node, number, officer="busy")
    answer = await auditor.get(ALL, params={"officer": "busy", "kind": "material.read"})
    assert answer.body["entries"] == []
    assert answer.body["next"]
    assert len(await read(auditor, officer="busy", kind="material.read")) == 1


async def test_what_is_counted_tells_how_often(auditor: Caller, node: Node):
    for _ in range(3):
        await node.store.audit.count("many", "peer.refused", at=LONG_AGO, about={"peer": "", "code": "counted"})
    (found,) = [each for each in await read(auditor, kind="peer.refused") if each["about"]["code"] == "counted"]
    assert found["times"] == 3


async def test_an_altered_entry_hides_no_other(auditor: Caller, node: Node, database_sweeper: Sweeper):
    for number in range(5):
        await noted(node, number, officer="eve", case=f"{JIANGSU}/v{number}")
    books = database_sweeper[node.settings.database][AUDIT]
    books.update_one({"about.case": f"{JIANGSU}/v2"}, {"$set": {"about.reason": "none"}})
    page = (await auditor.get(ALL, params={"officer": "eve"})).body
    assert [each["about"]["case"][-2:] for each in page["entries"]] == ["v4", "v3", "v1", "v0"]
    assert page["broken"] == 1
    books.update_many({"about.officer": "eve"}, {"$set": {"about.reason": "none"}})
    refused(await auditor.get(ALL, params={"officer": "eve"}), 409, "stored_broken")
    books.delete_many({"about.officer": "eve"})


async def test_what_a_peer_calls_a_case_is_no_key_of_another(auditor: Caller, node: Node):
    await noted(node, 1, "peer.overstepped", case=f"{JIANGSU}/y1|t2026", peer="330000")
    assert await read(auditor, case=f"{JIANGSU}/y1") == []


# The command.


async def test_the_command_shows_and_is_noted(auditor: Caller, node: Node):
    for number in range(3):
        await noted(node, number, officer="carla", case=f"{JIANGSU}/z{number}")
    told = await command(node, "audit", "show", "--officer", "carla", "--until", "2026-03-05", "--limit", "2", "--json")
    assert told.code == 0, told.err
    assert [each["about"]["case"] for each in json.loads(told.out)] == [f"{JIANGSU}/z2", f"{JIANGSU}/z1"]
    notes = [each["about"] for each in await read(auditor, kind="audit.read")]
    assert [each["filter"] for each in notes if each["by"] != "ann"] == ["until=2026-03-05 officer=carla"]


async def test_the_command_says_what_is_wrong(node: Node, capsys: pytest.CaptureFixture[str]):
    unfit = await command(node, "audit", "show", "--officer", "320102199001010011")
    assert (unfit.code, unfit.out) == (1, "")
    assert "320102" not in unfit.err
    for words in (("show", "--kind", "case.eaten"), ("show", "--since", "yesterday"), ("show", "--limit", "0"), ()):
        with pytest.raises(SystemExit) as caught:
            cli.run(["audit", *words])
        assert caught.value.code == 2
        assert "usage:" in capsys.readouterr().err


@pytest.mark.soak
async def test_the_command_verifies_and_names_what_is_missing(auditor: Caller, node: Node, database_sweeper: Sweeper):
    await noted(node, 7, officer="gone")
    unchained = await command(node, "audit", "verify")
    assert (unchained.code, "unchained audit:" in unchained.out) == (1, True), unchained.err
    while await chaining.chain(node, "audit"):
        pass
    whole = await command(node, "audit", "verify", "--json")
    assert (whole.code, json.loads(whole.out)[0]["troubles"]) == (0, 0), whole.out
    gone = database_sweeper[node.settings.database][AUDIT].find_one_and_delete({"about.officer": "gone"})
    assert gone
    told = await command(node, "audit", "verify")
    assert told.code == 1
    assert f"missing {gone['_id']}: link " in told.out


async def test_the_command_archives_nothing_that_is_young(node: Node, tmp_path: Path):
    told = await command(node, "audit", "archive", str(tmp_path / "file"))
    assert (told.code, told.out) == (0, "nothing is older than 184 days\n"), told.err
    assert not (tmp_path / "file").exists()


async def test_every_kind_says_what_it_means(capsys: pytest.CaptureFixture[str]):
    assert list(MEANINGS) == sorted(get_args(AuditKind))
    assert cli.run(["audit", "kinds"]) == 0
    assert capsys.readouterr().out.count("\n| `") == len(MEANINGS)
