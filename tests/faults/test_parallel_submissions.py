"""However many equal submissions come at once, and wherever, there is one case and one answer."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from handlers import routes
from handlers.in_flight import InFlight
from server import main
from tests.faults.books import Client, all_of
from tests.nodes import Answer, Caller, Places, data_of, newborn_wish, running_nodes
from tests.world import JIANGSU

MANY = 50
ROUNDS = 6


@asynccontextmanager
async def served_twice(places: Places) -> AsyncIterator[str]:
    """A second server of the same node, as a second process would be; its base URL."""
    settings = places.nodes[JIANGSU].node.settings
    async with main.opened(settings, data=data_of(settings)) as node:
        in_flight = InFlight()
        server, port = main.listen(node, in_flight, doors=routes.DOORS, port=0)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            await main.stop_listening(server, in_flight, 5.0)


async def submissions(callers: list[Caller], wishes: list[dict[str, Any]], keys: list[str]) -> list[Answer]:
    """One submission of each wish under its key, all at once, spread over the callers."""
    asked = zip(wishes, keys, strict=True)
    return await asyncio.gather(
        *(callers[place % len(callers)].post("/api/v1/cases", wish, key=key) for place, (wish, key) in enumerate(asked))
    )


async def everyone(places: Places, stack: AsyncExitStack) -> list[Caller]:
    """One citizen, who calls both servers of his node."""
    mother = await places.citizen()
    second = await stack.enter_async_context(served_twice(places))
    return [mother, Caller(mother.http, second, mother.token)]


def written(answer: Answer) -> tuple[int, Any, str | None]:
    """What a citizen can tell of an answer."""
    return answer.status, answer.body, answer.headers.get("Location")


async def test_fifty_equal_submissions_are_one_case_with_fifty_equal_answers(
    tmp_path: Path, database_uri: str, database_name: str, database_sweeper: Client
):
    async with AsyncExitStack() as stack:
        places = await stack.enter_async_context(running_nodes(tmp_path, database_uri, database_name))
        callers = await everyone(places, stack)
        wish = await newborn_wish(callers[0])
        answers = await submissions(callers, [wish] * MANY, ["the-same-key"] * MANY)
        assert answers[0].status == 201, answers[0]
        assert [written(answer) for answer in answers] == [written(answers[0])] * MANY
        stored = all_of(database_sweeper, places.nodes[JIANGSU].node, "cases")
        assert [case["_id"] for case in stored] == [answers[0].body["id"]]


async def test_fifty_keys_are_fifty_cases(
    tmp_path: Path, database_uri: str, database_name: str, database_sweeper: Client
):
    async with AsyncExitStack() as stack:
        places = await stack.enter_async_context(running_nodes(tmp_path, database_uri, database_name))
        callers = await everyone(places, stack)
        wish = await newborn_wish(callers[0])
        answers = await submissions(callers, [wish] * MANY, [f"key-{number}" for number in range(MANY)])
        assert {answer.status for answer in answers} == {201}
        stored = all_of(database_sweeper, places.nodes[JIANGSU].node, "cases")
        assert [case["_id"] for case in stored] == sorted(answer.body["id"] for answer in answers)
        assert len(stored) == MANY


async def test_of_two_bodies_under_one_key_exactly_one_wins(
    tmp_path: Path, database_uri: str, database_name: str, database_sweeper: Client
):
    async with AsyncExitStack() as stack:
        places = await stack.enter_async_context(running_nodes(tmp_path, database_uri, database_name))
        callers = await everyone(places, stack)
        one = await newborn_wish(callers[0])
        other = {**one, "form": {**one["form"], "child_name": "另一个宝宝"}}
        chance = random.Random(1)  # noqa: S311 # the order of arrival
        won = []
        for number in range(ROUNDS):
            wishes = [one, other] * (MANY // 2)
            chance.shuffle(wishes)
            answers = await submissions(callers, wishes, [f"contested-{number}"] * MANY)
            won.append(check_one_winner(wishes, answers))
        stored = all_of(database_sweeper, places.nodes[JIANGSU].node, "cases")
        assert [case["_id"] for case in stored] == sorted(won)


def check_one_winner(wishes: list[dict[str, Any]], answers: list[Answer]) -> str:
    """All who wished the same as the winner got his answer, all others were told so; the id of the case."""
    winner = next(place for place, answer in enumerate(answers) if answer.status == 201)
    for wish, answer in zip(wishes, answers, strict=True):
        if wish == wishes[winner]:
            assert written(answer) == written(answers[winner])
        else:
            assert (answer.status, answer.code) == (409, "idempotency_key_reused")
    return str(answers[winner].body["id"])
