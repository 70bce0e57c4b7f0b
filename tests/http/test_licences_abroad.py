"""Licences that another province issues: the home is told by letter each time, and shows how they stand."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from regions import licence_checks
from regions.answering import admit_query, announced_query
from regions.evidence import check_receipts
from regions.questions import PeerNotReached
from server.desk.background import clockwork
from server.domain.exchange.letters import About, Letter
from server.domain.exchange.wire import NoAnswer, WireAnswer, WireRequest
from server.domain.licence.telling import LICENCE, LICENCE_TOLD, ToldLicence
from server.node import Node
from tests.http.asking import Sweeper, act, opened, refused
from tests.http.conftest import module_wide
from tests.http.licensing import CARD, WHY
from tests.http.peer_questions import Books
from tests.http.test_erasing import erase, stored
from tests.http.test_modes import timeline
from tests.nodes import MOTHER, Caller, Places, newborn_wish
from tests.world import GUANGDONG, JIANGSU, ZHEJIANG, person

pytestmark = pytest.mark.asyncio(loop_scope="module")
STEP = "household_registration"
CHILD = person("测试宝宝", born="20261102", sequence="016")


@module_wide
async def places(three: Places) -> Places:
    """Three nodes under a clock that stands still."""
    return three


async def registered(places: Places, mother: Caller, police: Caller) -> str:
    """A case whose household registration Zhejiang has approved, with the number that the child got."""
    case = await opened(places, mother, await newborn_wish(mother))
    await places.decide(case, "birth_certificate", department="health")
    for name in ("receive", "accept", "approve"):
        said = {"result": {"child_id_number": CHILD.id_number}} if name == "approve" else None
        answer = await police.post(act(f"{JIANGSU}:{case}", STEP, name), said)
        assert answer.status == 200, answer.body
    return case


async def electronic(mother: Caller, case: str) -> dict[str, Any]:
    """The register's electronic licence, as the applicant at home is told of it."""
    results = (await mother.get(f"/api/v1/cases/{case}")).body["results"]
    return dict(next(each["electronic"] for each in results if each["step"] == STEP))


async def test_the_home_is_told_of_a_licence_and_of_its_revocation(places: Places, mother: Caller, police: Caller):
    case = await registered(places, mother, police)
    await places.settle()
    there = places.nodes[ZHEJIANG].node
    licence = (await there.store.cases.case(f"{JIANGSU}:{case}")).case.step(STEP).electronic
    told = await electronic(mother, case)
    assert (told["identifier"], told["state"], told["state_name"]) == (licence, "valid", "有效")
    assert told["known_at"]
    assert f"电子证照标识 {licence}，有效（据浙江省告知）。" in [each["words"] for each in await timeline(mother, case)]
    path = f"/api/v1/licences/{licence}"
    assert (await mother.get(path)).body["node_name"] == "浙江省"
    assert (await mother.get(path)).body["number"] == "", "no letter carries it"
    assert (await police.get(f"/desk/v1/licences/{licence}")).body["number"].startswith("33")
    assert licence in [each["identifier"] for each in (await mother.get("/api/v1/licences")).body["licences"]]
    refused(await (await places.citizen("stranger")).get(path), 404, "never_issued")
    revoked = await police.post(f"/desk/v1/licences/{licence}/revoke", {**WHY, "cause": "rescinded"})
    assert revoked.status == 200, revoked.body
    assert (await mother.get(path)).body["stands"]["state"] == "valid", "the letter is on its way"
    await places.settle()
    stands = (await mother.get(path)).body["stands"]
    assert (stands["state_name"], stands["state_code"], stands["reason"]) == ("已撤销", "03", WHY["reason"])
    assert (await electronic(mother, case))["state"] == "revoked"
    home = places.nodes[JIANGSU].node
    waiting = [each.notice for each in await home.store.notices.due(home.clock.now(), limit=500)]
    states = [each.values["state"] for each in waiting if each.person == home.keys.owner("person", MOTHER.id_number)]
    assert states[-2:] == ["已颁发", "已撤销"]
    assert not await there.store.notices.due(there.clock.now(), limit=9), "only the home tells people"


