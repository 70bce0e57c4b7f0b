"""Soundness of results: what must be known of a kind of licence before one can be issued, who holds it, how long."""

from collections.abc import Iterator, Mapping

from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.items import Field, Item
from server.domain.catalogue.results import HeldBy, Result
from server.domain.catalogue.type_codes import is_type_code
from server.domain.catalogue_checks.faults import Fault, Place, fault

RESULTS: Place = ("results", "")
NAMES = {"person_name", "enterprise_name"}
NUMBERS: Mapping[str, set[str]] = {
    "person": {"id_number"},
    "organisation": {"uscc"},
    "both": {"id_number", "uscc"},
}


def result_faults(catalogue: Catalogue) -> Iterator[Fault]:
    """A licence has a type, holders and a validity; nothing else has a type, and no answer in words a validity."""
    yielded = {item.yields for item in catalogue.items}
    for code, result in catalogue.results.items():
        if said := _type_fault(result):
            yield fault(RESULTS, "licence_type", reason=f"{code}: {said}")
        if said := _validity_fault(result):
            yield fault(RESULTS, "validity", reason=f"{code}: {said}")
        for said in _holder_faults(result, catalogue.field_of) if code in yielded else ():
            yield fault(RESULTS, "licence_holder", reason=f"{code}: {said}")
    for item in catalogue.items:
        own = catalogue.results.get(item.yields)
        for said in _missing_in(item, own) if own else ():
            yield fault(("item", item.code), "licence_holder", reason=f"{item.yields}: {said}")


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


def _holder_faults(result: Result, fields: Mapping[str, Field]) -> Iterator[str]:
    """Names stand in fields of names, numbers in fields of the numbers of those who may hold it, its end in a day."""
    if result.held_by and result.kind != "licence":
        yield f"it is a {result.kind}, and nobody holds it"
    numbers = NUMBERS.get(result.holders)
    for held in result.held_by:
        if len(held.names) > result.most_holders:
            yield f"at most {result.most_holders} may hold one, and {len(held.names)} are named"
        yield from _untyped(held.names, fields, NAMES)
        yield from _untyped(held.numbers, fields, numbers) if numbers else ()
    if result.ends_in:
        yield from _untyped((result.ends_in,), fields, {"date"})
        if result.validity is None or not result.validity.is_given:
            yield f"{result.ends_in} names its last day, and no decision does"


def _untyped(codes: tuple[str, ...], fields: Mapping[str, Field], types: set[str]) -> Iterator[str]:
    for code in codes:
        if code not in fields:
            yield f"there is no field {code!r}"
        elif fields[code].type not in types:
            yield f"{code} is of type {fields[code].type}, not {' or '.join(sorted(types))}"


def _missing_in(item: Item, result: Result) -> Iterator[str]:
    """Each item that yields it has the fields of one of the ways in which holders are named, and that of its end."""
    yielded = {need.code for need in item.yields_fields}
    known = yielded | {need.code for need in item.fields}
    if result.held_by and not any(held.stands_in(known) for held in result.held_by):
        yield f"{item.code} has the fields of no way to name its holders: {', '.join(map(_told, result.held_by))}"
    if result.ends_in and result.ends_in not in yielded:
        yield f"{item.code} does not yield {result.ends_in}, which names its last day"


def _told(held: HeldBy) -> str:
    return " and ".join((*held.names, *held.numbers))
