"""Official numbers (文号): one run per authority, class and year, and of each number it is known what became of it."""

import pytest

from server.domain.papers.numbers import NumberRun, number_text

RUN = NumberRun(authority="苏宁市玄武区行政审批局", word="受", year=2026)


def test_a_paper_has_one_number_however_often_it_asks_and_no_other_has_it():
    run = RUN.taken("A").taken("B")
    assert run.taken("A") is run
    assert [number_text(run, paper) for paper in "AB"] == [
        "苏宁市玄武区行政审批局受字〔2026〕1号",
        "苏宁市玄武区行政审批局受字〔2026〕2号",
    ]


def test_a_number_that_was_used_is_never_given_again():
    run = RUN.taken("A").used("A")
    with pytest.raises(KeyError):
        number_text(run, "A")
    assert number_text(run.taken("B"), "B").endswith("〕2号")


def test_a_number_that_goes_unused_stays_taken_with_the_reason():
    run = RUN.taken("A").given_up("A", "moot")
    assert (run.last, run.open, run.unused) == (1, {}, {"1": "moot"})
    assert run.given_up("B", "moot") is run, "it had none"
