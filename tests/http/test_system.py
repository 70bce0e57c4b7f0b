"""The system administrator sees how the node stands, no secret and no case, and has what was set apart tried anew."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from regions.overview import SettingsShown
from server.desk.apart import set_apart
from server.domain.apart import PAUSES
from server.domain.release import VERSION
from server.node import Node
from server.store.format import NUMBER
from server.tools.settings import SECRETS, Settings
from tests.http.asking import PERSONAL, Sweeper, opened, pointers, refused
from tests.http.conftest import module_wide
from tests.nodes import Caller, Places
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
STATE, APART = "/desk/v1/system", "/desk/v1/system/apart"
SECRET = "320000199001010011 测试母亲"


@module_wide
async def system(places: Places) -> Caller:
    return await places.administrator("system", "sys")


def texts(value: Any) -> Iterator[str]:
    """All texts and numbers of an answer."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)
    else:
        yield str(value)


# Who else comes in is asked in test_administrators.py.


async def test_a_retry_without_a_reason_or_of_nothing_is_refused(system: Caller, node: Node, database_sweeper: Sweeper):
    await set_apart(node, "alarm", "unreasoned", fault=ValueError())
    for body in ({}, {"reason": " "}, {"reason": "x" * 501}):
        answer = await system.post(f"{APART}/alarm:unreasoned/retry", body)
        assert "/reason" in pointers(refused(answer, 422, "body_faulty"))
    for id in ("alarm:none", "nothing", "2026-11-23", "%00"):
        refused(await system.post(f"{APART}/{id}/retry", {"reason": "已修复"}), 404, "nothing_apart")
    books = database_sweeper[node.settings.database]["audit"]
    assert books.count_documents({"kind": "apart.retried"}) == 0


async def test_the_state_of_the_node_stands_in_one_view(system: Caller, node: Node):
    told = (await system.get(STATE)).body
    assert (told["division"], told["version"], told["data_format"]) == (JIANGSU, VERSION, NUMBER)
    assert told["catalogue_version"] == node.catalogue.version
    assert told["directory_version"] == node.directory.version
    assert told["calendar"]["known_to"] == node.published.calendar.known_to.isoformat()
    peers = {each["peer"]: each for each in told["peers"]}
    assert set(peers) == {peer.node for peer in node.directory.peers_of(JIANGSU)}
    assert (peers[ZHEJIANG]["breaker"], peers[ZHEJIANG]["backlog"], peers[ZHEJIANG]["lag_seconds"]) == ("closed", 0, 0)
    assert told["settings"]["desk_totp"] == node.settings.desk_totp


async def test_what_is_set_apart_is_counted_by_kind(system: Caller, node: Node):
    before = {each["kind"]: each for each in (await system.get(STATE)).body["apart"]}
    assert "rung" not in before
    await set_apart(node, "rung", "once", fault=ValueError(SECRET))
    counted = {each["kind"]: each for each in (await system.get(STATE)).body["apart"]}
    assert counted["rung"] == {"kind": "rung", "apart": 0, "again": 1}
    assert set(before) <= set(counted)


async def test_no_secret_no_path_and_nobody_stands_in_the_view(
    places: Places, system: Caller, node: Node, mother: Caller, wish: dict[str, Any]
):
    case = await opened(places, mother, wish)
    await set_apart(node, "effects", case, fault=ValueError(SECRET))
    state, apart = (await system.get(STATE)).body, (await system.get(APART)).body
    shown = orjson.dumps([state, apart]).decode()
    secret = {node.settings.platform_app_secret.get_secret_value(), node.settings.mongodb_uri, node.settings.database}
    secret |= {str(value) for name, value in node.settings if name.endswith(("_file", "_folder"))}
    keys = {each for each in texts(orjson.loads(node.settings.keys_file.read_bytes())) if len(each) >= 40}
    assert len(keys) >= 6
    secret |= keys
    assert not [each for each in secret | PERSONAL | set(SECRET.split()) if each in shown]
    assert case not in set(texts(state))
    assert not SECRETS & set(texts([list(state["settings"])]))


async def test_a_setting_that_is_shown_is_no_secret_and_no_address():
    shown = set(SettingsShown.model_fields)
    assert shown <= set(Settings.model_fields)
    assert not shown & SECRETS
    assert not [name for name in shown if name.endswith(("_uri", "_url", "_file", "_folder", "_key", "_secret"))]


async def test_a_thing_set_apart_is_tried_anew_and_that_is_on_record(
    system: Caller, node: Node, database_sweeper: Sweeper
):
    await set_apart(node, "alarm", "some/thing", fault=KeyError(SECRET))
    row = await node.store.apart.find("alarm:some/thing")
    assert row
    stuck = row.model_copy(update={"state": "apart", "tries": len(PAUSES) + 1, "version": row.version + 1})
    assert await node.store.apart.put(stuck)
    line = next(each for each in (await system.get(APART)).body["apart"] if each["id"] == "alarm:some/thing")
    assert (line["state"], line["fault"], line["kind"]) == ("apart", "KeyError", "alarm")
    retried = await system.post(f"{APART}/alarm:some%2Fthing/retry", {"reason": " 已升级 "})
    assert (retried.status, retried.body["state"], retried.body["tries"]) == (200, "released", 0)
    (note,) = database_sweeper[node.settings.database]["audit"].find({"about.id": "alarm:some/thing"})
    assert (note["kind"], note["about"]["by"], note["about"]["reason"]) == ("apart.retried", "sys", "已升级")
