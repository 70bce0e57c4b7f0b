"""Which moves give which paper: each says so on purpose, and what it gives fits its text and can be told again."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from server.domain.aggregate.actors import Actor
from server.domain.aggregate.acts import Act
from server.domain.case import acts
from server.domain.case.case import Case
from server.domain.case.events import Event
from server.domain.case.papers import PaperAsked
from server.domain.catalogue.terms import Delivery, Terms
from server.domain.papers.bodies import BODIES
from server.domain.papers.data import paper_digest
from server.domain.papers.filling import fill
from server.domain.paperwork.asking import UNFIT, FactsWithPapers, PaperRules, decide_with_papers
from server.domain.paperwork.table import BY_NO_MOVE, GIVES, WITHOUT
from server.domain.paperwork.telling import data_again
from server.domain.rules.table import TRANSITIONS
from tests.papers.samples import texts
from tests.world import (
    CATALOGUE,
    HEARING,
    JIANGSU,
    ZHEJIANG,
    application,
    citizen,
    facts,
    lacking,
    later,
    officer,
    opening,
    planned,
    worked,
)

RULES = PaperRules(texts(), lambda _: CATALOGUE, "https://node.example.cn")
TERMS = Terms(legal_days=10, deferrable=("photo",), special_steps=(HEARING,))
DELIVER = acts.Deliver(id="deliver", by=officer(), step="one", delivery=Delivery(method="electronic"))
DECLINE = acts.Decline(id="decline", by=officer(), step="one", reason="not_needed", grounds="依法不需要申请。")
RECEIVE, ACCEPT = worked("one", officer(), until="accepted")
APPROVE, REFUSE = worked("one", officer())[2], worked("one", officer(), until="refused")[2]
ASK = acts.AskSupplement(id="ask", by=officer(), step="one", gaps=(lacking("subject_name"),))
LAPSE = acts.Lapse(id="lapse", by=Actor(node=JIANGSU, part="node"), step="one")
EXTEND = acts.Extend(id="extend", by=officer(name="head-1"), step="one", days=5, reason="案情复杂。")
SUSPEND = acts.Suspend(id="suspend", by=officer(), step="one", procedure="听证", notice="需要听证。", days=10)
WITHDRAW = acts.Withdraw(id="withdraw", by=citizen())
LIVES: dict[str, Sequence[Act]] = {
    "receipt": (RECEIVE,),
    "supplement": (RECEIVE, ASK),
    "acceptance": (RECEIVE, ACCEPT),
    "gap_acceptance": (RECEIVE, ACCEPT),
    "not_needed": (RECEIVE, DECLINE),
    "not_ours": (RECEIVE, DECLINE.model_copy(update={"reason": "wrong_agency", "agency": "市民政局"})),
    "special_procedure": (RECEIVE, ACCEPT, SUSPEND),
    "extension": (RECEIVE, ACCEPT, EXTEND),
    "granted": (RECEIVE, ACCEPT, APPROVE),
    "refused": (RECEIVE, ACCEPT, REFUSE),
    "delivery": (RECEIVE, ACCEPT, APPROVE, DELIVER),
    "withdrawal": (RECEIVE, WITHDRAW),
    "termination": (RECEIVE, ASK, LAPSE),
}


def knowing(*, here: str = JIANGSU, days: float = 0, papers: PaperRules | None = RULES) -> FactsWithPapers:
    """What a decision knows at a node that gives papers."""
    return FactsWithPapers(**vars(facts(here, at=later(days=days))), papers=papers)


def lived(*done: Act, papers: PaperRules | None = RULES, **plan: Any) -> tuple[list[Event], Case]:
    """All that happens to a case whose one step is here, a month lying before a lapse."""
    deferred = plan.pop("deferred", ())
    step = planned("one", **{"materials": ("proof", "photo"), "yields": "birth_licence", "terms": TERMS, **plan})
    materials = tuple(each for each in application().materials if each.code not in deferred)
    case: Case | None = None
    told: list[Event] = []
    for number, act in enumerate((opening([step], materials=materials, deferred=deferred), *done)):
        known = knowing(days=40 if act is LAPSE else 0, papers=papers)
        decided = decide_with_papers(case, act, replace(known, salt=bytes([number]) * 16))
        told += decided.events
        case = decided.values[-1]
    assert case
    return told, case


def test_each_event_that_moves_a_step_gives_a_paper_or_says_why_not():
    assert GIVES.keys() | WITHOUT.keys() == TRANSITIONS.keys()
    assert not GIVES.keys() & WITHOUT.keys()
    assert all(WITHOUT.values())


def test_each_kind_of_paper_is_given_by_a_move_or_says_why_not():
    given = {each.paper_kind for givings in GIVES.values() for each in givings}
    assert given | BY_NO_MOVE.keys() == BODIES.keys()
    assert given == LIVES.keys()
    assert not given & BY_NO_MOVE.keys()


@pytest.mark.parametrize("kind", LIVES)
def test_what_a_move_gives_fits_its_text_and_is_told_again_from_the_case(kind: str):
    told, case = lived(*LIVES[kind], deferred=("photo",) if kind == "gap_acceptance" else ())
    asked = [each for each in told if isinstance(each, PaperAsked)][-1]
    assert (asked.paper_kind, asked.title) == (kind, texts().by_code[kind].title_for("service"))
    data = data_again(told, asked, CATALOGUE)
    assert paper_digest(data, texts=asked.texts, layout=asked.layout) == asked.data_digest
    assert fill(data, texts()).paragraphs
    assert (data.frame.recipient, data.frame.recipient_id[-4:]) == ("测试甲", "0012")
    assert data.frame.check_address == f"https://node.example.cn/check/{asked.paper}/{asked.address[-26:]}"
    given = case.paper(asked.paper)
    assert given
    assert given.file is None


def test_papers_of_one_decision_come_after_all_that_it_brings_under_its_act():
    told, case = lived(*LIVES["granted"])
    assert [each.act for each in told][-3:] == ["approve", "close", "ask_paper"] or told[-1].act == "ask_paper"
    assert told[-1].act_id == APPROVE.id
    assert [each.number for each in told] == list(range(1, case.version + 1))
    assert case.step("one").version == next(each.number for each in told if each.act == "approve")


def test_a_node_without_papers_asks_for_none():
    told, case = lived(*LIVES["granted"], papers=None)
    assert not [each for each in told if isinstance(each, PaperAsked)]
    assert not case.given_papers


def test_what_another_node_decides_gives_no_paper_here():
    step = planned("one", division="330106")
    decided = decide_with_papers(None, opening([step]), knowing())
    by = Actor(node=ZHEJIANG, part="node")
    told = acts.Receive(id="told", by=by, step="one", at=later())
    received = decide_with_papers(decided.values[-1], told, knowing())
    assert [each.act for each in received.events] == ["receive"]


def test_nothing_is_given_for_a_step_that_never_came_to_its_authority():
    told, _ = lived(WITHDRAW)
    assert not [each for each in told if isinstance(each, PaperAsked)]


def test_what_fits_no_paper_holds_up_no_act_and_has_no_digest():
    told, _ = lived(RECEIVE, ACCEPT, REFUSE.model_copy(update={"grounds": "。"}), name="一" * 500)
    asked = [each for each in told if isinstance(each, PaperAsked)]
    assert asked[-1].paper_kind == "refused"
    assert asked[-1].data_digest != UNFIT, "names are cut, and empty grounds have words of their own"
    told, _ = lived(RECEIVE, ACCEPT, REFUSE, papers=replace(RULES, origin="ftp://nowhere"))
    assert {each.data_digest for each in told if isinstance(each, PaperAsked)} == {UNFIT}
