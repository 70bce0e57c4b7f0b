"""Passwords of officers: too short, too easy, or fit."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.people.passwords import MOST_CHARACTERS, PasswordTooEasy, check_password


def faults(password: str, name: str = "zhao.min") -> list[str]:
    """The codes of the rules that the password breaks."""
    try:
        check_password(password, name=name, fewest=12, at="/new")
    except PasswordTooEasy as refusal:
        return [fault.code for fault in refusal.errors if fault.pointer == "/new"]
    return []


@pytest.mark.parametrize(
    "password",
    [
        "Password2026!!",
        "P@ssw0rdP@ssw0rd",
        "woaini5201314",
        "qwertyuiop12345",
        "1qaz2wsx3edc4rfv",
        "aaaaaaaaaaaaaaaa",
        "123456789012345",
        "ＡＢＣＤＥＦＧＨＩＪＫＬ",  # wide letters are letters
        "Xk9!Xk9!Xk9!Xk9!",
        "19880712-19900301",
        "jiangsu-admin-2026",
        "zhengfu@Nanjing99",
    ],
)
def test_what_guessing_programs_try_first_is_refused(password: str):
    assert faults(password) == ["password_guessable"]


@pytest.mark.parametrize(
    "password", ["tulpen aus holland", "门前大桥下游过一群鸭快来数", "vK3-mQp8.wZt2", "test-only-password"]
)
def test_what_is_long_and_of_its_own_is_fit(password: str):
    assert faults(password) == []


def test_a_short_or_endless_password_is_refused():
    assert faults("vK3-mQp8.wZ") == ["password_short"]
    assert faults("vK3-mQp8.wZt2" * 20) == ["password_long"]
    assert faults("") == ["password_short", "password_guessable"]


def test_a_password_must_not_have_the_name_in_it():
    assert "password_has_name" in faults("ZHAO.Min-tulpen-holland")
    assert faults("tulpen aus holland", name="us") == []


def test_what_the_node_makes_itself_is_fit():
    assert [faults(secrets.token_urlsafe(12)) for _ in range(200)] == [[]] * 200


@given(st.text(max_size=MOST_CHARACTERS + 5), st.text(max_size=20))
def test_any_text_is_judged(password: str, name: str):
    assert set(faults(password, name)) <= {
        "password_short",
        "password_long",
        "password_has_name",
        "password_guessable",
    }
