"""`make soak` runs all that `make test` leaves out, and tells what came of it."""

import json
import sys
from dataclasses import replace

import pytest

from tests.faults.chaos import minutes_from
from tests.faults.outages import seconds_from
from tests.simulation.test_simulation import SEEDS
from tests.soak import Part, main, parts, run


def part(name: str, code: str) -> Part:
    return Part(name, f"a part called {name}", (sys.executable, "-c", code), r"\d+ passed")


GOOD = part("good", "print('..'); print('7 passed in 1 s')")
BAD = part("bad", "import sys; print('3 passed', file=sys.stderr); sys.exit(3)")


def test_the_table_tells_of_each_part_and_one_that_failed_fails_it_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], chosen=[BAD, GOOD]) == 1
    told = capsys.readouterr()
    head, _, *rows = told.out.splitlines()
    assert head == "| part | what runs | what it told | outcome | seconds |"
    assert [row.split(" | ")[:4] for row in rows] == [
        ["| bad", "a part called bad", "3 passed", "failed (3)"],
        ["| good", "a part called good", "7 passed", "passed"],
    ]
    assert told.err.splitlines() == [
        "soak 1 of 2: bad: a part called bad",
        "3 passed",
        "soak 2 of 2: good: a part called good",
        "..",
        "7 passed in 1 s",
    ]


def test_all_that_passed_is_zero_and_an_object_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json"], chosen=[GOOD]) == 0
    (outcome,) = json.loads(capsys.readouterr().out)
    assert outcome.pop("seconds") > 0
    assert outcome == {"name": "good", "what": "a part called good", "told": "7 passed", "code": 0, "is_skipped": False}


def test_a_part_that_this_machine_cannot_run_is_skipped_and_says_what_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = "import sys; print('missing: a program', file=sys.stderr); sys.exit(3)"
    lacking = Part("lacking", "a part", (sys.executable, "-c", code), r"missing: .*", lacks=3)
    assert main([], chosen=[lacking]) == 0
    assert "| lacking | a part | missing: a program | skipped |" in capsys.readouterr().out
    assert main([], chosen=[replace(lacking, lacks=0)]) == 1


def test_what_the_image_lacks_is_told_in_the_table() -> None:
    (image,) = [each for each in parts(is_long=False) if each.name == "image"]
    outcome = run(replace(image, command=("/usr/bin/env", "PATH=/nowhere", *image.command)), lambda _: None)
    assert outcome.is_skipped
    assert "missing: `buildah`" in outcome.told


@pytest.mark.parametrize("is_long", [False, True])
def test_the_marked_tests_the_seeds_chaos_outages_and_the_image_are_run(is_long: bool) -> None:
    commands = {each.name: each.command[2:] for each in parts(is_long=is_long)}
    assert commands["tests"] == ("pytest", "-m", "soak", "-q")
    seeds = int(commands["simulation"][2])
    assert seeds == (10_000 if is_long else 1_000)
    assert seeds >= SEEDS
    assert minutes_from(commands["chaos"][2])
    assert seconds_from(commands["outages"][2])
    assert [command[0] for command in commands.values()] == [
        "pytest",
        "tests.simulation",
        "tests.faults.chaos",
        "tests.faults.outages",
        "tests.image",
    ]


def test_a_command_line_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--short"], chosen=[GOOD])
    assert ended.value.code == 2
