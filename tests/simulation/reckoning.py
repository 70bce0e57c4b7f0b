"""The reckoning: what must hold once the weather has cleared and everything has come to rest."""

from collections import Counter
from collections.abc import Collection, Mapping
from itertools import groupby
from typing import Any

from regions.evidence import check_receipts
from server.domain.aggregate.heads import HistoryHead, finding_of
from server.domain.case.acts import Facts
from server.domain.case.case import Case
from server.domain.case.events import Answered, Declined, Event, Withdrawn
from server.domain.chains import Chained
from server.domain.effects.effects import effects_of
from server.domain.effects.records import CaseRecord
from server.domain.exchange.letters import GENESIS, unique_id
from server.domain.values import china_day, moment_key
from server.store.database import Document
from tests.simulation.founding import PUBLISHED, directory_of
from tests.simulation.losses import check_after_loss, is_left_to_operators, is_named
from tests.simulation.places import Place
from tests.simulation.world import World
from tests.world import told_again

BY_LAW = "逾期"
FRESH = "fresh"


def is_quiet(places: Mapping[str, Place], *, has_operators: bool = False) -> bool:
    """Whether every letter has been carried and settled, and every effect of every case has been seen to.

    Where there are operators nothing is left for them either.
    """
    for place in places.values():
        disk = place.disk
        if any(document["key"].startswith("unlogged") for document in disk.all("letters_out")):
            return False
        if any(document["state"] == "waiting" for document in disk.all("letters_in")):
            return False
        if any(document["relay"] != "done" for document in disk.all("cases")):
            return False
        if has_operators and is_left_to_operators(place):
            return False
    return not [pair for pair in _pairs(places) if not _is_level(*pair)]


async def reckon(world: World, places: Mapping[str, Place], *, lost: Collection[str] = ()) -> None:
    """Look at everything once; what does not hold is told to the world. `lost` are those that lost their disk."""
    for sender, receiver in _pairs(places):
        if sender.here in lost or receiver.here in lost:
            await check_after_loss(world, sender, receiver)
        else:
            _check_logs(world, sender, receiver)
    records: dict[str, dict[str, CaseRecord]] = {}
    for here, place in places.items():
        _check_letters(world, place, lost)
        ids = [document["_id"] for document in place.disk.all("cases")]
        records[here] = {id: await place.still.store.cases.case(id) for id in ids}
        for record in records[here].values():
            _check_case(world, place, record)
            _check_withdrawals(world, place, record, lost=lost)
        await _check_receipts(world, place, lost)
        await _check_heads(world, place)
    for here, found in records.items():
        for record in found.values():
            if record.case.home != here:
                home = places[record.case.home]
                if not ({home.here, here} & set(lost) and is_named(home, places[here], case=record.case.name)):
                    _check_mirror(world, records[home.here].get(record.case.number), record, here=here)
            elif record.id.startswith(FRESH) and record.case.steps["first"].state != "approved":
                world.breaks("all nodes go on after a loss", f"{here} {record.id}")


async def _check_heads(world: World, place: Place) -> None:
    """Each case stands where its heads have seen it, or further on."""
    told = [Chained(id=each["_id"], sha256=each["link"]) for each in place.disk.all("heads")]
    standings = await place.still.store.heads.standings([HistoryHead.of(each).name for each in told])
    for head in map(HistoryHead.of, told):
        finding = finding_of(head, standings.get(head.name))
        if finding:
            world.breaks("a head is of what is stored", f"{place.here}: {finding.trouble} {finding.place}")
    if {document["_id"] for document in place.disk.all("cases")} - {HistoryHead.of(each).name for each in told}:
        world.breaks("each case has a head", place.here)


async def _check_receipts(world: World, place: Place, lost: Collection[str]) -> None:
    """Each batch has its place and its receipt, except with a node that went on with a backup."""
    logs = (await check_receipts(place.still)).logs
    faulty = [(log.direction, log.peer, log.faulty) for log in logs if log.faulty is not None]
    if [each for each in faulty if not {place.here, each[1]} & set(lost)]:
        world.breaks("every batch has its receipt", f"{place.here}: {faulty}")


