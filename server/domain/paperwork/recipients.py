"""Who receives a paper: the applicant, as far as the node that gives it knows them."""

from server.domain.case.case import Case, Step
from server.domain.catalogue.catalogue import Catalogue

UNKNOWN_RECIPIENT = "申请人"


def recipient_of(case: Case, step: Step, catalogue: Catalogue) -> tuple[str, str, bool]:
    """Name, ID number and whether it is an enterprise: at home the applicant, elsewhere whom the form names."""
    types = catalogue.field_of
    told: dict[str, str] = {}
    for code in step.plan.fields:
        field, value = types.get(code), case.form.get(code, "")
        if field and value:
            told.setdefault(f"proven {field.filled_from}" if field.filled_from else field.type, value)
    if "enterprise_name" in told and "uscc" in told:
        return told["enterprise_name"], told["uscc"], True
    if case.applicant:
        return case.applicant.name, case.applicant.id_number, False
    name = told.get("proven name") or told.get("person_name") or UNKNOWN_RECIPIENT
    return name, told.get("proven id_number") or told.get("id_number") or "", False
