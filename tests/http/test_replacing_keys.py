"""Both ring keys of a node are replaced after a whole birth, and with the new ones alone everything is still there."""

import argparse
import stat
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from handlers.routes import DOORS
from regions.evidence import check_receipts
from server import keying, main
from server.crypto.keyring import load_keys
from server.desk.background import case_verifying, key_renewing, verifying
from server.domain.audit import AuditKind
from server.domain.identity import Held, KeyLost
from server.domain.keys import KeyInUse, KeysOfADrill, KeyWalk, NoSuchKey
from server.node import Node
from server.store.rings import WRAPPED, Place
from tests.http import whole_story
from tests.http.asking import Sweeper
from tests.http.conftest import module_wide, nodes_of_a_module
from tests.http.test_on_record import noted
from tests.nodes import Caller, HandClock, Places, data_of
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
KINDS: tuple[AuditKind, ...] = ("key.added", "key.chosen", "key.retired")
RINGS = ("fields", "integrity")
OLD, NEW = [{ring: f"{JIANGSU}-{ring}-{number}" for ring in RINGS} for number in (1, 2)]
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory, database_uri: str, database_sweeper: Sweeper, clock: HandClock
) -> AsyncIterator[Places]:
    """Two nodes after a whole birth."""
    more = dict.fromkeys(("access_token_seconds", "desk_session_seconds", "desk_idle_seconds"), 2_592_000)
    folder = tmp_path_factory.mktemp("nodes")
    async with nodes_of_a_module(folder, database_uri, database_sweeper, clock=clock, **more) as places:
        await whole_story.tell(places)
        await places.officer("health", name="careful")
        store = places.nodes[JIANGSU].node.store
        await store.second_factors.plant(await store.accounts.account("careful"), SECRET)
        yield places


@asynccontextmanager
async def restarted(places: Places) -> AsyncIterator[Node]:
    """A process that has just started, with the keys that the key file has now."""
    before = places.nodes[JIANGSU].node
    async with main.opened(before.settings, clock=before.clock, data=data_of(before.settings)) as node:
        yield node


async def command(places: Places, ask: Any, **chosen: Any) -> list[str]:
    async with restarted(places) as node:
        return list((await ask(node, argparse.Namespace(**chosen))).lines)


def silent(_what: str, _number: int) -> None: ...


async def walked(places: Places, *, is_only_told: bool = True) -> KeyWalk:
    async with restarted(places) as node:
        return await key_renewing.walk(node, is_only_told=is_only_told, tell=silent)


def under(walk: KeyWalk) -> dict[str, int]:
    """How many stand under each key."""
    return {each.key: sum(each.stands.values()) for each in walk.keys}


