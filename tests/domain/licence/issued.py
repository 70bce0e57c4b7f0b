"""Builders: what is granted with licences of a fictitious type."""

from datetime import date
from typing import Any

from server.domain.catalogue.results import Result
from server.domain.catalogue.type_codes import sample_organisation
from server.domain.catalogue.validity import Validity
from server.domain.licence.granting import Award
from server.domain.licence.licence import LicenceHolder, Origin
from tests.world import JIANGSU, person, pinned

ISSUED_ON = date(2026, 12, 1)
LAST_DAY = date(2031, 12, 1)
SAID: dict[str, Any] = {"source": "示例", "status": "sample"}
PERMIT = Result(
    name="示例许可证",
    kind="licence",
    type_code="SAMPLE000000000000999",
    holders="person",
    validity=Validity(years=5, remind_days=30, **SAID),
)


def holder(name: str = "测试甲", *, sequence: str = "001") -> LicenceHolder:
    """A fictitious person as the holder of a licence."""
    someone = person(name, sequence=sequence)
    return LicenceHolder(kind="111", number=someone.id_number, name=someone.name)


def award(**change: Any) -> Award:
    """What an approved step says of the permit."""
    authority = pinned("health", JIANGSU)
    said: dict[str, Any] = {
        "kind": "permit",
        "holders": (holder(),),
        "authority": authority,
        "issuer": sample_organisation(authority.id),
        "origin": Origin(case=f"{JIANGSU}/abc", step="one", act_id="approve"),
        "effective_on": ISSUED_ON,
        "face": {"scope": "示例范围"},
    }
    return Award(**(said | change))
