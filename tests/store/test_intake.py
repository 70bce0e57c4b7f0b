"""Group commit: each waiter gets one true outcome, and what is acknowledged is stored."""

import asyncio
import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from server.domain.errors import OutcomeUnknown, Unavailable
from server.store.aggregates.intake import WAITS_SECONDS, Intake
from server.store.database import Database, Document, UnsafeOperand
from server.store.mongo import MongoDatabase
from server.store.queries import QUERIES
from tests.store.servers import OwnServer
from tests.store.unsteady import AFTER, BEFORE, MISHAPS, NOT_SENT, PARTLY, UNREAD, UNSEEN, WHOLE, Unsteady
from tests.store.witness import Witness

TRIES = 1 + len(WAITS_SECONDS)
ROUNDS = itertools.count()


def case(id: str, request: str = "r", **fields: Any) -> Document:
    return {"_id": id, "version": 1, "request": request, **fields}


async def outcomes_of(intake: Intake, documents: list[Document]) -> list[Document | BaseException]:
    return await asyncio.gather(*(intake.add(one) for one in documents), return_exceptions=True)


async def test_fifty_parallel_equal_adds_make_one_document_and_fifty_equal_answers(
    database: Database, witness: Witness
) -> None:
    intakes = [Intake(database, "cases"), Intake(database, "cases")]  # two processes
    answers = await asyncio.gather(*(intakes[place % 2].add(case("a")) for place in range(50)))
    assert answers == [case("a")] * 50
    assert await database.get("cases", "a") == case("a")
    assert len(witness.named("insert")) == 2


async def test_the_document_that_came_first_is_the_answer(database: Database) -> None:
    intake = Intake(database, "cases")
    assert await intake.add(case("a", "first")) == case("a", "first")
    assert await intake.add(case("a", "second")) == case("a", "first")
    in_one_batch = await asyncio.gather(*(intake.add(case("b", request)) for request in ("x", "y", "z")))
    assert in_one_batch == [case("b", "x")] * 3


async def test_an_idle_intake_sends_at_once_and_a_busy_one_gathers(database: Database, witness: Witness) -> None:
    intake = Intake(database, "cases")
    await asyncio.gather(*(intake.add(case(f"c{place}")) for place in range(66)))
    sizes = [len(one["documents"]) for one in witness.named("insert")]
    assert sorted(sizes) == [1, 1, 64], "two at once, in whatever order their threads come to it"


async def test_batches_keep_their_bounds(database: Database) -> None:
    line = Unsteady(database, [])
    intake = Intake(line, "cases", most_documents=10, most_bytes=5000, most_in_flight=3)
    documents = [case(f"c{place}", body="x" * (place % 7 * 400)) for place in range(100)]
    assert await asyncio.gather(*(intake.add(one) for one in documents)) == documents
    assert max(len(batch) for batch in line.batches) <= 10
    assert max(sum(len(one.get("body", "")) for one in batch) for batch in line.batches) <= 5000
    assert len(line.batches) < 60
    assert line.most_in_flight == 3


async def test_a_document_larger_than_a_batch_goes_alone(database: Database) -> None:
    line = Unsteady(database, [])
    intake = Intake(line, "cases", most_bytes=1000, most_in_flight=1)
    documents = [case("a"), case("b"), case("c", body="x" * 2000), case("d")]
    assert await asyncio.gather(*(intake.add(one) for one in documents)) == documents
    assert [[one["_id"] for one in batch] for batch in line.batches] == [["a"], ["b"], ["c"], ["d"]]


@pytest.mark.parametrize("bad", [b"bytes", float("nan"), "\ud800"], ids=repr)
async def test_an_unsafe_document_is_refused_alone(database: Database, bad: Any) -> None:
    intake = Intake(database, "cases", most_in_flight=1)
    outcomes = await outcomes_of(intake, [case("a"), case("b"), case("c", body=bad), case("d")])
    assert isinstance(outcomes.pop(2), UnsafeOperand)
    assert outcomes == [case("a"), case("b"), case("d")]


async def test_who_gives_up_waiting_harms_nobody(database: Database) -> None:
    intake = Intake(database, "cases", most_in_flight=1)
    waiters = [asyncio.create_task(intake.add(case(f"c{place}"))) for place in range(20)]
    twin = asyncio.create_task(intake.add(case("c7")))
    await asyncio.sleep(0)
    for place in (0, 7, 11):
        waiters[place].cancel()
    outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    assert [isinstance(one, asyncio.CancelledError) for one in outcomes] == [place in (0, 7, 11) for place in range(20)]
    assert [one for one in outcomes if isinstance(one, dict)] == [
        case(f"c{place}") for place in range(20) if place not in (0, 7, 11)
    ]
    assert await twin == case("c7")


async def test_a_drained_intake_has_stored_all_it_took(database: Database) -> None:
    intake = Intake(database, "cases", most_documents=5)
    waiters = [asyncio.create_task(intake.add(case(f"c{place}"))) for place in range(50)]
    await asyncio.sleep(0)
    await intake.drain()
    assert len(await database.get_many("cases", [f"c{place}" for place in range(50)])) == 50
    assert await asyncio.gather(*waiters) == [case(f"c{place}") for place in range(50)]


