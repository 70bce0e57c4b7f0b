"""Checking a catalogue before anybody relies on it: what contradicts itself, or falls below the nation's standard."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from server.domain.catalogue.bundles import Bundle
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.forms import form_faults
from server.domain.catalogue.items import Field, Item
from server.domain.catalogue.merging import MergedField
from server.domain.catalogue_checks.faults import Fault, choices_faults, code_faults, doubles, fault, reference_faults
from server.domain.catalogue_checks.soundness import bundle_faults, item_faults, unreachable_items
from server.domain.catalogue_checks.standards import breaches
from server.domain.catalogue_checks.yielding import result_faults

PROVINCE = re.compile(r"[1-9][0-9]0000")


def catalogue_faults(catalogue: Catalogue) -> tuple[Fault, ...]:
    """Every fault of the catalogue; one without any can be planned, merged and filled in for all answers.

    Provinces are looked at when the nation is in order.
    """
    faults = [*_codes(catalogue), *_names(catalogue), *_fields(catalogue.fields), *_variants(catalogue)]
    faults += [*_delivery(catalogue), *result_faults(catalogue)]
    faults += [*unreachable_items(catalogue), *_within(catalogue, catalogue.items, catalogue.bundles)]
    if not catalogue.bundles:
        faults.append(fault(("bundle", ""), "empty", reason="there is no bundle"))
    if not faults:
        for province in catalogue.provinces:
            local = catalogue.of(province)
            faults += [_in_province(found, province) for found in _within(local, *_touched(catalogue, local))]
        for table, entry, (rule, reason) in breaches(catalogue):
            faults.append(Fault(table=table, entry=entry, rule=rule, reason=reason))
    return tuple(dict.fromkeys(faults))


def _within(catalogue: Catalogue, items: Iterable[Item], bundles: Iterable[Bundle]) -> Iterator[Fault]:
    """What is wrong with these items and bundles of the nation, or of one province."""
    for item in items:
        yield from item_faults(catalogue, item)
    for bundle in bundles:
        yield from bundle_faults(catalogue, bundle)


def _touched(nation: Catalogue, local: Catalogue) -> tuple[list[Item], list[Bundle]]:
    """What a province has otherwise, and what stands in a bundle with it: all else is in order as in the nation."""
    varied = {item.code for item in local.items if item is not nation.item_of[item.code]}
    bundles = [
        bundle
        for bundle in local.bundles
        if bundle is not nation.bundle_of[bundle.code] or varied.intersection(step.item for step in bundle.steps)
    ]
    beside = {
        step.item for bundle in bundles for each in (bundle, nation.bundle_of[bundle.code]) for step in each.steps
    }
    return [item for item in local.items if item.code in varied | beside], bundles


def _in_province(found: Fault, province: str) -> Fault:
    return found.model_copy(update={"table": f"{found.table}_variant", "entry": f"{province}/{found.entry}"})


def _delivery(catalogue: Catalogue) -> Iterator[Fault]:
    """How a document is delivered is chosen in a field of choices."""
    choosing = {field.code for field in catalogue.fields if field.type == "choice"}
    named = [catalogue.delivery_field] if catalogue.delivery_field else []
    yield from reference_faults(("results", ""), "choice for delivery_field:", codes=named, known=choosing)


def _codes(catalogue: Catalogue) -> Iterator[Fault]:
    """Codes are well formed, and unique in their table; an item alone is a bundle of its own code."""
    for table, codes in (
        ("departments", catalogue.departments),
        ("results", catalogue.results),
        ("jurisdictions", catalogue.jurisdictions),
    ):
        for code in codes:
            yield from code_faults((table, ""), table.removesuffix("s"), code=code)
    tables = {
        "field": [field.code for field in catalogue.fields],
        "material": [material.code for material in catalogue.materials],
        "item": [item.code for item in catalogue.items],
        "bundle": [bundle.code for bundle in catalogue.bundles],
    }
    for table, entries in tables.items():
        for code in entries:
            yield from code_faults((table, code), table, code=code)
        for code in doubles(entries):
            yield fault((table, code), "duplicate", reason=f"the {table} {code} is defined more than once")
    for item in catalogue.items:
        if item.is_alone and item.code in tables["bundle"]:
            yield fault(("item", item.code), "duplicate", reason=f"{item.code} is the code of a bundle too")


def _names(catalogue: Catalogue) -> Iterator[Fault]:
    """What has one name is one thing: two entries of one name would ask a citizen twice."""
    tables = (("field", catalogue.fields), ("material", catalogue.materials))
    for table, entries in (*tables, ("item", catalogue.items), ("bundle", catalogue.bundles)):
        twice = doubles(entry.name for entry in entries)
        for entry in entries:
            if entry.name in twice:
                yield fault((table, entry.code), "same_name", reason=f"another {table} is called {entry.name} too")


def _fields(fields: Sequence[Field]) -> Iterator[Fault]:
    for field in fields:
        found = list(_shape(field))
        yield from found or _example(field)
    twice = doubles(field.filled_from for field in fields if field.filled_from)
    for field in fields:
        if field.filled_from in twice:
            reason = f"another field is filled from {field.filled_from} too"
            yield fault(("field", field.code), "filled_twice", reason=reason)


def _shape(field: Field) -> Iterator[Fault]:
    """Only a choice has choices, only a date may not be after today, only a text has a pattern, and explains it."""
    place = ("field", field.code)
    yield from choices_faults(place, field.code, type=field.type, choices=field.choices)
    if field.not_after_today and field.type != "date":
        yield fault(place, "not_after_today", reason=f"{field.code} is of type {field.type}")
    if field.pattern:
        if field.type != "text" or not field.hint:
            yield fault(place, "pattern", reason=f"{field.code} is of type {field.type}, its hint is {field.hint!r}")
        try:
            re.compile(field.pattern)
        except re.error as broken:
            yield fault(place, "pattern", reason=f"{field.pattern!r} does not compile: {broken}")


def _example(field: Field) -> Iterator[Fault]:
    """The example keeps to all that the field demands."""
    asked = MergedField(field=field, is_required=True, needed_by=())
    if field.example and form_faults([asked], {field.code: field.example}, on=date.max):
        yield fault(("field", field.code), "example", reason=f"{field.example!r} would be refused")


def _variants(catalogue: Catalogue) -> Iterator[Fault]:
    """Each variant is of something known, in a province, once."""
    bundles = {bundle.code: bundle for bundle in catalogue.bundles}
    named = [(("item_variant", each.code), each.item, each.province) for each in catalogue.item_variants]
    for place, item, _ in named:
        yield from reference_faults(place, "item", codes=[item], known=catalogue.item_of)
    for each in catalogue.bundle_variants:
        place = ("bundle_variant", each.code)
        named.append((place, each.bundle, each.province))
        yield from reference_faults(place, "bundle", codes=[each.bundle], known=bundles)
        there = [step.item for step in bundles[each.bundle].steps] if each.bundle in bundles else []
        yield from reference_faults(place, "step", codes=each.without, known=there)
    for place, _, province in named:
        if not PROVINCE.fullmatch(province):
            yield fault(place, "province", reason=f"{province!r} is no province")
        if [found for found, _, _ in named].count(place) > 1:
            yield fault(place, "province", reason=f"{place[1]} is varied more than once")
