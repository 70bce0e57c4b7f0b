"""Letters that could not be settled: told, dead, judged anew, annulled; conflicts; and kinds that nobody knows yet."""

from datetime import timedelta
from typing import Any

import pytest

from regions import letters
from regions.control_letters import NoSuchLetter
from regions.letters import LetterNotDead
from server.domain.exchange.letters import Letter, unique_id
from server.node import Node
from tests.regions.exchanging import exchange, kept, send, send_one_by_one, sent, settle, write
from tests.world import JIANGSU, ZHEJIANG, about_step

ABSENT = {
    "kind": "step.received",
    "about": about_step(f"{ZHEJIANG}/none", step="step"),
    "body": {},
}  # a case nobody has
UNKNOWN = {"kind": "step.unheard", "about": about_step(f"{ZHEJIANG}/none", step="step"), "body": {}}


async def refused(pair: tuple[Node, Node], **more: Any) -> Letter:
    """A letter that is dead at its sender."""
    letter = await write(pair[0], **{**ABSENT, **more})
    await exchange(*pair)
    assert ((await sent(pair[0], letter)).state, (await kept(pair[1], letter)).state) == ("dead", "attention")
    return letter


async def said_about(node: Node, kind: str) -> list[Letter]:
    """The letters of this kind that have come in, in order of the log."""
    whole = await node.store.letters_in.kept(await _ids(node))
    return [
        each.letter
        for each in sorted(whole.values(), key=lambda each: (each.position, each.index))
        if each.letter.kind == kind
    ]


async def _ids(node: Node) -> list[str]:
    peer = next(node.directory.peers_of(node.here)).node
    entries = await node.store.log("in", peer).entries(range(1, 50))
    return [unique_id(peer, letter["_id"]) for entry in entries.values() for letter in entry.letters]


async def test_a_letter_that_cannot_be_settled_is_dead_at_its_sender_with_the_reason(pair: tuple[Node, Node]):
    letter = await refused(pair)
    ours = await sent(pair[0], letter)
    assert (ours.reason, ours.round) == ("no_such_case", 0)
    (line,) = await letters.listed(pair[0], "dead", limit=10)
    assert (line.id, line.peer, line.reason) == (letter.id, ZHEJIANG, "no_such_case")
    (line,) = await letters.listed(pair[1], "attention", limit=10)
    assert (line.id, line.way, line.peer) == (letter.id, "in", JIANGSU)


async def test_a_letter_judged_anew_and_refused_again_is_told_again(pair: tuple[Node, Node]):
    letter = await refused(pair)
    await letters.replay(pair[0], letter.id, by="test")
    assert (await sent(pair[0], letter)).state == "logged"
    await exchange(*pair)
    ours, theirs = await sent(pair[0], letter), await kept(pair[1], letter)
    assert (ours.state, ours.round, theirs.state, theirs.round) == ("dead", 1, "attention", 1)
    told = await said_about(pair[0], "letter.refused")
    assert [each.body.get("round", 0) for each in told] == [0, 1]
    assert len({each.id for each in told}) == 2


async def test_what_waited_on_an_annulled_letter_goes_on(pair: tuple[Node, Node]):
    letter = await refused(pair)
    waiting = await write(pair[0], "behind", **{**ABSENT, "after": letter.id})
    await exchange(*pair)
    behind = await kept(pair[1], waiting)
    assert (behind.state, behind.reason) == ("waiting", "waits_on_earlier_letter")
    await letters.annul(pair[0], letter.id, by="test")
    await exchange(*pair)
    pair[1].clock.wait(minutes=5)
    await exchange(*pair)
    assert ((await kept(pair[1], letter)).state, (await sent(pair[0], letter)).state) == ("annulled", "annulled")
    behind = await kept(pair[1], waiting)
    assert (behind.state, behind.reason) == ("attention", "no_such_case")


async def test_only_a_dead_letter_is_replayed_or_annulled(pair: tuple[Node, Node]):
    letter = await write(pair[0])
    for act in (letters.replay, letters.annul):
        with pytest.raises(LetterNotDead):
            await act(pair[0], letter.id, by="test")
        with pytest.raises(LetterNotDead):
            await act(pair[0], "2026-11-23", by="test")
    with pytest.raises(NoSuchLetter):
        await letters.shown(pair[0], "none")


async def test_what_an_operator_does_is_audited(pair: tuple[Node, Node]):
    letter = await refused(pair)
    await letters.replay(pair[0], letter.id, by="somebody")
    await exchange(*pair)
    await letters.annul(pair[0], letter.id, by="somebody")
    await exchange(*pair)
    for kind in ("letter.retry", "letter.annulled"):
        (said,) = await said_about(pair[1], kind)
        entry = await pair[0].store.database.get("audit", f"audit:operator:{said.id}")
        assert entry is not None
        assert (entry["kind"], entry["about"]["by"], entry["about"]["letter"]) == (kind, "somebody", letter.id)


async def test_a_refusal_that_overtakes_the_mark_of_a_replay_is_not_lost(pair: tuple[Node, Node]):
    """The process ended between the letter.retry and its mark: the second refusal finds the letter still dead."""
    letter = await refused(pair)
    await letters.replay(pair[0], letter.id, by="test")
    await exchange(*pair)
    await pair[0].store.letters_out.mark_dead(letter.id, reason="no_such_case", round=1)
    assert (await sent(pair[0], letter)).round == 1
    assert not await pair[0].store.letters_out.mark_dead(letter.id, reason="late", round=0)
    assert (await sent(pair[0], letter)).reason == "no_such_case"


