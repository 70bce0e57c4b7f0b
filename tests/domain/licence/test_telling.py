"""What a node tells of a licence by letter: how it stands, nothing of who holds it, and nothing beyond its bounds."""

from typing import Any

import pytest

from server.domain.effects.letters_in import KINDS, LetterUnreadable, told_licence
from server.domain.exchange.letters import About, Letter
from server.domain.licence.standing import standing_on
from server.domain.licence.telling import LICENCE, LICENCE_TOLD, ToldLicence
from tests.domain.licence.issued import ISSUED_ON, holder, licence_after
from tests.world import JIANGSU, MONDAY, ZHEJIANG


def body_of(*ways: str) -> dict[str, Any]:
    """What is told of the permit after these acts."""
    told = ToldLicence.of(licence_after(ways))
    assert told
    return told.model_dump(mode="json")


def letter_of(body: dict[str, Any], **change: Any) -> Letter:
    """A letter from Zhejiang that says this of a licence."""
    said: dict[str, Any] = {
        "id": "ab" * 32,
        "sender": ZHEJIANG,
        "to": JIANGSU,
        "after": None,
        "about": About(kind=LICENCE, name=licence_after().id, part=None),
        "kind": LICENCE_TOLD,
        "at": MONDAY,
        "salt": "x" * 22,
        "body": body,
    }
    return Letter(**(said | change))


def test_a_letter_tells_how_a_licence_stands_and_not_who_holds_it():
    body = body_of("suspend", "restore", "revoke")
    told = told_licence(letter_of(body))
    assert (told.state, told.cause, told.version) == ("revoked", "rescinded", 4)
    assert standing_on(told, ISSUED_ON) == "revoked"
    assert holder().number not in str(body)
    assert holder().name not in str(body)
    assert LICENCE_TOLD in KINDS


def test_what_was_told_later_is_of_a_higher_age():
    ages = [ToldLicence.model_validate(body_of(*ways)).age for ways in ((), ("suspend",), ("suspend", "restore"))]
    assert ages == sorted(set(ages))


@pytest.mark.parametrize(
    "change",
    [
        {"identifier": "1.2.156.3005.2.x"},
        {"case": "nowhere"},
        {"holder": "somebody"},
        {"version": 0},
        {"version": True},
        {"state": "eaten"},
        {"name": "a\u202eb"},
        {"name": ""},
        {"cause": "renewed"},
        {"expires_on": "9999-12-31"},
        {"reason": "x" * 501},
        {"issued_on": "1899-01-01"},
    ],
    ids=str,
)
def test_what_is_no_word_about_a_licence_is_unreadable(change: dict[str, Any]):
    assert told_licence(letter_of(body_of()))
    with pytest.raises(LetterUnreadable):
        told_licence(letter_of(body_of() | change))


@pytest.mark.parametrize(
    "change",
    [
        {"may_ignore": True},
        {"about": None},
        {"about": About(kind="case", name=licence_after().id, part=None)},
        {"about": About(kind=LICENCE, name=licence_after().id, part="part")},
        {"about": About(kind=LICENCE, name="another", part=None)},
    ],
    ids=["ignored", "nothing", "case", "part", "another"],
)
def test_a_letter_about_something_else_says_nothing_of_a_licence(change: dict[str, Any]):
    with pytest.raises(LetterUnreadable):
        told_licence(letter_of(body_of(), **change))
