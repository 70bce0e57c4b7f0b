"""A person signs what they were asked to, as it was shown, in time and with a fresh face check; else it has a name."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from server.domain.errors import Refusal
from server.domain.papers.bodies import BODIES
from server.domain.papers.signing import (
    PAPER_OF,
    FaceCheckNeeded,
    NotAskedToSign,
    OtherPaperShown,
    OtherPersonSigns,
    ProvenSignature,
    ShownPaper,
    Signatory,
    SignatureUnproven,
    SignedAlready,
    SignedByHandOnly,
    SigningAttempt,
    SigningRequest,
    SigningTooLate,
    check_asked,
    check_attempt,
    signed,
    verified,
)
from tests.catalogue.shipped import CATALOGUE
from tests.papers.samples import texts

NOW = datetime(2026, 12, 1, 2, 30, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
WHO = Signatory(name="张三", id_number="3201**********1234", request="request-0001")
SHOWN, SIGNED, OTHER = "a" * 64, "b" * 64, "c" * 64
REQUEST = SigningRequest(
    signatory=WHO,
    person="p1",
    paper=ShownPaper(kind="contract", digest=SHOWN, length=100),
    asked_at=NOW - DAY,
    ends_at=NOW + DAY,
)
PROVEN = ProvenSignature(signatory=WHO, shown=SHOWN, signed_at=NOW)
FRESH_SECONDS = 300


def attempt(**changes: Any) -> SigningAttempt:
    return SigningAttempt(**{"person": "p1", "shown": SHOWN, "face_checked_at": NOW - MINUTE, "at": NOW, **changes})


def check(request: SigningRequest = REQUEST, **changes: Any) -> None:
    check_attempt(request, attempt(**changes), fresh_seconds=FRESH_SECONDS)


def test_a_signature_counts_once_it_is_verified_and_not_before() -> None:
    check()
    half = signed(REQUEST, SIGNED, at=NOW)
    whole = verified(half, SIGNED, proven=PROVEN)
    assert [each.state for each in (REQUEST, half, whole)] == ["shown", "signed", "verified"]
    assert [each.has_effect for each in (REQUEST, half, whole)] == [False, False, True]
    assert (whole.signed_at, whole.signed_digest) == (NOW, SIGNED)


@pytest.mark.parametrize(
    ("refusal", "changes"),
    [
        (OtherPersonSigns, {"person": "p2"}),
        (OtherPaperShown, {"shown": OTHER}),
        (SigningTooLate, {"at": NOW + DAY, "face_checked_at": NOW + DAY}),
        (FaceCheckNeeded, {"face_checked_at": None}),
        (FaceCheckNeeded, {"face_checked_at": NOW - timedelta(seconds=FRESH_SECONDS)}),
        (FaceCheckNeeded, {"face_checked_at": NOW + MINUTE}),
        (OtherPersonSigns, {"person": "p2", "shown": OTHER, "face_checked_at": None}),
    ],
)
def test_an_attempt_that_is_refused(refusal: type[Refusal], changes: dict[str, Any]) -> None:
    with pytest.raises(refusal):
        check(**changes)


def test_the_last_moment_counts() -> None:
    check(at=NOW + DAY - MINUTE, face_checked_at=NOW + DAY - MINUTE)
    check(face_checked_at=NOW - timedelta(seconds=FRESH_SECONDS - 1))
    check(face_checked_at=NOW)


def test_nobody_signs_twice() -> None:
    half = signed(REQUEST, SIGNED, at=NOW)
    for again in (half, verified(half, SIGNED, proven=PROVEN)):
        with pytest.raises(SignedAlready):
            check(again)
        with pytest.raises(SignedAlready):
            signed(again, OTHER, at=NOW)


@pytest.mark.parametrize(
    "proven",
    [
        PROVEN.model_copy(update={"shown": OTHER}),
        PROVEN.model_copy(update={"signatory": WHO.model_copy(update={"name": "李四"})}),
        PROVEN.model_copy(update={"signatory": WHO.model_copy(update={"request": "request-0002"})}),
        PROVEN.model_copy(update={"signed_at": NOW - 2 * DAY}),
        PROVEN.model_copy(update={"signed_at": NOW + DAY}),
    ],
)
def test_what_does_not_prove_that_the_named_person_signed_what_was_shown(proven: ProvenSignature) -> None:
    with pytest.raises(SignatureUnproven):
        verified(signed(REQUEST, SIGNED, at=NOW), SIGNED, proven=proven)


def test_no_proof_counts_for_other_bytes_or_before_the_signature() -> None:
    with pytest.raises(SignatureUnproven):
        verified(signed(REQUEST, SIGNED, at=NOW), OTHER, proven=PROVEN)
    with pytest.raises(SignatureUnproven):
        verified(REQUEST, SIGNED, proven=PROVEN)


def test_where_an_item_asks_for_none_nothing_is_signed() -> None:
    lease, other = (CATALOGUE.item_of[code] for code in ("public_rental_waiting", "rental_subsidy"))
    check_asked(lease, "contract")
    for item, kind in ((lease, "application"), (other, "contract")):
        with pytest.raises(NotAskedToSign):
            check_asked(item, kind)


@pytest.mark.parametrize("status", ["marriage", "inheritance", ""])
def test_no_paper_of_personal_status_is_signed_whatever_a_catalogue_asks_for(status: str) -> None:
    divorce = CATALOGUE.item_of["divorce_registration"]
    asking = divorce.model_copy(update={"signatures": ("contract",), "personal_status": status})
    with pytest.raises(SignedByHandOnly):
        check_asked(asking, "contract")


def test_what_is_signed_has_a_paper_that_its_applicant_signs() -> None:
    signers = {kind: texts().by_code[code].signers for kind, code in PAPER_OF.items()}
    assert set(PAPER_OF.values()) <= BODIES.keys()
    assert signers == {
        "application": ("applicant",),
        "undertaking": ("applicant",),
        "contract": ("applicant", "authority"),
    }


def test_a_full_number_and_a_request_that_no_certificate_may_write_are_refused() -> None:
    for wrong in ({"id_number": "320102199001011234"}, {"request": "request_0001"}, {"request": "short"}):
        with pytest.raises(ValidationError):
            Signatory(**{**WHO.model_dump(), **wrong})
