"""What officers say with an act becomes an act: each member of each body a field, and nothing else."""

from collections.abc import Mapping
from typing import get_args

import pytest

from server.desk.officer.batching import ActBatch
from server.domain.case.acts import StepAct
from server.domain.rules.desk_acts import ACTS
from server.domain.rules.desk_forms import Decision, StepActHeader
from tests.world import officer

HEADER: StepActHeader = {"id": "a", "digest": "d", "by": officer(), "step": "one", "version": 3}

# A value for each member of any body, no two of them alike, and written as a client writes it.
SAID: Mapping[str, object] = {
    "version": 3,
    "grounds": "材料不实",
    "result": {"licence_number": "1"},
    "gaps": [{"kind": "field", "code": "mobile", "reason": "无法接通"}],
    "decline_as": "wrong_agency",
    "agency": "市自然资源局",
    "division": "330102",
    "procedure": "鉴定",
    "days": 7,
    "answer": "object",
    "department": "health",
    "outcome": "approve",
    "delivery": {"method": "post", "number": "P1"},
    "licence": "file-1",
    "courier": "邮政",
    "number": "EX100",
}
BY_THE_DESK = {"licence"}  # the id of a file, which the desk makes an offer of
PLACES = {"transfer": {"division"}}  # the desk finds its authority


def test_no_body_has_a_member_without_a_sample():
    assert set(SAID) == {name for form in ACTS.values() for name in form.decision.model_fields}
    assert len({str(value) for value in SAID.values()}) == len(SAID)


@pytest.mark.parametrize("path", ACTS)
def test_each_member_of_a_body_becomes_a_field_of_the_act(path: str):
    form = ACTS[path]
    said = {name: SAID[name] for name in form.decision.model_fields}
    act = form.act_of(HEADER, form.decision.model_validate(said))
    own = set(type(act).model_fields) - set(StepAct.model_fields)
    changed = {
        name
        for name in own
        if getattr(act, name) != type(act).model_fields[name].get_default(call_default_factory=True)
    }
    apart = BY_THE_DESK | PLACES.get(path, set()) | {"version"}
    told = {name: value for name, value in said.items() if name not in apart}
    became = act.model_dump(mode="json", include=changed)
    assert sorted(map(str, became.values())) == sorted(map(str, told.values()))
    assert act.model_dump(include=set(HEADER)) == {**HEADER, "by": HEADER["by"].model_dump()}
    assert type(act).model_validate(act.model_dump()) == act, "of the types that its fields have"


@pytest.mark.parametrize("path", ACTS)
def test_what_need_not_be_said_is_what_the_act_has_by_default(path: str):
    form = ACTS[path]
    said = {name: SAID[name] for name, field in form.decision.model_fields.items() if field.is_required()}
    act = form.act_of(HEADER, form.decision.model_validate(said))
    for name in set(form.decision.model_fields) - set(said) - {"version"}:
        field = {"grounds": "reason"}.get(name, name)
        assert getattr(act, field) == type(act).model_fields[field].get_default(call_default_factory=True)


def test_a_form_makes_acts_of_its_own_decisions_alone():
    with pytest.raises(TypeError, match="Decision is not of the kind GroundsDecision"):
        ACTS["refuse"].act_of(HEADER, Decision())


def test_what_is_done_to_many_needs_nothing_but_a_version():
    for act in get_args(ActBatch.model_fields["act"].annotation):
        assert ACTS[act].decision is Decision
