"""What stands plain in a database is what docs/privacy.md says, and no more: no person of the story among it."""

import base64
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from server.domain.case.papers import PaperFile
from tests.http import whole_story
from tests.http.asking import PERSONAL, Sweeper, act, opened
from tests.http.conftest import module_wide, nodes_of_a_module
from tests.http.paper_making import MakerHere, made
from tests.nodes import MOTHER, HandClock, Places, newborn_form, newborn_wish
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = Path(__file__).parents[2] / "docs/privacy.md"
MONTH_SECONDS = 2_592_000
WRAPPED_KEY = re.compile(r"\d{6}-fields-\d+\.[\w-]{80}")
SEAL_CHARACTERS = 38  # a nonce and a tag, and nothing in between
DIGEST, SIGNATURE = 43, 86  # characters of what is no seal: it can be compared
NAMED_BY_VALUES = (
    "checks",
    "threads",
    "states",
    "versions",
    "open",
)  # whose members are called by key ids, nodes, and so on
EXAMPLE = newborn_form()["mobile"]  # stands in the catalogue as an example
WANTED = sorted(PERSONAL - {EXAMPLE} | {*whole_story.PERSONAL})
Story = dict[str, list[dict[str, Any]]]


@module_wide
async def story(
    tmp_path_factory: pytest.TempPathFactory, database_uri: str, database_sweeper: Sweeper, clock: HandClock
) -> AsyncIterator[tuple[Story, Path]]:
    """All documents of both nodes after the story, by collection, and the folder that holds their data."""
    folder = tmp_path_factory.mktemp("nodes")
    more = dict.fromkeys(("access_token_seconds", "desk_session_seconds", "desk_idle_seconds"), MONTH_SECONDS)
    async with nodes_of_a_module(
        folder, database_uri, database_sweeper, clock=clock, seals_folder=folder / "none", **more
    ) as places:
        await whole_story.tell(places)
        await made(places, MakerHere())
        mother, health = await places.citizen("mother"), await places.officer("health")
        await opened(places, mother, await newborn_wish(mother))  # papers were the last of all cases before
        case = await opened(places, mother, await newborn_wish(mother))
        assert (await health.post(act(case, "birth_certificate", "receive"))).status == 200
        await made(places, MakerHere(wants_seals=True))
        await _signed(places)
        yield documents(places, database_sweeper), folder


async def _signed(places: Places) -> None:
    """A row as it stands while what a tenant has signed is kept; nobody of the story signs anything."""
    node = places.nodes[JIANGSU].node
    node.clock.wait(days=1)  # type: ignore[attr-defined]
    [row] = await node.store.papers.due(node.clock.now(), limit=2)
    file = PaperFile(sha256="ab" * 32, size=1, number="1")
    assert await node.store.papers.move(row, until=node.clock.now(), signed=file)


def documents(places: Places, sweeper: Sweeper) -> Story:
    found: Story = {}
    for running in places.nodes.values():
        database = sweeper[running.node.settings.database]
        for name in database.list_collection_names():
            found.setdefault(name, []).extend(database[name].find())
    return found


def is_sealed(value: Any) -> bool:
    """Whether nothing can be told of a value: the bytes of its base64url are no text, and it is no digest."""
    if not isinstance(value, str):
        return False
    if WRAPPED_KEY.fullmatch(value):
        return True
    if len(value) < SEAL_CHARACTERS or len(value) in (DIGEST, SIGNATURE) or not re.search("[A-Z]", value):
        return False
    data = decoded(value)
    return bool(data) and not is_text(data)


def decoded(value: str) -> bytes:
    """The bytes of base64 in either alphabet; empty if it is none."""
    if not re.fullmatch(r"[\w+/-]+=*", value, re.ASCII):
        return b""
    try:
        return base64.urlsafe_b64decode(value.replace("+", "-").replace("/", "_").rstrip("=") + "==")
    except ValueError:
        return b""


def is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def plain(value: Any, path: str) -> Iterator[str]:
    """The paths of all that is not sealed; the places in a list are one path."""
    if isinstance(value, dict) and value.keys() != {"~"}:
        for name, inner in value.items():
            name = "*" if path in NAMED_BY_VALUES else name
            yield from plain(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from plain(inner, f"{path}[]")
    elif not isinstance(value, dict) and not is_sealed(value) and value not in ("", None):
        yield path


def texts(value: Any) -> Iterator[str]:
    """All texts, names of members included."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    else:
        yield str(value)


def told_on_the_page() -> dict[str, set[str]]:
    """The members that the page's table says stand plain, by collection."""
    told: dict[str, set[str]] = {}
    for collection, members in re.findall(r"^\| `(\w+)` \| ([^|]*) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        told.setdefault(collection, set()).update(re.findall(r"`([^`]+)`", members))
    return told


def files_told() -> list[str]:
    """The files that the page names, as patterns below the data folder."""
    _, _, rows = PAGE.read_text(encoding="utf-8").partition("## Files")
    return re.findall(r"^\| `([^`]+)` \|", rows, re.MULTILINE)


def persons_in(text: str) -> list[str]:
    """Whose data stands in a text, as it is or in base64."""
    decodings = [decoded(word).decode(errors="replace") for word in re.findall(r"[\w+/-]{12,}=*", text, re.ASCII)]
    return [each for each in WANTED if any(each in one for one in (text, *decodings))]


async def test_each_paper_of_the_story_could_be_made(story: tuple[Story, Path]):
    waiting = [each["reason"] for each in story[0]["papers"] if each["key"] != "ended"]
    assert len(story[0]["papers"]) > 10
    assert waiting == ["no seal"]


async def test_the_page_tells_every_member_that_stands_plain_and_no_other(story: tuple[Story, Path]):
    found, told = story[0], told_on_the_page()
    stands = {name: {path for each in all for path in plain(each, "")} for name, all in found.items()}
    assert {name for name, all in found.items() if not all} == set(), "the story leaves nothing in these"
    assert {name: stands[name] - told.get(name, set()) for name in stands if stands[name] - told.get(name, set())} == {}
    assert {name: told[name] - stands.get(name, set()) for name in told if told[name] - stands.get(name, set())} == {}


async def test_no_person_of_the_story_is_found_in_the_databases(story: tuple[Story, Path]):
    faults = [(name, person) for name, all in story[0].items() for each in texts(all) for person in persons_in(each)]
    assert faults == []


async def test_no_person_is_found_in_the_files_and_each_file_is_told(story: tuple[Story, Path]):
    for division in ("320000", "330000"):
        folder = story[1] / division
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert files
        for path in files:
            place = path.relative_to(folder)
            assert any(place.match(pattern) for pattern in files_told()), place
            assert persons_in(path.read_bytes().decode(errors="replace")) == [], place


@pytest.mark.parametrize("value", [MOTHER.name, base64.b64encode(f"x {MOTHER.name} y".encode()).decode()])
async def test_a_name_that_stood_there_would_be_found(value: str):
    assert persons_in(f"before {value} after") == [MOTHER.name]
    assert list(plain({"a": [{"b": value}], "c": ""}, "")) == ["a[].b"]
