"""The proof of a demo: every node verifies its receipts, and each pair of nodes holds the same log of letters."""

import asyncio
from typing import Any

import orjson

from server.demo.processes import ChildFailed, together
from server.demo.provinces import Province

TRIES = 20
OF_PAPERS = "step.paper_made"
PAUSE_SECONDS = 0.2


async def letters_proven(provinces: tuple[Province, ...]) -> tuple[int, int, bool]:
    """How many letters were exchanged, how many more tell of papers, and whether both sides can prove all of them.

    The last receipts may still be under way: it is asked again for a while.
    """
    for _ in range(TRIES):
        reports = await together(*(_receipts(province) for province in provinces))
        if is_proven(reports):
            return *letters_of(reports), True
        await asyncio.sleep(PAUSE_SECONDS)
    return *letters_of(reports), False


def is_proven(reports: list[dict[str, Any]]) -> bool:
    """Whether every node verified its logs, and what one sent is, head for head, what the other took in."""
    heads = {
        (report["node"], log["peer"], log["direction"]): log["head"] for report in reports for log in report["logs"]
    }
    sent = {pair[:2]: head for pair, head in heads.items() if pair[2] == "out"}
    return all(report["verified"] for report in reports) and all(
        heads.get((peer, node, "in")) == head for (node, peer), head in sent.items()
    )


def letters_of(reports: list[dict[str, Any]]) -> tuple[int, int]:
    """How many letters all nodes took in, and how many more that tell of papers."""
    logs = [log for report in reports for log in report["logs"] if log["direction"] == "in"]
    of_papers = sum(log["kinds"].get(OF_PAPERS, 0) for log in logs)
    return sum(log["letters"] for log in logs) - of_papers, of_papers


async def _receipts(province: Province) -> Any:
    """The report of a node; its exit code is not 0 if something is not proven yet."""
    try:
        return orjson.loads(await province.command("receipts", "--json"))
    except ChildFailed as failure:
        if not failure.output:
            raise
        return orjson.loads(failure.output)
