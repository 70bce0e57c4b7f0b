"""The way of a peer node: signed questions about the logs, the directory, and now and then a wrong signature."""

import json
import random
import time
import urllib.request
from typing import Any

from loadtests.journeys.journey import Journey

HEADS = "GET /peer/v1/heads"
SPOILED = 0.2  # of the questions
SIGNER_SECONDS = 5.0


class PeerJourney(Journey):
    """The second node, which asks the first how far their logs have come; `loadtests.signer` signs for it."""

    name = "peer"

    def go(self) -> None:
        """Both ways, and a signature that was used before or belongs to another question."""
        asker = self.asker()
        for way in ("in", "out"):
            signed = self._signed(way)
            # A signature counts once, also where its answer was lost: the next question has one of its own.
            asker.ask(HEADS, signed["path"], headers=signed["headers"], is_again=False)
            if random.random() < SPOILED:
                other = signed["path"].replace(f"way={way}", "way=in" if way == "out" else "way=out")
                path = random.choice((signed["path"], other))
                asker.ask(HEADS + " unproven", path, headers=signed["headers"], expected=(401,), is_refusal_clear=True)
            self.pause(0.2, 1.0)
        asker.ask("GET /peer/v1/directory")
        time.sleep(random.random() * self.stage.plan.think)

    def _signed(self, way: str) -> dict[str, Any]:
        """The path, and the headers that prove who asks."""
        with urllib.request.urlopen(f"{self.stage.plan.signer}/{way}", timeout=SIGNER_SECONDS) as answer:  # noqa: S310
            told: dict[str, Any] = json.load(answer)
        return told
