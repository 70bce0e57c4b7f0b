"""Letters and batches as values: bytes made once, ids that follow from what they tell, refusals as letters."""

import base64
import json
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from server.domain.canonical import canonical, digest
from server.domain.exchange.letters import (
    GENESIS,
    REFUSED,
    VERSION,
    Batch,
    Letter,
    about_letter,
    letter_id,
    letter_salt,
)
from server.domain.exchange.log import BEGINNING, Entry, Head, Inbound, Outbound
from tests.world import CASE, JIANGSU, MONDAY, ZHEJIANG, about_step, later

MODERATE = settings(max_examples=100, derandomize=True, deadline=None)
TEXTS = st.text(max_size=20)
KEYS = st.text(st.characters(max_codepoint=127), max_size=8)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | TEXTS | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def letter(**change: Any) -> Letter:
    """A letter from Zhejiang to Jiangsu."""
    whole = Letter(
        id=letter_id(ZHEJIANG, JIANGSU, "case", CASE, 4, 1),
        sender=ZHEJIANG,
        to=JIANGSU,
        after=None,
        about=about_step(),
        kind="step.accepted",
        at=MONDAY,
        salt=letter_salt(bytes(16), 4, 1),
        body={},
    )
    return whole.model_copy(update=change)


def batch(**change: Any) -> Batch:
    """The first entry of the log from Zhejiang to Jiangsu."""
    whole = Batch(
        sender=ZHEJIANG, to=JIANGSU, stream=1, number=1, prev=GENESIS, complete_to=MONDAY, root=digest("root")
    )
    return whole.model_copy(update=change)


def test_the_text_of_a_letter_is_canonical_and_names_its_sender_from():
    told = json.loads(letter().text())
    assert canonical(told).decode() == letter().text()
    assert set(told) == {"v", "id", "from", "to", "after", "about", "kind", "may_ignore", "at", "salt", "body"}
    assert told["about"] == {"kind": "case", "name": CASE, "part": "second"}
    assert (told["v"], told["from"], told["to"], told["at"]) == (VERSION, ZHEJIANG, JIANGSU, "2026-11-23T04:00:00.000Z")


@MODERATE
@given(
    body=st.dictionaries(KEYS, VALUES, max_size=5),
    past=st.none() | st.just("ab" * 32),
    milliseconds=st.integers(0, 10**12),
    is_about_step=st.booleans(),
    may_ignore=st.booleans(),
)
def test_the_text_survives_being_read_and_written_again(
    body: dict[str, Any], past: str, milliseconds: int, is_about_step: bool, may_ignore: bool
):
    about = about_step() if is_about_step else None
    at = later(milliseconds=milliseconds)
    written = letter(body=body, after=past, at=at, about=about, may_ignore=may_ignore)
    assert Letter.model_validate_json(written.text()) == written
    assert Letter.model_validate_json(written.text()).text() == written.text()


@pytest.mark.parametrize(
    "change",
    [{"from": "32000"}, {"to": "x"}, {"id": "AB" * 32}, {"after": "1"}, {"at": "2026-11-23T04:00:00"}, {"more": 1}],
    ids=lambda change: next(iter(change)),
)
def test_what_is_not_a_letter_is_not_read_as_one(change: dict[str, Any]):
    with pytest.raises(ValidationError):
        Letter.model_validate({**json.loads(letter().text()), **change})


def test_a_moment_is_written_in_utc_wherever_the_clock_stood():
    in_china = MONDAY.astimezone(timezone(timedelta(hours=8)))
    whole = letter().model_dump()
    assert Letter(**{**whole, "at": in_china}).text() == letter().text()


