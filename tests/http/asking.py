"""What the tests of the doors ask for again and again: a case, a step of it, and a proper refusal."""

import re
from collections.abc import Mapping
from typing import Any

import orjson
import pymongo

from tests.nodes import CITIZENS, PASSWORD, Answer, Caller, Places, newborn_form
from tests.world import JIANGSU

CHINESE = re.compile(r"[\u4e00-\u9fff]")
Sweeper = pymongo.MongoClient[dict[str, Any]]
PLAIN = ("child_sex", "child_birth_place", "child_birth_date")  # words and examples that any text may hold
PERSONAL = frozenset(
    {PASSWORD, *(value for each in CITIZENS for value in (each.name, each.id_number, each.face_token, each.openid))}
    | {value for code, value in newborn_form().items() if code not in PLAIN}
)


def refused(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """The problem, once it is sure that it is one: its status and code, a Chinese title, and nobody's data."""
    assert (answer.status, answer.body.get("code") if answer.body else None) == (status, code), answer.body
    problem: dict[str, Any] = answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-Id"]
    assert (problem["type"], problem["status"]) == (f"/problems/{code}", status)
    assert CHINESE.search(problem["title"])
    assert all(CHINESE.search(fault["detail"]) for fault in problem.get("errors", ()))
    text = orjson.dumps(problem).decode()
    assert not [each for each in PERSONAL if each in text]
    return problem


def pointers(problem: dict[str, Any]) -> dict[str, str]:
    """The faults of a problem: JSON pointer -> code."""
    return {fault["pointer"]: fault["code"] for fault in problem["errors"]}


async def opened(places: Places, citizen: Caller, wish: dict[str, Any]) -> str:
    """The id of a new case, whose first tasks lie on the desks."""
    answer = await citizen.post("/api/v1/cases", wish)
    assert answer.status == 201, answer.body
    await places.settle()
    return str(answer.body["id"])


async def crossed(places: Places, citizen: Caller, wish: dict[str, Any]) -> str:
    """The id of a new case whose household registration lies on a desk in Zhejiang."""
    case = await opened(places, citizen, wish)
    await places.decide(case, "birth_certificate", department="health", division=JIANGSU)
    return case


async def step_of(citizen: Caller, case: str, step: str) -> dict[str, Any]:
    """How the applicant sees one step of his case."""
    answer = await citizen.get(f"/api/v1/cases/{case}")
    return next(each for each in answer.body["steps"] if each["step"] == step)


async def state_of(citizen: Caller, case: str, step: str) -> str:
    """The state in which the applicant sees it."""
    return str((await step_of(citizen, case, step))["state"])


def looks(places: Places, sweeper: Sweeper, division: str) -> list[dict[str, Any]]:
    """What the audit of a node says of officers' looks, straight from the database."""
    entries = sweeper[places.nodes[division].node.settings.database]["audit"].find({"kind": "case.read"})
    return [entry["about"] for entry in entries]


def act(case: str, step: str, name: str) -> str:
    """The path of a desk's act."""
    return f"/desk/v1/cases/{case}/steps/{step}/{name}"


def in_a_session(about: Mapping[str, str]) -> dict[str, str]:
    """What an entry of the audit says but for session and address, which it must name."""
    rest = dict(about)
    assert (len(rest.pop("session")), rest.pop("address")) == (16, "127.0.0.1")
    return rest
