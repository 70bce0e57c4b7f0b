"""The codes in the identifier of a licence (GB/T 36904): of its type (证照类型代码), and of organisations.

An official type code is the unified social credit code of the owner of the type's standard and three characters more.
Where no published code is known, a sample stands: it begins with `SAMPLE`, and no official code can, for GB 32100
leaves the letter S out.
"""

import hashlib
import re
from datetime import date

from server.domain.catalogue.formats import uscc_fault

SAMPLE = re.compile(r"SAMPLE[0-9]{12}")
LAST_OF_TYPE = re.compile(r"[0-9A-Z]{3}")


def is_sample(code: str) -> bool:
    """Whether a code of a type or of an organisation was made up by this project, so that it says nothing outside."""
    return bool(SAMPLE.match(code))


def is_organisation_code(code: str) -> bool:
    """Whether it is a unified social credit code with the right last character, or a sample of 18 characters."""
    return bool(SAMPLE.fullmatch(code)) or not uscc_fault(code, date.max)


def is_type_code(code: str) -> bool:
    """Whether it is the code of an organisation (18 characters) and three more."""
    return is_organisation_code(code[:18]) and bool(LAST_OF_TYPE.fullmatch(code[18:]))


def sample_organisation(id: str) -> str:
    """The sample that stands for an organisation whose code is not known here, always the same for one id."""
    drawn = int.from_bytes(hashlib.sha256(id.encode()).digest())
    return f"SAMPLE{drawn % 10**12:012}"
