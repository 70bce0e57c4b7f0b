"""The stored form of cases and drafts: fields, kinds and checkpoints keep their names, and requests their digests."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from server.domain.aggregate.happening import Happened
from server.domain.canonical import digest
from server.domain.case.case import Case
from server.domain.case.events import Event
from server.domain.effects.deadlines import CheckpointName
from server.domain.interning import Interned
from server.domain.rules.drafts import Draft, UnfinishedSubmission
from server.domain.rules.opening import Submission
from tests.world import MONDAY


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in an annotation, such as those of a tuple or a choice."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from models(each)


def form(kind: type[BaseModel], place: str) -> dict[str, set[str]]:
    """The names of the fields of a model, and by their place those of the models in it."""
    found = {place: {field.alias or name for name, field in kind.model_fields.items()}}
    for name, field in kind.model_fields.items():
        for inner in models(field.annotation):
            found |= form(inner, f"{place}.{name}")
    return found


def written(text: str) -> dict[str, set[str]]:
    """`place: names`, one on a line; what does not fit goes on in an indented line."""
    lines = [line.partition(":") for line in text.replace("\n  ", " ").strip().splitlines()]
    return {place: set(names.split()) for place, _, names in lines}


CASE = """
case: agent applicant bundle bundle_name catalogue closed_at closing deferred followed_up form given_papers home lead
  leader
  materials number open_at_closing opened_at outcome signings spoken_number steps subject
  undertakings version window
case.given_papers: authority data_digest dated_on event file id made_at paper_kind spoken_number step title
case.given_papers.file: number sha256 size
case.signings: asked_at ends_at id paper shown signed signed_at signed_kind step
case.signings.shown: number sha256 size
case.signings.signed: number sha256 size
case.applicant: id_number key name
case.subject: id_number name
case.agent: ends_on mandate person
case.agent.person: id_number key name
case.materials: code media_type sha256 size
case.undertakings: at kind sha256 version
case.steps: agency appeal arrived_at authority bounced checked_at clock decided_at deferrals delivery directory_version
  electronic finding formers grounds is_gathering licence node notify_anew_at officer opinions papers plan proposal
  result right_division since state supplement transfers urged_at version waits_on withdrawal_asked_at
case.steps.formers: decided_by id name signs_as
case.leader: decided_by id name signs_as
case.steps.authority: decided_by id name signs_as
case.steps.plan: code competent department division fields materials mode name needs part promised_days terms
  yields yields_fields
case.steps.plan.competent: authority checker heard
case.steps.plan.competent.authority: decided_by id name signs_as
case.steps.plan.competent.heard: decided_by id name signs_as
case.steps.plan.competent.checker: decided_by id name signs_as
case.steps.plan.terms: deferrable deferral_days extension_days legal_days opinions special_steps supplement_days
  transfer two_persons unanswered
case.steps.plan.terms.special_steps: basis days is_counted name
case.steps.plan.terms.opinions: days departments needed rule
case.steps.plan.terms.transfer: days_from source status
case.steps.plan.part: certainty department has_paper name source
case.steps.clock: accepted_at extension is_deemed legal_days promised_days stops
case.steps.clock.stops: days notice reason resumed_at stopped_at
case.steps.clock.extension: approver days reason
case.steps.supplement: answered_at asked_at due_on form_after form_before gaps materials_after materials_before
case.steps.supplement.gaps: code kind reason
case.steps.supplement.materials_before: code media_type sha256 size
case.steps.supplement.materials_after: code media_type sha256 size
case.steps.deferrals: came_at due_on material
case.steps.opinions: answer asked_at due_on given_at reason
case.steps.proposal: at by opinion outcome stands_in_for
case.steps.licence: code media_type sha256 size
case.steps.delivery: method number
case.steps.papers: arrived_at courier number posted_at postings
"""
EVENTS = """
every event: act_digest act_id at by number
opened: application case kind spoken_number
opened.by: authority is_agent name node part role stands_in_for window
opened.application: agent answers applicant bundle bundle_name catalogue closing deferred division form lead leader
  materials steps subject undertakings window
