"""Results: a licence and a paper are delivered, an answer in words is done with its approval."""

from typing import Any

import pytest

from server.domain.aggregate.acts import Act
from server.domain.case import acts
from server.domain.catalogue.plan import make_plan
from server.domain.catalogue.terms import Delivery
from server.domain.effects.deadlines import checkpoints_of
from server.domain.rules.decide import decide
from server.domain.rules.moves.delivering import NothingToDeliver
from server.domain.rules.results import NotYielded, result_of
from tests.domain.carrying import Place
from tests.domain.places import CONTEXT
from tests.world import CALENDAR, CATALOGUE, FACTS, JIANGSU, after, offered, officer, opened, opening, planned, worked

DELIVER: dict[str, Any] = {"by": officer(), "step": "one", "delivery": Delivery(method="electronic")}
DOCUMENTS = pytest.mark.parametrize("code", ["birth_licence", "record_paper"])


def approving(**said: Any) -> list[Act]:
    """The way of the step to its approval, which says this."""
    *way, approve = worked("one", officer())
    return [*way, approve.model_copy(update=said)]


def test_a_plan_knows_the_documents_and_the_catalogue_the_rest():
    plan = make_plan(CATALOGUE, CATALOGUE.bundle("arrival"), {"place": "330102", "extra": "no"}, context=CONTEXT)
    yields = {step.code: step.yields for step in plan}
    assert yields == {"first": "birth_licence", "second": "", "third": ""}
    results = {step.code: result_of(CATALOGUE, step) for step in plan}
    kinds = {code: result.kind for code, result in results.items() if result}
    assert kinds == {"first": "licence", "third": "text"}, "the second was planned before items had results"


@DOCUMENTS
def test_a_document_may_come_with_its_approval_or_with_its_delivery(code: str):
    plan = [planned("one", yields=code)]
    case = after(opened(plan), *approving(licence=offered(code)))
    assert case.steps["one"].licence == offered(code)
    later = after(opened(plan), *approving(), acts.Deliver(id="d", licence=offered(code), **DELIVER))
    assert (later.steps["one"].state, later.steps["one"].licence) == ("delivered", offered(code))


@DOCUMENTS
def test_a_file_of_another_document_is_refused(code: str):
    *way, approve = approving(licence=offered("tax_clearance"))
    with pytest.raises(NotYielded):
        decide(after(opened([planned("one", yields=code)]), *way), approve, FACTS)


@DOCUMENTS
def test_a_document_is_in_hand_and_watched_until_it_is_delivered(code: str):
    home = Place(JIANGSU)
    for act in (opening([planned("one", yields=code)]), *approving()):
        home.do(act)
    assert home.tasks[-1].is_open
    assert [each.name for each in checkpoints_of(home.case, here=JIANGSU, calendar=CALENDAR)] == ["deliver_overdue"]
    home.do(acts.Deliver(id="d", **DELIVER))
    assert not home.tasks[-1].is_open
    assert checkpoints_of(home.case, here=JIANGSU, calendar=CALENDAR) == ()


def test_an_answer_in_words_is_finished_with_its_approval():
    home = Place(JIANGSU)
    for act in (opening([planned("one", yields="")]), *approving(result={"one_number": "A1"})):
        home.do(act)
    assert (home.tasks[-1].state, home.tasks[-1].is_open, home.tasks[-1].due_on) == ("approved", False, "")
    assert checkpoints_of(home.case, here=JIANGSU, calendar=CALENDAR) == ()
    with pytest.raises(NothingToDeliver):
        home.do(acts.Deliver(id="d", **DELIVER))


def test_an_answer_in_words_takes_no_file_and_says_so():
    *way, approve = approving(licence=offered("answer"))
    with pytest.raises(NotYielded, match="文字答复"):
        decide(after(opened([planned("one")]), *way), approve, FACTS)
