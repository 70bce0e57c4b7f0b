"""Papers that cases give: asked for with the move, made afterwards, told to the home, and opened by who may."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pymongo
import pytest

from regions import apart
from server.desk.background import making_papers
from server.desk.background.case_papers import papers_amiss
from server.desk.background.erasing import erase
from server.desk.background.making_papers import PaperUnfit, make_papers
from server.domain.audit import Doer
from server.domain.case.erasure import CaseNotErasable
from server.domain.case.papers import PaperAsked
from server.domain.errors import Unavailable
from server.domain.papers.numbers import RunName
from server.domain.spoken_numbers import in_groups
from tests.http.asking import opened, pointers, refused
from tests.http.conftest import module_wide
from tests.http.paper_making import MakerHere, done, giving_papers, made, papers_of, row_of
from tests.http.peer_questions import FAR, Books, far_case, picture
from tests.http.test_finding_cases import GROUPS
from tests.nodes import Caller, HandClock, Places, newborn_wish
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
NEAR = "birth_certificate"
Sweeper = pymongo.MongoClient[dict[str, Any]]


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory, database_uri: str, database_sweeper: Sweeper
) -> AsyncIterator[Places]:
    async with giving_papers(tmp_path_factory.mktemp("giving"), database_uri, database_sweeper) as places:
        yield places


@pytest.fixture
def maker() -> MakerHere:
    return MakerHere()


async def accepted(places: Places, mother: Caller, health: Caller) -> str:
    """A case whose first step has just been accepted."""
    case = await opened(places, mother, await newborn_wish(mother))
    await done(health, case, NEAR, "receive", "accept")
    return case


async def test_a_paper_is_asked_for_with_its_move_and_made_afterwards(
    places: Places, maker: MakerHere, mother: Caller, health: Caller
):
    ready = (await mother.get("/ready")).body
    assert (ready["papers"], ready["signing"]) == ("asked", "not_set_up")
    case = await accepted(places, mother, health)
    asked = (await papers_of(mother, case, step=NEAR))["acceptance"]
    assert (asked["title"], asked["number"], asked["is_made"]) == ("受理通知书", "", False)
    assert asked["spoken_number"] == ""
    path = f"/api/v1/cases/{case}/papers/{asked['id']}"
    refused(await mother.get(path), 409, "paper_still_coming")
    await made(places, maker)
    given = (await papers_of(mother, case, step=NEAR))["acceptance"]
    said = given["spoken_number"]
    assert GROUPS.fullmatch(said)
    assert given == {
        **asked,
        "number": f"{asked['authority']}受字〔2026〕1号",
        "spoken_number": said,
        "is_made": True,
    }
    assert [each.data.frame.spoken_number for each in maker.made if each.data.frame.check_code == asked["id"]] == [said]
    assert (await mother.get(path)).body.startswith(b"%PDF-1.7 " + asked["id"].encode())
    told = (await mother.get(f"/api/v1/cases/{case}/timeline")).body["timeline"]
    assert not [each for each in told if each["act"] == "ask_paper"]
    words = {each["words"]: each["by"] for each in told if each["act"] == "make_paper"}
    assert words[f"{given['authority']}出具《受理通知书》，文号{given['number']}。"] == given["authority"]


async def test_only_who_may_open_a_paper_does_and_an_officers_look_is_noted(
    places: Places, maker: MakerHere, mother: Caller, health: Caller, audit: Books
):
    case = await accepted(places, mother, health)
    await made(places, maker)
    papers = await papers_of(mother, case, step=NEAR)
    path = f"/api/v1/cases/{case}/papers/{papers['acceptance']['id']}"
    refused(await (await places.citizen("stranger")).get(path), 404, "no_such_case")
    refused(await mother.get(f"/api/v1/cases/{case}/papers/ABCDEFGHIJKLMNOP"), 404, "no_such_paper")
    desk = path.replace("/api/", "/desk/")
    assert (await (await places.officer("medical_insurance_bureau")).get(desk)).status in (403, 404)
    refused(await health.get(f"/desk/v1/cases/{case}/papers/ABCDEFGHIJKLMNOP"), 404, "no_such_paper")
    assert (await health.get(desk)).body == (await mother.get(path)).body
    [note] = audit.notes(places.nodes[JIANGSU].node, "paper.read", case=f"{JIANGSU}/{case}")
    assert note["reason"] == f"decides {NEAR}"
    shown = (await health.get(f"/desk/v1/cases/{case}")).body
    assert [each["id"] for each in shown["papers"]] == [each["id"] for each in papers.values()]


async def test_a_paper_is_found_by_the_number_that_is_read_out_from_it(
    places: Places, maker: MakerHere, mother: Caller, health: Caller, database_sweeper: Sweeper
):
    case = await accepted(places, mother, health)
    await made(places, maker)
    paper = (await papers_of(mother, case, step=NEAR))["acceptance"]
    said = paper["spoken_number"]
    shown = {each["id"]: each for each in (await health.get(f"/desk/v1/cases/{case}")).body["papers"]}
    assert shown[paper["id"]]["spoken_number"] == said
    found = await health.post("/desk/v1/searches", {"kind": "number", "text": said})
    assert ([each["id"] for each in found.body["cases"]], found.body["licences"]) == ([case], [])
    members = ("id", "step", "kind", "title", "number", "spoken_number")
    assert found.body["cases"][0]["papers"] == [{name: paper[name] for name in members}]
    by_case = await health.post("/desk/v1/searches", {"kind": "number", "text": found.body["cases"][0]["number"]})
    assert [(each["id"], each["papers"]) for each in by_case.body["cases"]] == [(case, [])]
    for other in (await places.officer("medical_insurance_bureau"), await places.officer("public_security", ZHEJIANG)):
        answer = await other.post("/desk/v1/searches", {"kind": "number", "text": said})
        assert (answer.status, answer.body["cases"]) == (200, [])
    slip = said[:-1] + str((int(said[-1]) + 1) % 10)
    problem = refused(await health.post("/desk/v1/searches", {"kind": "number", "text": slip}), 422, "clue_unfit")
    assert pointers(problem) == {"/text": "spoken_number_check"}
    database = database_sweeper[places.nodes[JIANGSU].node.settings.database]
    kept = {name: str(list(database[name].find({}))) for name in database.list_collection_names()}
    assert paper["id"] in kept["papers"]
    assert [name for name, text in kept.items() if said in text or said.replace(" ", "") in text] == []


async def test_without_numbers_a_paper_is_made_all_the_same(
    places: Places, maker: MakerHere, mother: Caller, health: Caller, monkeypatch: pytest.MonkeyPatch
):
    async def no_place() -> int:
        return 0

    case = await accepted(places, mother, health)
    monkeypatch.setattr(places.nodes[JIANGSU].node.store.numbers, "take_beside", no_place)
    await made(places, maker)
    paper = (await papers_of(mother, case, step=NEAR))["acceptance"]
    assert (paper["is_made"], paper["spoken_number"]) == (True, "")


async def test_a_paper_of_another_province_is_told_and_opened_at_home(
    places: Places, maker: MakerHere, mother: Caller, police: Caller, audit: Books
):
    case = await far_case(places, mother, picture(600, "papers"))
    await places.settle()
    await done(police, f"{JIANGSU}:{case}", FAR, "receive", "accept")
    await places.settle()
    assert not await papers_of(mother, case, step=FAR), "the home is told once it is made"
    places.is_fetching = False
    await made(places, maker)
    given = (await papers_of(mother, case, step=FAR))["acceptance"]
    assert (given["is_made"], given["spoken_number"]) == (True, ""), "no letter carries it"
    path = f"/api/v1/cases/{case}/papers/{given['id']}"
    refused(await mother.get(path), 409, "paper_still_coming")
    places.is_fetching = True
    await places.settle()
    theirs = await police.get(f"/desk/v1/cases/{JIANGSU}:{case}/papers/{given['id']}")
    assert (await mother.get(path)).body == theirs.body
    notes = audit.notes(places.nodes[ZHEJIANG].node, "content.served", case=f"{JIANGSU}/{case}")
    assert {note["reason"] for note in notes} == {f"home of the paper of {FAR}"}


async def test_without_what_it_needs_a_paper_waits_and_is_made_later(
    places: Places, maker: MakerHere, mother: Caller, health: Caller, database_sweeper: Sweeper
):
    case = await accepted(places, mother, health)
    asked = (await papers_of(mother, case, step=NEAR))["acceptance"]

    def stands() -> tuple[Any, ...]:
        row = row_of(places.nodes[JIANGSU].node, database_sweeper, asked["id"])
        return row["failures"], row["reason"], row["outcome"]

    maker.lacking = ("the font is missing",)
    await made(places, maker)
    assert stands() == (0, "", "")
    maker.lacking, maker.wants_seals = (), True
    await made(places, maker)
    assert stands() == (1, "no seal", "")
    maker.wants_seals = False
    clock = places.nodes[JIANGSU].node.clock
    assert isinstance(clock, HandClock)
    clock.wait(seconds=60)
    await made(places, maker)
    assert stands() == (1, "", "made")
    assert (await papers_of(mother, case, step=NEAR))["acceptance"]["is_made"]


@pytest.mark.parametrize("cut", ["after its number", "before its file is kept", "before it is noted", "at the end"])
async def test_killed_anywhere_a_paper_is_recorded_once_under_one_number(
    places: Places, maker: MakerHere, mother: Caller, health: Caller, monkeypatch: pytest.MonkeyPatch, cut: str
):
    node = places.nodes[JIANGSU].node
    await made(places, maker)
    case = await accepted(places, mother, health)
    asked = (await papers_of(mother, case, step=NEAR))["acceptance"]

    async def killed(*_: Any, **__: Any) -> Any:
        raise Unavailable("killed")

    place: tuple[Any, str] = {
        "after its number": (making_papers, "_filed"),
        "before its file is kept": (node.store.materials, "keep_content"),
        "before it is noted": (making_papers, "_note"),
        "at the end": (making_papers, "_end"),
    }[cut]
    with monkeypatch.context() as broken:
        broken.setattr(*place, killed)
        for _ in range(2):
            with pytest.raises(Unavailable):
                await make_papers(node, maker)
    clock = node.clock
    assert isinstance(clock, HandClock)
    clock.wait(minutes=10)
    await made(places, maker)
    record = await node.store.cases.case(case)
    assert [each.act_id for each in record.events].count(f"paper:{asked['id']}") == 1
    kept = await node.store.papers.find(asked["id"])
    paper = record.case.paper(asked["id"])
    assert kept
    assert paper
    assert paper.file
    assert paper.file == kept.file
    printed = {each.data.frame.spoken_number for each in maker.made if each.data.frame.check_code == asked["id"]}
    assert printed == {in_groups(paper.spoken_number)}, "on each file that was begun"
    assert paper.spoken_number == node.store.numbers.of(kept.place) != ""
    run = await node.store.papers.runs.move(
        RunName(authority=asked["authority"], word="受", year=2026), lambda run: run
    )
    assert (paper.file.number, run.open) == (f"{asked['authority']}受字〔2026〕{run.last}号", {})
    assert (await mother.get(f"/api/v1/cases/{case}/papers/{asked['id']}")).status == 200


async def test_two_workers_make_each_paper_once_and_give_no_number_twice(
    places: Places, maker: MakerHere, mother: Caller, health: Caller
):
    node = places.nodes[JIANGSU].node
    await made(places, maker)
    cases = [await accepted(places, mother, health) for _ in range(3)]
    await asyncio.gather(*(make_papers(node, maker) for _ in range(3)), return_exceptions=True)
    await made(places, maker)
    papers = [(await papers_of(mother, case, step=NEAR))["acceptance"] for case in cases]
    for name in ("number", "spoken_number"):
        numbers = [each[name] for each in papers]
        assert len(set(numbers)) == 3
        assert all(numbers)


async def test_what_is_sealed_is_what_the_event_has_the_digest_of_or_nothing_is(
    places: Places, maker: MakerHere, mother: Caller, health: Caller
):
    node = places.nodes[JIANGSU].node
    record = await node.store.cases.case(await accepted(places, mother, health))
    [asked] = [each for each in record.events if isinstance(each, PaperAsked) and each.paper_kind == "acceptance"]
    data = await making_papers.told(node, record, asked)
    assert (data.frame.check_code, data.frame.recipient) == (asked.paper, "测试母亲")
    with pytest.raises(PaperUnfit):
        await making_papers.told(node, record, asked.model_copy(update={"data_digest": "ab" * 32}))


async def test_a_process_that_only_asks_for_papers_says_so(places: Places):
    answer = await places.caller().get("/ready")
    assert (answer.body["papers"], answer.body["papers_lack"]) == ("asked", [])


async def test_verifying_cases_finds_what_was_never_asked_so_and_a_file_that_is_gone(
    places: Places, maker: MakerHere, mother: Caller, health: Caller, monkeypatch: pytest.MonkeyPatch
):
    node = places.nodes[JIANGSU].node
    case = await accepted(places, mother, health)
    await made(places, maker)

    async def amiss() -> set[str]:
        return {each.trouble async for each in papers_amiss(node, await node.store.cases.case(case))}

    assert await amiss() == set()
    with monkeypatch.context() as other:
        other.setattr("server.domain.paperwork.telling.HOTLINE", "110")
        assert await amiss() == {"paper_unfit"}
    given = next(each.file for each in (await node.store.cases.case(case)).case.given_papers if each.file)
    address = node.keys.material(given.sha256)
    whole = await node.store.materials.content(address)
    await node.store.materials.forget_contents([address])
    assert await amiss() == {"paper_missing"}
    await node.store.materials.keep_content(address, whole + b"more")
    assert await amiss() == {"paper_altered"}
    await node.store.materials.forget_contents([address])
    await node.store.materials.keep_content(address, whole)


async def test_an_erased_case_leaves_nothing_of_its_papers(
    places: Places, maker: MakerHere, mother: Caller, health: Caller, database_sweeper: Sweeper
):
    node = places.nodes[JIANGSU].node
    case = await accepted(places, mother, health)
    assert (await mother.post(f"/api/v1/cases/{case}/withdrawal")).status == 200
    await places.settle()
    by = Doer(name="operator")
    with pytest.raises(CaseNotErasable, match="文书"):
        await erase(node, case, by=by, reason="超过保存期限")
    await made(places, maker)
    given = (await node.store.cases.case(case)).case.given_papers
    assert {each.paper_kind for each in given} >= {"acceptance", "withdrawal"}
    digests = [node.keys.clue("number", each.spoken_number) for each in given]
    assert [await node.store.clues.cases(each, limit=2) != {} for each in digests] == [True] * len(given)
    assert (await erase(node, case, by=by, reason="超过保存期限")).papers == len(given)
    addresses = [node.keys.material(each.file.sha256) for each in given if each.file]
    assert await node.store.materials.missing(addresses) == set(addresses)
    assert not [each for each in given if await node.store.papers.find(each.id)]
    assert [await node.store.clues.cases(each, limit=2) for each in digests] == [{}] * len(given)


async def test_a_paper_that_nobody_can_make_is_set_apart_and_dropped_with_its_number_explained(
    places: Places, maker: MakerHere, mother: Caller, health: Caller, monkeypatch: pytest.MonkeyPatch
):
    node = places.nodes[JIANGSU].node
    await made(places, maker)
    case = await accepted(places, mother, health)
    asked = (await papers_of(mother, case, step=NEAR))["acceptance"]
    clock = node.clock
    assert isinstance(clock, HandClock)

    async def broken(_: Any) -> bytes:
        raise ValueError("no such text")

    with monkeypatch.context() as other:
        other.setattr(maker, "content", broken)
        for _ in range(14):
            await made(places, maker)
            await apart.release_due(node)
            clock.wait(minutes=12)
    row = await apart.shown(node, f"paper:{asked['id']}")
    assert row.state == "apart"
    assert (await health.get(f"/desk/v1/cases/{case}")).status == 200, "it holds up nothing else"
    await apart.drop(node, row.id, by=Doer(name="operator"), reason="made by hand")
    run = await node.store.papers.runs.move(
        RunName(authority=asked["authority"], word="受", year=2026), lambda run: run
    )
    assert run.unused == {str(run.last): "dropped"}
    assert asked["id"] not in run.open
