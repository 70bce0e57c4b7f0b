"""What was made is remembered by its key, up to a bound, and a fault is not."""

import pytest

from server.domain.remembering import Memory, itself


def test_what_was_made_is_not_made_again() -> None:
    memory = Memory()
    made = [memory.of(("a", 1), list), memory.of(("a", 1), list), memory.of(("a", 2), list)]
    assert made[0] is made[1]
    assert made[0] is not made[2]


def test_those_asked_for_longest_ago_are_forgotten() -> None:
    memory, asked = Memory(most=2), []

    def ask(key: str) -> None:
        memory.of(key, lambda: asked.append(key))

    for key in "abacab":
        ask(key)
    assert asked == ["a", "b", "c", "b"], "a was asked for again before c came, so b went"


def test_a_fault_is_not_remembered() -> None:
    memory = Memory()
    with pytest.raises(ZeroDivisionError):
        memory.of("a", lambda: 1 // 0)
    assert memory.of("a", lambda: 1) == 1


def test_only_the_very_same_object_is_itself() -> None:
    one, equal = [1], [1]
    assert itself(one) == itself(one)
    assert itself(one) != itself(equal)
    assert itself(one).value is one, "it stays alive, so that its id is nobody else's"