@pytest.mark.parametrize("mishap", [BEFORE, AFTER, PARTLY, UNREAD, UNSEEN])
async def test_a_batch_of_unknown_outcome_is_sent_again(database: Database, mishap: str) -> None:
    await database.insert("cases", case("b", "earlier"))
    line = Unsteady(database, [WHOLE, mishap])
    intake = Intake(line, "cases", most_in_flight=1)
    answers = await asyncio.gather(*(intake.add(case(id)) for id in "abc"))
    assert answers == [case("a"), case("b", "earlier"), case("c")]
    assert len(line.batches) == 3


@pytest.mark.parametrize("mishap", [BEFORE, AFTER, PARTLY])
async def test_an_outcome_that_stays_unknown_is_told_to_each_waiter(database: Database, mishap: str) -> None:
    line = Unsteady(database, [WHOLE] + [mishap] * TRIES)
    intake = Intake(line, "cases", most_documents=2, most_in_flight=1)
    outcomes = await outcomes_of(intake, [case(id) for id in "abcde"])
    assert outcomes[0] == case("a")
    assert [type(one) for one in outcomes[1:]] == [OutcomeUnknown] * 2 + [Unavailable] * 2
    assert len(line.batches) == 1 + TRIES
    assert await database.get_many("cases", ["d", "e"]) == {}, "those who were turned away were not sent"
    assert await intake.add(case("d")) == case("d")


async def test_what_was_never_sent_is_unavailable_and_what_may_have_been_is_unknown(database: Database) -> None:
    line = Unsteady(database, [NOT_SENT, AFTER, NOT_SENT])
    intake = Intake(line, "cases")
    [first] = await outcomes_of(intake, [case("a")])
    assert type(first) is Unavailable
    assert await database.get("cases", "a") is None
    [second] = await outcomes_of(intake, [case("b")])
    assert type(second) is OutcomeUnknown
    assert await database.get("cases", "b") == case("b")
    assert await intake.add(case("b", "again")) == case("b")


@settings(
    max_examples=25,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # making a failing mix smaller would take longer than a test may
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    wishes=st.lists(st.tuples(st.integers(0, 11), st.sampled_from("xyz"), st.booleans()), min_size=1, max_size=40),
    mishaps=st.lists(st.sampled_from(MISHAPS), max_size=12),
    seed=st.integers(0, 999),
)
async def test_any_mix_of_wishes_on_any_breaking_line_gets_true_outcomes(
    database: Database, wishes: list[tuple[int, str, bool]], mishaps: list[str], seed: int
) -> None:
    mix = next(ROUNDS)
    intake = Intake(Unsteady(database, mishaps, seed=seed), "cases", most_documents=4)
    documents = [case(f"m{mix}-{who}", wish, serial=place) for place, (who, wish, _) in enumerate(wishes)]
    waiters = []
    for document, (_, _, is_slow) in zip(documents, wishes, strict=True):
        waiters.append(asyncio.create_task(intake.add(document)))
        if is_slow:
            await asyncio.sleep(0.001)
    outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    stored = await database.get_many("cases", [f"m{mix}-{who}" for who in range(12)])
    for document, outcome in zip(documents, outcomes, strict=True):
        if isinstance(outcome, dict):
            assert outcome == stored[document["_id"]]
        elif type(outcome) is Unavailable:
            assert stored.get(document["_id"], {}).get("serial") != document["serial"]
        else:
            assert type(outcome) is OutcomeUnknown
    again = await outcomes_of(Intake(database, "cases"), documents)
    now = await database.get_many("cases", [f"m{mix}-{who}" for who in range(12)])
    assert again == [now[document["_id"]] for document in documents]
    assert {id: now[id] for id in stored} == stored


async def test_what_was_acknowledged_is_stored_when_the_server_is_killed_in_the_middle(own_server: OwnServer) -> None:
    database = MongoDatabase.connect(own_server.uri, "killed", queries=QUERIES, timeout_seconds=30.0)
    intake = Intake(database, "cases", most_documents=16)
    documents = [case(f"c{place}", f"r{place}") for place in range(1500)]
    waiters = [asyncio.create_task(intake.add(one)) for one in documents]
    for waiter in itertools.islice(waiters, 300):
        await waiter
    await own_server.kill()
    early = sum(waiter.done() for waiter in waiters)
    assert 300 <= early < 1500, "the kill comes in the middle"
    await own_server.start()
    outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    await database.close()
    fresh = MongoDatabase.connect(own_server.uri, "killed", queries=QUERIES, timeout_seconds=30.0)
    stored = await fresh.get_many("cases", [one["_id"] for one in documents])
    await fresh.close()
    acknowledged = [one for one in outcomes if isinstance(one, dict)]
    assert [stored[one["_id"]] for one in acknowledged] == acknowledged
    assert acknowledged == documents, "the server was back in time: nobody needed to be refused"
