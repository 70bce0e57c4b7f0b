"""Claims in the store: one of many wins, what is over is found no more, and notes are sealed."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from server.crypto.fields import FieldRing
from server.domain.people.claims import Claim, HandOver
from server.store.database import Database
from server.store.effects.claims import Claims

AT = datetime(2026, 11, 23, 5, 45, tzinfo=UTC)
RING = FieldRing({"k": bytes(32)}, "k")


@pytest.fixture
def claims(database: Database) -> Claims:
    return Claims(database, RING)


def claim(id: str, holder: str = "anna", *, minutes: float = 15, version: int = 1) -> Claim:
    case, _, step = id.rpartition(":")
    lease = {"holder": holder, "until": AT + timedelta(minutes=minutes) if holder else None}
    return Claim(id=id, case=case, step=step, authority="health/320102", version=version, **lease)


async def test_a_claim_comes_back_as_it_was_written(claims: Claims) -> None:
    done = HandOver(by="anna", to="bert", note="已电话核实", at=AT)
    passed = claim("330000:c:first", "bert").model_copy(update={"hand_over": done})
    assert await claims.put(passed)
    assert await claims.claims(["330000:c:first", "c:none", "a\0b"]) == {"330000:c:first": passed}


async def test_what_an_officer_wrote_is_sealed(claims: Claims, database: Database) -> None:
    done = HandOver(by="anna", to="bert", note="已电话核实", at=AT)
    await claims.put(claim("c:first").model_copy(update={"hand_over": done}))
    assert "已电话核实" not in str(await database.get("claims", "c:first"))


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_of_twenty_officers_at_once_one_wins(claims: Claims, version: int) -> None:
    for earlier in range(1, version):
        assert await claims.put(claim("c:first", "", version=earlier))
    tries = [claim("c:first", f"o{place}", version=version) for place in range(20)]
    wins = await asyncio.gather(*(claims.put(each) for each in tries))
    assert wins.count(True) == 1
    assert (await claims.claims(["c:first"]))["c:first"] == tries[wins.index(True)]


async def test_an_officers_live_claims_are_found_and_no_others(claims: Claims) -> None:
    for each in (
        claim("c:live"),
        claim("c:over", minutes=0),
        claim("c:free", ""),
        claim("c:berts", "bert"),
        claim("c:similar", "anna|t"),
        claim("c:longer", "annabel"),
    ):
        assert await claims.put(each)
    assert [each.id for each in await claims.held_by("anna", at=AT, limit=9)] == ["c:live"]
    assert [each.id for each in await claims.held_by("anna|t", at=AT, limit=9)] == ["c:similar"]


@pytest.mark.parametrize("name", ["2026-11-23", "科长", "a|b}", "", "o:x", "a b"])
async def test_whatever_his_name_an_officer_finds_his_claims(claims: Claims, name: str) -> None:
    await claims.put(claim("c:first", name or "x"))
    assert [each.holder for each in await claims.held_by(name or "x", at=AT, limit=9)] == [name or "x"]


async def test_a_released_claim_is_in_nobodys_hands(claims: Claims) -> None:
    await claims.put(claim("c:first"))
    await claims.put(claim("c:first", "", version=2))
    assert await claims.held_by("anna", at=AT, limit=9) == []
    assert await claims.held_by("", at=AT, limit=9) == []
