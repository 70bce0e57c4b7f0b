"""The page behind the QR code: what it tells to whoever holds a paper, and that it tells nobody else anything."""

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pymongo
import pytest

from server.domain.case.papers import PaperAsked
from tests.http.asking import PERSONAL, opened
from tests.http.conftest import module_wide
from tests.http.paper_making import MakerHere, done, giving_papers, made
from tests.nodes import Answer, Caller, HandClock, Places, newborn_wish
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
NEAR = "birth_certificate"


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory,
    database_uri: str,
    database_sweeper: pymongo.MongoClient[dict[str, Any]],
) -> AsyncIterator[Places]:
    async with giving_papers(tmp_path_factory.mktemp("giving"), database_uri, database_sweeper) as places:
        yield places


@module_wide
async def case(places: Places, mother: Caller, health: Caller) -> str:
    """A case whose first step was accepted, with its papers made."""
    case = await opened(places, mother, await newborn_wish(mother))
    await done(health, case, NEAR, "receive", "accept")
    await made(places, MakerHere())
    return case


async def path_of(places: Places, case: str, kind: str) -> str:
    """What the QR code of this paper opens."""
    record = await places.nodes[JIANGSU].node.store.cases.case(case)
    return next(
        urlsplit(each.address).path
        for each in record.events
        if isinstance(each, PaperAsked) and each.paper_kind == kind
    )


async def asked(places: Places, path: str) -> Answer:
    """What anybody is answered."""
    return await places.caller().get(path)


async def test_whoever_holds_a_paper_is_told_what_it_says_and_that_it_counts(places: Places, case: str):
    answer = await asked(places, await path_of(places, case, "acceptance"))
    page = answer.body.decode()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    for told in ("受理通知书", "受字〔2026〕1号", "测***", "2026年11月23日", "目前有效", "已受理", "写的是以上内容吗"):
        assert told in page
    assert not [each for each in PERSONAL if each in page], "the holder's name is masked, and no number is told"
    assert "<script" not in page
    assert "viewport" in page
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Cache-Control"] == "no-store"


async def test_the_address_says_nothing_of_a_person_or_a_case(places: Places, case: str):
    assert re.fullmatch(r"/check/[A-Z2-7]{16}/[A-Z2-7]{26}", await path_of(places, case, "acceptance"))


async def test_a_wrong_key_an_unknown_id_and_a_paper_not_made_are_answered_alike(
    places: Places, case: str, mother: Caller, health: Caller
):
    path = await path_of(places, case, "acceptance")
    other = await opened(places, mother, await newborn_wish(mother))
    await done(health, other, NEAR, "receive", "accept")
    unmade = await path_of(places, other, "acceptance")
    wrong = [path[:-1] + ("A" if path[-1] != "A" else "B"), path.replace("/check/", "/check/A")[:24], unmade]
    wrong += ["/check/AAAAAAAAAAAAAAAA/" + path.rpartition("/")[2], path.rpartition("/")[0] + "/%E5%90%8D"]
    answers = [await asked(places, each) for each in wrong if each.count("/") == 3]
    assert {(each.status, each.body) for each in answers} == {(404, answers[0].body)}
    assert "查无此件" in answers[0].body.decode()
    await made(places, MakerHere())
    assert (await asked(places, unmade)).status == 200


async def test_who_cannot_scan_types_the_two_codes_that_stand_on_the_paper(places: Places, case: str):
    form = await asked(places, "/check")
    page = form.body.decode()
    assert (form.status, form.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert form.headers["Content-Security-Policy"].endswith("form-action 'self'")
    assert '<form method="get" action="/check">' in page
    assert "<script" not in page
    path = await path_of(places, case, "acceptance")
    scanned = await asked(places, path)
    assert scanned.headers["Content-Security-Policy"].endswith("form-action 'none'")
    _, _, id, key = path.split("/")
    spaced = " ".join(key[first : first + 4] for first in range(0, len(key), 4))
    for wish in ({"id": id, "key": key}, {"id": f" {id.lower()} ", "key": spaced.lower().replace("o", "0")}):
        typed = await asked(places, f"/check?{urlencode(wish)}")
        assert (typed.status, typed.body) == (200, scanned.body)
    wrong = await asked(places, f"/check?{urlencode({'id': id, 'key': key[:-1]})}")
    assert wrong.status == 404
    assert '<a href="/check">' in wrong.body.decode()
    assert (await asked(places, "/check?id=%24ne&key=x")).status == 404


async def test_a_paper_of_what_was_withdrawn_only_tells_what_was(places: Places, mother: Caller, health: Caller):
    case = await opened(places, mother, await newborn_wish(mother))
    await done(health, case, NEAR, "receive", "accept")
    assert (await mother.post(f"/api/v1/cases/{case}/withdrawal")).status == 200
    await made(places, MakerHere())
    accepted = (await asked(places, await path_of(places, case, "acceptance"))).body.decode()
    assert "现为“已撤回”" in accepted
    assert "目前有效" not in accepted
    assert "目前有效" in (await asked(places, await path_of(places, case, "withdrawal"))).body.decode()


async def test_who_finds_nothing_again_and_again_has_to_wait_and_then_may_go_on(places: Places, case: str):
    nothing = "/check/AAAAAAAAAAAAAAAA/AAAAAAAAAAAAAAAAAAAAAAAAAA"
    clock = places.nodes[JIANGSU].node.clock
    assert isinstance(clock, HandClock)
    for _ in range(40):
        answer = await asked(places, nothing)
        if answer.status == 429:
            break
        assert answer.status == 404
    assert answer.status == 429
    assert "核验过于频繁" in answer.body.decode()
    assert (await asked(places, await path_of(places, case, "acceptance"))).status == 429
    clock.wait(seconds=int(answer.headers["Retry-After"]))
    assert (await asked(places, await path_of(places, case, "acceptance"))).status == 200
