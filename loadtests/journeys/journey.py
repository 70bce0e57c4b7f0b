"""What a journey is given: what is loaded, whom Locust counts, and where submissions are written down."""

import itertools
import random
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from loadtests.journeys.asking import Asker, JourneyReply, thinking
from loadtests.plan import RunPlan, Target
from loadtests.records import RecordBook


@dataclass(frozen=True)
class Stage:
    """What all journeys of a process share; `report` tells Locust of a request that was made without its client."""

    plan: RunPlan
    target: Target
    book: RecordBook
    report: Callable[..., Any]


class Journey(ABC):
    """Somebody's way through the doors of a node; `go` is one round of it."""

    name: ClassVar[str]

    def __init__(self, stage: Stage, client: Any) -> None:
        self.stage = stage
        self.client = client
        self.pause = thinking(stage.plan.think)

    def asker(self, node: int = 0) -> Asker:
        """Somebody new at a node."""
        return Asker(self.client, self.stage.target.base_url(node), has_kills=self.stage.plan.has_kills)

    @abstractmethod
    def go(self) -> None:
        """One round, with its pauses."""


def new_key() -> dict[str, str]:
    """The header of a request that is done once."""
    return {"Idempotency-Key": uuid.uuid4().hex}


def in_turn(found: list[Any]) -> Iterator[Any]:
    """Each of them after the other for ever, from any one on: so that processes do not all begin with the same."""
    return itertools.cycle(random.sample(found, len(found)))


def log_in(asker: Asker, target: Target, person: dict[str, str], *, is_again: bool = True) -> JourneyReply:
    """A citizen logs in and proves the name; the token is the asker's from then on."""
    asker.token = ""
    wish = {"app_id": target.described["app_id"], "code": person["code"]}
    reply = asker.ask("POST /api/v1/sessions", json=wish, headers=new_key(), is_again=is_again)
    if reply.is_served:
        asker.token = reply.body["access_token"]
        proof = {name: person[name] for name in ("name", "id_number", "face_token")}
        reply = asker.ask("POST /api/v1/identity", json=proof, headers=new_key(), is_again=is_again)
        asker.token = reply.body.get("access_token", "")
    return reply