def _pairs(places: Mapping[str, Place]) -> list[tuple[Place, Place]]:
    return [(one, other) for one in places.values() for other in places.values() if one is not other]


def _entries(place: Place, direction: str, peer: str) -> list[Document]:
    return [entry for entry in place.disk.all("log") if entry["_id"].startswith(f"{direction}|{peer}|")]


def _is_level(sender: Place, receiver: Place) -> bool:
    stream = (sender.disk.get("peers", f"out:{receiver.here}") or {"stream": 1})["stream"]
    both = _entries(sender, "out", receiver.here), _entries(receiver, "in", sender.here)
    ours, theirs = ([entry for entry in each if entry["batch"]["stream"] == stream] for each in both)
    spread = receiver.disk.get("peers", f"in:{sender.here}") or {}
    is_spread = not theirs or all(
        receiver.disk.get("letters_in", unique_id(sender.here, letter["_id"]))
        for entry in theirs[-3:]
        for letter in entry["letters"]
    )
    is_told = not ours or bool(ours[-1]["answer_key"])
    return len(ours) == len(theirs) and is_told and is_spread and spread is not None


def _check_logs(world: World, sender: Place, receiver: Place) -> None:
    """Equal histories: each batch the same on both sides, from the first to the last."""
    ours, theirs = _entries(sender, "out", receiver.here), _entries(receiver, "in", sender.here)
    histories = [[(entry["_id"].split("|")[2], entry["hash"]) for entry in each] for each in (ours, theirs)]
    if histories[0] != histories[1]:
        world.breaks("equal histories", f"{sender.here} -> {receiver.here}: {len(ours)} and {len(theirs)}")
    batched = Counter(id for entry in ours for id in entry["letters"])
    written = [each["_id"] for each in sender.disk.all("letters_out") if each["to"] == receiver.here]
    if sorted(batched.elements()) != sorted(written):
        lost = sorted(set(written) - set(batched))
        world.breaks("every letter is in exactly one batch", f"{sender.here} -> {receiver.here}: lost {lost}")
    kept = [each["_id"] for each in receiver.disk.all("letters_in") if each["from"] == sender.here]
    if sorted(kept) != sorted(unique_id(sender.here, id) for id in written):
        world.breaks("every letter arrives once", f"{sender.here} -> {receiver.here}")


def _check_letters(world: World, place: Place, lost: Collection[str]) -> None:
    for letter in place.disk.all("letters_in"):
        if letter["state"] != "settled" and not {place.here, letter["from"]} & set(lost):
            seen = f"{place.here}: {letter['kind']} of {letter['from']} {letter['state']} {letter['reason']}"
            world.breaks("every letter is settled", seen)
    for letter in place.disk.all("letters_out"):
        if letter["key"].startswith("dead"):
            world.breaks("no letter dies", f"{place.here}: {letter['kind']} {letter['reason']}")


