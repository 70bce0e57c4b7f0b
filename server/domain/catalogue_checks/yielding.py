"""Soundness of results: what must be known of a kind of licence before one can be issued, and how long it holds."""

from collections.abc import Iterator

from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.results import Result
from server.domain.catalogue.type_codes import is_type_code
from server.domain.catalogue_checks.faults import Fault, Place, fault

RESULTS: Place = ("results", "")


def result_faults(catalogue: Catalogue) -> Iterator[Fault]:
    """A licence has a type, holders and a validity; nothing else has a type, and no answer in words a validity."""
    for code, result in catalogue.results.items():
        if said := _type_fault(result):
            yield fault(RESULTS, "licence_type", reason=f"{code}: {said}")
        if said := _validity_fault(result):
            yield fault(RESULTS, "validity", reason=f"{code}: {said}")


def _type_fault(result: Result) -> str:
    if result.kind != "licence":
        is_typed = result.type_code or result.holders or result.most_holders > 1
        return f"it is a {result.kind}, and has a type or holders" if is_typed else ""
    if not is_type_code(result.type_code):
        return f"{result.type_code!r} is no type code"
    return "" if result.holders else "it does not say who may hold it"


def _validity_fault(result: Result) -> str:
    validity = result.validity
    if validity is None:
        return "it does not say how long it holds" if result.kind == "licence" else ""
    if result.kind == "text":
        return "it is an answer in words, and holds for no time"
    if validity.by_age and result.holders != "person":
        return "by_age asks for the age of what may be no person"
    return validity.fault
