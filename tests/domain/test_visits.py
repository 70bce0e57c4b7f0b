"""Visits: who came, as far as this node knows it."""

import pytest

from server.domain.case.visits import MOST_VISITS, TooManyVisits, VisitorUnknown, check_room, person_of
from server.domain.people.mandates import AgentOf
from tests.world import JIANGSU, MONDAY, ZHEJIANG, opened, person

AGENT = AgentOf(person=person(sequence="012").model_copy(update={"key": "agent"}), mandate="m1", ends_on=MONDAY.date())


def test_the_home_knows_the_applicant_and_the_agent_by_key():
    case = opened()
    assert case.applicant
    assert person_of(case, "applicant", here=JIANGSU) == case.applicant.key
    assert person_of(case, "other", here=JIANGSU) == ""
    with pytest.raises(VisitorUnknown):
        person_of(case, "agent", here=JIANGSU)
    assert person_of(case.model_copy(update={"agent": AGENT}), "agent", here=JIANGSU) == "agent"


@pytest.mark.parametrize("visitor", ["applicant", "agent", "other"])
def test_another_node_knows_nobody(visitor):
    case = opened().model_copy(update={"applicant": None})
    assert person_of(case, visitor, here=ZHEJIANG) == ""


def test_there_is_room_for_a_hundred():
    check_room(MOST_VISITS - 1)
    with pytest.raises(TooManyVisits):
        check_room(MOST_VISITS)
