"""A case keeps the catalogue that it was opened under, whatever a new version says."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from server.store.catalogues import CatalogueChanged
from server.tools.settings import Settings
from tests.catalogue.shipped import copy_small
from tests.nodes import Caller, Places, newborn_wish, running_node, running_nodes
from tests.world import JIANGSU, ZHEJIANG

# What the next version says otherwise: file, what stood there, what stands there now.
NEWS = (
    ("catalogue.toml", 'version = "2026.9"', 'version = "2027.1"'),
    ("catalogue.toml", 'disease_control = "疾控"', 'disease_control = "疾控"\narchives = "档案"'),
    ("catalogue.toml", 'public_security = "公安"', 'public_security = "警务"'),
    ("materials/newborn.toml", 'name = "母亲居民身份证"', 'name = "母亲的证件"'),
    ("fields/10-applicant.toml", 'name = "家庭住址"', 'name = "住处"'),
    ("items/public_security.toml", '  { code = "child_id_number", is_required = false },\n', ""),
    (
        "catalogue.toml",
        'held_by = [{ names = ["child_name"], numbers = ["child_id_number"] }] }',
        'held_by = [{ names = ["child_name"] }] }',
    ),
    ("items/health.toml", "promised_days = 1", "promised_days = 1\nvisits = 0"),
)


@pytest.fixture
def versions(tmp_path: Path) -> tuple[Path, Path]:
    """The folders of two versions of a small catalogue."""
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        copy_small(folder)
    for file, before, after in NEWS:
        text = (new / file).read_text(encoding="utf-8")
        assert before in text, (file, before)
        (new / file).write_text(text.replace(before, after, 1), encoding="utf-8")
    return old, new


@asynccontextmanager
async def restarted(settings: list[Settings], folder: Path) -> AsyncIterator[Places]:
    """The same nodes, started again with the catalogue of this folder."""
    async with AsyncExitStack() as stack:
        places = Places(await stack.enter_async_context(aiohttp.ClientSession()))
        for each in settings:
            changed = each.model_copy(update={"catalogue_folder": folder})
            places.nodes[each.division] = await stack.enter_async_context(running_node(changed))
        yield places


async def test_a_case_goes_on_as_it_was_opened_when_the_catalogue_changes(
    tmp_path: Path, versions: tuple[Path, Path], database_uri: str, database_name: str
):
    old, new = versions
    async with running_nodes(tmp_path, database_uri, database_name, catalogue_folder=old) as places:
        citizen = await places.citizen()
        case = (await citizen.post("/api/v1/cases", await newborn_wish(citizen))).body["id"]
        await places.decide(case, "birth_certificate", department="health")
        before = (await citizen.get(f"/api/v1/cases/{case}")).body
        settings = [running.node.settings for running in places.nodes.values()]
    async with restarted(settings, new) as places:
        citizen = Caller(places.http, places.nodes[JIANGSU].base_url, citizen.token)
        after = (await citizen.get(f"/api/v1/cases/{case}")).body
        assert after == before
        assert (await citizen.get("/api/v1/bundles/newborn")).body["catalogue"] == "2027.1"
        assert (await citizen.get("/api/v1/items/household_registration")).body["department_name"] == "警务"
        step = f"{JIANGSU}:{case}/steps/household_registration"
        police = await places.officer("public_security", ZHEJIANG)
        for act in ("receive", "accept"):
            assert (await police.post(f"/desk/v1/cases/{step}/{act}")).status == 200
        refused = await police.post(f"/desk/v1/cases/{step}/approve", {"result": {"child_sex": "female"}})
        assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/result/child_sex")
        number = {"child_id_number": "320000202611010014"}
        approved = await police.post(f"/desk/v1/cases/{step}/approve", {"result": number})
        assert approved.status == 200, approved.body
        await places.settle()
        states = {step["step"]: step["state"] for step in (await citizen.get(f"/api/v1/cases/{case}")).body["steps"]}
        assert states["household_registration"] == "approved"
        assert states["social_security_card"] == "sent"


async def test_a_changed_catalogue_under_an_old_version_starts_no_node(
    tmp_path: Path, versions: tuple[Path, Path], database_uri: str, database_name: str
):
    old, new = versions
    head = (new / "catalogue.toml").read_text(encoding="utf-8")
    (new / "catalogue.toml").write_text(head.replace("2027.1", "2026.9"), encoding="utf-8")
    async with running_nodes(
        tmp_path, database_uri, database_name, catalogue_folder=old, divisions=[JIANGSU]
    ) as places:
        settings = places.nodes[JIANGSU].node.settings
    with pytest.raises(CatalogueChanged, match="give the changed one a new version"):
        async with restarted([settings], new):
            raise AssertionError("it started")
