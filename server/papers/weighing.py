"""What is asked of any signature in a PDF: which moment counts, whose it is, how far it reaches."""

import logging
import struct
import zlib
from datetime import datetime
from typing import Literal

from asn1crypto import x509
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import CMSExtractionError
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext

MomentFrom = Literal["", "asked", "stamp", "seal"]
# A library that tells of each refusal, with where in its code, would fill the log of whoever verifies many.
for _name in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)
# What pyhanko meets in bytes that are no PDF, or a broken one; each was seen in the tests that break papers.
BROKEN = (
    *(PdfError, CMSExtractionError, SignatureValidationError, ValueError, LookupError, TypeError, AttributeError),
    *(RecursionError, NotImplementedError, struct.error, zlib.error),
)


def weigh(
    signature: EmbeddedPdfSignature, roots: tuple[bytes, ...], *, stamp_roots: tuple[bytes, ...], at: datetime | None
) -> PdfSignatureStatus:
    """What pyhanko finds of it, with these roots (DER) above its certificate as of `at`, else the moment it claims."""
    claimed = nearest(signature.signer_cert, at or signature.self_reported_timestamp)
    return validate_pdf_signature(
        signature, _context(roots, claimed), _context(stamp_roots, None), key_usage_settings=None
    )


def _context(roots: tuple[bytes, ...], moment: datetime | None) -> ValidationContext:
    return ValidationContext(
        trust_roots=[x509.Certificate.load(root) for root in roots], allow_fetching=False, moment=moment
    )


def nearest(certificate: x509.Certificate, moment: datetime | None) -> datetime:
    """The moment, or the nearest at which the certificate counts: whose it is and when it counts are two questions."""
    first: datetime = certificate.not_valid_before
    last: datetime = certificate.not_valid_after
    return min(max(moment or first, first), last)


def moment_of(
    signature: EmbeddedPdfSignature, status: PdfSignatureStatus, at: datetime | None
) -> tuple[datetime | None, MomentFrom]:
    """When it was made, and who says so: who asks (`at`), else a trusted time stamp, else the signature itself."""
    if at is not None:
        return at, "asked"
    stamp = status.timestamp_validity
    if stamp is not None and stamp.valid and stamp.trusted:
        return stamp.timestamp, "stamp"
    said = signature.self_reported_timestamp
    return said, "seal" if said else ""


def is_to_the_end(signature: EmbeddedPdfSignature, size: int) -> bool:
    """Whether what it covers ends with the last byte of the file."""
    *_, start, length = list(signature.byte_range)
    return int(start) + int(length) == size


def digest_of(reader: PdfFileReader) -> str:
    """The digest among the keywords of the PDF; empty if there are none."""
    return str(reader.trailer["/Info"].get("/Keywords", "")) if "/Info" in reader.trailer else ""
