"""Rights: every role and everything that is done at the desk; what no post grants is refused by its name."""

import ast
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from server.domain.errors import Forbidden, Refusal
from server.domain.people.posts import Post, PostKind, PostRole
from server.domain.rules.desk_acts import ACTS
from server.domain.rules.moves.proposing import TwoPersonsNeeded
from server.domain.rules.rights import (
    FROM_ABOVE,
    ROLES,
    USES,
    ItemNotInPost,
    NotYourPost,
    PartForbids,
    RoleForbids,
    Use,
    Work,
    granted,
    may,
)

DESK = Path(__file__).parents[2] / "server/desk/officer"
TODAY, TOMORROW, YESTERDAY = date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 22)
HERE, ELSEWHERE, ABOVE = "public_security/320102", "public_security/320106", "public_security/320100"
ITEM = "household_registration"
MATRIX: Mapping[PostRole, str] = {  # what each may do beside what every one may
    "window": "receive check turn-back post-paper confirm-paper deliver",
    "handler": "accept ask-supplement suspend resume opinion return-opinion propose follow-up",
    "approver": "approve refuse decline extend transfer",
}
FOR_HEADS = "reassign assign substitute delegate designate figures_below"
OF_WHOLE_DESKS = "counts colleagues assign substitute figures_below"
ROLES_OF_POSTS: tuple[PostRole, ...] = get_args(PostRole)


def post(role: PostRole = "head", **more: Any) -> Post:
    return Post(**({"id": "p1", "officer": "anna", "authority": HERE, "role": role} | more))


def work_for(action: str, **more: Any) -> Work:
    """What the action would be done to here, in the part that it is done for."""
    part = ACTS[action].part if action in ACTS else "decide"
    place = {"authority": ELSEWHERE, "superiors": (HERE,)} if action in FROM_ABOVE else {"authority": HERE}
    return Work(**({"item": ITEM, "part": part, **place} | more))


def refusal(posts: list[Post], action: str, work: Work) -> type[Refusal]:
    with pytest.raises(Forbidden) as refused:
        granted(posts, action, work, on=TODAY)
    return refused.type


def is_in_matrix(role: PostRole, action: str) -> bool:
    if action == "record_visit":
        return role in ("window", "head")
    if action == "move_licence":
        return role in ("approver", "head")
    if action in get_args(Use):
        return role == "head" or action not in FOR_HEADS.split()
    return role == "head" or action in MATRIX[role].split()


def test_the_matrix_speaks_of_every_act_and_every_use():
    told = [action for actions in MATRIX.values() for action in actions.split()]
    assert sorted(told) == sorted(ACTS)
    assert set(USES) == set(get_args(Use))
    assert set(ROLES) == {*ACTS, *USES}
    assert len(ROLES) == len(ACTS) + len(USES), "no use is named like an act"


def test_every_use_is_asked_for_somewhere_at_the_desk():
    assert set(USES) == {use for file in DESK.rglob("*.py") for use in asked_for(file)} - set(ACTS)


def asked_for(file: Path) -> Iterator[object]:
    """What a file writes out as asked of the posts: as `to=`, given or by default, or as what may be done."""
    for each in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        said: list[ast.expr | None] = []
        if isinstance(each, ast.Call):
            said = [word.value for word in each.keywords if word.arg == "to"]
            if isinstance(each.func, ast.Name) and each.func.id in ("granted", "may", "post_for"):
                said += each.args[1:2]
        if isinstance(each, ast.arguments):
            said = [value for name, value in zip(each.kwonlyargs, each.kw_defaults, strict=True) if name.arg == "to"]
        yield from (text.value for text in said if isinstance(text, ast.Constant))


@pytest.mark.parametrize(("role", "action"), list(product(ROLES_OF_POSTS, ROLES)))
def test_each_role_may_do_what_the_matrix_says_and_nothing_else(role: PostRole, action: str):
    work, own = work_for(action), post(role)
    if is_in_matrix(role, action):
        assert granted([own], action, work, on=TODAY) == own
    else:
        assert refusal([own], action, work) is RoleForbids


@pytest.mark.parametrize("action", ROLES)
def test_no_post_no_place_no_day_no_end_no_right(action: str):
    work = work_for(action)
    for posts in (
        [],
        [post(authority=ABOVE)],
        [post(from_day=TOMORROW)],
        [post(to_day=YESTERDAY)],
        [post(ended_at="2026-11-22T08:00:00Z")],
        [post("window", authority="", window=HERE)] if action in FOR_HEADS else [],
    ):
        assert refusal(posts, action, work) in (NotYourPost, RoleForbids)
        assert not may(posts, action, work, on=TODAY)


def test_a_period_counts_its_first_and_its_last_day():
    own = post(from_day=TODAY, to_day=TODAY)
    assert [may([own], "accept", work_for("accept"), on=day) for day in (YESTERDAY, TODAY, TOMORROW)] == [
        False,
        True,
        False,
    ]


def test_what_is_no_action_is_granted_to_nobody():
    assert refusal([post()], "abolish", work_for("accept")) is RoleForbids


def test_a_refusal_names_the_roles_that_may():
    with pytest.raises(RoleForbids) as refused:
        granted([post("window")], "approve", work_for("approve"), on=TODAY)
    assert refused.value.more == {"roles": ["approver", "head"]}
    assert "审批或者负责人" in refused.value.detail


