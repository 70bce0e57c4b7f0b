"""The simulation bites: each planted fault is found by its seed, and the same seed without it finds nothing."""

from pathlib import Path

import pytest

from tests.simulation.planted import FAULTS, Fault, row
from tests.simulation.running import simulate

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_breaks_the_invariant_that_names_it(fault: Fault):
    assert simulate(fault.seed, planted=fault.plant).invariant == fault.invariant
    assert not simulate(fault.seed).invariant


def test_the_page_lists_the_planted_faults():
    assert "".join(row(fault) for fault in FAULTS) in PAGE.read_text()