def test_ids_differ_by_each_part_of_their_source():
    ours = (ZHEJIANG, JIANGSU, "case", CASE, 4, 1)
    sources = [ours, (JIANGSU, ZHEJIANG, *ours[2:]), (*ours[:4], 5, 1), (*ours[:5], 2)]
    sources += [(*ours[:3], CASE + "1", 4, 1), (*ours[:2], "licence", *ours[3:])]
    assert len({letter_id(*source) for source in sources}) == len(sources)
    assert letter_id(*sources[0]) == digest([ZHEJIANG, JIANGSU, "case", CASE, 4, 1])


def test_a_salt_is_128_bits_and_differs_by_commit_event_and_index():
    sources = [(bytes(16), 1, 1), (b"a" * 16, 1, 1), (bytes(16), 2, 1), (bytes(16), 1, 2)]
    salts = {letter_salt(*source) for source in sources}
    assert len(salts) == len(sources)
    assert {len(base64.urlsafe_b64decode(salt + "==")) for salt in salts} == {16}


def test_a_refused_letter_is_answered_by_one_that_names_it_and_the_reason():
    bad = letter()
    answer = about_letter(
        REFUSED, bad.id, between=(JIANGSU, bad.sender), at=later(hours=1), salt=b"s" * 16, code="not_our_step"
    )
    assert (answer.sender, answer.to, answer.kind) == (JIANGSU, ZHEJIANG, "letter.refused")
    assert dict(answer.body) == {"id": bad.id, "code": "not_our_step"}
    assert (answer.after, answer.about, answer.may_ignore, answer.at) == (None, None, False, later(hours=1))
    assert answer.id == letter_id(JIANGSU, ZHEJIANG, "letter.refused", bad.id)


def refused(bad: Letter, code: str, **said: Any) -> Letter:
    """The answer of the letter's receiver."""
    return about_letter(REFUSED, bad.id, between=(bad.to, bad.sender), at=MONDAY, salt=code.encode(), code=code, **said)


def test_refusing_a_letter_again_after_it_was_judged_anew_makes_another_id():
    assert refused(letter(), "a").id != refused(letter(), "a", round=1).id != refused(letter(), "a", round=2).id


def test_refusing_the_same_letter_again_makes_the_same_id():
    first, second = (refused(letter(), code) for code in ("a", "b"))
    other = refused(letter(id="cd" * 32), "a")
    assert first.id == second.id != other.id
    assert first.salt != second.salt


@pytest.mark.parametrize(
    "change",
    [
        {"number": 2},
        {"prev": digest("prev")},
        {"root": digest("other")},
        {"stream": 2},
        {"to": "440000"},
        {"complete_to": later(minutes=1)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_hash_of_a_batch_tells_its_parts_apart(change: dict[str, Any]):
    assert batch(**change).hash != batch().hash


def test_the_hash_of_a_batch_does_not_depend_on_its_letters():
    assert "letters" not in Batch.model_fields
    with_bodies, erased = (Entry(batch(), batch().hash, letters, [], 0, None) for letters in ([letter()], []))
    assert with_bodies.batch.hash == erased.batch.hash == with_bodies.hash
    assert batch().hash == digest(json.loads(canonical(batch().model_dump(by_alias=True))))


def test_a_batch_survives_being_written_down_with_the_same_hash():
    written = canonical(batch().model_dump(by_alias=True))
    assert Batch.model_validate_json(written).hash == batch().hash


def test_a_fresh_peer_has_nothing_sent_and_nothing_kept():
    assert (Outbound().head, Outbound().acknowledged, Outbound().next_attempt_at) == (0, BEGINNING, None)
    assert (Inbound().head_position, Inbound().spread) == (BEGINNING, BEGINNING)
    assert (Head(1, 0, GENESIS).position, Outbound().genesis) == (BEGINNING, batch().prev)


def test_a_changed_copy_of_a_batch_has_a_hash_of_its_own():
    one = batch()
    assert one.hash == one.hash
    other = one.model_copy(update={"number": one.number + 1})
    assert other.hash != one.hash
    assert other.hash == Batch.model_validate(other.model_dump(by_alias=True)).hash