opened.application.applicant: id_number key name
opened.application.subject: id_number name
opened.application.agent: ends_on mandate person
opened.application.agent.person: id_number key name
opened.application.materials: code id media_type name sha256 size
opened.application.undertakings: kind sha256 version
opened.application.leader: decided_by id name signs_as
opened.application.steps: code competent department division fields materials mode name needs part promised_days terms
  yields yields_fields
opened.application.steps.competent: authority checker heard
opened.application.steps.competent.authority: decided_by id name signs_as
opened.application.steps.competent.heard: decided_by id name signs_as
opened.application.steps.competent.checker: decided_by id name signs_as
opened.application.steps.terms: deferrable deferral_days extension_days legal_days opinions special_steps
  supplement_days transfer two_persons unanswered
opened.application.steps.terms.special_steps: basis days is_counted name
opened.application.steps.terms.opinions: days departments needed rule
opened.application.steps.terms.transfer: days_from source status
opened.application.steps.part: certainty department has_paper name source
requested: case commission kind node
requested.by: authority is_agent name node part role stands_in_for window
requested.commission: bundle bundle_name catalogue deferred directory_version finding form materials step
requested.commission.step: code competent department division fields materials mode name needs part promised_days terms
  yields yields_fields
requested.commission.step.competent: authority checker heard
requested.commission.step.competent.authority: decided_by id name signs_as
requested.commission.step.competent.heard: decided_by id name signs_as
requested.commission.step.competent.checker: decided_by id name signs_as
requested.commission.step.terms: deferrable deferral_days extension_days legal_days opinions special_steps
  supplement_days transfer two_persons unanswered
requested.commission.step.terms.special_steps: basis days is_counted name
requested.commission.step.terms.opinions: days departments needed rule
requested.commission.step.terms.transfer: days_from source status
requested.commission.step.part: certainty department has_paper name source
requested.commission.materials: code media_type sha256 size
sent: directory_version done_at kind node step
sent.by: authority is_agent name node part role stands_in_for window
received: authority done_at kind step
received.authority: decided_by id name signs_as
received.by: authority is_agent name node part role stands_in_for window
supplement_asked: done_at gaps kind step
supplement_asked.by: authority is_agent name node part role stands_in_for window
supplement_asked.gaps: code kind reason
told: done_at due_on kind step
told.by: authority is_agent name node part role stands_in_for window
answered: form kind materials step
answered.by: authority is_agent name node part role stands_in_for window
answered.materials: code media_type sha256 size
supplied: done_at form kind materials step
supplied.by: authority is_agent name node part role stands_in_for window
supplied.materials: code media_type sha256 size
urged: done_at kind step
urged.by: authority is_agent name node part role stands_in_for window
gathered: done_at kind step
gathered.by: authority is_agent name node part role stands_in_for window
accepted: authority deferrals done_at forwarding_days kind legal_days opinions_due_on promised_days since step
accepted.by: authority is_agent name node part role stands_in_for window
accepted.authority: decided_by id name signs_as
accepted.deferrals: came_at due_on material
deemed: authority deferrals done_at forwarding_days kind legal_days opinions_due_on promised_days since step
deemed.by: authority is_agent name node part role stands_in_for window
deemed.authority: decided_by id name signs_as
deemed.deferrals: came_at due_on material
declined: agency appeal division done_at grounds kind reason step
declined.by: authority is_agent name node part role stands_in_for window
suspended: days done_at kind notice procedure step
suspended.by: authority is_agent name node part role stands_in_for window
resumed: done_at kind step
resumed.by: authority is_agent name node part role stands_in_for window
extended: approver days done_at kind reason step
extended.by: authority is_agent name node part role stands_in_for window
opinion_given: answer department done_at kind reason step
opinion_given.by: authority is_agent name node part role stands_in_for window
opinion_returned: department done_at due_on kind reason step
opinion_returned.by: authority is_agent name node part role stands_in_for window
proposed: done_at kind opinion outcome step
proposed.by: authority is_agent name node part role stands_in_for window
transferred: authority days_from done_at former kind reason step
transferred.by: authority is_agent name node part role stands_in_for window
transferred.authority: decided_by id name signs_as
transferred.former: decided_by id name signs_as
designated: authority done_at former kind reason step superior
designated.by: authority is_agent name node part role stands_in_for window
designated.authority: decided_by id name signs_as
designated.former: decided_by id name signs_as
designated.superior: decided_by id name signs_as
taken_over: authority done_at former kind reason step
taken_over.by: authority is_agent name node part role stands_in_for window
taken_over.authority: decided_by id name signs_as
taken_over.former: decided_by id name signs_as
approved: done_at grant kind licence result step
approved.grant: authority effective_on expires_on face holders identifier issued_on kind name origin previous trust
approved.grant.identifier: issuer serial type_code version
approved.grant.holders: kind name
approved.grant.authority: decided_by id name signs_as
approved.grant.origin: applicant case step
approved.by: authority is_agent name node part role stands_in_for window
approved.licence: code media_type sha256 size
refused: appeal done_at grounds kind step
refused.by: authority is_agent name node part role stands_in_for window
delivered: delivery done_at kind licence step
delivered.by: authority is_agent name node part role stands_in_for window
delivered.delivery: method
delivered.licence: code media_type sha256 size
withdrawn: done_at grounds kind step
withdrawn.by: authority is_agent name node part role stands_in_for window
skipped: done_at kind step waits_on
skipped.by: authority is_agent name node part role stands_in_for window
withdrawal_asked: kind step
withdrawal_asked.by: authority is_agent name node part role stands_in_for window
paper_asked: address authority catalogue data_digest dated_on dates kind layout names of paper paper_kind step texts
  title
