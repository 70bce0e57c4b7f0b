"""Ways to write to what nodes have between them and to what is published."""

import base64
from collections.abc import Callable

from regions import outbox, settling
from regions.directory import DirectoryFault
from server.desk import relay
from server.domain.errors import NotAuthentic
from server.domain.values import moment_key
from tests.http.asking import act
from tests.http.insider.checks import (
    Way,
    another_process_refuses,
    cases_named,
    no_letter_goes,
    no_process_starts,
    no_receipt_proves_it,
    nothing_moves,
    reconciling_names,
)
from tests.http.insider.scene import FIRST, FORGED, Document, Scene
from tests.world import GUANGDONG, JIANGSU, ZHEJIANG


async def redirect_a_letter(scene: Scene) -> None:
    """One that is written and does not stand in a batch yet."""
    assert (await scene.health.post(act(scene.other, FIRST, "approve"))).status == 200
    await scene.places.nodes[JIANGSU].in_flight.drain()
    await relay.sweep(scene.node())
    (letter,) = [each for each in scene.here.all("letters_out").values() if each["state"] == "unlogged"]
    scene.here.set("letters_out", letter["_id"], to=GUANGDONG)


def send_again(scene: Scene) -> None:
    """A letter waits as it did before it stood in a batch."""
    (letter,) = scene.here.all("letters_out").values()
    key = "|".join(("unlogged", letter["to"], letter["at"], letter["_id"]))
    scene.here.set("letters_out", letter["_id"], state="unlogged", key=key, version=1)


def insert_a_letter(scene: Scene) -> None:
    """A letter of our own, as if Zhejiang had sent it and it waited to be settled."""
    letter = next(iter(scene.here.all("letters_out").values()))
    (shape,) = scene.there.all("letters_in").values()
    key = f"waiting|{moment_key(scene.node().clock.now())}|{ZHEJIANG}|000000000001|0|{FORGED}"
    whole = {**shape, **{name: letter[name] for name in ("text", "data_key", "kind", "about")}}
    scene.here.put("letters_in", whole, _id=f"{ZHEJIANG}:{FORGED}", key=key, state="waiting", to=JIANGSU)


def entry(change: Callable[[Document], Document], *, is_there: bool = False) -> Callable[[Scene], None]:
    """Change the batch that went, here where it is our own, or there where it came in."""

    def write(scene: Scene) -> None:
        raw = scene.there if is_there else scene.here
        (document,) = raw.all("log").values()
        raw.set("log", document["_id"], **change(document))

    return write


def another_root(document: Document) -> Document:
    return {"batch": {**document["batch"], "root": "0" * 64}}


def no_letters(document: Document) -> Document:
    return {"letters": [], "leaves": []}


def twice(document: Document) -> Document:
    return {name: document[name] * 2 for name in ("letters", "leaves")}


def as_if_erased(document: Document) -> Document:
    """Without its text, as a letter is left when its case is erased."""
    (letter,) = document["letters"]
    left = {name: value for name, value in letter.items() if name not in ("text", "data_key")}
    return {"letters": [{**left, "erased_at": "2026-11-23T00:00:00.000Z"}]}


def change_the_catalogue(scene: Scene) -> None:
    """An earlier version, under which cases may have been opened, where another department decides."""
    (kept,) = (each for each in scene.here.all("catalogues").values() if "text" in each)
    text = kept["text"].replace('"department":"health"', '"department":"taxation"')
    scene.here.put("catalogues", kept, _id="version:2020.1", text=text)


def change_the_plans(scene: Scene) -> None:
    for id, plan in scene.here.all("plans").items():
        scene.here.set("plans", id, text=plan["text"].replace('"promised_days":1', '"promised_days":900'))


def change_the_directory(scene: Scene) -> None:
    """The address of a peer is another one; the signature stays."""
    kept = scene.here.one("directories", "directory")
    head, said, signature = kept["text"].split(".")
    other = base64.urlsafe_b64decode(said + "==").replace(b"127.0.0.1", b"127.6.6.6")
    text = ".".join((head, base64.urlsafe_b64encode(other).decode().rstrip("="), signature))
    scene.here.put("directories", kept, text=text, version=99)


def remove_a_letter(scene: Scene) -> None:
    letter = next(iter(scene.here.all("letters_out").values()))
    scene.here.remove("letters_out", letter["_id"])


async def settle_by_hand(scene: Scene) -> None:
    """The letter by which Zhejiang takes up a step counts as settled before anybody has looked at it."""
    there, here = scene.node(ZHEJIANG), scene.node()
    far, step = f"{JIANGSU}:{scene.far}", "household_registration"
    assert (await scene.police.post(act(far, step, "receive"))).status == 200
    await scene.places.nodes[ZHEJIANG].in_flight.drain()
    await relay.sweep(there)
    (peer,) = there.directory.peers_of(ZHEJIANG)
    while await outbox.deliver(there, peer):
        pass
    while await settling.unpack(here, ZHEJIANG):
        pass
    ((id, letter),) = scene.here.all("letters_in").items()
    scene.here.set("letters_in", id, state="settled", key=letter["key"].replace("waiting", "settled"))


EXCHANGE = (
    Way("a letter counts as settled", settle_by_hand, reconciling_names("case_differs"), "named"),
    Way("a letter goes to another node", redirect_a_letter, no_letter_goes),
    Way("a letter goes again", send_again, nothing_moves),
    Way("a letter is removed before it goes", remove_a_letter, cases_named("letter_missing"), "named"),
    Way("a letter is inserted that nobody sent", insert_a_letter, nothing_moves),
    Way("a batch of the log is another", entry(another_root), no_receipt_proves_it, "named"),
    Way("the log forgets letters that went", entry(no_letters), no_receipt_proves_it, "named"),
    Way("the log names another letter", entry(lambda _: {"letters": [FORGED]}), no_receipt_proves_it, "named"),
    Way("the log says that a letter went twice", entry(twice), no_receipt_proves_it, "named"),
    Way("the log forgets letters that came", entry(no_letters, is_there=True), no_receipt_proves_it, "named"),
    Way("a letter that came counts as erased", entry(as_if_erased, is_there=True), no_receipt_proves_it, "named"),
    Way("an item asks for other things", change_the_catalogue, no_process_starts(NotAuthentic)),
    Way("a step goes by other rules", change_the_plans, another_process_refuses),
    Way("a peer has another address", change_the_directory, no_process_starts(DirectoryFault)),
)
