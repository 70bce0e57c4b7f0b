"""Two bad peers and a long backlog cost the letters to the others next to nothing, in time and in store calls."""

from pathlib import Path

import pytest

from tests.simulation.isolation import Measured, rows, table
from tests.simulation.outage import measure

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
MOST_MORE = 1.05


@pytest.fixture(scope="module")
def measured() -> list[tuple[str, Measured]]:
    return rows()


@pytest.mark.soak
def test_two_bad_peers_slow_the_others_by_less_than_five_percent(measured: list[tuple[str, Measured]]):
    (_, alone), *beside_bad = measured
    for _, each in beside_bad:
        assert each.delivered == alone.delivered
        assert each.mean_seconds <= MOST_MORE * alone.mean_seconds
        assert each.most_seconds <= MOST_MORE * alone.most_seconds
        assert each.calls <= MOST_MORE * alone.calls


@pytest.mark.soak
def test_the_page_tells_what_was_measured(measured: list[tuple[str, Measured]]):
    assert table(measured) in PAGE.read_text()


def test_nothing_is_lost_or_doubled_by_an_outage_of_an_hour():
    outage = measure(1.0, every_seconds=300.0)
    assert not outage.invariant
    assert outage.waiting > 0
    assert (outage.lost, outage.doubled) == (0, 0)
