"""The command that runs many seeds: it tells every seed that fails and how to run it again, and its exit code."""

import json

import pytest

from tests.simulation import planted
from tests.simulation.__main__ import main

FAULT = next(each for each in planted.FAULTS if each.name == "steps 2 and 3 swapped")
AGAIN = "python -m tests.simulation --seed"


def test_seeds_that_all_pass_end_with_zero_and_a_summary(capsys: pytest.CaptureFixture[str]):
    assert main(["--from", "3", "--seeds", "2", "--workers", "1"]) == 0
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("2 of 2 seeds, ")
    assert told[-1].startswith("seeds 3 to 4: 2 run in ")
    assert told[-1].endswith(", 0 failed")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_seeds_that_fail_are_all_told_with_the_command_that_runs_them_again(
    workers: str, capsys: pytest.CaptureFixture[str]
):
    assert main(["--seeds", "4", "--workers", workers, "--fault", FAULT.name, "--json"]) == 1
    printed = capsys.readouterr()
    told = json.loads(printed.out)
    failed = [each["seed"] for each in told["failed"]]
    assert told["seeds"] == 4
    assert len(failed) > 1
    assert {each["invariant"] for each in told["failed"]} >= {FAULT.invariant}
    commands = [line.strip() for line in printed.err.splitlines() if AGAIN in line]
    assert commands == [f"{AGAIN} {seed} --fault '{FAULT.name}'" for seed in failed]


def test_a_run_that_breaks_off_is_told_and_hides_no_other_seed(capsys: pytest.CaptureFixture[str]):
    assert main(["--seeds", "2", "--workers", "1", "--fault", "no such fault", "--json"]) == 1
    assert [each["seed"] for each in json.loads(capsys.readouterr().out)["failed"]] == [0, 1]


def test_one_seed_alone_is_told_with_its_trace(capsys: pytest.CaptureFixture[str]):
    assert main(["--seed", str(FAULT.seed), "--fault", FAULT.name]) == 1
    printed = capsys.readouterr()
    assert any("invariant" in line and "broken" in line for line in printed.out.splitlines())
    assert f"{AGAIN} {FAULT.seed}" in printed.err