def wrapped_in(value: Any, key: str, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """The paths at which a data key stands that this key wrapped, without places in lists."""
    if isinstance(value, dict):
        return {found for name, inner in value.items() for found in wrapped_in(inner, key, (*path, name))}
    if isinstance(value, list):
        return {found for inner in value for found in wrapped_in(inner, key, path)}
    is_wrapped = isinstance(value, str) and value.startswith(f"{key}.") and path[-1:] != ("proof",)
    return {path} if is_wrapped else set()


def path_of(place: Place) -> tuple[str, ...]:
    return (*place.within, place.member)


async def test_the_table_names_all_places_at_which_wrapped_keys_stand(places: Places, database_sweeper: Sweeper):
    stands: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for running in places.nodes.values():
        database, key = database_sweeper[running.node.settings.database], running.node.keys.fields.current
        for name in database.list_collection_names():
            stands[name].update(*(wrapped_in(document, key) for document in database[name].find()))
    told = {name: {path_of(place) for place in held} for name, held in WRAPPED.items()}
    waiting = {("effects", each, "data_key") for each in ("letter", "fetch", "issue")}
    fleeting = {"cases": waiting, "licences": waiting}
    assert {name: found for name, found in stands.items() if found - told.get(name, set())} == {}
    missing = {name: paths - stands[name] - fleeting.get(name, set()) for name, paths in told.items()}
    assert {name: paths for name, paths in missing.items() if paths} == {}


async def test_keys_are_replaced_and_nothing_is_lost(
    places: Places, node: Node, mother: Caller, database_sweeper: Sweeper
):
    path = node.settings.keys_file
    before, secrets = path.read_bytes(), load_keys(path).check_values()
    shown = {each: (await mother.get(each)).body for each in ("/api/v1/cases", "/api/v1/drafts", "/api/v1/mandates")}
    first = await walked(places)
    assert (first.old, first.broken, set(under(first))) == (0, 0, set(OLD.values()))
    for ring in RINGS:
        await command(places, keying._add, ring=ring)
        with pytest.raises(KeyInUse, match="current key"):
            await command(places, keying._retire, key=OLD[ring])
        await command(places, keying._use, key=NEW[ring])
        with pytest.raises(KeyInUse, match=r"is still needed, by \d+ in \w+"):
            await command(places, keying._retire, key=OLD[ring])
    told = await walked(places)
    assert told.old > 100
    done = await walked(places, is_only_told=False)
    assert (done.renewed >= told.old, done.moved, done.broken) == (True, 0, 0)
    left = under(await walked(places))
    assert {key: left[key] for key in OLD.values()} == dict.fromkeys(OLD.values(), 0)
    both = path.read_bytes()
    for ring in RINGS:
        await command(places, keying._retire, key=OLD[ring])
    assert load_keys(path).check_values().keys() - secrets.keys() == {f"{ring}:{key}" for ring, key in NEW.items()}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await everything_is_there(places, shown, mother)
    said = {kind: {each["about"]["key"] for each in noted(node, database_sweeper, kind)} for kind in KINDS}
    assert said == {"key.added": {*NEW.values()}, "key.chosen": {*NEW.values()}, "key.retired": {*OLD.values()}}
    last = path.read_bytes()
    path.write_bytes(both)  # as a machine has it that was forgotten
    assert (await walked(places)).broken == 0
    path.write_bytes(before)
    with pytest.raises(KeyLost, match=NEW["fields"]):
        await walked(places)
    path.write_bytes(last)


async def everything_is_there(places: Places, shown: dict[str, Any], mother: Caller) -> None:
    """With the keys that are left everything opens and is proven, and the doors show what they showed."""
    last = await walked(places)
    assert (last.old, last.broken, set(under(last))) == (0, 0, set(NEW.values()))
    async with restarted(places) as node:
        found = await case_verifying.verify_cases(node, tell=verifying.silent)
        assert {each.trouble for each in found.findings} <= {"unlogged"}
        assert (await verifying.verify(node)).troubles == 0
        assert (await check_receipts(node)).verified
        server, port = main.listen(node, places.nodes[JIANGSU].in_flight, doors=DOORS, port=0)
        caller = Caller(places.http, f"http://127.0.0.1:{port}", mother.token)
        for path, before in shown.items():
            assert (await caller.get(path)).body == before
        case = shown["/api/v1/cases"]["cases"][0]["id"]
        assert (await caller.get(f"/api/v1/cases/{case}")).status == 200
        assert (await caller.upload()).status == 201
        await main.stop_listening(server, places.nodes[JIANGSU].in_flight, 5.0)


async def test_nobody_changes_keys_from_a_drill(places: Places, monkeypatch: pytest.MonkeyPatch):
    """It shares the key file with the node, and its database tells nothing of what the node needs."""
    async with restarted(places) as node:
        held = await node.store.identity.held()
        assert held is not None
        monkeypatch.setattr(node.store.identity, "held", lambda: as_drill(held))
        before = node.settings.keys_file.read_bytes()
        for ask, chosen in ((keying._add, {"ring": "fields"}), (keying._use, {"key": node.keys.fields.current})):
            with pytest.raises(KeysOfADrill):
                await ask(node, argparse.Namespace(**chosen))
        assert node.settings.keys_file.read_bytes() == before


async def as_drill(held: Held) -> Held:
    return held.model_copy(update={"use": "drill"})


async def test_nothing_is_retired_that_is_not_there(places: Places):
    with pytest.raises(NoSuchKey, match=r"no ring of .* has a key 320000-fields-9"):
        await command(places, keying._retire, key="320000-fields-9")
