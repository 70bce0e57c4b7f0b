"""The reckoning after a fault: what was created, what arrived, what is lost and what is doubled, read from both nodes.

Lost: an acknowledged case that is not stored, a letter that is not settled at the node it is for, and a case whose
home was not told the decision. Doubled: a stored case nobody was told of, a thing that happened twice to a step, and
a letter that stands in two batches or twice in one. An alarm: what `cases verify` or `audit verify` names.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.domain.exchange.log import own_id
from server.node import Node
from tests.faults.books import ABROAD, Client, all_of, happened


@dataclass(frozen=True)
class Reckoning:
    """The books of two nodes, in numbers."""

    cases: int
    letters: int
    delivered: int
    lost: int
    doubled: int
    alarms: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether nothing is lost, nothing doubled, and nobody is alarmed."""
        return (self.lost, self.doubled, self.alarms) == (0, 0, 0)


def reckon(client: Client, nodes: Sequence[Node], cases: Mapping[str, Sequence[str]]) -> Reckoning:
    """Of two nodes between which all is quiet, where these cases were acknowledged (by the division of their home)."""
    ways = list(zip(nodes, reversed(nodes), strict=True))
    letters = [way_of(client, *way) for way in ways]
    homes = [home_of(client, node, cases[node.here]) for node in nodes]
    return Reckoning(
        cases=sum(len(set(acknowledged)) for acknowledged in cases.values()),
        letters=sum(way["letters"] for way in letters),
        delivered=sum(way["delivered"] for way in letters),
        lost=sum(way["letters"] - way["delivered"] for way in letters) + sum(home["lost"] for home in homes),
        doubled=sum(way["doubled"] for way in letters) + sum(home["doubled"] for home in homes),
    )


def way_of(client: Client, sender: Node, receiver: Node) -> Counter[str]:
    """The letters of one direction: how many were written, are settled at the other node, and stand in two places."""
    written = {letter["_id"] for letter in all_of(client, sender, "letters_out")}
    settled = {own_id(each["_id"]) for each in all_of(client, receiver, "letters_in") if each["state"] == "settled"}
    entries = [entry for entry in all_of(client, sender, "log") if entry["_id"].startswith(f"out|{receiver.here}|")]
    placed = Counter(id for entry in entries for id in entry["letters"])
    doubled = sum(count - 1 for count in placed.values()) + len(settled - written)
    return Counter(letters=len(written), delivered=len(written & settled), doubled=doubled)


def home_of(client: Client, node: Node, acknowledged: Sequence[str]) -> Counter[str]:
    """The cases of one node, its own and its copies: how many are lost, and how much happened twice."""
    events = happened(client, node)
    stored = {case for case in events if ":" not in case}
    untold = [case for case in stored & set(acknowledged) if not events[case][ABROAD, "approved"]]
    twice = sum(count - 1 for of_case in events.values() for count in of_case.values())
    lost = len(set(acknowledged) - stored) + len(untold)
    doubled = len(stored - set(acknowledged)) + len(acknowledged) - len(set(acknowledged)) + twice
    return Counter(lost=lost, doubled=doubled)
