"""Nothing that is sealed opens any more: operators see all the same what there is, and end what must end."""

from dataclasses import replace
from typing import Any

import pytest

from regions import evidence
from regions.letters import LetterUnopened
from server import operating
from server.crypto.fields import FieldRing
from server.crypto.keyring import make_keys
from server.desk.officer import auditing
from server.domain.audit import AuditFilter, Doer
from server.domain.errors import StoredBroken
from server.node import Node
from server.store.store import open_store
from tests.nodes import Places
from tests.regions.exchanging import Sweeper, exchange, write
from tests.regions.test_apart_commands import run as about_apart
from tests.regions.test_apart_commands import set_letter_apart
from tests.regions.test_operating import ABSENT, letters, peers, reconcile
from tests.world import ZHEJIANG


def blind(node: Node) -> Node:
    """The same node without the key of anything that it has stored so far."""
    ring: FieldRing = make_keys(node.here).fields
    keys = replace(node.keys, fields=FieldRing({"other": ring.keys[ring.current]}, "other"))
    folder, due = node.settings.data_folder, node.settings.relay_due_seconds
    return replace(
        node, keys=keys, store=open_store(node.store.database.bare, keys, folder, here=node.here, relay_due_seconds=due)
    )


def dump(line: Any) -> dict[str, Any]:
    return dict(line.model_dump())


async def test_letters_are_listed_and_shown_by_what_stands_outside_of_them(pair: tuple[Node, Node]):
    letter = await write(pair[0], **ABSENT)
    await exchange(*pair)
    for node, what, way in ((pair[0], "dead", "out"), (pair[1], "attention", "in")):
        (seen,) = (await letters(node, what)).values
        (told,) = (await letters(blind(node), what)).values
        about = letter.about.model_copy(update={"part": None}) if letter.about else None
        assert told == seen.model_copy(update={"digest": "", "about": about})
        (shown,) = (await letters(blind(node), "show", letter.id)).values
        assert shown == told
        assert shown.model_dump()["way"] == way


async def test_a_dead_letter_that_does_not_open_is_annulled_and_not_sent_again(pair: tuple[Node, Node]):
    letter = await write(pair[0], **ABSENT)
    await exchange(*pair)
    without = blind(pair[0])
    with pytest.raises(LetterUnopened):
        await letters(without, "replay", letter.id)
    report = await letters(without, "annul", letter.id)
    assert "state: annulled" in report.lines
    await exchange(without, pair[1])
    assert (await letters(pair[1], "attention")).values == []


async def test_a_letter_that_is_not_what_was_stored_hides_no_other_and_nothing_is_done_with_it(
    pair: tuple[Node, Node], database_sweeper: Sweeper
):
    broken, other = await write(pair[0], "broken", **ABSENT), await write(pair[0], "other", **ABSENT)
    await exchange(*pair)
    database_sweeper[pair[0].settings.database]["letters_out"].update_one(
        {"_id": broken.id}, {"$set": {"to": "440000"}}
    )
    told = {line["id"]: line["peer"] for line in map(dump, (await letters(pair[0], "dead")).values)}
    assert told == {broken.id: "", other.id: ZHEJIANG}
    for what in ("annul", "replay"):
        with pytest.raises(StoredBroken):
            await letters(pair[0], what, broken.id)


@pytest.mark.parametrize(("act", "state"), [("retry", "released"), ("drop", "dropped")])
async def test_what_is_set_apart_is_listed_and_dealt_with(places: Places, act: str, state: str):
    node, id = await set_letter_apart(places)
    without = blind(node)
    assert (await about_apart(without, "list")).code == operating.WRONG
    assert (await about_apart(without, "show", id)).values[0].model_dump()["state"] == "apart"
    assert (await about_apart(without, act, id, "--reason", "test")).values[0].model_dump()["state"] == state


async def test_peers_logs_receipts_and_the_audit_are_read(pair: tuple[Node, Node]):
    await write(pair[0], **ABSENT)
    await exchange(*pair)
    without = blind(pair[0])
    assert (await peers(without)).code == operating.DONE
    assert (await reconcile(without)).lines == (await reconcile(pair[0])).lines
    assert (await evidence.check_receipts(without)).verified
    page = await auditing.read(without, AuditFilter(), by=Doer(name="operator"), limit=9)
    assert [each.kind for each in page.entries] == ["audit.read"]