paper_asked.by: authority is_agent name node part role stands_in_for window
paper_made: authority data_digest dated_on file kind of paper paper_kind spoken_number step title
paper_made.by: authority is_agent name node part role stands_in_for window
paper_made.file: sha256 size
signature_asked: ends_at kind paper request shown signed_kind step
signature_asked.by: authority is_agent name node part role stands_in_for window
signature_asked.shown: sha256 size
paper_signed: kind paper request signed signed_at step
paper_signed.by: authority is_agent name node part role stands_in_for window
paper_signed.signed: sha256 size
followed_up: kind note step
followed_up.by: authority is_agent name node part role stands_in_for window
check_asked: done_at kind step
check_asked.by: authority is_agent name node part role stands_in_for window
checked: done_at finding kind step
checked.by: authority is_agent name node part role stands_in_for window
turned_back: done_at grounds kind step
turned_back.by: authority is_agent name node part role stands_in_for window
paper_posted: courier kind leg parcel step
paper_posted.by: authority is_agent name node part role stands_in_for window
paper_arrived: courier kind leg parcel step
paper_arrived.by: authority is_agent name node part role stands_in_for window
bounced: code kind letter step
bounced.by: authority is_agent name node part role stands_in_for window
resent: kind letter step
resent.by: authority is_agent name node part role stands_in_for window
closed: kind open_steps outcome
closed.by: authority is_agent name node part role stands_in_for window
"""
EMPTY: tuple[Any, ...] = (None, "", (), {}, False, 0)
CHECKPOINTS = """
checkpoints: deem deliver_overdue four_fifths half lapse lapse_blocked legally_overdue notify_soon opinion_overdue
  overdue overdue_long remind vouch
