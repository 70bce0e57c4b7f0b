"""The identifier of a licence (电子证照标识, GB/T 36904).

It is written `1.2.156.3005.2.<type>.<issuer>.<serial>.<version>.<check>`.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from server.domain.catalogue.type_codes import is_organisation_code, is_sample, is_type_code
from server.domain.errors import Conflict, FieldFault, Invalid
from server.domain.values import Value

PREFIX = "1.2.156.3005.2."
CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MODULUS = len(CHARACTERS)
SERIAL = re.compile(r"[0-9A-Z]{1,20}")
VERSION = re.compile(r"[0-9]{3}")
LAST_VERSION = 999

IdentifierPart = Literal["prefix", "parts", "type", "issuer", "serial", "version", "check"]
FAULTS: Mapping[IdentifierPart, FieldFault] = {
    "prefix": FieldFault(
        pointer="",
        code="licence_identifier_prefix",
        detail=f"电子证照标识以“{PREFIX}”开头，请核对。",
    ),
    "parts": FieldFault(
        pointer="",
        code="licence_identifier_parts",
        detail="电子证照标识由类型代码、颁发机构代码、流水号、版本号和校验位五部分组成，以“.”分隔，请核对。",
    ),
    "type": FieldFault(
        pointer="",
        code="licence_identifier_type",
        detail="电子证照标识中的类型代码不正确，请核对。",
    ),
    "issuer": FieldFault(
        pointer="",
        code="licence_identifier_issuer",
        detail="电子证照标识中的颁发机构代码不正确，请核对。",
    ),
    "serial": FieldFault(
        pointer="",
        code="licence_identifier_serial",
        detail="电子证照标识中的流水号应为1至20位数字或者大写字母，请核对。",
    ),
    "version": FieldFault(
        pointer="",
        code="licence_identifier_version",
        detail="电子证照标识中的版本号应为001至999，请核对。",
    ),
    "check": FieldFault(
        pointer="",
        code="licence_identifier_check",
        detail="电子证照标识与末位校验位不符，请逐位核对。",
    ),
}


class NotAnIdentifier(Invalid):
    """A text is no identifier of a licence; its fault `licence_identifier_...` says which part is wrong."""

    code = "not_an_identifier"
    title = "电子证照标识不正确"

    def __init__(self, part: IdentifierPart) -> None:
        super().__init__(FAULTS[part].detail, errors=[FAULTS[part]])
        self.part = part


class VersionsUsedUp(Conflict):
    """The licence has had 999 versions: the next one needs a serial number of its own."""

    code = "versions_used_up"
    title = "证照版本号已用尽"


class LicenceIdentifier(Value):
    """The parts of an identifier but for its check character; `issuer` is the code of the organisation that issues.

    The versions of one licence have one serial number (流水号): what is renewed, changed or issued anew is the next.
    """

    type_code: str
    issuer: str
    serial: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{1,20}$")]
    version: Annotated[int, Field(ge=1, le=LAST_VERSION)] = 1

    @model_validator(mode="after")
    def _has_codes(self) -> Self:
        if not is_type_code(self.type_code):
            raise ValueError("type_code must be that of a type of licences")
        if not is_organisation_code(self.issuer):
            raise ValueError("issuer must be the code of an organisation")
        return self

    @property
    def text(self) -> str:
        """As it is written; `parse` reads it."""
        parts = (self.type_code, self.issuer, self.serial, f"{self.version:03}")
        return f"{PREFIX}{'.'.join(parts)}.{check_character(''.join(parts))}"

    @property
    def is_sample(self) -> bool:
        """Whether its type or its issuer was made up by this project, so that it is no official identifier."""
        return is_sample(self.type_code) or is_sample(self.issuer)

    def next_version(self) -> "LicenceIdentifier":
        """That of the licence that takes its place; raises VersionsUsedUp."""
        if self.version == LAST_VERSION:
            raise VersionsUsedUp("该证照的版本号已用尽，请使用新的流水号颁发。")
        return self.model_copy(update={"version": self.version + 1})


def check_character(body: str) -> str:
    """The check character of digits and capitals (ISO/IEC 7064 MOD 37,36; GB/T 17710); ValueError for others.

    It finds each single wrong character, and each swap of neighbours but one in about 630: see `tests/domain/licence`.
    """
    product = MODULUS
    for character in body:
        product = carry(product, CHARACTERS.index(character))
    return CHARACTERS[(1 - product) % MODULUS]


def carry(product: int, value: int) -> int:
    """What the next character begins with (1 to 36), if one of this value (0 to 35) began with `product`."""
    return 2 * ((product + value) % MODULUS or MODULUS) % (MODULUS + 1)


def parse(text: str) -> LicenceIdentifier:
    """The identifier that is written so, and in no other way; NotAnIdentifier names the first part that is wrong."""
    if not text.startswith(PREFIX):
        raise NotAnIdentifier("prefix")
    parts = text.removeprefix(PREFIX).split(".")
    if len(parts) != 5:
        raise NotAnIdentifier("parts")
    type_code, issuer, serial, version, check = parts
    if not is_type_code(type_code):
        raise NotAnIdentifier("type")
    if not is_organisation_code(issuer):
        raise NotAnIdentifier("issuer")
    if not SERIAL.fullmatch(serial):
        raise NotAnIdentifier("serial")
    if not VERSION.fullmatch(version) or version == "000":
        raise NotAnIdentifier("version")
    if check != check_character("".join(parts[:4])):
        raise NotAnIdentifier("check")
    return LicenceIdentifier(type_code=type_code, issuer=issuer, serial=serial, version=int(version))
