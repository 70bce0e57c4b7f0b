"""Seeds of the exchange in bad weather, and that a seed means the same in every process."""

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.simulation.running import simulate

SEEDS, IN_EVERY_RUN = 200, 10
AT_ONCE = 10
AGAIN = "python -m tests.simulation --seed"
TELLS = (
    "import hashlib; from tests.simulation.running import simulate; "
    "print(*(hashlib.sha256(chr(10).join(simulate(seed).trace).encode()).hexdigest() for seed in (3, 7, 9)))"
)
TOGETHER = [
    pytest.param(seeds, marks=() if seeds.start < IN_EVERY_RUN else pytest.mark.soak, id=repr(seeds))
    for seeds in (range(first, first + AT_ONCE) for first in range(0, SEEDS, AT_ONCE))
]


@pytest.mark.parametrize("seeds", TOGETHER)
def test_the_exchange_keeps_its_word_in_any_weather(seeds: Sequence[int]):
    for seed in seeds:
        outcome = simulate(seed)
        assert not outcome.invariant, f"{AGAIN} {seed}: {outcome.invariant}: {outcome.seen}"


def test_a_seed_means_the_same_in_every_process():
    told = [
        subprocess.run(
            [sys.executable, "-c", TELLS],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert len(set(told[0].split())) == 3
