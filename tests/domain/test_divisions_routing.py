"""Divisions contain each other by prefix, and the longest prefix in the directory decides."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.catalogue.divisions import CODE, prefix
from server.domain.exchange.routing import NoNodeFor, find_node, route
from tests.domain.places import directory_of

CODES = st.from_regex(r"[1-9][0-9]{5}", fullmatch=True)
DIRECTORY = directory_of(
    {"320000": ["320000"], "330000": ["330000"], "330100": ["330100"], "330106": ["330106"], "440300": ["440300"]}
)


@pytest.mark.parametrize(
    ("code", "expected"), [("320000", "32"), ("320100", "3201"), ("320102", "320102"), ("320002", "320002")]
)
def test_a_division_contains_what_begins_like_it(code: str, expected: str) -> None:
    assert prefix(code) == expected


@pytest.mark.parametrize("text", ["", "32", "32000", "3200000", "020000", "32000a", "320000\n", " 320000", "32010０"])
def test_what_is_not_six_digits_is_no_division(text: str) -> None:
    assert CODE.fullmatch(text) is None


@given(code=CODES)
def test_every_division_lies_in_itself(code: str) -> None:
    assert CODE.fullmatch(code)
    assert code.startswith(prefix(code))


@pytest.mark.parametrize(
    ("division", "node"),
    [
        ("320000", "320000"),
        ("320102", "320000"),
        ("330000", "330000"),
        ("330200", "330000"),
        ("330100", "330100"),
        ("330105", "330100"),
        ("330106", "330106"),
        ("440305", "440300"),
    ],
)
def test_the_longest_prefix_decides(division: str, node: str) -> None:
    assert route(DIRECTORY, division).node == node


@pytest.mark.parametrize("division", ["110000", "440000", "440100"])
def test_a_division_of_no_node_is_refused(division: str) -> None:
    assert find_node(DIRECTORY, division) is None
    with pytest.raises(NoNodeFor) as refused:
        route(DIRECTORY, division)
    assert division in refused.value.detail


@given(division=CODES, chance=st.randoms(use_true_random=False))
def test_the_order_of_the_directory_decides_nothing(division: str, chance: Random) -> None:
    nodes = list(DIRECTORY.nodes)
    chance.shuffle(nodes)
    assert find_node(DIRECTORY.model_copy(update={"nodes": tuple(nodes)}), division) == find_node(DIRECTORY, division)


@given(division=CODES, served=st.lists(CODES, unique=True, min_size=1, max_size=8))
def test_no_other_node_has_a_longer_prefix_than_the_one_that_decides(division: str, served: list[str]) -> None:
    entry = find_node(directory_of({code: [code] for code in served}), division)
    containing = [code for code in served if division.startswith(prefix(code))]
    assert (entry is None) == (not containing)
    if entry:
        assert len(prefix(entry.node)) == max(len(prefix(code)) for code in containing)
