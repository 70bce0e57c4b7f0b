"""The books of two nodes after a storm: what must be true of them if nothing was lost and nothing doubled."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pymongo

from server.desk.background.case_verifying import verify_cases
from server.desk.background.verifying import silent, verify
from server.domain.case.events import Event, Requested
from server.domain.exchange.letters import unique_id
from server.domain.rules.lifecycle import replay
from server.node import Node
from server.store.cases.case_documents import CaseDocuments
from server.store.cases.plans import PLANS, Plans
from server.store.exchange.letters_out import LOGGED, UNLOGGED
from tests.world import JIANGSU

ABROAD = "household_registration"
AT_HOME: Mapping[str, str] = {
    "birth_certificate": "health",
    "vaccination_card": "disease_control",
    "social_security_card": "human_resources",
    "medical_insurance": "medical_insurance_bureau",
    "parenting_guidance": "health",
}
DEPARTMENT_ABROAD = "public_security"
ACTS = ("receive", "accept", "approve")
MOVES = ("received", "accepted", "approved")
FINISHED = Counter(
    [("", "opened"), ("", "closed"), *((step, move) for step in (*AT_HOME, ABROAD) for move in ("sent", *MOVES))]
)
FINISHED_ABROAD = Counter((ABROAD, move) for move in ("requested", *MOVES))
REQUESTED, TOLD = ["step.requested"], ["step.received", "step.accepted", "step.decided"]

Client = pymongo.MongoClient[dict[str, Any]]
Documents = list[dict[str, Any]]
NOWHERE: Any = None  # all that the cases refer to is read beside them


def all_of(client: Client, node: Node, collection: str) -> Documents:
    """Every document of a collection, in order of `_id`."""
    return sorted(client[node.settings.database][collection].find(), key=lambda document: str(document["_id"]))


def happened(client: Client, node: Node) -> dict[str, Counter[tuple[str, str]]]:
    """How often each thing happened to each step of each case; what happens to the whole case has no step."""
    return {id: Counter(map(_step_and_kind, events)) for id, events in events_of(client, node).items()}


def events_of(client: Client, node: Node) -> dict[str, tuple[Event, ...]]:
    """The events of each case, as the keys of the node open them."""
    plans = Plans(NOWHERE)
    plans.learn(all_of(client, node, PLANS))
    documents = CaseDocuments(node.keys, plans, here=node.here, relay_due=timedelta())
    return {case["_id"]: documents.read(case).events for case in all_of(client, node, "cases")}


def kinds_of(client: Client, node: Node, collection: str) -> dict[str, list[str]]:
    """The kinds of the letters about each case, oldest first."""
    kinds: dict[str, list[str]] = {}
    for letter in sorted(all_of(client, node, collection), key=lambda letter: str(letter["at"])):
        if letter["about"]:  # the heads of logs are told as well
            kinds.setdefault(letter["about"], []).append(letter["kind"])
    return kinds


def check_cases(client: Client, home: Node, peer: Node, *, cases: Sequence[str]) -> None:
    """Each case, at home and as the peer's copy, has been through all its acts, each exactly once, and is relayed."""
    abroad = [f"{JIANGSU}:{case}" for case in cases]
    assert happened(client, home) == dict.fromkeys(cases, FINISHED)
    there = happened(client, peer)
    # Its material may still be on the way when it is decided, so that there is nothing left to note.
    assert max(each.pop((ABROAD, "gathered"), 0) for each in there.values()) <= 1
    assert there == dict.fromkeys(abroad, FINISHED_ABROAD)
    for node in (home, peer):
        for case in all_of(client, node, "cases"):
            assert len(case["events"]) == case["version"]
            assert case["relay"] == "done"


def check_tasks(client: Client, home: Node, peer: Node, *, cases: Sequence[str]) -> None:
    """There is exactly one task for each step, at its decider, and it is open only to deliver what the step yielded."""
    at_home = {f"{case}:{step}": department for case in cases for step, department in AT_HOME.items()}
    abroad = {f"{JIANGSU}:{case}:{ABROAD}": DEPARTMENT_ABROAD for case in cases}
    for node, expected in ((home, at_home), (peer, abroad)):
        tasks = all_of(client, node, "tasks")
        assert {task["_id"]: task["department"] for task in tasks} == expected
        assert {task["state"] for task in tasks} == {"approved"}
        yielding = {item.code for item in node.catalogue.items if node.catalogue.document_of(item)}
        assert all(task["is_open"] == (task["step"] in yielding) for task in tasks)


