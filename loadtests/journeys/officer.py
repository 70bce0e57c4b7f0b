"""The way of an officer of a county: sign in, see the worklist, look at a case, do the next act."""

import random
from collections.abc import Iterator
from typing import Any, ClassVar

from loadtests.journeys.asking import Asker, JourneyReply
from loadtests.journeys.journey import Journey, Stage, in_turn, new_key

NEXT_ACT = {"sent": "receive", "received": "accept", "accepted": "approve"}
MOVED_ON = (409, 412)  # a colleague was faster
ACTS_A_ROUND = 3


class OfficerJourney(Journey):
    """The officers of all counties of both nodes, one after the other; each signs in once in each process of Locust."""

    name = "officer"
    _seats: ClassVar[Iterator[tuple[int, str]] | None] = None
    _tokens: ClassVar[dict[tuple[int, str], str]] = {}

    def __init__(self, stage: Stage, client: Any) -> None:
        super().__init__(stage, client)
        if OfficerJourney._seats is None:
            seats = [(node, county) for node in (0, 1) for county in stage.target.officers(node)]
            OfficerJourney._seats = in_turn(seats)

    def go(self) -> None:
        """Some acts at the desk of the next county."""
        seat = next(self._seats or iter(()))
        asker = self.asker(seat[0])
        asker.token = self._tokens.get(seat, "") or self._sign_in(asker, seat)
        for _ in range(ACTS_A_ROUND if asker.token else 0):
            self.pause(0.3, 1.0)
            shown = asker.ask("GET /desk/v1/tasks", expected=(200, 401))
            if shown.status == 401:  # an hour without a request, or signed out
                self._tokens.pop(seat, None)
                return
            if not (shown.is_served and self._work(asker, shown)):
                return

    def _sign_in(self, asker: Asker, seat: tuple[int, str]) -> str:
        officer = self.stage.target.officers(seat[0])[seat[1]]
        wish = {"name": officer["name"], "password": officer["password"]}
        reply = asker.ask("POST /desk/v1/sessions", json=wish, headers=new_key())
        self._tokens[seat] = token = str(reply.body.get("access_token", "")) if reply.is_served else ""
        return token

    def _work(self, asker: Asker, shown: JourneyReply) -> bool:
        """Look at the case of a task and do what is due; whether there was such a task."""
        due = [each for each in shown.body["tasks"] if each["part"] == "decide" and each["state"] in NEXT_ACT]
        if not due:
            return False
        task = random.choice(due)
        case, act = task["case"], NEXT_ACT[task["state"]]
        seen = asker.ask("GET /desk/v1/cases/{id}", f"/desk/v1/cases/{case}")
        self.pause(0.3, 1.0)
        step = next((each for each in seen.body.get("steps", ()) if each["step"]["step"] == task["step"]), None)
        if step is None or NEXT_ACT.get(step["step"]["state"]) != act:
            return True
        asker.ask(
            "POST /desk/v1/cases/{id}/steps/{step}/{act}",
            f"/desk/v1/cases/{case}/steps/{task['step']}/{act}",
            json={"version": step["step"]["version"]},
            headers=new_key(),
            expected=(200, *MOVED_ON),
        )
        return True
