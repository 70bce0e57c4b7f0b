"""Old versions of the catalogue are read when a case of theirs is looked at, and not before."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import bson
import pymongo
import pytest
from pymongo.monitoring import CommandListener, CommandStartedEvent, CommandSucceededEvent

from server.domain.errors import CatalogueNotAtHand, NotAuthentic
from server.store import catalogues
from server.tools.settings import Settings
from tests.catalogue.shipped import copy_small
from tests.nodes import Answer, Caller, Places, newborn_wish, running_node, running_nodes
from tests.world import JIANGSU

OLD, OTHERS, NOW = "2026.9", 30, "2027.1"
BEFORE, SINCE = "母亲户口簿首页", "户口簿（母亲）"


class Reads(CommandListener):
    """Which catalogues were read whole, and how many bytes of that collection came."""

    def __init__(self) -> None:
        self.whole: list[str] = []
        self.bytes = 0

    def started(self, event: CommandStartedEvent) -> None:
        pass

    def succeeded(self, event: CommandSucceededEvent) -> None:
        cursor = event.reply.get("cursor", {})
        if str(cursor.get("ns", "")).endswith(".catalogues") and "firstBatch" in cursor:
            self.bytes += len(bson.encode({"batch": cursor["firstBatch"]}))
            self.whole += [document["_id"] for document in cursor["firstBatch"] if "text" in document]

    def failed(self, event: Any) -> None:
        pass


@dataclass
class Kept:
    """A node with many versions in its database, to be started with the newest; a case of the oldest, and its view."""

    settings: Settings
    case: str
    token: str
    view: dict[str, Any]
    reads: Reads = field(default_factory=Reads)

    @asynccontextmanager
    async def started(self) -> AsyncIterator[tuple[Places, Caller]]:
        async with aiohttp.ClientSession() as http:
            places = Places(http)
            async with running_node(self.settings, listeners=[self.reads]) as running:
                places.nodes[JIANGSU] = running
                yield places, Caller(http, running.base_url, self.token)

    async def look(self, citizen: Caller) -> Answer:
        return await citizen.get(f"/api/v1/cases/{self.case}")


@pytest.fixture
async def kept(tmp_path: Path, database_uri: str, database_name: str) -> Kept:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        copy_small(folder)
    text = (new / "catalogue.toml").read_text(encoding="utf-8")
    (new / "catalogue.toml").write_text(text.replace(OLD, NOW), encoding="utf-8")
    materials = (new / "materials/newborn.toml").read_text(encoding="utf-8")
    (new / "materials/newborn.toml").write_text(materials.replace(BEFORE, SINCE), encoding="utf-8")
    async with running_nodes(tmp_path, database_uri, database_name, catalogue_folder=old) as places:
        node, citizen = places.nodes[JIANGSU].node, await places.citizen()
        case = (await citizen.post("/api/v1/cases", await newborn_wish(citizen))).body["id"]
        view = (await citizen.get(f"/api/v1/cases/{case}")).body
        for number in range(OTHERS):  # as the program before has kept them: without what stands beside them now
            await node.store.catalogues.keep(node.catalogue.model_copy(update={"version": f"2020.{number}"}))
        settings = node.settings.model_copy(update={"catalogue_folder": new})
    return Kept(settings, case, citizen.token, view)


def kept_in(sweeper: pymongo.MongoClient[dict[str, Any]], name: str) -> Any:
    return sweeper[f"{name}_{JIANGSU}"]["catalogues"]


async def test_a_start_reads_no_old_version_and_a_look_at_a_case_reads_its_own(kept: Kept):
    async with kept.started():
        # Once: what they said of their fields stood nowhere else. Its own is at hand.
        assert set(kept.reads.whole) == {f"version:2020.{number}" for number in range(OTHERS)}
    kept.reads = Reads()
    async with kept.started() as (places, citizen):
        assert set(kept.reads.whole) == {f"version:{NOW}"}
        at_start = kept.reads.bytes
        seen = await kept.look(citizen)
        assert (seen.status, seen.body) == (200, kept.view)
        assert kept.reads.whole[-1] == f"version:{OLD}"
        read = len(kept.reads.whole)
        assert (await kept.look(citizen)).body == kept.view
        assert len(kept.reads.whole) == read
        assert at_start < 3 * (kept.reads.bytes - at_start)  # about the one in force, and not thirty of them
        assert BEFORE in str(seen.body)
        assert SINCE not in str(seen.body)
        assert SINCE in places.nodes[JIANGSU].node.catalogue.model_dump_json()


async def test_a_case_whose_catalogue_is_gone_is_refused_by_name(
    kept: Kept, database_sweeper: pymongo.MongoClient[dict[str, Any]], database_name: str
):
    async with kept.started() as (_, citizen):
        kept_in(database_sweeper, database_name).delete_one({"_id": f"version:{OLD}"})
        refused = await kept.look(citizen)
        assert (refused.status, refused.code) == (409, "catalogue_lost")


async def test_a_case_whose_catalogue_was_altered_is_refused_by_name(
    kept: Kept, database_sweeper: pymongo.MongoClient[dict[str, Any]], database_name: str
):
    async with kept.started() as (_, citizen):
        room = kept_in(database_sweeper, database_name)
        text = room.find_one({"_id": f"version:{OLD}"})["text"]
        room.update_one({"_id": f"version:{OLD}"}, {"$set": {"text": text.replace(BEFORE, SINCE)}})
        refused = await kept.look(citizen)
        assert (refused.status, refused.code) == (409, "stored_broken")


async def test_few_versions_stay_in_memory_and_none_is_taken_for_another(kept: Kept, monkeypatch: pytest.MonkeyPatch):
    async with kept.started() as (places, _):
        node = places.nodes[JIANGSU].node
        room, asked = node.store.catalogues, [f"2020.{number}" for number in range(OTHERS)]
        with pytest.raises(CatalogueNotAtHand):
            node.catalogue_of(OLD)
        await room.load(asked)
        assert {node.catalogue_of(version).version for version in asked} == set(asked)  # whoever has loaded one gets it
        monkeypatch.setattr(catalogues, "SPARED_SECONDS", 0.0)
        await room.load([OLD])
        assert len(room._at_hand) == catalogues.MOST_AT_HAND
        with pytest.raises(CatalogueNotAtHand):
            node.catalogue_of(asked[0])


async def test_a_version_that_was_never_published_goes_by_the_one_in_force_until_it_is(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
):
    async with kept.started() as (places, _):
        node = places.nodes[JIANGSU].node
        for version in ("2028.1", "2028\0"):
            await node.store.catalogues.load([version])
            assert node.catalogue_of(version) is node.catalogue
        await node.store.catalogues.keep(node.catalogue.model_copy(update={"version": "2028.1"}))
        await node.store.catalogues.load(["2028.1"])
        assert node.catalogue_of("2028.1") is node.catalogue  # for some seconds
        monkeypatch.setattr(catalogues, "ABSENT_SECONDS", 0.0)
        await node.store.catalogues.load(["2028.1"])
        assert node.catalogue_of("2028.1").version == "2028.1"


async def test_what_all_versions_say_of_fields_is_known_after_every_start(kept: Kept):
    async with kept.started() as (places, _):
        node = places.nodes[JIANGSU].node
        gone = node.catalogue.fields[0].model_copy(update={"code": "gone_since", "type": "date"})
        fields = (*node.catalogue.fields, gone)
        more = node.catalogue.model_copy(update={"version": "2020.99", "fields": fields})
        await node.store.catalogues.keep(more)
    for _ in range(2):
        async with kept.started() as (places, _):
            types = places.nodes[JIANGSU].node.facts().field_types
            assert types["gone_since"] == "date"
            assert types.keys() > {each.code for each in node.catalogue.fields}


async def test_an_altered_version_is_never_told_as_another(
    kept: Kept, database_sweeper: pymongo.MongoClient[dict[str, Any]], database_name: str
):
    async with kept.started() as (places, _):
        node, room = places.nodes[JIANGSU].node, kept_in(database_sweeper, database_name)
        room.update_one({"_id": f"version:{OLD}"}, {"$set": {"text": room.find_one({"_id": f"version:{NOW}"})["text"]}})
        with pytest.raises(NotAuthentic):
            await node.store.catalogues.load([OLD])
        with pytest.raises(CatalogueNotAtHand):
            node.catalogue_of(OLD)
