"""The made-up people of a demo: citizens whom the stand-in for the platform knows, one family, and officers."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pydantic import BaseModel, ConfigDict

from server.crypto.totp import code_at, secret_text
from server.demo.platform import PlatformUser

CITIZENS = 200
SECRET_BYTES = 20
MOBILE = "13800004821"
DAYS_OLD = 10
FIRST_BIRTHDAY = date(1992, 3, 14)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"


class DemoOfficer(BaseModel):
    """An officer of one department, who signs in by name and password, in a strict demo also by an authenticator."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    name: str
    password: str
    department: str
    totp_secret: str = ""

    def proof(self, at: datetime) -> dict[str, str]:
        """What they sign in with at this moment."""
        shown = {"name": self.name, "password": self.password}
        return shown | {"code": code_at(self.totp_secret, at)} if self.totp_secret else shown


@dataclass(frozen=True)
class Family:
    """A mother who lives in one province, a father, and their child, whose household is in another."""

    mother: PlatformUser
    form: Mapping[str, str]
    child_id_number: str


def fictitious_id_number(province: str, born: date, sequence: int) -> str:
    """An ID number of nobody: its address code is that of a province, where real ones have a county's.

    The last character is the check of GB 11643-1999 (ISO 7064 MOD 11-2); an even sequence is a woman's.
    """
    first_17 = f"{province}{born:%Y%m%d}{sequence:03}"
    return first_17 + CHECKS[sum(weight * int(digit) for weight, digit in zip(WEIGHTS, first_17, strict=True)) % 11]


def citizens(province: str) -> tuple[PlatformUser, ...]:
    """Fictitious citizens `citizen-001`, `citizen-002` and so on; the first one is the mother of the family."""
    return tuple(
        _citizen(f"citizen-{number:03}", name, fictitious_id_number(province, _birthday(number), 100 + 2 * number))
        for number, name in enumerate(["苏知夏", *map(_name, range(2, CITIZENS + 1))], 1)
    )


def family(mother: PlatformUser, province: str, household: str) -> Family:
    """The family of this mother, and the form that she fills in; the child was born some days ago."""
    born = (datetime.now(UTC) - timedelta(days=DAYS_OLD)).date()
    form = {
        "mobile": MOBILE,
        "mother_name": mother.name,
        "mother_id_number": mother.id_number,
        "father_name": "顾远行",
        "father_id_number": fictitious_id_number(household[:2] + "0000", date(1989, 7, 21), 311),
        "child_name": "顾小满",
        "child_sex": "female",
        "child_birth_date": born.isoformat(),
        "child_birth_place": province[:2] + "0100",
        "child_birth_hospital": "示例市妇幼保健院",
        "home_address": "示例市示例区示例路8号",
    }
    return Family(mother, form, fictitious_id_number(household[:2] + "0000", born, 528))


def officers(departments: Iterable[str], *, is_strict: bool = False) -> tuple[DemoOfficer, ...]:
    """One officer for each department, named after it, each with a password of its own.

    In a strict demo each has an authenticator, too.
    """
    return tuple(
        DemoOfficer(
            name=code,
            password=secrets.token_urlsafe(12),
            department=code,
            totp_secret=secret_text(secrets.token_bytes(SECRET_BYTES)) if is_strict else "",
        )
        for code in departments
    )


def _citizen(code: str, name: str, id_number: str) -> PlatformUser:
    return PlatformUser(code, f"openid-{code}", name, id_number, f"face-{code}")


def _name(number: int) -> str:
    """A name as it may stand in a form: no digits."""
    return "示例市民" + "".join("〇一二三四五六七八九"[int(digit)] for digit in f"{number:03}")


def _birthday(number: int) -> date:
    return FIRST_BIRTHDAY + timedelta(days=7 * number)
