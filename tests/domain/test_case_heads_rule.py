"""A head of a case was logged before the case was read: so the case follows from it, or something was done to it."""

from typing import Any

import pytest

from server.domain.aggregate.heads import HistoryHead, HistoryStanding, finding_of


@pytest.mark.parametrize(
    ("links", "trouble"),
    [
        (("a", "b", "c"), ""),
        (("a", "b"), ""),
        (("a",), "rolled_back"),
        ((), "rolled_back"),
        (("a", "x"), "forked"),
        (("a", "x", "c"), "forked"),
        (None, "altered"),
    ],
)
def test_a_case_follows_from_a_head_or_it_is_named(links: Any, trouble: str):
    found = finding_of(HistoryHead("case", 2, "b"), HistoryStanding(links))
    assert (found.trouble if found else "") == trouble


def test_a_case_that_is_not_there_is_named():
    found = finding_of(HistoryHead("case", 2, "b"), None)
    assert found
    assert found.trouble == "removed"
