"""The made-up people of a demo: citizens whom the stand-in for the platform knows, one family, and officers."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from server.crypto.totp import code_at, secret_text
from server.demo.desks import DemoDesk
from server.demo.platform import PlatformUser

CITIZENS = 200
SHOWN = 3  # of them, with what they log in with
SECRET_BYTES = 20
MOBILE = "13800004821"
DAYS_OLD = 10
FIRST_BIRTHDAY = date(1992, 3, 14)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
WORKING, HEAD = ("window", "handler", "approver"), ("head",)


class DemoOfficer(BaseModel):
    """An officer with posts at some desks, who signs in by name and password.

    In a strict demo they also need an authenticator.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    name: str
    password: str
    desks: tuple[DemoDesk, ...]
    roles: tuple[str, ...]
    totp_secret: str = ""

    @property
    def is_head(self) -> bool:
        """Whether they are in charge (负责人) instead of working on cases."""
        return self.roles == HEAD

    @property
    def seat(self) -> dict[str, Any]:
        """What `officers seed` takes."""
        posts = [{"authority": desk.id, "role": role} for desk in self.desks for role in self.roles]
        return {**self.model_dump(include={"name", "password", "totp_secret"}), "posts": posts}

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


def officers(desks: Iterable[DemoDesk], *, is_strict: bool = False) -> tuple[DemoOfficer, ...]:
    """For each desk an officer who works there, named after it, and its head, each with a password of their own.

    In a strict demo each has an authenticator, too.
    """
    return tuple(
        _officer(desk.id.replace("/", "-") + end, [desk], roles, is_strict=is_strict)
        for desk in desks
        for end, roles in (("", WORKING), ("-head", HEAD))
    )


def county_officers(desks: Mapping[str, Iterable[DemoDesk]], *, is_strict: bool = False) -> tuple[DemoOfficer, ...]:
    """For each county one officer who works at all its desks: `county-320104`."""
    return tuple(_officer(f"county-{code}", its, WORKING, is_strict=is_strict) for code, its in desks.items())


def _officer(name: str, desks: Iterable[DemoDesk], roles: tuple[str, ...], *, is_strict: bool) -> DemoOfficer:
    return DemoOfficer(
        name=name,
        password=secrets.token_urlsafe(12),
        desks=tuple(desks),
        roles=roles,
        totp_secret=secret_text(secrets.token_bytes(SECRET_BYTES)) if is_strict else "",
    )


def _citizen(code: str, name: str, id_number: str) -> PlatformUser:
    return PlatformUser(code, f"openid-{code}", name, id_number, f"face-{code}")


def _name(number: int) -> str:
    """A name as it may stand in a form: no digits."""
    return "示例市民" + "".join("〇一二三四五六七八九"[int(digit)] for digit in f"{number:03}")


def _birthday(number: int) -> date:
    return FIRST_BIRTHDAY + timedelta(days=7 * number)