async def test_the_home_follows_a_licence_to_its_next_version(places: Places, mother: Caller, police: Caller):
    case = await registered(places, mother, police)
    await places.settle()
    first = (await electronic(mother, case))["identifier"]
    answer = await police.post(f"/desk/v1/licences/{first}/correct", {**WHY, "face": {}})
    assert answer.status == 200, answer.body
    await places.settle()
    told = await electronic(mother, case)
    assert (told["identifier"], told["state"]) == (answer.body["successor"], "valid")
    view = (await mother.get(f"/api/v1/licences/{told['identifier']}")).body
    assert (view["previous"], view["node"]) == (first, ZHEJIANG)
    refused(await mother.get(f"/api/v1/licences/{first}"), 404, "never_issued")
    mine = [each["identifier"] for each in (await mother.get("/api/v1/licences")).body["licences"]]
    assert (first in mine, mine.count(told["identifier"])) == (False, 1)


async def test_a_letter_says_nothing_of_who_holds_the_licence(places: Places, mother: Caller, police: Caller):
    case = await registered(places, mother, police)
    await places.settle()
    there = places.nodes[ZHEJIANG].node
    licence = (await there.store.cases.case(f"{JIANGSU}:{case}")).case.step(STEP).electronic
    value = (await there.store.licences.one(licence)).value
    assert value.numbers == {CHILD.id_number}
    told = ToldLicence.of(value)
    assert told
    text = told.model_dump_json()
    assert CHILD.id_number not in text
    assert CHILD.name not in text


def letter_of(told: dict[str, Any], *, sender: str = GUANGDONG, **change: Any) -> Letter:
    """A letter of another node that tells of a licence."""
    said: dict[str, Any] = {
        "id": "ab" * 32,
        "sender": sender,
        "to": JIANGSU,
        "after": None,
        "about": About(kind=LICENCE, name=told["identifier"], part=None),
        "kind": LICENCE_TOLD,
        "at": "2026-11-23T04:00:00.000Z",
        "salt": "x" * 22,
        "body": told,
    }
    return Letter(**(said | change))


async def test_nobody_but_its_decider_tells_of_a_licence_of_a_step(places: Places, mother: Caller, police: Caller):
    case = await registered(places, mother, police)
    await places.settle()
    there, foreign = places.nodes[ZHEJIANG].node, places.nodes[GUANGDONG].node
    licence = (await there.store.cases.case(f"{JIANGSU}:{case}")).case.step(STEP).electronic
    told = ToldLicence.of((await there.store.licences.one(licence)).value)
    assert told
    body = {**told.model_dump(mode="json"), "state": "revoked", "cause": "rescinded", "version": 9}
    await foreign.store.letters_out.answer(letter_of(body))
    await places.settle()
    assert (await electronic(mother, case))["state"] == "valid"
    (dead,) = await foreign.store.letters_out.dead(peer="", limit=9)
    assert dead.reason == "not_our_step"


async def test_what_is_known_of_a_licence_goes_with_its_case(
    places: Places, mother: Caller, police: Caller, health: Caller, database_sweeper: Sweeper
):
    case = await registered(places, mother, police)
    await places.settle()
    licence = (await electronic(mother, case))["identifier"]
    assert (await mother.post(f"/api/v1/cases/{case}/withdrawal")).status == 200
    for officer, id, step in ((health, case, "birth_certificate"), (police, f"{JIANGSU}:{case}", STEP)):
        assert (await officer.post(act(id, step, "deliver"), {"delivery": {"method": "window"}})).status == 200
    await places.settle()
    done = await erase(places, case)
    assert done.known_licences == 1
    home = places.nodes[JIANGSU].node
    assert await home.store.clues.cases(home.keys.clue("licence", licence), limit=1) == {}
    assert licence not in [each["identifier"] for each in (await mother.get("/api/v1/licences")).body["licences"]]
    refused(await mother.get(f"/api/v1/licences/{licence}"), 404, "never_issued")
    assert (await places.nodes[ZHEJIANG].node.store.licences.one(licence)).value.state == "valid"
    about = {"about": f"licence:{licence}"}
    (letter,) = stored(places, database_sweeper, "letters_in", about)
    assert ("erased_at" in letter, "text" in letter) == (True, False)
    batches = stored(places, database_sweeper, "log", {"_id": {"$regex": "^in"}})
    (kept,) = [each for batch in batches for each in batch["letters"] if each["about"] == about["about"]]
    assert "text" not in kept
    assert (await check_receipts(home)).verified


CHECKS = "/desk/v1/licence-checks"


