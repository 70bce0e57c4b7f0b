"""What must become of a way to write to the database."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from regions import reconcile
from regions.evidence import check_receipts
from server import main
from server.desk.background import notifying
from server.desk.background.clockwork import tick
from server.domain.errors import NotAuthentic
from tests.http.asking import refused
from tests.http.insider.doors import Door
from tests.http.insider.scene import Scene
from tests.nodes import data_of
from tests.world import JIANGSU, ZHEJIANG

Check = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True)
class Way:
    """One way to write to the database, and what must become of it.

    `refused` when it would be used, `named` by a command, or `open`: a gap, and why it is one.
    """

    what: str
    write: Callable[[Scene], Any]
    check: Check
    becomes: Literal["refused", "named", "open"] = "refused"
    why: str = ""


def at(*doors: Door) -> Check:
    """Each door refuses, and whatever the nodes do by themselves, nothing is moved and no letter is written."""

    async def check(scene: Scene) -> None:
        for door in doors:
            refused(await door(scene), 409, "stored_broken")
        await nothing_moves(scene)

    return check


async def nothing_moves(scene: Scene) -> None:
    """No case moves and no letter is written or received."""
    letters, cases = scene.letters(), [raw.all("cases") for raw in (scene.here, scene.there)]
    await scene.carry()
    await tick(scene.node())
    assert scene.letters() == letters
    for raw, was in zip((scene.here, scene.there), cases, strict=True):
        for id, document in raw.all("cases").items():
            assert document["events"] == was[id]["events"], id


def not_shown(door: Door, *words: str) -> Check:
    """The door answers, and shows nothing of what was written, or of the mother's case; nor does anything move."""

    async def check(scene: Scene) -> None:
        answer = await door(scene)
        assert answer.status == 200, answer.body
        text = orjson.dumps(answer.body).decode()
        assert not [each for each in words or (scene.home,) if each in text]
        await nothing_moves(scene)

    return check


def named(*troubles: str) -> Check:
    """`audit verify` names it."""

    async def check(scene: Scene) -> None:
        assert await scene.audit() == {*troubles}

    return check


def cases_named(*troubles: str) -> Check:
    """`cases verify` names it."""

    async def check(scene: Scene) -> None:
        assert await scene.cases() == {*troubles}

    return check


def reconciling_names(*kinds: str) -> Check:
    """Reconciling with Zhejiang names it."""

    async def check(scene: Scene) -> None:
        peer = scene.node().directory.entry(ZHEJIANG)
        assert peer
        found = await reconcile.reconcile(scene.node(), peer)
        assert {each.kind for each in found.differences} == {*kinds}

    return check


def no_process_starts(fault: type[Exception]) -> Check:
    """No other process of the node starts with it."""

    async def check(scene: Scene) -> None:
        node = scene.node()
        try:
            async with main.opened(node.settings, clock=node.clock, data=data_of(node.settings)):
                pass
        except fault:
            return
        raise AssertionError("a process has started")

    return check


async def another_process_refuses(scene: Scene) -> None:
    """A process that has not read it before does not read it."""
    node = scene.node()
    async with main.opened(node.settings, clock=node.clock, data=data_of(node.settings)) as other:
        try:
            await other.store.cases.case(scene.home)
        except NotAuthentic:
            return
    raise AssertionError("the case was read")


async def no_receipt_proves_it(scene: Scene) -> None:
    """The command that walks the logs names the first batch as not proven, at the node where it was written to."""
    found = [await check_receipts(scene.node(each)) for each in (JIANGSU, ZHEJIANG)]
    assert [log.faulty for receipts in found for log in receipts.logs if log.faulty is not None] == [1]


async def no_phone_is_told(scene: Scene) -> None:
    """The notice is set apart and never sent."""
    notice = scene.here.one("notices", template="accepted")["_id"]
    for _ in range(3):
        await notifying.notify(scene.node())
    assert scene.here.one("notices", notice)["attempts"] == 0
    assert scene.here.one("apart", thing=notice)["kind"] == "notice"


async def no_letter_goes(scene: Scene) -> None:
    """A letter that waits is given to nobody."""
    waiting = {id for id, each in scene.here.all("letters_out").items() if each["state"] == "unlogged"}
    there = set(scene.there.all("letters_in"))
    assert waiting
    await scene.carry()
    assert set(scene.there.all("letters_in")) == there
    assert {
        id for id, each in scene.here.all("letters_out").items() if each["state"] == "unlogged"
    } | waiting == waiting
    assert {scene.here.one("apart", thing=id)["kind"] for id in waiting} == {"letter_out"}
