"""`make mutants` finds what no test notices, and takes no exemption at its word."""

import json
from pathlib import Path

import pytest

from tests.mutation.__main__ import SUBJECTS, main
from tests.mutation.exemptions import EXEMPT, Exemption
from tests.mutation.mutants import mutants_of
from tests.mutation.trials import ROOT, Subject

MODULE = '''"""A module."""

MOST = 3


def is_late(days: int) -> bool:
    """Whether it is late."""
    return days > MOST
'''
SUBJECT = Subject("measured.py", ("test_measured.py",))
WEAK = "from measured import is_late\n\ndef test_late():\n    assert is_late(9)\n    assert not is_late(1)\n"
STRONG = WEAK + "    assert is_late(4)\n    assert not is_late(3)\n"
WRONG = WEAK + "    assert is_late(0)\n"
BOUNDARY = Exemption(SUBJECT.path, "return days > MOST", "days > MOST", "days >= MOST", "an example")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree of one module."""
    (tmp_path / SUBJECT.path).write_text(MODULE)
    return tmp_path


def tried(tree: Path, tests: str, *words: str, exempt: tuple[Exemption, ...] = ()) -> int:
    """The exit code of the command in this tree, with these tests of the module."""
    (tree / SUBJECT.tests[0]).write_text(tests)
    return main(words, subjects=[SUBJECT], exempt=exempt, root=tree)


def test_a_change_is_told_by_the_line_it_stands_in() -> None:
    assert [str(each) for each in mutants_of(SUBJECT.path, MODULE)] == [
        "measured.py:3: 3  ->  4",
        "measured.py:3: 3  ->  2",
        "measured.py:8: return days > MOST  ->  return None",
        "measured.py:8: days > MOST  ->  days >= MOST",
        "measured.py:8: days > MOST  ->  days <= MOST",
    ]


@pytest.mark.soak
def test_what_a_weak_test_does_not_notice_fails_the_command(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tried(tree, WEAK, "--json") == 1
    told = capsys.readouterr()
    outcome = json.loads(told.out)
    (module,) = outcome["modules"]
    assert (outcome["percent"], module["mutants"]) == (40.0, 5)
    assert [each["now"] for each in module["survivors"]] == ["4", "2", "days >= MOST"]
    assert "survived: measured.py:8: days > MOST  ->  days >= MOST" in told.err
    assert (tree / SUBJECT.path).read_text() == MODULE


@pytest.mark.soak
def test_a_test_that_notices_every_change_passes(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tried(tree, STRONG) == 0
    assert capsys.readouterr().out == ("measured.py: 5 of 5 killed, 0 exempt\n100.0 % killed, enough: at least 97 %\n")


def test_an_exempt_change_does_not_count(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tried(tree, WEAK, "--least", "50", exempt=(BOUNDARY,)) == 0
    assert "measured.py: 2 of 4 killed, 1 exempt\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("tests", "exempt", "told"),
    [
        (WRONG, (), "its tests fail without any change"),
        (STRONG, (BOUNDARY,), "a test notices it: measured.py:8: days > MOST"),
        (WEAK, (Exemption(SUBJECT.path, "return days > 3", "days > 3", "days >= 3", "gone"),), "fits 0 mutants"),
    ],
    ids=["tests that fail", "an exemption that a test refutes", "one of a mutant that is no more"],
)
def test_trials_that_would_tell_nothing_are_an_error(
    tree: Path, tests: str, exempt: tuple[Exemption, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tried(tree, tests, exempt=exempt) == 2
    assert told in capsys.readouterr().err


def test_what_is_tried_by_default_is_here_and_every_exemption_is_of_it() -> None:
    assert all((ROOT / file).is_file() for subject in SUBJECTS for file in (subject.path, *subject.tests))
    assert {each.path for each in EXEMPT} <= {subject.path for subject in SUBJECTS}
    assert all(each.reason for each in EXEMPT)
