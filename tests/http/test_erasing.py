"""Erasing a case: what it said is gone and its name is not, and what proves the exchange stands as it stood."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from regions import letters
from regions.evidence import check_receipts
from server.desk.acting import perform_many
from server.desk.background import erasing
from server.domain.aggregate.actors import Actor
from server.domain.audit import Doer
from server.domain.case.acts import Gather
from server.domain.case.case import NoSuchCase
from server.domain.case.erasure import CaseErased, CaseNotErasable, Erasure
from server.domain.exchange.letters import About
from server.node import Node
from tests.http.asking import Sweeper, act, crossed, opened, refused
from tests.http.heads import chained, troubles
from tests.http.test_officers_ended import command
from tests.nodes import MOTHER, Caller, Places
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
OPERATOR = Doer(name="operator")
FIRST = "birth_certificate"


async def erase(places: Places, id: str, division: str = JIANGSU, *, is_only_told: bool = False) -> Erasure:
    node = places.nodes[division].node
    return await erasing.erase(node, id, by=OPERATOR, reason="超过保存期限", is_only_told=is_only_told)


async def over(places: Places, mother: Caller, wish: dict[str, Any]) -> str:
    """The id of a case that was handed to Zhejiang, taken back, and is done with at both nodes."""
    case = await crossed(places, mother, wish)
    assert (await mother.post(f"/api/v1/cases/{case}/withdrawal")).status == 200
    await places.settle()
    health = await places.officer("health")
    delivered = await health.post(act(case, FIRST, "deliver"), {"delivery": {"method": "electronic"}})
    assert delivered.status == 200, delivered.body
    await places.settle()
    return case


def stored(places: Places, sweeper: Sweeper, collection: str, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Documents as they lie in the database of each node."""
    databases = [running.node.settings.database for running in places.nodes.values()]
    return [document for name in databases for document in sweeper[name][collection].find(wanted)]


async def test_a_case_that_goes_on_is_not_erased(places: Places, mother: Caller, wish: dict[str, Any]):
    case = await crossed(places, mother, wish)
    for id, division in ((case, JIANGSU), (f"{JIANGSU}:{case}", ZHEJIANG)):
        with pytest.raises(CaseNotErasable):
            await erase(places, id, division)
    with pytest.raises(NoSuchCase):
        await erase(places, "nobody")
    assert (await mother.get(f"/api/v1/cases/{case}")).status == 200


async def test_what_is_still_to_be_delivered_holds_it_up(places: Places, mother: Caller, wish: dict[str, Any]):
    case = await crossed(places, mother, wish)
    await mother.post(f"/api/v1/cases/{case}/withdrawal")
    await places.settle()
    assert (await mother.get(f"/api/v1/cases/{case}")).body["state"] == "closed"
    with pytest.raises(CaseNotErasable, match="待办"):
        await erase(places, case)


async def test_all_who_ask_for_an_erased_case_are_told_that_it_is_erased(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any], database_sweeper: Sweeper
):
    case = await over(places, mother, wish)
    other = await opened(places, mother, wish)
    told = await erase(places, case, is_only_told=True)
    assert told.erased_at is None
    assert (await mother.get(f"/api/v1/cases/{case}")).status == 200
    done = await erase(places, case)
    assert done.erased_at
    assert done.model_copy(update={"erased_at": None}) == told
    assert (done.letters_out, done.letters_in) == (2, 1)
    assert done.clues > 0
    for answer in (
        await mother.get(f"/api/v1/cases/{case}"),
        await mother.get(f"/api/v1/cases/{case}/timeline"),
        await mother.post(f"/api/v1/cases/{case}/withdrawal"),
        await health.get(f"/desk/v1/cases/{case}"),
        await health.post(act(case, FIRST, "receive")),
    ):
        refused(answer, 404, "case_erased")
    listed = [each["id"] for each in (await mother.get("/api/v1/cases")).body["cases"]]
    assert (case in listed, other in listed) == (False, True)
    found = await health.post("/desk/v1/searches", {"kind": "id_number", "text": MOTHER.id_number}, key=None)
    ids = [each["id"] for each in found.body["cases"]]
    assert (case in ids, other in ids) == (False, True)
    assert stored(places, database_sweeper, "clues", {"case": case}) == []
    assert stored(places, database_sweeper, "apart", {}) == []


async def test_a_repeated_submission_makes_no_second_case(
    places: Places, mother: Caller, wish: dict[str, Any], database_sweeper: Sweeper
):
    first = await mother.post("/api/v1/cases", wish, key="erased-1")
    case = first.body["id"]
    await places.settle()
    assert (await mother.post(f"/api/v1/cases/{case}/withdrawal")).status == 200
    await places.settle()
    await erase(places, case)
    refused(await mother.post("/api/v1/cases", wish, key="erased-1"), 404, "case_erased")
    refused(await mother.post("/api/v1/cases", {**wish, "form": {}}, key="erased-1"), 404, "case_erased")
    assert len(stored(places, database_sweeper, "cases", {"_id": case})) == 1


async def test_the_receipts_prove_all_letters_whose_texts_are_gone(
    places: Places, mother: Caller, wish: dict[str, Any], database_sweeper: Sweeper
):
    case = await over(places, mother, wish)
    before = [await check_receipts(running.node) for running in places.nodes.values()]
    about = f"case:{JIANGSU}/{case}"
    assert len(stored(places, database_sweeper, "letters_in", {"about": about, "text": {"$exists": True}})) == 3
    await erase(places, case)
    await erase(places, f"{JIANGSU}:{case}", ZHEJIANG)
    assert [await check_receipts(running.node) for running in places.nodes.values()] == before
    assert all(each.verified for each in before)
    for name in ("letters_in", "letters_out"):
        for member in ("text", "data_key"):
            assert stored(places, database_sweeper, name, {"about": about, member: {"$exists": True}}) == []
    logged = [entry for entry in stored(places, database_sweeper, "log", {}) if entry["_id"].startswith("in|")]
    bodies = [each for entry in logged for each in entry["letters"] if each["about"] == about]
    assert len(bodies) == 3
    assert not [each for each in bodies if "text" in each or "data_key" in each]
    assert stored(places, database_sweeper, "fetches", {"case": f"{JIANGSU}:{case}"}) == []


