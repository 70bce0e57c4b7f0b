"""Granting: what a licence is made of, from what the catalogue knows of its kind and what an approved step says."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from server.domain.catalogue.formats import SENTENCES, uscc_fault
from server.domain.catalogue.pinning import PinnedAuthority
from server.domain.catalogue.results import Result
from server.domain.catalogue.validity import Validity
from server.domain.errors import Conflict, FieldFault, Invalid
from server.domain.licence.identifier import CHARACTERS, LicenceIdentifier, parse
from server.domain.licence.licence import Grant, HolderKind, Licence, LicenceHolder, Origin
from server.domain.people.persons import id_number_fault
from server.domain.values import Day

SERIAL_LENGTH = 20
LATEST_END = date(2200, 12, 31)  # so that the day after it is one, too
KINDS_OF_HOLDERS: Mapping[str, frozenset[HolderKind]] = {
    "person": frozenset({"111"}),
    "organisation": frozenset({"001"}),
    "both": frozenset({"111", "001"}),
}


class NotALicence(Conflict):
    """The result is no kind of licence, or one of which no type is known."""

    code = "not_a_licence"
    title = "办理结果不是证照"


class WrongHolders(Invalid):
    """These cannot hold such a licence, or their numbers are none."""

    code = "wrong_holders"
    title = "持证主体不符合证照类型"


class WrongEnd(Invalid):
    """The last day does not fit what the catalogue says of such a licence."""

    code = "wrong_end"
    title = "有效期不符合证照类型"


@dataclass(frozen=True, kw_only=True)
class Award:
    """What an approved step says of the licence: `kind` is the code of the result.

    `issuer` is the code of the authority as an organisation, official or a sample. `given_on` is the last day that the
    decision names, if it names one. `previous` is the identifier of a licence that moves in from another place (转入).
    """

    kind: str
    holders: tuple[LicenceHolder, ...]
    authority: PinnedAuthority
    issuer: str
    origin: Origin
    effective_on: Day
    given_on: Day | None = None
    face: Mapping[str, str] = field(default_factory=dict)
    previous: str = ""


def serial_of(origin: Origin) -> str:
    """The serial number (流水号) of the licence that comes from this step: 20 digits and capitals, always the same."""
    drawn = int.from_bytes(hashlib.sha256(f"{origin.case} {origin.step}".encode()).digest())
    return "".join(CHARACTERS[drawn // 36**place % 36] for place in range(SERIAL_LENGTH))


def grant_of(result: Result, award: Award, *, on: date) -> Grant:
    """What is granted on this day with a first licence; NotALicence, WrongHolders, WrongEnd, NotAnIdentifier."""
    if result.kind != "licence" or not result.type_code or result.validity is None:
        raise NotALicence(f"“{result.name}”不是可以颁发的证照。")
    serial = serial_of(award.origin)
    identifier = LicenceIdentifier(type_code=result.type_code, issuer=award.issuer, serial=serial)
    _check_holders(result, award, on=on)
    return Grant(
        identifier=identifier,
        kind=award.kind,
        name=result.name,
        holders=award.holders,
        authority=award.authority,
        face=award.face,
        issued_on=on,
        effective_on=award.effective_on,
        expires_on=_last_day(result.validity, award),
        origin=award.origin,
        previous=parse(award.previous).text if award.previous else "",
    )


def next_grant(licence: Licence, result: Result, award: Award, *, on: date) -> Grant:
    """What is granted in its place: the next version, which names it; raises as `grant_of`, and VersionsUsedUp."""
    change = {"identifier": licence.identifier.next_version(), "previous": licence.id}
    return grant_of(result, award, on=on).model_copy(update=change)


def _check_holders(result: Result, award: Award, *, on: date) -> None:
    if not 1 <= len(award.holders) <= result.most_holders:
        raise WrongHolders(f"“{result.name}”的持证主体应为一至{result.most_holders}个。")
    if len({holder.number for holder in award.holders}) < len(award.holders):
        raise WrongHolders("持证主体不能重复。")
    found = [_holder_fault(result, holder, on) for holder in award.holders]
    faults = [fault.model_copy(update={"pointer": f"/holders/{n}"}) for n, fault in enumerate(found) if fault]
    if faults:
        raise WrongHolders("持证主体填写有误。", errors=faults)


def _holder_fault(result: Result, holder: LicenceHolder, on: date) -> FieldFault | None:
    if holder.kind not in KINDS_OF_HOLDERS.get(result.holders, frozenset()):
        detail = f"这一证件类型的主体不能持有“{result.name}”。"
        return FieldFault(pointer="", code="holder_kind", detail=detail)
    code = (id_number_fault if holder.kind == "111" else uscc_fault)(holder.number, on)
    return FieldFault(pointer="", code=code, detail=SENTENCES[code]) if code else None


def _last_day(validity: Validity, award: Award) -> date | None:
    """The last day by the catalogue, or the one that the decision names where that may."""
    first, born = award.effective_on, award.holders[0].number[6:14]
    duration = validity.duration_for(first, born_on=_day(born) if validity.by_age else None)
    last = duration.last_day(first)
    if not validity.is_given:
        if award.given_on is not None:
            raise WrongEnd("该类证照的有效期由规定确定，不能另行指定。")
        return last
    if award.given_on is not None and award.given_on > LATEST_END:
        raise WrongEnd("有效期截止日期过远；长期有效的，请不填写截止日期。")
    if award.given_on is not None and award.given_on < first:
        raise WrongEnd("有效期截止日期不能早于生效日期。")
    if last is not None and (award.given_on is None or award.given_on > last):
        raise WrongEnd("有效期截止日期超过该类证照的最长有效期。")
    return award.given_on


def _day(digits: str) -> date:
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
