"""The places in a PDF in which its parties sign."""

from collections.abc import Mapping

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import enumerate_sig_fields

from server.domain.papers.texts import Signer

APPLICANT_FIELD, SEAL_FIELD = "Applicant", "Seal"
FIELDS: Mapping[Signer, str] = {"applicant": APPLICANT_FIELD, "authority": SEAL_FIELD}


class NotToBeSigned(ValueError):
    """The PDF has no place for the party that is to sign now."""


def filled_fields(reader: PdfFileReader) -> dict[str, bool]:
    """The names of all places for signatures, and whether somebody has signed there."""
    return {name: value is not None for name, value, _ in enumerate_sig_fields(reader)}
