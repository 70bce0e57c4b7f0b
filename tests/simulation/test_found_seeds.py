"""Seeds that once broke an invariant, each kept under what was wrong then: with the core or with the invariant."""

import pytest

from tests.simulation.running import simulate

FOUND = {
    "a courtesy was ignored before the letter that it follows was settled": (3, 5),
    "a letter was ignored before one without effect that it follows was marked": (784,),
    "a courier that had found the way whole was taken for the one that probes": (2511, 5489, 8418),
}


@pytest.mark.parametrize("seed", [seed for seeds in FOUND.values() for seed in seeds])
def test_what_a_seed_once_found_holds_now(seed: int):
    outcome = simulate(seed)
    assert not outcome.invariant, f"{outcome.invariant}: {outcome.seen}"
