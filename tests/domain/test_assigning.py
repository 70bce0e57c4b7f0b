"""Assigning by rule: to whom it may concern, and to all alike; and in which roles something can be done next."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.people.assigning import Assignee, Unassigned, assigned
from server.domain.people.posts import Post, PostRole
from server.domain.rules.desk_acts import roles_next

HERE, ELSEWHERE = "health/320102", "health/320106"
NAMES = ("anna", "bert", "cara", "dora")
ROLES: tuple[PostRole, ...] = ("window", "handler", "approver", "head")


def post(officer: str, role: PostRole = "handler", **more: Any) -> Post:
    return Post(**({"id": officer, "officer": officer, "authority": HERE, "role": role} | more))


def officer(name: str, held: int = 0, *posts: Post) -> Assignee:
    return Assignee(name=name, posts=posts or (post(name),), held=held)


def task(id: str, item: str = "x", roles: tuple[PostRole, ...] = ("handler",)) -> Unassigned:
    return Unassigned(id=id, authority=HERE, item=item, roles=frozenset(roles))


def shared(tasks: list[Unassigned], officers: list[Assignee], most: int = 100, most_held: int = 100) -> dict[str, str]:
    return dict(assigned(tasks, officers, most=most, most_held=most_held))


def test_the_task_goes_to_who_has_the_fewest_and_of_two_to_the_first_by_name() -> None:
    officers = [officer("cara", 1), officer("bert", 2), officer("anna", 2)]
    assert shared([task("t1"), task("t2"), task("t3")], officers) == {"t1": "cara", "t2": "anna", "t3": "bert"}


@pytest.mark.parametrize(
    "unfit",
    [post("anna", "window"), post("anna", "head"), post("anna", items=("y",)), post("anna", authority=ELSEWHERE)],
    ids=["role", "head", "item", "authority"],
)
def test_nobody_is_given_what_their_posts_are_not_for(unfit: Post) -> None:
    assert shared([task("t1")], [officer("anna", 0, unfit)]) == {}
    assert shared([task("t1")], [officer("anna", 0, unfit), officer("bert", 9)]) == {"t1": "bert"}


def test_a_task_of_which_nothing_can_be_done_is_passed_over() -> None:
    assert shared([task("t1", roles=()), task("t2")], [officer("anna")]) == {"t2": "anna"}


def test_nobody_holds_more_than_they_may_and_a_call_gives_no_more_than_it_may() -> None:
    tasks = [task(f"t{number}") for number in range(9)]
    assert shared(tasks, [officer("anna", 8), officer("bert", 9)], most_held=10) == dict(
        zip(("t0", "t1", "t2"), ("anna", "anna", "bert"), strict=True)
    )
    assert list(shared(tasks, [officer("anna")], most=4)) == ["t0", "t1", "t2", "t3"]


@st.composite
def officers(draw: st.DrawFn) -> list[Assignee]:
    found = []
    for name in draw(st.permutations(NAMES))[: draw(st.integers(0, 4))]:
        posts = [
            post(name, draw(st.sampled_from(ROLES)), authority=draw(st.sampled_from((HERE, ELSEWHERE))), items=items)
            for items in draw(st.lists(st.sampled_from(((), ("x",), ("y",), ("x", "y"))), max_size=3))
        ]
        found.append(Assignee(name=name, posts=tuple(posts), held=draw(st.integers(0, 6))))
    return found


some_tasks = st.lists(st.tuples(st.sampled_from("xyz"), st.sets(st.sampled_from(ROLES)).map(tuple)), max_size=20).map(
    lambda told: [task(f"t{number}", item, roles) for number, (item, roles) in enumerate(told)]
)


@given(some_tasks, officers(), st.integers(0, 20), st.integers(1, 8))
def test_whatever_is_given_fits_is_given_once_and_fills_no_desk_over(
    tasks: list[Unassigned], some: list[Assignee], most: int, most_held: int
) -> None:
    pairs = assigned(tasks, some, most=most, most_held=most_held)
    known, work = {each.name: each for each in some}, {each.id: each for each in tasks}
    assert len({id for id, _ in pairs}) == len(pairs) <= most
    assert [id for id, _ in pairs] == [each.id for each in tasks if each.id in dict(pairs)], "in the order of the tasks"
    assert all(known[name].fits(work[id]) for id, name in pairs)
    got = Counter(name for _, name in pairs)
    assert all(known[name].held + number <= most_held for name, number in got.items())
    if len(pairs) < most:
        full = {name for name, each in known.items() if each.held + got[name] >= most_held}
        for left in set(work) - set(dict(pairs)):
            assert {each.name for each in some if each.fits(work[left])} <= full, "left only if nobody can take it"


@given(st.integers(0, 60), st.lists(st.integers(0, 9), min_size=1, max_size=4))
def test_where_all_may_do_all_loads_differ_by_one_at_most_among_those_who_got_some(
    number: int, held: list[int]
) -> None:
    some = [officer(name, each) for name, each in zip(NAMES, held, strict=False)]
    got = Counter(shared([task(f"t{each}") for each in range(number)], some).values())
    assert got.total() == number
    loads = {each.name: each.held + got[each.name] for each in some}
    for name in got:
        assert loads[name] - min(loads.values()) <= 1


def test_the_roles_are_those_for_which_something_can_be_done_next() -> None:
    assert roles_next("decide", "sent") == {"window"}
    assert roles_next("decide", "received") == {"handler", "approver"}
    assert roles_next("decide", "accepted") == {"handler", "approver"}
    assert roles_next("decide", "suspended") == {"handler"}
    assert roles_next("decide", "approved") == {"window"}
    assert roles_next("decide", "supplementing") == {"approver"}, "who declines when no answer came in time"
    for state in ("waiting", "refused", "withdrawn", "delivered"):
        assert roles_next("decide", state) == frozenset()
    assert roles_next("opinion", "accepted") == roles_next("follow_up", "refused") == {"handler"}
    assert roles_next("check", "checking") == roles_next("paper", "sent") == {"window"}
