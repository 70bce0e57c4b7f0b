"""What goes to a process that makes papers comes back as it was, and what waits is tried again less and less often."""

import pytest
from pydantic import ValidationError

from server.domain.papers.making import pause_seconds
from server.domain.papers.signing import ShownPaper, Signatory, SigningCertificate
from server.domain.papers.signing_jobs import (
    ContractToSeal,
    HalfSigned,
    JobCertificate,
    SignatureToFinish,
    SignatureToPrepare,
    SignedToProve,
)
from server.domain.values import Value
from tests.world import MONDAY

GIVEN = SigningCertificate(key="key", certificate=b"\x30\x00\xff", issuers=(b"\x00",))
HALF = HalfSigned(digest=bytes(range(32)), prepared=b"%PDF")
SIGNED = SignedToProve(
    signed=b"%PDF \xff",
    signatory=Signatory(name="测试甲", id_number="3***************12", request="A" * 16),
    shown=ShownPaper(kind="contract", digest="ab" * 32, length=4),
)
JOBS: list[Value] = [
    SignatureToPrepare(shown=b"%PDF", certificate=JobCertificate.of(GIVEN), at=MONDAY),
    HALF,
    SignatureToFinish(half=HALF, signature=b"\x00\x01"),
    SIGNED,
    ContractToSeal(signed=SIGNED, authority="health/320102", authority_name="某机关", at=MONDAY),
]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: type(job).__name__)
def test_a_job_is_the_same_once_it_has_been_written_as_json(job: Value):
    assert type(job).model_validate_json(job.model_dump_json()) == job


def test_a_certificate_is_what_the_service_gave():
    assert JobCertificate.of(GIVEN).given == GIVEN


def test_what_is_no_base64_is_no_data():
    with pytest.raises(ValidationError):
        HalfSigned.model_validate_json('{"digest": "ab$", "prepared": ""}')


def test_what_waits_is_tried_after_five_seconds_and_at_least_every_ten_minutes():
    assert [pause_seconds(failures) for failures in range(9)] == [5, 10, 20, 40, 80, 160, 320, 600, 600]