"""


def test_the_stored_case_keeps_the_names_of_its_fields() -> None:
    assert form(Case, "case") == written(CASE)


def test_stored_events_keep_their_kinds_and_the_names_of_their_fields() -> None:
    found = {"every event": set(Happened.model_fields)}
    for kind in models(Event):
        own = form(kind, kind.model_fields["kind"].default)
        found |= {place: names - found["every event"] for place, names in own.items()}
    assert found == written(EVENTS)


def defaults(kind: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """What the fields of a model, and of the models in it, are when they are left out."""
    for name, field in kind.model_fields.items():
        if not field.is_required() and name != "kind":
            yield f"{kind.__name__}.{name}", field.get_default(call_default_factory=True)
        for inner in models(field.annotation):
            if not issubclass(inner, Interned):  # these are stored whole
                yield from defaults(inner)


def test_what_a_stored_event_leaves_out_is_nothing_or_says_the_same_for_ever() -> None:
    """A member with its default is not stored, so another default would change what has happened."""
    told = {name: value for kind in models(Event) for name, value in defaults(kind) if value not in EMPTY}
    assert told == {
        "PinnedAuthority.decided_by": "authority",
        "Application.closing": "all",
        "Grant.trust": "A",
        "LicenceIdentifier.version": 1,
    }


def test_checkpoints_keep_the_names_that_stand_in_stored_ids() -> None:
    assert {"checkpoints": set(get_args(CheckpointName))} == written(CHECKPOINTS)


WHOLE: dict[str, Any] = {
    "bundle": "newborn",
    "division": "320100",
    "window": "w1",
    "answers": {"household": "330100"},
    "form": {"home_address": "测试路1号"},
    "materials": [{"code": "card", "id": "up-1"}],
    "deferred": ["photo"],
    "undertakings": [{"kind": "deferral", "version": "1", "sha256": "ab"}],
    "mandate": "m1",
}
WHOLE_DIGEST = "7c4401062ccc2b75060b043cef15bd0e4854a109c2d66c4ce30d1a9cfe11e9b8"
LEAST_DIGEST = "7a7ddd482dc72f7081876d1cc480519370192e8873bb2744826f52400196e6b4"
GIVEN = {"code": "card", "identifier": "1.2.156", "has_consented": True}
TOO_MUCH: dict[str, Any] = {
    "bundle": "x" * 101,
    "division": "x" * 101,
    "window": "x" * 101,
    "answers": {f"a{number}": "" for number in range(51)},
    "form": {"home_address": "x" * 2001},
    "materials": WHOLE["materials"] * 51,
    "deferred": ["photo"] * 51,
    "undertakings": WHOLE["undertakings"] * 11,
    "mandate": "x" * 101,
    "licences": [GIVEN] * 21,
}


def test_a_draft_is_stored_as_the_whole_submission_that_it_may_become() -> None:
    wish = UnfinishedSubmission.model_validate(WHOLE)
    draft = Draft(id="d", version=1, bundle_name="", wish=wish, changed_at=MONDAY, expires_at=MONDAY)
    stored = draft.model_dump(mode="json")
    assert list(stored["wish"].items()) == list(WHOLE.items()), "and nothing of licences, unless some are given"
    assert Draft.model_validate_json(draft.model_dump_json()) == draft
    covered = draft.model_copy(update={"wish": UnfinishedSubmission.model_validate(WHOLE | {"licences": [GIVEN]})})
    assert Draft.model_validate_json(covered.model_dump_json()) == covered


def test_equal_requests_have_the_digests_that_stand_beside_stored_cases() -> None:
    for kind in (Submission, UnfinishedSubmission):
        assert digest(kind.model_validate(WHOLE).model_dump(mode="json")) == WHOLE_DIGEST
        least = kind.model_validate({"bundle": "newborn", "form": {}})
        assert digest(least.model_dump(mode="json")) == LEAST_DIGEST


@pytest.mark.parametrize("name", TOO_MUCH)
def test_a_draft_holds_no_more_than_may_be_handed_in(name: str) -> None:
    for kind in (Submission, UnfinishedSubmission):
        with pytest.raises(ValidationError) as fault:
            kind.model_validate(WHOLE | {name: TOO_MUCH[name]})
        assert {each["loc"][0] for each in fault.value.errors()} == {name}
