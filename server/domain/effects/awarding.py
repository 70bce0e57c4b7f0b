"""Awarding: the electronic licence that an approval leads to where it is decided, if it is known who holds it."""

from collections.abc import Mapping
from datetime import date

from server.domain.case.acts import Approve
from server.domain.case.case import Case, Step
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.formats import uscc_fault
from server.domain.catalogue.results import Result
from server.domain.catalogue.validity import Validity
from server.domain.effects.letters_out import commission_of
from server.domain.licence.granting import KINDS_OF_HOLDERS, Award, grant_of
from server.domain.licence.licence import Grant, HolderKind, LicenceHolder, Origin
from server.domain.people.persons import id_number_fault
from server.domain.rules.results import result_of

KIND_OF: Mapping[str, HolderKind] = {"id_number": "111", "uscc": "001"}
NUMBER_LENGTH = 18
NUMBER_UNKNOWN = "持证人号码未知，未颁发电子证照。"


def licence_result(catalogue: Catalogue, step: Step) -> Result | None:
    """The kind of licence that an approval of the step comes to; None if it is none of which one can be issued."""
    result = result_of(catalogue, step.plan)
    is_licence = result is not None and result.kind == "licence" and result.type_code and result.validity is not None
    return result if is_licence else None


def awarded(case: Case, act: Approve, catalogue: Catalogue, *, issuer: str, context: tuple[str, date]) -> Grant | None:
    """What an approval grants at its decider; None: no licence, or nobody is known to hold it.

    `issuer` is the code of the step's authority as an organisation, `context` the division of this node and the day.
    Raises WrongEnd if the decision names a last day that cannot be.
    """
    here, on = context
    step = case.step(act.step)
    result = licence_result(catalogue, step)
    if result is None or result.validity is None or step.authority is None:
        return None
    holders = holders_of(case, step, act.result, catalogue=catalogue, on=on)
    if not holders:
        return None
    applicant = case.applicant.key if case.applicant and case.home == here else ""
    award = Award(
        kind=step.plan.yields,
        holders=holders,
        authority=step.authority,
        issuer=issuer,
        origin=Origin(case=case.name, step=act.step, act_id=act.id, applicant=applicant),
        effective_on=on,
        given_on=_last_day(result, result.validity, act.result, on=on),
        face=act.result,
    )
    return grant_of(result, award, on=on)


def holders_of(
    case: Case, step: Step, said: Mapping[str, str], *, catalogue: Catalogue, on: date
) -> tuple[LicenceHolder, ...]:
    """Who holds the licence that the step yields, by the form and by what the approval `said`; empty: not known.

    Known are persons and organisations whose numbers are right on this day, and may hold such a licence.
    """
    result = licence_result(catalogue, step)
    if result is None:
        return ()
    if not result.held_by:
        subject = case.subject or case.applicant
        found = [LicenceHolder(kind="111", number=subject.id_number, name=subject.name)] if subject else []
    else:
        found = list(_named(result, step, {**commission_of(case, step).form, **said}, catalogue=catalogue))
    numbers = {each.number for each in found}
    allowed = KINDS_OF_HOLDERS.get(result.holders, frozenset())
    is_right = all(each.kind in allowed and not _fault(each, on) for each in found)
    return tuple(found) if is_right and len(numbers) == len(found) <= result.most_holders else ()


def _named(result: Result, step: Step, known: Mapping[str, str], *, catalogue: Catalogue) -> list[LicenceHolder]:
    """Those whom the fields name in the first way that the item has and that is filled in; none without all numbers."""
    fields = {*step.plan.fields, *step.plan.yields_fields}
    ways = [held for held in result.held_by if held.stands_in(fields) and all(known.get(name) for name in held.names)]
    pairs = list(zip(ways[0].names, ways[0].numbers, strict=False)) if ways else []
    if not all(len(known.get(number, "")) == NUMBER_LENGTH for _, number in pairs):
        return []
    return [
        LicenceHolder(kind=KIND_OF[catalogue.field_of[number].type], number=known[number], name=known[name])
        for name, number in pairs
    ]


def _fault(holder: LicenceHolder, on: date) -> str:
    return (id_number_fault if holder.kind == "111" else uscc_fault)(holder.number, on)


def _last_day(result: Result, validity: Validity, said: Mapping[str, str], *, on: date) -> date | None:
    """The last day that the decision names; the longest that it might, where it should name one and does not."""
    named = said.get(result.ends_in, "") if validity.is_given else ""
    if named:
        return date.fromisoformat(named)
    return validity.last_day(on) if validity.is_given else None
