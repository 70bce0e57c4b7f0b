"""Refusals: what they tell is bounded, whoever asks."""

import pytest

from server.domain.errors import MOST_FAULTS, FieldFault, Invalid


def faults(count: int) -> list[FieldFault]:
    """So many faults, in order."""
    return [FieldFault(pointer=f"/form/{place:04}", code="unknown", detail="没有这一项。") for place in range(count)]


@pytest.mark.parametrize("count", [0, 1, MOST_FAULTS])
def test_a_refusal_tells_all_of_a_few_faults(count: int):
    refusal = Invalid("请按提示修改。", errors=faults(count))
    assert (refusal.detail, list(refusal.errors)) == ("请按提示修改。", faults(count))


@pytest.mark.parametrize(("detail", "before"), [("请按提示修改。", "请按提示修改。"), ("请修改", "请修改。"), ("", "")])
def test_of_many_faults_it_tells_the_first_twenty_and_how_many_there_are(detail: str, before: str):
    refusal = Invalid(detail, errors=faults(21))
    assert list(refusal.errors) == faults(20)
    assert refusal.detail == f"{before}共有21处，这里列出前20处。"