async def test_an_officer_asks_the_node_that_issued_a_licence_how_it_stands(
    places: Places, mother: Caller, police: Caller, health: Caller, audit: Books
):
    case = await registered(places, mother, police)
    await places.settle()
    home, there = places.nodes[JIANGSU].node, places.nodes[ZHEJIANG].node
    licence = (await electronic(mother, case))["identifier"]
    asked = {"identifier": licence, "node": ZHEJIANG, "reason": "办理其他事项时核验"}
    refused(await mother.post(CHECKS, asked), 401, "wrong_audience")
    nobody = await places.officer("health", name="nobody", roles=())
    refused(await nobody.post(CHECKS, asked), 403, "not_your_post")
    refused(await health.post(CHECKS, {**asked, "identifier": licence[:-1] + "!"}), 422, "not_an_identifier")
    refused(await health.post(CHECKS, {**asked, "node": "650000"}), 404, "node_unknown")
    refused(await health.post(CHECKS, {**asked, "node": GUANGDONG}), 404, "never_issued")
    refused(await health.post(CHECKS, {**asked, "node": JIANGSU}), 404, "never_issued")
    told = await health.post(CHECKS, asked)
    assert (told.status, told.body["state_name"], told.body["is_good"]) == (200, "有效", True)
    assert set(told.body) == {"identifier", "node", "node_name", "on", "state", "state_name", "is_good", "since"}
    assert (await police.post(f"/desk/v1/licences/{licence}/suspend", WHY)).status == 200
    told = await health.post(CHECKS, asked)
    assert (told.body["state"], told.body["is_good"]) == ("suspended", False), "at once, whatever letter is on its way"
    name = f"licences/{licence}"
    noted = audit.notes(home, "licence.checked", officer="health", case=name, peer=ZHEJIANG)
    assert len(noted) == 2
    uses = await home.store.licence_uses.of_licence(licence, limit=10)
    assert {(each.officer, each.purpose) for each in uses.values()} == {("health", "办理其他事项时核验")}
    assert not [each for each in noted if "reason" in each], "what an officer writes stands sealed"
    assert len(audit.notes(there, "licence.answered", peer=JIANGSU, case=name)) == 2
    await places.settle()


class CutWire:
    """A wire over which nothing comes back."""

    async def send(self, _request: WireRequest) -> WireAnswer:
        raise NoAnswer("unreachable")


class LyingWire:
    """A wire to a node that signs what it says of another licence than the one that was asked for."""

    def __init__(self, liar: Node, other: str) -> None:
        self.liar, self.other = liar, other

    async def send(self, request: WireRequest) -> WireAnswer:
        path = urlsplit(request.url).path
        announced = announced_query(self.liar, path=path, query="", headers=request.headers)
        proven = await admit_query(self.liar, announced, b"")
        reply = await licence_checks.tell_standing(self.liar, proven, self.other)
        return WireAnswer(reply.status, dict(reply.headers), reply.body)


async def test_a_node_that_does_not_answer_or_of_another_licence_says_nothing(
    places: Places, mother: Caller, police: Caller
):
    case, other = await registered(places, mother, police), await registered(places, mother, police)
    await places.settle()
    licence, another = [(await electronic(mother, each))["identifier"] for each in (case, other)]
    node, there = places.nodes[JIANGSU].node, places.nodes[ZHEJIANG].node
    assert (await licence_checks._asked(node, ZHEJIANG, licence)).state == "valid"
    for wire in (CutWire(), LyingWire(there, another)):
        with pytest.raises(PeerNotReached):
            await licence_checks._asked(replace(node, wire=wire), ZHEJIANG, licence)


async def test_the_home_reminds_of_the_last_day_of_a_licence_of_another_province(
    places: Places, mother: Caller, police: Caller
):
    """By what a letter would tell of a licence that ends; twice is once."""
    case = await registered(places, mother, police)
    await places.settle()
    home = places.nodes[JIANGSU].node
    id, soon = f"{case}:{STEP}", home.clock.now() - timedelta(hours=1)
    (known,) = (await home.store.known_licences.find([id])).values()
    ending = {"kind": CARD, "expires_on": date(2026, 12, 5), "version": 2, "effective_on": date(2026, 9, 5)}
    known = known.model_copy(update={"told": known.told.model_copy(update=ending)})
    assert await home.store.known_licences.keep(known, alarm=soon)
    for _ in range(2):
        await clockwork.tick(home)
    waiting = [each.notice for each in await home.store.notices.due(home.clock.now(), limit=500)]
    person = home.keys.owner("person", MOTHER.id_number)
    found = [each for each in waiting if (each.person, each.template) == (person, "reminder")]
    assert [each.values["state"] for each in found if known.told.identifier in each.id] == ["即将到期"]
    document = await home.store.database.bare.get("known_licences", id)
    assert document
    assert document["alarm"] == "done"
