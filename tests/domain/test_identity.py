"""Whose database it is: a difference has a refusal of its own, which says what was found and what to do."""

import pytest

from server.domain.identity import (
    DatabaseMoved,
    DatabaseOfAnotherNode,
    Identity,
    KeyLost,
    KeysReplaced,
    NotOurDatabase,
    OriginChanged,
    OtherKeys,
    differences,
    gained,
)
from tests.world import JIANGSU, ZHEJIANG

CHECKS = {"signing": "s1", "tokens": "t1", "lookup": "l1", "fields:f1": "a1", "fields:f2": "a2"}
HELD = Identity(
    division=JIANGSU,
    origin="https://tongban.example.cn",
    database="tongban_320000",
    hosts=("a:27017", "b:27017"),
    checks=CHECKS,
)


def with_checks(**more: str) -> Identity:
    """The same node with these check values in the place of its own; an empty one is left out."""
    checks = {name: value for name, value in (CHECKS | more).items() if value}
    return HELD.model_copy(update={"checks": checks})


def refusals(ours: Identity) -> list[type[NotOurDatabase]]:
    return [type(each) for each in differences(HELD, ours)]


def test_the_same_node_may_open_its_database():
    assert refusals(HELD) == []


@pytest.mark.parametrize("hosts", [("b:27017", "a:27017"), ("b:27017", "c:27017"), ("a:27017",)])
def test_the_servers_may_be_named_in_another_order_and_change_one_by_one(hosts: tuple[str, ...]):
    assert refusals(HELD.model_copy(update={"hosts": hosts})) == []


@pytest.mark.parametrize(
    ("update", "refusal", "words"),
    [
        ({"division": ZHEJIANG}, DatabaseOfAnotherNode, (JIANGSU, ZHEJIANG, "`mongodb_uri`")),
        ({"origin": "https://drill.example.cn"}, OriginChanged, (HELD.origin, "https://drill.example.cn", "adopt")),
        ({"database": "copy"}, DatabaseMoved, ("tongban_320000 at a:27017,b:27017", "copy at a:27017", "adopt")),
        ({"hosts": ("c:27017",)}, DatabaseMoved, ("a:27017,b:27017", "c:27017", "adopt")),
    ],
)
def test_another_node_and_a_copy_are_refused_with_what_was_found_and_what_to_do(
    update: dict[str, object], refusal: type[NotOurDatabase], words: tuple[str, ...]
):
    (fault,) = differences(HELD, HELD.model_copy(update=update))
    assert type(fault) is refusal
    assert str(fault).startswith(f"{refusal.code}: ")
    assert [word for word in words if word not in str(fault)] == []
    assert fault.may_adopt == ("adopt" in words)


@pytest.mark.parametrize("name", ["lookup", "fields:f1"])
def test_another_key_on_which_stored_data_hangs_is_refused_for_good(name: str):
    ours = with_checks(**{name: "other"})
    assert refusals(ours) == [OtherKeys]
    assert name in str(next(differences(HELD, ours)))
    assert not OtherKeys.may_adopt


def test_another_key_to_sign_with_may_be_adopted():
    assert refusals(with_checks(signing="other")) == [KeysReplaced]
    assert KeysReplaced.may_adopt


def test_a_whole_other_key_file_is_not_mistaken_for_replaced_keys():
    assert refusals(with_checks(**dict.fromkeys(CHECKS, "other"))) == [OtherKeys]


def test_a_ring_may_gain_a_key_and_never_lose_one():
    more = with_checks(**{"fields:f3": "a3"})
    assert refusals(more) == []
    assert gained(HELD, more) == {"fields:f3": "a3"}
    assert refusals(with_checks(**{"fields:f1": ""})) == [KeyLost]
    assert not KeyLost.may_adopt


def test_programs_that_know_one_secret_more_or_less_run_side_by_side():
    newer = with_checks(**{"integrity:i1": "x"})
    assert list(differences(HELD, newer)) == []
    assert list(differences(newer, HELD)) == []
