"""What a case leaves is counted right, and so is how fast a chain grows."""

from typing import Any

import pytest

from tests import chaining_rate, footprint


def test_documents_and_their_keys_are_counted_with_an_index_for_each_field_and_one_for_id() -> None:
    documents = [{"_id": "a", "key": "四"}, {"_id": "bc", "other": 1}]
    found = footprint.footprint_of(documents, ["key"])
    assert (found.documents, found.entries, found.key_bytes) == (2, 4, 1 + 3 + 2)
    assert found.less(footprint.Footprint(), shared_by=2).documents == 1


async def test_links_of_the_chain_are_counted() -> None:
    figures = await chaining_rate.measure(600)
    assert figures["links"] == 2
    assert figures["commands_a_link"] > 4
    assert figures["entries_a_second"] > 0


@pytest.mark.soak
async def test_one_case_leaves_one_case_and_an_entry_for_each_act_and_each_look() -> None:
    found: dict[str, Any] = await footprint.measure(1)
    assert found["home"]["cases"].documents == found["abroad"]["cases"].documents == 1
    assert found["home"]["audit"].documents == 2 * 15
    assert found["abroad"]["audit"].documents == 2 * 3
