"""The simulation bites: each planted fault is found by its seed, and the same seed without it finds nothing."""

import pytest

from tests.simulation.planted import FAULTS, Fault
from tests.simulation.running import simulate


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_breaks_the_invariant_that_names_it(fault: Fault):
    assert simulate(fault.seed, planted=fault.plant).invariant == fault.invariant
    assert not simulate(fault.seed).invariant