UNREADABLE = [{}, {"id": 7}, {"id": "ab" * 31}, {"id": "ab" * 32, "round": "one"}, {"id": "ab" * 32, "round": -1}]
UNREADABLE += [{"id": "ab" * 32, "note": "x"}]
MARKED: list[dict[str, Any]] = [  # what is said about a letter has none of these
    {"may_ignore": True},
    {"about": about_step()},
]


@pytest.mark.parametrize("kind", ["letter.refused", "letter.retry", "letter.annulled"])
async def test_what_is_said_unreadably_about_a_letter_stops_nothing(pair: tuple[Node, Node], kind: str):
    broken = [await write(pair[0], f"broken{n}", kind=kind, body=body) for n, body in enumerate(UNREADABLE)]
    broken += [await write(pair[0], f"marked{n}", kind=kind, **more) for n, more in enumerate(MARKED)]
    good = await write(pair[0], "good")
    await exchange(*pair)
    found = [await kept(pair[1], letter) for letter in broken]
    assert {each.state for each in found} == {"attention"}
    assert {each.reason for each in found} <= {"letter_unreadable", "no_such_letter"}
    assert (await kept(pair[1], good)).state == "settled"
    assert await said_about(pair[0], "letter.refused") == []


async def test_another_letter_under_the_same_id_stands_beside_the_first_and_is_told(pair: tuple[Node, Node]):
    """As after a backup: the sender's own letter is another one by now."""
    first = await write(pair[0], **UNKNOWN)
    await send_one_by_one(pair[0], 2)
    await settle(pair[1])
    await pair[0].store.database.delete("letters_out", [first.id])
    pair[0].clock.wait(seconds=1)
    second = await write(pair[0], **UNKNOWN)
    assert (second.id, second.at == first.at) == (first.id, False)
    await exchange(*pair)
    assert (await kept(pair[1], first)).letter == first
    (beside,) = await pair[1].store.letters_in.in_attention(limit=10)
    assert (beside.letter, beside.reason, beside.id != first.unique_id) == (second, "letter_conflict", True)
    ours = await sent(pair[0], second)
    assert (ours.state, ours.reason) == ("dead", "letter_conflict")
    await letters.replay(pair[0], second.id, by="test")
    await exchange(*pair)
    (beside,) = await pair[1].store.letters_in.in_attention(limit=10)
    assert (beside.round, beside.reason, (await sent(pair[0], second)).state) == (1, "letter_conflict", "dead")
    await letters.annul(pair[0], second.id, by="test")
    await exchange(*pair)
    assert await pair[1].store.letters_in.in_attention(limit=10) == []
    assert (await kept(pair[1], first)).state == "waiting"


async def test_a_word_about_a_letter_written_anew_after_a_backup_is_no_conflict(pair: tuple[Node, Node]):
    letter = await refused(pair)
    told = await said_about(pair[0], "letter.refused")
    await pair[1].store.database.delete("letters_out", [told[0].id])
    pair[1].clock.wait(seconds=1)
    await send_one_by_one(pair[1], 1)
    again = told[0].model_copy(update={"at": pair[1].clock.now()})
    await pair[1].store.letters_out.answer(again)
    await exchange(*pair)
    assert await pair[0].store.letters_in.in_attention(limit=10) == []
    assert (await sent(pair[0], letter)).state == "dead"
    assert len(await said_about(pair[1], "letter.refused")) == 0


async def test_the_same_letter_again_is_no_conflict(pair: tuple[Node, Node]):
    letter = await write(pair[0], "same")
    await send(pair[0])
    await settle(pair[1])
    (entry,) = (await pair[1].store.log("in", JIANGSU).entries([1])).values()
    assert (
        await pair[1].store.letters_in.keep(
            entry.letters, sender=JIANGSU, at=pair[1].clock.now(), position=entry.position
        )
        == []
    )
    assert (await kept(pair[1], letter)).state == "settled"


async def test_a_letter_of_an_unknown_kind_waits_where_people_see_it(pair: tuple[Node, Node]):
    letter = await write(pair[0], **UNKNOWN)
    await exchange(*pair)
    for _ in range(12):
        pair[1].clock.wait(minutes=3)
        await settle(pair[1])
    found = await kept(pair[1], letter)
    assert (found.state, found.reason) == ("waiting", "kind_unknown")
    assert [line.id for line in await letters.listed(pair[1], "waiting", limit=10)] == [letter.id]
    assert (await sent(pair[0], letter)).state == "logged"


async def test_what_waited_as_an_unknown_kind_is_settled_by_a_node_that_knows_it(pair: tuple[Node, Node]):
    """The store is left as an older version leaves it: the letter waits because that one did not know its kind."""
    letter = await write(pair[0], "upgraded")
    await send(pair[0])
    await settle_nothing(pair[1])
    (waiting,) = await pair[1].store.letters_in.due(pair[1].clock.now(), limit=10)
    later = pair[1].clock.now() + timedelta(seconds=100)
    await pair[1].store.letters_in.postpone(waiting, until=later, reason="kind_unknown")
    await settle(pair[1])
    assert (await kept(pair[1], letter)).reason == "kind_unknown"
    pair[1].clock.wait(seconds=101)
    await settle(pair[1])
    assert (await kept(pair[1], letter)).state == "settled"


async def settle_nothing(node: Node) -> None:
    """Spread what has come in, and judge none of it."""
    for entry in (await node.store.log("in", JIANGSU).entries(range(1, 9))).values():
        at = node.clock.now()
        await node.store.letters_in.keep(entry.letters, sender=JIANGSU, at=at, position=entry.position)
