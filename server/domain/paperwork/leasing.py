"""The lease of a home of public rental housing: what it says, from the decision that names the home."""

from collections.abc import Mapping
from typing import Any

from server.domain.case import events
from server.domain.case.case import Step
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.forms import FormFaulty
from server.domain.errors import FieldFault
from server.domain.papers.signing import NotAskedToSign, SignedByHandOnly, check_asked
from server.domain.paperwork.bodies import Body, Telling

# The members of the contract that the decision fills, by the fields of its result.
TERMS: Mapping[str, str] = {
    "home": "allotted_home",
    "area": "allotted_area",
    "rent": "allotted_rent",
    "begins_on": "lease_begins_on",
    "ends_on": "lease_ends_on",
}
# What all such contracts say alike; the words are ours, as those of its text are.
CLAUSES: Body = {
    "equipment": "以交房时双方确认的清单为准",
    "use": "由乙方和申请时登记的共同申请人居住，不转租、不转借、不改变用途",
    "repairs": "甲方负责房屋和设施设备的维修养护；因乙方使用不当损坏的，由乙方修复",
    "charges": "居住期间的费用由乙方承担",
    "surrender": "《公共租赁住房管理办法》规定应当退回的情形",
    "breach": "违约的一方依法承担责任；发生争议的，双方协商，协商不成的，可以向人民法院起诉",
}


def names_home(event: Any) -> bool:
    """Whether a decision names the home that is let, and all else that a lease says of it."""
    return isinstance(event, events.Approved) and all(event.result.get(field) for field in TERMS.values())


def is_contracted(telling: Telling) -> bool:
    """Whether a decision leads to a lease: it names the home, and its item asks for a contract to be signed.

    Only where the case is decided at its home, and its applicant is a party to it themselves.
    """
    case, item = telling.case, telling.item
    if item is None or not names_home(telling.event) or case.applicant is None or case.subject is not None:
        return False
    if telling.step.node not in ("", case.home):
        return False
    try:
        check_asked(item, "contract")
    except (NotAskedToSign, SignedByHandOnly):
        return False
    return True


def check_terms(step: Step, result: Mapping[str, str], catalogue: Catalogue) -> None:
    """See that a decision which names a home says all that a lease says of it; raises FormFaulty.

    Only where the item yields all of that: else no decision of it leads to a lease.
    """
    missing = [field for field in TERMS.values() if not result.get(field)]
    if not missing or len(missing) == len(TERMS) or not set(TERMS.values()) <= set(step.plan.yields_fields):
        return
    names = {field: catalogue.name_of("field", field) for field in missing}
    raise FormFaulty(
        "写明配租房屋的，应当一并写明租赁合同的各项。",
        errors=[
            FieldFault(pointer=f"/result/{field}", code="required", detail=f"请填写：{name}。")
            for field, name in names.items()
        ],
    )


def lease(telling: Telling) -> Body:
    """公租房租赁合同; the Approved event that names the home."""
    said = {member: telling.event.result[field] for member, field in TERMS.items()}
    return {**CLAUSES, **said, "area": f"建筑面积{said['area']}平方米", "rent": f"每月{said['rent']}元，按月支付"}