async def test_letters_of_other_cases_keep_what_they_say(
    places: Places, mother: Caller, wish: dict[str, Any], database_sweeper: Sweeper
):
    case, other = await over(places, mother, wish), await crossed(places, mother, wish)
    await erase(places, case)
    await places.settle()
    police = await places.officer("public_security", ZHEJIANG)
    assert (await police.get(f"/desk/v1/cases/{JIANGSU}:{other}")).status == 200
    about = {"about": f"case:{JIANGSU}/{other}", "text": {"$exists": False}}
    assert stored(places, database_sweeper, "letters_out", about) == []


async def test_an_erased_letter_is_still_shown_by_what_stands_outside(places: Places, mother: Caller, wish: Any):
    case = await over(places, mother, wish)
    node = places.nodes[JIANGSU].node
    [first, *_] = await node.store.letters_about.ours(f"{JIANGSU}/{case}")
    [before] = await letters.shown(node, first.id)
    await erase(places, case)
    [after] = await letters.shown(node, first.id)
    assert after.model_copy(update={"about": before.about, "digest": before.digest}) == before
    assert (bool(before.digest), after.digest) == (True, "")
    assert after.about == About(kind="case", name=f"{JIANGSU}/{case}", part=None)


async def test_an_erased_case_among_others_holds_none_of_them_up(
    places: Places, mother: Caller, health: Caller, wish: dict[str, Any]
):
    case, other = await over(places, mother, wish), await opened(places, mother, wish)
    await erase(places, case)
    items = [{"case": id, "step": FIRST, "version": 1} for id in (case, other)]
    done = await health.post("/desk/v1/batch", {"act": "receive", "items": items})
    assert done.status == 200, done.body
    node = places.nodes[JIANGSU].node
    acts = {
        id: [Gather(id=f"late:{id}", by=Actor(node=JIANGSU, part="node"), step=FIRST, kept=())] for id in (case, other)
    }
    answers = (await perform_many(node, acts)).answers
    assert isinstance(answers[f"late:{case}"], CaseErased)
    assert not isinstance(answers[f"late:{other}"], CaseErased)


async def test_erasing_twice_erases_what_has_come_since(places: Places, mother: Caller, wish: dict[str, Any]):
    case = await over(places, mother, wish)
    first = await erase(places, case)
    again = await erase(places, case)
    assert again.erased_at == first.erased_at
    assert (again.letters_out, again.letters_in, again.fetches) == (2, 1, 0)


async def test_what_is_erased_is_on_record_with_who_and_why(
    places: Places, mother: Caller, wish: dict[str, Any], node: Node, database_sweeper: Sweeper
):
    case = await over(places, mother, wish)
    await erase(places, case, is_only_told=True)
    about = {"kind": "case.erased", "about.case": f"{JIANGSU}/{case}"}
    assert stored(places, database_sweeper, "audit", about) == []
    await erase(places, case)
    [entry] = stored(places, database_sweeper, "audit", about)
    assert (entry["about"]["by"], entry["about"]["reason"]) == (OPERATOR.name, "超过保存期限")
    assert entry["about"]["person"] == node.keys.owner("person", MOTHER.id_number)


async def test_an_erased_case_alarms_nobody_and_its_older_document_put_back_is_named(
    places: Places, mother: Caller, wish: dict[str, Any], node: Node, database_sweeper: Sweeper
):
    case = await over(places, mother, wish)
    cases = database_sweeper[node.settings.database]["cases"]
    before = cases.find_one({"_id": case})
    await erase(places, case)
    assert case not in await troubles(node), "its head may still be on its way"
    await chained(node)
    assert case not in await troubles(node)
    tombstone = cases.find_one({"_id": case})
    cases.replace_one({"_id": case}, before)
    assert (await troubles(node))[case] == "rolled_back"
    cases.replace_one({"_id": case}, tombstone)


async def test_an_erasure_that_a_crash_kept_from_the_log_is_logged_by_doing_it_again(
    places: Places, mother: Caller, wish: dict[str, Any], node: Node, database_sweeper: Sweeper
):
    case = await over(places, mother, wish)
    await chained(node)
    await erase(places, case)
    heads = database_sweeper[node.settings.database]["heads"]
    heads.delete_many({})
    await erase(places, case)
    assert [each["_id"].partition("|")[0] for each in heads.find()] == [case]
    await chained(node)
    assert case not in await troubles(node)


@pytest.mark.soak  # each command is a process
async def test_the_commands_tell_first_and_then_do(places: Places, mother: Caller, wish: dict[str, Any], node: Node):
    case, other = await over(places, mother, wish), await opened(places, mother, wish)
    words = ("cases", "erase", case, "--reason", "本人申请")
    told = await command(node, *words)
    assert (told.code, "Nothing was changed" in told.out) == (0, True), told.err
    assert (await mother.get(f"/api/v1/cases/{case}")).status == 200
    done = await command(node, *words, "--yes", "--json")
    assert done.code == 0, done.err
    [erasure] = json.loads(done.out)
    assert (erasure["case"], bool(erasure["erased_at"])) == (f"{JIANGSU}/{case}", True)
    assert (await command(node, "cases", "erase", case, "--reason", " ")).code == 2
    assert (await mother.get(f"/api/v1/cases/{other}")).status == 200
