"""A plan takes as long as its longest chain of steps, or as the whole promises, and both are told."""

from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.catalogue.bundles import Bundle, BundleStep
from server.domain.catalogue.durations import Days, days_of
from server.domain.catalogue.merging import merge
from server.domain.catalogue.plan import PlannedStep
from server.domain.catalogue.terms import Terms
from tests.domain.invented import Made, cases

FROM = {"source": "tests", "status": "sample"}


def bundle(promised: int | None = None) -> Bundle:
    what = {"code": "b", "name": "一件事", "summary": "b", "subject": "person", "stage": "s", "lead": "health"}
    return Bundle(steps=(BundleStep(item="a"),), promised_days=promised, **what, **FROM)


def step(code: str, days: int, *needs: str) -> PlannedStep:
    nothing = {"fields": (), "materials": (), "yields": "", "yields_fields": ()}
    what = {
        "name": code,
        "department": "health",
        "division": "320000",
        "promised_days": days,
        "terms": Terms(legal_days=days),
    }
    return PlannedStep(code=code, needs=needs, **what, **nothing)


def days(*steps: PlannedStep, promised: int | None = None) -> Days:
    return days_of(bundle(promised), steps)


def test_no_steps_take_no_days() -> None:
    assert days() == Days(one_by_one=0, critical=0, path=(), together=0)


def test_steps_side_by_side_take_as_long_as_the_longest() -> None:
    assert days(step("a", 3), step("b", 5)) == Days(one_by_one=8, critical=5, path=("b",), together=5)


def test_steps_in_a_chain_take_all_their_days() -> None:
    found = days(step("a", 3), step("b", 5, "a"))
    assert found == Days(one_by_one=8, critical=8, path=("a", "b"), together=8)


def test_a_long_step_outweighs_a_chain_of_short_ones() -> None:
    found = days(step("a", 1), step("b", 1, "a"), step("c", 1, "b"), step("long", 9), step("end", 1, "c", "long"))
    assert found.path == ("long", "end")
    assert found.critical == 10


def test_of_two_chains_equally_long_the_first_is_told() -> None:
    assert days(step("a", 2), step("b", 2)).path == ("a",)


def test_a_promise_for_the_whole_counts_where_it_is_shorter() -> None:
    steps = step("a", 3), step("b", 5, "a")
    assert days(*steps, promised=4).together == 4
    assert days(*steps, promised=9).together == 8
    assert days(*steps, promised=4).critical == 8


def test_a_need_outside_the_plan_takes_no_time() -> None:
    assert days(step("b", 5, "gone")) == Days(one_by_one=5, critical=5, path=("b",), together=5)


@st.composite
def plans(draw: st.DrawFn) -> list[PlannedStep]:
    """Up to seven steps in any order, each in need of any that come before it in some other order."""
    codes = [f"s{n}" for n in range(draw(st.integers(1, 7)))]
    steps = [
        step(code, draw(st.integers(1, 9)), *(other for other in codes[:n] if draw(st.booleans())))
        for n, code in enumerate(codes)
    ]
    return draw(st.permutations(steps))


def chains(steps: list[PlannedStep]) -> list[tuple[PlannedStep, ...]]:
    """Every way to go from need to step, of any length: an exhaustive search."""
    found: list[tuple[PlannedStep, ...]] = [(each,) for each in steps]
    for chain in found:
        found += [(*chain, each) for each in steps if chain[-1].code in each.needs]
    return found


def total(chain: tuple[PlannedStep, ...]) -> int:
    return sum(each.promised_days for each in chain)


@settings(max_examples=60)
@given(steps=plans())
def test_the_critical_days_are_those_of_the_longest_of_all_chains(steps: list[PlannedStep]) -> None:
    assert days(*steps).critical == max(total(chain) for chain in chains(steps))


@settings(max_examples=60)
@given(steps=plans())
def test_the_path_is_a_chain_of_the_graph_that_takes_those_days(steps: list[PlannedStep]) -> None:
    found, by_code = days(*steps), {each.code: each for each in steps}
    path = [by_code[code] for code in found.path]
    assert all(before.code in after.needs for before, after in pairwise(path))
    assert sum(each.promised_days for each in path) == found.critical


@settings(max_examples=60)
@given(steps=plans(), promised=st.none() | st.integers(1, 30), chance=st.randoms(use_true_random=False))
def test_the_order_in_which_steps_stand_takes_and_gives_no_day(
    steps: list[PlannedStep], promised: int | None, chance: Random
) -> None:
    before, shuffled = days(*steps, promised=promised), chance.sample(steps, len(steps))
    after = days(*shuffled, promised=promised)
    assert (before.one_by_one, before.critical, before.together) == (after.one_by_one, after.critical, after.together)
    assert before.together <= before.critical <= before.one_by_one
    assert before.together in (before.critical, promised)


@settings(max_examples=60)
@given(steps=plans(), more=st.integers(1, 9), data=st.data())
def test_a_longer_step_never_makes_the_whole_shorter(steps: list[PlannedStep], more: int, data: st.DataObject) -> None:
    slow = data.draw(st.sampled_from(steps))
    slower = slow.model_copy(update={"promised_days": slow.promised_days + more})
    before, after = days(*steps), days(*[slower if each is slow else each for each in steps])
    assert before.critical <= after.critical <= before.critical + more
    assert slow.code not in before.path or after.critical == before.critical + more


@settings(max_examples=30)
@given(case=cases())
def test_the_days_saved_are_those_beyond_what_one_may_count_on(case: tuple[Made, dict[str, str]]) -> None:
    made, answers = case
    steps = made.plan(answers).steps
    promised = [each.promised_days for each in steps]
    longest = max((total(chain) for chain in chains(list(steps))), default=0)
    counted_on = min(longest, made.bundle.promised_days or longest)
    assert merge(made.catalogue, made.bundle, steps).saved.days == sum(promised) - counted_on