@pytest.mark.parametrize("action", ROLES)
def test_a_post_for_some_items_is_for_no_others_but_its_desk_is_seen(action: str):
    some = post(items=("another",))
    if action in OF_WHOLE_DESKS.split():
        assert granted([some], action, work_for(action), on=TODAY) == some
    else:
        assert refusal([some], action, work_for(action)) is ItemNotInPost
    assert may([post(items=("another", ITEM))], action, work_for(action), on=TODAY)


@pytest.mark.parametrize("action", ACTS)
def test_an_act_is_done_for_its_own_part_alone(action: str):
    for part in {form.part for form in ACTS.values()} - {ACTS[action].part}:
        assert refusal([post()], action, work_for(action, part=part)) is PartForbids


def test_a_window_acts_on_what_it_received_for_any_authority():
    window = post("window", authority="", window="w1")
    assert may([window], "receive", work_for("receive", window="w1"), on=TODAY)
    assert refusal([window], "receive", work_for("receive", window="w2")) is NotYourPost
    assert refusal([window], "receive", work_for("receive")) is NotYourPost


def test_from_above_figures_are_seen_and_authorities_designated_and_nothing_else_is_done():
    above = [post(authority=ABOVE)]
    below = Work(authority=HERE, superiors=(ABOVE,), item=ITEM)
    assert {"designate", "figures_below"} == FROM_ABOVE
    assert [granted(above, action, below, on=TODAY) for action in FROM_ABOVE] == above * 2
    for action in set(ROLES) - FROM_ABOVE:
        part = ACTS[action].part if action in ACTS else "decide"
        assert refusal(above, action, below.model_copy(update={"part": part})) is NotYourPost
    assert [refusal([post()], action, below) for action in FROM_ABOVE] == [NotYourPost] * 2


def test_the_first_post_that_may_is_the_one_by_which_it_is_done():
    posts = [post("window", id="p1"), post("approver", id="p2", items=("another",)), post(id="p3"), post(id="p4")]
    assert granted(posts, "approve", work_for("approve"), on=TODAY).id == "p3"


def standing_in(name: str, **more: Any) -> Post:
    return post(**({"kind": "substitution", "stands_in_for": name, "to_day": TOMORROW} | more))


@pytest.mark.parametrize("action", ["approve", "refuse"])
@pytest.mark.parametrize("kind", ["substitution", "delegation"])
def test_two_persons_means_persons_not_posts(action: str, kind: PostKind):
    def work(*proposed_by: str) -> Work:
        return work_for(action, two_persons=True, proposed_by=frozenset(proposed_by))

    for posts in ([post()], [standing_in("bert", kind=kind)], [post("approver"), standing_in("bert", kind=kind)]):
        assert refusal(posts, action, work("anna")) is TwoPersonsNeeded
        assert refusal(posts, action, work("bert", "anna")) is TwoPersonsNeeded
    assert refusal([standing_in("bert", kind=kind)], action, work("bert")) is TwoPersonsNeeded
    assert granted([standing_in("bert", kind=kind), post(id="own")], action, work("bert"), on=TODAY).id == "own"
    assert may([post()], action, work_for(action, proposed_by=frozenset({"anna"})), on=TODAY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"authority": ""},
        {"window": "w1"},
        {"authority": "", "window": "w1", "role": "handler"},
        {"from_day": TOMORROW, "to_day": TODAY},
        {"kind": "substitution", "to_day": TODAY},
        {"kind": "delegation", "stands_in_for": "bert"},
        {"stands_in_for": "bert"},
        {"role": "king"},
    ],
    ids=str,
)
def test_what_is_no_post_cannot_be_made(wrong: dict[str, Any]):
    with pytest.raises(ValidationError):
        post(**wrong)


places = st.sampled_from([{"authority": HERE}, {"authority": ELSEWHERE}, {"authority": "", "window": "w1"}])
days = st.none() | st.sampled_from([YESTERDAY, TODAY, TOMORROW])


@st.composite
def any_posts(draw: st.DrawFn) -> list[Post]:
    found = []
    for number in range(draw(st.integers(0, 5))):
        place, first, last = draw(places), draw(days), draw(days)
        role = "window" if "window" in place else draw(st.sampled_from(ROLES_OF_POSTS))
        period = {"from_day": first, "to_day": last} if not (first and last and last < first) else {}
        items = draw(st.sampled_from([(), (ITEM,), ("another",)]))
        found.append(post(role, id=f"p{number}", officer="anna", items=items, **place, **period))
    return found


@given(any_posts(), st.sampled_from(sorted(ROLES)), st.sampled_from([HERE, ELSEWHERE]), st.sampled_from(["", "w1"]))
def test_whatever_is_granted_is_granted_by_a_post_in_force_there_in_a_role_that_may(
    posts: list[Post], action: str, authority: str, window: str
):
    part = ACTS[action].part if action in ACTS else "decide"
    work = Work(authority=authority, window=window, item=ITEM, part=part, superiors=(ABOVE,))
    fitting = [
        each
        for each in posts
        if each.holds(TODAY) and each.place in (authority, window) and is_in_matrix(each.role, action)
        if action != "figures_below"
    ]
    if action not in OF_WHOLE_DESKS.split():
        fitting = [each for each in fitting if each.items != ("another",)]
    assert may(posts, action, work, on=TODAY) == bool(fitting)
    if fitting:
        assert granted(posts, action, work, on=TODAY) == fitting[0]