async def check_logs(client: Client, sender: Node, receiver: Node) -> None:
    """The receiver's copy of the log is the sender's; each letter stands in one batch, is kept and is settled."""
    sent, kept = _entries(client, sender, "out", receiver), _entries(client, receiver, "in", sender)
    assert [_header(entry) for entry in kept] == [_header(entry) for entry in sent]
    assert [entry["number"] for entry in sent] == list(range(1, len(sent) + 1))
    assert (await sender.store.peers.outbound(receiver.here)).acknowledged == (1, len(sent))
    assert all(entry["answer_key"] for entry in (*sent, *kept))
    entry_of = {id: entry["number"] for entry in sent for id in entry["letters"]}
    assert len(entry_of) == sum(len(entry["letters"]) for entry in sent)
    written = all_of(client, sender, "letters_out")
    assert {letter["_id"]: letter["entry"] for letter in written} == entry_of
    assert {letter["state"] for letter in written} == {LOGGED}
    arrived = all_of(client, receiver, "letters_in")
    ids = [letter["_id"] for letter in written]
    kept_as = [unique_id(sender.here, id) for id in ids]
    assert [letter["_id"] for letter in arrived] == kept_as
    assert {(letter["state"], letter["reason"]) for letter in arrived} == {("settled", "")}
    told = await sender.store.letters_out.written(ids)
    come = await receiver.store.letters_in.kept(kept_as)
    assert [letter.text.decode() for letter in told] == [come[id].letter.text() for id in kept_as]


async def check_finished(client: Client, home: Node, peer: Node, *, cases: Sequence[str]) -> None:
    """All of it, of cases that went the whole way."""
    check_cases(client, home, peer, cases=cases)
    check_tasks(client, home, peer, cases=cases)
    names = [f"case:{JIANGSU}/{case}" for case in cases]
    assert kinds_of(client, home, "letters_out") == dict.fromkeys(names, REQUESTED)
    assert kinds_of(client, peer, "letters_out") == dict.fromkeys(names, TOLD)
    for node in (home, peer):
        for case in all_of(client, node, "cases"):
            record = await node.store.cases.case(case["_id"])
            assert record.case == replay(record.events)
    await check_logs(client, home, peer)
    await check_logs(client, peer, home)
    assert await alarms_of(home, peer) == []


async def alarms_of(*nodes: Node) -> list[str]:
    """What `cases verify` and `audit verify` name at these nodes: whatever crashed, nobody wrote to the databases."""
    found: list[str] = []
    for node in nodes:
        cases, audit = await verify_cases(node, tell=silent), await verify(node)
        assert cases.cases, "there are cases whose heads are chained"
        found += [f"{each.trouble} {each.place}: {each.detail}" for each in (*cases.findings, *audit.findings)]
    return found


async def is_quiet(client: Client, *nodes: Node) -> bool:
    """Whether nothing is left to relay, to deliver or to settle."""
    for node in nodes:
        if any(case["relay"] != "done" for case in all_of(client, node, "cases")):
            return False
        if any(letter["state"] == UNLOGGED for letter in all_of(client, node, "letters_out")):
            return False
        if any(letter["state"] == "waiting" for letter in all_of(client, node, "letters_in")):
            return False
        for other in nodes:
            out, copied = _entries(client, node, "out", other), _entries(client, other, "in", node)
            state = await node.store.peers.outbound(other.here)
            if len(copied) != len(out) or state.acknowledged.number != len(out):
                return False
            if (await other.store.peers.inbound(node.here)).spread.number != len(copied):
                return False
    return True


def _step_and_kind(event: Event) -> tuple[str, str]:
    step = event.commission.step.code if isinstance(event, Requested) else getattr(event, "step", "")
    return step, event.kind


def _entries(client: Client, node: Node, direction: str, peer: Node) -> Documents:
    """The log of this direction between the two, in order."""
    return [each for each in all_of(client, node, "log") if each["_id"].startswith(f"{direction}|{peer.here}|")]


def _header(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return entry["number"], entry["hash"], entry["batch"]
