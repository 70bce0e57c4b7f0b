"""Numbers that people can say: twelve digits on the telephone and on paper, the last of which finds a slip.

The first two are those of the province, nine are a place that tells nothing, one is a check digit (Damm, 2004): with
its table every wrong digit and every two neighbours that changed places make another one. Where many are wrong, one in
ten passes.
"""

import re
import unicodedata

DIGITS, GROUP = 12, 4
PLACES = 10**9
CHECK_FAULT, LENGTH_FAULT = "spoken_number_check", "spoken_number_length"
SENTENCES = {
    CHECK_FAULT: "号码有误，请核对。",
    LENGTH_FAULT: f"号码应为{DIGITS}位数字，请核对位数。",
}
_DIGITS_ALONE = re.compile(r"[0-9]+")
_BETWEEN = re.compile(r"[\s\u2010-\u2015\u2212-]")  # blanks, and what keyboards know as a dash
# Each row and column has each digit once, (c∘x)∘y is never (c∘y)∘x for two digits, and x∘x is 0.
_TABLE = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


def spoken_number(division: str, place: int) -> str:
    """The number of this place (below PLACES) in the province of a division, without blanks."""
    if not 0 <= place < PLACES:
        raise ValueError("there is no such place")
    told = f"{division[:2]}{place:09}"
    return told + str(_remainder(told))


def in_groups(number: str) -> str:
    """The number as it is read out: `3200 1234 5678`."""
    return " ".join(number[first : first + GROUP] for first in range(0, len(number), GROUP))


def digits_alone(text: str) -> str:
    """The digits of a text in which nothing else stands but blanks and dashes; empty for any other."""
    plain = _BETWEEN.sub("", unicodedata.normalize("NFKC", text))
    return plain if _DIGITS_ALONE.fullmatch(plain) else ""


def spoken_number_fault(digits: str) -> str:
    """The code of what is wrong with a number whose digits are these; empty if nothing can be told."""
    if len(digits) != DIGITS:
        return LENGTH_FAULT
    return CHECK_FAULT if _remainder(digits) else ""


def _remainder(digits: str) -> int:
    """What the table makes of all digits: of a number without its last one that one, of a whole number nothing."""
    remainder = 0
    for digit in digits:
        remainder = _TABLE[remainder][int(digit)]
    return remainder
