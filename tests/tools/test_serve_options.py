"""How many processes `serve` is asked for."""

import os

import pytest

from server.cli import build_parser
from server.tools.settings import MOST_SLOTS


def processes(*words: str) -> int:
    return build_parser().parse_args(["serve", *words]).processes


def test_one_process_is_the_default():
    assert processes() == 1


@pytest.mark.parametrize("text", ["auto", "0"])
def test_auto_is_one_for_each_core_that_this_process_may_use(text: str):
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        assert processes("--processes", text) == 1
    finally:
        os.sched_setaffinity(0, cores)
    assert processes("--processes", text) == min(len(cores), MOST_SLOTS)


@pytest.mark.parametrize("count", [1, 2, MOST_SLOTS])
def test_a_number_is_taken_as_it_is(count: int):
    assert processes("--processes", str(count)) == count


@pytest.mark.parametrize("text", ["-1", "65", "many", "1.5", ""])
def test_another_is_refused_with_the_bounds(text: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        processes(f"--processes={text}")
    assert f"must be auto, or from 0 to {MOST_SLOTS}" in capsys.readouterr().err