def _check_case(world: World, place: Place, record: CaseRecord) -> None:
    """Every act was done once, by whom it may be done, and all that must follow from it has followed once."""
    events = record.events
    if [event.number for event in events] != list(range(1, len(events) + 1)):
        world.breaks("events are numbered without holes", f"{place.here} {record.id}")
    acts = [act for act, _ in groupby(event.act_id for event in events)]
    if len(acts) != len(set(acts)):
        world.breaks("every act is done once", f"{place.here} {record.id}: {acts}")
    for event in events:
        _check_jurisdiction(world, place, record.case, event)
    facts = Facts(
        here=place.here,
        at=events[-1].at,
        directory=directory_of(tuple(each for each in place.nodes)),
        calendar=PUBLISHED.calendar,
        field_types=PUBLISHED.field_types,
        salt=bytes(16),
    )
    effects, _ = effects_of(told_again(events), facts, threads={})
    letters = [effect.letter for effect in effects if effect.letter]
    for letter in letters:
        stored = place.disk.get("letters_out", letter.id)
        if stored is None or stored["at"] != moment_key(letter.at):
            world.breaks("every effect is carried", f"{place.here} {record.id}: {letter.kind} of event")
    thread = [letter.id for letter in letters]
    about = [each["_id"] for each in place.disk.all("letters_out") if each["about"] == f"case:{record.case.name}"]
    if sorted(thread) != sorted(about):
        world.breaks("every effect is carried once", f"{place.here} {record.id}")
    for code, step in record.case.steps.items():
        task = place.disk.get("tasks", f"{record.id}:{code}")
        wants_task = step.node == place.here
        if wants_task and (task is None or task["state"] != step.state):
            world.breaks("every effect is carried", f"{place.here} {record.id}: task of {code}")


def _check_withdrawals(world: World, place: Place, record: CaseRecord, *, lost: Collection[str]) -> None:
    """What the applicant asked back was let go, or had been decided before."""
    for code, step in record.case.steps.items():
        is_open = step.withdrawal_asked_at and not step.has_ended
        if is_open and not {record.case.home, step.node} & set(lost):
            world.breaks("a withdrawal is answered", f"{place.here} {record.case.name} {code}: {step.state}")


def _check_jurisdiction(world: World, place: Place, case: Case, event: Event) -> None:
    """Only the decider moves a step, and only the home says what the applicant says."""
    code = getattr(event, "step", "")
    if not code or event.kind in (
        "sent",
        "skipped",
        "told",
        "supplied",
        "answered",
        "urged",
        "withdrawal_asked",
        "followed_up",
        "bounced",
        "resent",
    ):
        allowed = {case.home, case.steps[code].node} if code else {case.home}
    else:
        allowed = {case.steps[code].node or case.home}
    if event.kind == "withdrawn" and event.act_id.endswith("-withdraw"):
        allowed = {case.home}
    if event.by.node not in allowed:
        world.breaks("no act without jurisdiction", f"{place.here} {case.name}: {event.kind} by {event.by.node}")


def _check_mirror(world: World, home: CaseRecord | None, copy: CaseRecord, *, here: str) -> None:
    """A step stands the same at its home and at its decider."""
    if home is None:
        world.breaks("mirrored steps are equal", f"{copy.id} at {here} has no home")
        return
    for code, there in copy.case.steps.items():
        ours = home.case.steps[code]
        seen = _sees(ours), _sees(there)
        if seen[0] != seen[1]:
            world.breaks("mirrored steps are equal", f"{home.case.name} {code} at {here}: {seen}")
        _check_deadline(world, home, copy, code)


def _sees(step: Any) -> Any:
    clock = (step.clock.accepted_on, step.clock.is_deemed) if step.clock else None
    return step.state, step.grounds, dict(step.result), clock


def _check_deadline(world: World, home: CaseRecord, copy: CaseRecord, code: str) -> None:
    """Nobody who answered in time by his home's clock loses his step by law."""
    answers = [event for event in home.events if isinstance(event, Answered) and event.step == code]
    due_on = home.case.steps[code].supplement
    lapsed = [
        event
        for event in copy.events
        if isinstance(event, Declined | Withdrawn) and event.step == code and event.grounds.startswith(BY_LAW)
    ]
    if answers and lapsed and due_on and due_on.due_on and china_day(answers[0].at) <= due_on.due_on:
        world.breaks("an answer in time counts", f"{home.case.name} {code}: answered {answers[0].at}")


def heads(places: Mapping[str, Place]) -> dict[str, str]:
    """The head of each outgoing log, by which two runs are told to be the same."""
    found = {}
    for sender, receiver in _pairs(places):
        entries = _entries(sender, "out", receiver.here)
        found[f"{sender.here}>{receiver.here}"] = entries[-1]["hash"] if entries else GENESIS
    return found
