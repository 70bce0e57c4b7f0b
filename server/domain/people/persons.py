"""Natural persons: resident identity numbers (公民身份号码, GB 11643-1999)."""

import re
from datetime import date
from typing import Annotated, Literal, NamedTuple

from server.domain.errors import Unproven
from server.domain.values import SENSITIVE, Value

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
SHAPE = re.compile(r"[1-9][0-9]{16}[0-9Xx]")
# The first two digits of the provinces (GB/T 2260), and 83, which residents from Taiwan have. Counties are not looked
# at: a number keeps the code of the day it was given, and codes from before 2024 are not all known here.
PROVINCES = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")
FIRST_BIRTH_DATE = date(1900, 1, 1)


AccountRole = Literal["officer", "system", "security", "audit"]


class Person(Value):
    """A person whose name is proven: the keyed digest that stands for them, their name and their ID number."""

    key: str
    name: Annotated[str, SENSITIVE]
    id_number: Annotated[str, SENSITIVE]


class SubjectGiven(Value):
    """The subject (对象) of a case as the form names them, if the subject is not the applicant."""

    name: Annotated[str, SENSITIVE]
    id_number: Annotated[str, SENSITIVE]


def check_character(first_17: str) -> str:
    """The last character of an ID number (ISO 7064 MOD 11-2)."""
    return CHECKS[sum(weight * int(digit) for weight, digit in zip(WEIGHTS, first_17, strict=True)) % 11]


def id_number_fault(text: str, on: date) -> str:
    """The code of the first rule that the number breaks on this day, empty if it holds.

    The rules: its shape, a capital X, a province, a birth date from 1900 to the day `on`, the check character.
    """
    if not SHAPE.fullmatch(text):
        return "id_number"
    if text.endswith("x"):
        return "id_number_small_x"
    if not PROVINCES.match(text):
        return "id_number_address"
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return "id_number_birth_date"
    if not FIRST_BIRTH_DATE <= born <= on:
        return "id_number_birth_date"
    return "" if check_character(text[:17]) == text[17] else "id_number_check"


class NoSuchSession(Unproven):
    """The session is unknown or over."""

    code = "no_such_session"
    title = "登录已失效"


class Edition(NamedTuple):
    """One version of one session, as a refresh token names it; no two of them have the same `stamp`."""

    session: str
    version: int
    stamp: str


class Session(Value):
    """A citizen's session: who logged in, and the person whose name was proven (if any).

    `platform_user` is the keyed digest of `openid`, which the platform calls the person by. `stamp` tells this version
    from any other of its number, `stamp_before` the one before.
    """

    id: str
    platform_user: str
    openid: Annotated[str, SENSITIVE]
    person: str
    stamp: str
    stamp_before: str = ""
    version: int = 1

    @property
    def edition(self) -> Edition:
        """What the refresh token that is good next names."""
        return Edition(self.id, self.version, self.stamp)

    def was_just(self, edition: Edition) -> bool:
        """Whether this is the version before."""
        return edition == Edition(self.id, self.version - 1, self.stamp_before)

    def may_follow(self, edition: Edition) -> bool:
        """Whether this session may have been that one; if not, an older document stands in the place of a later one.

        Of what is older than the version before nothing is known but its number.
        """
        return edition == self.edition or self.was_just(edition) or edition.version < self.version - 1


class Officer(Value):
    """Somebody who works at this node's desks: an officer, who has posts, or one of the three administrators (三员).

    Those are of the system, of security and of audit; they are no officers of cases, and nobody is two of them.
    """

    name: str
    role: AccountRole = "officer"


class TokenClaims(Value):
    """What a token says of its holder: the subject's key, and how far the session proves it."""

    subject: str
    level: str
    session: str
