"""Merging (一张表单、一套材料): the fields and materials of many items, each asked for once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from server.domain.catalogue.bundles import Bundle
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.divisions import province_of
from server.domain.catalogue.durations import days_of
from server.domain.catalogue.items import Field, FieldNeed, Item, Material, MaterialNeed
from server.domain.catalogue.plan import PlannedStep
from server.domain.remembering import itself
from server.domain.values import Value

When = Mapping[str, tuple[str, ...]]


class MergedField(Value):
    """A field of the one form, and the steps that need it.

    `asked_if`: it is asked if one of these holds of the other fields (none: always). `required_if`: it must be filled
    in if one of these holds; `is_required`: it must be filled in whenever it is asked.
    """

    field: Field
    is_required: bool
    needed_by: tuple[str, ...]
    asked_if: tuple[When, ...] = ()
    required_if: tuple[When, ...] = ()


class MergedMaterial(Value):
    """A material handed in once, and the steps that need it: in the strictest form and number that any of them asks."""

    material: Material
    is_required: bool
    needed_by: tuple[str, ...]
    form: str
    copies: int
    may_be_deferred: bool


class Saved(Value):
    """What the applicant is spared against applying for each item alone; days are working days."""

    fields: int
    materials: int
    visits: int
    days: int


class MergedForm(Value):
    """What the applicant is asked for.

    `filled` is known from the session, `yielded` comes out of the steps, `shared` from other authorities.
    """

    fields: tuple[MergedField, ...]
    materials: tuple[MergedMaterial, ...]
    filled: tuple[MergedField, ...]
    yielded: tuple[str, ...]
    shared: tuple[str, ...]
    saved: Saved


Declared = TypeVar("Declared", FieldNeed, MaterialNeed)
FORMS = ("electronic", "copy", "original")


def merge(catalogue: Catalogue, bundle: Bundle, steps: Sequence[PlannedStep]) -> MergedForm:
    """The one form and the one set of materials, in the dictionary's order, whatever the order of the steps.

    A field or document that a step of the plan yields is never asked of the citizen, nor a material that authorities
    share with each other. The same catalogue, bundle and steps give the same object.
    """
    said = tuple((step.code, step.division, step.needs, step.promised_days) for step in steps)
    return catalogue.made.of(("merged", itself(bundle), said), lambda: _merged(catalogue, bundle, steps))


def _merged(catalogue: Catalogue, bundle: Bundle, steps: Sequence[PlannedStep]) -> MergedForm:
    items = items_of(catalogue, steps)
    yielded_fields = {need.code for item in items for need in item.yields_fields}
    yielded_materials = {catalogue.document_of(item) for item in items} - {""}
    field_needs = _by_code((need, item.code) for item in items for need in item.fields)
    wanted = _by_code((need, item.code) for item in items for need in item.materials if need.origin != "shared")
    fields = [
        _field(field, field_needs[field.code])
        for field in catalogue.fields
        if field.code in field_needs and field.code not in yielded_fields
    ]
    materials = tuple(
        _material(material, wanted[material.code])
        for material in catalogue.materials
        if material.code in wanted and material.code not in yielded_materials
    )
    asked = tuple(each for each in fields if not each.field.filled_from)
    shared = {need.code for item in items for need in item.materials if need.origin == "shared"}
    days = days_of(bundle, {step.code: step for step in steps}.values())
    return MergedForm(
        fields=asked,
        materials=materials,
        filled=tuple(each for each in fields if each.field.filled_from),
        yielded=tuple(sorted(yielded_fields | yielded_materials)),
        shared=tuple(code for code in catalogue.material_of if code in shared - set(wanted)),
        saved=Saved(
            fields=sum(len(item.fields) for item in items) - len(asked),
            materials=sum(len(item.materials) for item in items) - len(materials),
            visits=max(sum(item.visits for item in items) - bundle.visits, 0),
            days=days.one_by_one - days.together,
        ),
    )


def items_of(catalogue: Catalogue, steps: Iterable[PlannedStep]) -> tuple[Item, ...]:
    """The items of these steps, each as it is in the province that decides it, in the order of their codes."""
    places = {step.code: province_of(step.division) if step.division else "" for step in steps}
    return tuple(catalogue.of(place).item_of[code] for code, place in sorted(places.items()))


def _by_code(needs: Iterable[tuple[Declared, str]]) -> dict[str, dict[str, Declared]]:
    found: dict[str, dict[str, Declared]] = {}
    for need, item in needs:
        found.setdefault(need.code, {})[item] = need
    return found


def _field(field: Field, needs: Mapping[str, FieldNeed]) -> MergedField:
    is_always_asked = any(not need.when for need in needs.values())
    required = [need.when for need in needs.values() if need.is_required]
    is_required = any(not when for when in required) or (not is_always_asked and len(required) == len(needs))
    return MergedField(
        field=field,
        is_required=is_required,
        needed_by=tuple(sorted(needs)),
        asked_if=() if is_always_asked else _each_once(need.when for need in needs.values()),
        required_if=() if is_required else _each_once(required),
    )


def _each_once(conditions: Iterable[When]) -> tuple[When, ...]:
    return tuple({tuple(sorted(when.items())): when for when in conditions}.values())


def _material(material: Material, needs: Mapping[str, MaterialNeed]) -> MergedMaterial:
    wishes = needs.values()
    return MergedMaterial(
        material=material,
        is_required=any(need.is_required for need in wishes),
        needed_by=tuple(sorted(needs)),
        form=max((need.form for need in wishes), key=FORMS.index),
        copies=max(need.copies for need in wishes),
        may_be_deferred=all(need.may_be_deferred and not need.is_core_safety for need in wishes),
    )
