"""Merging (一张表单、一套材料): the fields and materials of many items, each asked for once."""

from collections.abc import Sequence

from server.domain.catalogue import Bundle, Catalogue, Field, Material
from server.domain.names import Value
from server.domain.plan import PlannedStep


class MergedField(Value):
    """A field of the one form, and the steps that need it."""

    field: Field
    is_required: bool
    needed_by: tuple[str, ...]


class MergedMaterial(Value):
    """A material handed in once, and the steps that need it."""

    material: Material
    is_required: bool
    needed_by: tuple[str, ...]


class Saved(Value):
    """What the citizen is spared against applying for each item alone."""

    fields: int
    materials: int
    visits: int


class MergedForm(Value):
    """What the citizen is asked for: `filled` is known from the session, `yielded` comes out of the steps."""

    fields: tuple[MergedField, ...]
    materials: tuple[MergedMaterial, ...]
    filled: tuple[MergedField, ...]
    yielded: tuple[str, ...]
    saved: Saved


def merge(catalogue: Catalogue, bundle: Bundle, steps: Sequence[PlannedStep]) -> MergedForm:
    """The one form and the one set of materials, in the dictionary's order, whatever the order of the steps.

    A field or licence that a step of the plan yields is never asked of the citizen.
    """
    items = [catalogue.item_of[code] for code in {step.code for step in steps}]
    yielded = {("field", need.code) for item in items for need in item.yields_fields}
    yielded |= {("material", item.yields) for item in items if item.yields}
    needs = [("field", item.code, need) for item in items for need in item.fields]
    needs += [("material", item.code, need) for item in items for need in item.materials]
    by_code: dict[tuple[str, str], dict[str, bool]] = {}
    for kind, item, need in needs:
        if (kind, need.code) not in yielded:
            by_code.setdefault((kind, need.code), {})[item] = need.is_required
    fields = [
        MergedField(field=field, is_required=any(by.values()), needed_by=tuple(sorted(by)))
        for field in catalogue.fields
        if (by := by_code.get(("field", field.code)))
    ]
    materials = tuple(
        MergedMaterial(material=material, is_required=any(by.values()), needed_by=tuple(sorted(by)))
        for material in catalogue.materials
        if (by := by_code.get(("material", material.code)))
    )
    asked = tuple(each for each in fields if not each.field.filled_from)
    one_by_one = sum(len(item.fields) for item in items), sum(len(item.materials) for item in items)
    return MergedForm(
        fields=asked,
        materials=materials,
        filled=tuple(each for each in fields if each.field.filled_from),
        yielded=tuple(sorted(code for _, code in yielded)),
        saved=Saved(
            fields=one_by_one[0] - len(asked),
            materials=one_by_one[1] - len(materials),
            visits=sum(item.visits for item in items) - bundle.visits,
        ),
    )
