"""Losses: what must hold between a node that went on with a backup and each other, and that every difference is named.

What only the lost disk knew cannot come back: the other node may have letters of which their sender knows nothing.
"""

from collections.abc import Iterator

from regions.client import PeerFailure
from regions.reconcile import reconcile
from server.domain.exchange.log import BESIDE, own_id
from server.store.database import Document
from tests.simulation.places import Place
from tests.simulation.world import World

LOST_KINDS = ("sender_behind", "conflict")


def is_left_to_operators(place: Place) -> bool:
    """Whether a way has stopped, or a letter has come back."""
    states = [each for each in place.disk.all("peers") if each["_id"].startswith("out:")]
    return any(each["stopped"] for each in states) or any(
        letter["state"] == "dead" for letter in place.disk.all("letters_out")
    )


async def check_after_loss(world: World, sender: Place, receiver: Place) -> None:
    """One way between two nodes of which one lost its disk: nothing doubled or lost but what only that disk knew."""
    way = f"{sender.here} -> {receiver.here}"
    stream = (sender.disk.get("peers", f"out:{receiver.here}") or {"stream": 1})["stream"]
    ours = [entry["hash"] for entry in _entries(sender, "out", receiver.here, stream)]
    theirs = [entry["hash"] for entry in _entries(receiver, "in", sender.here, stream)]
    if ours != theirs:
        world.breaks("equal histories", f"{way} in stream {stream}: {len(ours)} and {len(theirs)}")
    kept = {each["_id"]: each for each in receiver.disk.all("letters_in") if each["from"] == sender.here}
    known = {own_id(id) for id in kept}
    written = {each["_id"] for each in sender.disk.all("letters_out") if each["to"] == receiver.here}
    if missing := sorted(written - known):
        world.breaks("every letter arrives once", f"{way}: {missing}")
    if [id for id, each in kept.items() if BESIDE in id and each["state"] == "settled"]:
        world.breaks("of two letters with one id one counts", way)
    await _check_named(world, sender, receiver, is_behind=bool(known - written))


async def _check_named(world: World, sender: Place, receiver: Place, *, is_behind: bool) -> None:
    """Either side, asked to compare, tells what its sender knows nothing of; and nothing that needs no word."""
    for place, peer, way in ((sender, receiver, "out"), (receiver, sender, "in")):
        entry = place.still.directory.entry(peer.here)
        try:
            found = await reconcile(place.still, entry)  # type: ignore[arg-type] # it is in the directory
        except PeerFailure as failure:
            world.breaks("two nodes can compare", f"{place.here} with {peer.here}: {failure.reason}")
            return
        kinds = {each.kind for each in found.differences if each.way == way}
        if is_behind and not kinds & set(LOST_KINDS):
            world.breaks("every difference is named", f"{place.here} with {peer.here}: {sorted(kinds)}")
        left = [each.words for each in found.differences if each.way == way and not each.is_past]
        has_attention = any(
            each["from"] == sender.here and each["state"] == "attention" for each in receiver.disk.all("letters_in")
        )
        if left and not has_attention:
            world.breaks("nothing remains to be done", f"{place.here} with {peer.here}: {left}")


def is_named(one: Place, other: Place, *, case: str) -> bool:
    """Whether a letter about this case is known to one side only, or has had no effect."""
    return any(
        BESIDE in letter["_id"]
        or letter["state"] != "settled"
        or sender.disk.get("letters_out", own_id(letter["_id"])) is None
        for sender, receiver in ((one, other), (other, one))
        for letter in receiver.disk.all("letters_in")
        if letter["from"] == sender.here and letter["about"] == f"case:{case}"
    )


def _entries(place: Place, direction: str, peer: str, stream: int) -> Iterator[Document]:
    start = f"{direction}|{peer}|{stream}:"
    return (entry for entry in place.disk.all("log") if entry["_id"].startswith(start))
