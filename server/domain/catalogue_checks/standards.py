"""The standards guard (同一事项同标准，不得违规降低标准): a province's variant may only be kinder than the nation."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date

from server.domain.catalogue.bundles import Bundle
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.items import FieldNeed, Handling, Item, MaterialNeed, Part
from server.domain.catalogue.merging import FORMS

Breach = tuple[str, str]
# What to do about a breach of each rule.
STANDARDS: Mapping[str, str] = {
    "standards_time": "promise no more days than the nation does",
    "standards_visits": "ask for no more visits than the nation does",
    "standards_fee": "take no higher fee than the nation does",
    "standards_field": "ask for nothing that the nation does not ask for",
    "standards_material": "ask for no material, and in no form, that the nation does not ask for; keep core safety",
    "standards_condition": "keep every mandatory condition, drop or keep the others, change and add none",
    "standards_check": "keep every special step as it is, or make it shorter",
    "standards_handling": "keep what may be handled across provinces, as widely and as long, with the same part",
}


def item_breaches(national: Item, local: Item) -> Iterator[Breach]:
    """Each rule that the province's item breaks, with the reason; empty when it is only kinder."""
    for rule, what, of in _NUMBERS:
        if of(local) > of(national):
            yield rule, f"{what}: {of(local)}, in the nation {of(national)}"
    yield from _fields(national, local)
    yield from _materials(national, local)
    yield from _conditions(national, local)
    yield from _special_steps(national, local)
    for each in national.handling:
        if not any(_is_as_wide(other, each) for other in local.handling):
            yield "standards_handling", f"the {each.mode} handling across provinces is left out or made narrower"


def bundle_breaches(national: Bundle, local: Bundle) -> Iterator[Breach]:
    """Each rule that the province's bundle breaks: it may hold other steps, but no longer promise or more visits."""
    for what, here, there in (
        ("legal days", local.legal_days, national.legal_days),
        ("promised days", local.promised_days, national.promised_days),
    ):
        if here and there and here > there:
            yield "standards_time", f"{what}: {here}, in the nation {there}"
    if local.visits > national.visits:
        yield "standards_visits", f"visits: {local.visits}, in the nation {national.visits}"


_NUMBERS: tuple[tuple[str, str, Callable[[Item], int]], ...] = (
    ("standards_time", "legal days", lambda item: item.legal_days),
    ("standards_time", "promised days", lambda item: item.promised_days),
    ("standards_visits", "visits", lambda item: item.visits),
    ("standards_fee", "fee in fen", lambda item: item.fee_fen),
)


def _fields(national: Item, local: Item) -> Iterator[Breach]:
    known = {need.code: need for need in national.fields}
    for need in local.fields:
        if need.code not in known:
            yield "standards_field", f"the field {need.code} is added"
        elif not _asks_no_more(need, known[need.code]):
            yield "standards_field", f"the field {need.code} is asked for in more cases"


def _asks_no_more(local: FieldNeed, national: FieldNeed) -> bool:
    """Whether every applicant who must answer here, or is asked here, must or is in the nation too."""
    is_narrower = all(
        code in local.when and set(local.when[code]) <= set(national.when[code]) for code in national.when
    )
    return is_narrower and (national.is_required or not local.is_required)


def _materials(national: Item, local: Item) -> Iterator[Breach]:
    known = {need.code: need for need in national.materials}
    for need in local.materials:
        if need.code not in known:
            yield "standards_material", f"the material {need.code} is added"
        else:
            for reason in _different(need, known[need.code]):
                yield "standards_material", f"the material {need.code} {reason}"
    for code in known.keys() - {need.code for need in local.materials}:
        if known[code].is_core_safety:
            yield "standards_material", f"the core safety material {code} is left out"


def _different(local: MaterialNeed, national: MaterialNeed) -> Iterator[str]:
    if local.is_required and not national.is_required:
        yield "is required"
    if local.copies > national.copies:
        yield f"is asked for {local.copies} times, in the nation {national.copies}"
    if FORMS.index(local.form) > FORMS.index(national.form):
        yield f"is asked for as {local.form}, in the nation as {national.form}"
    if national.origin == "shared" and local.origin != "shared":
        yield "is asked of the applicant, in the nation it is shared"
    if national.may_be_deferred and not local.may_be_deferred:
        yield "may not be deferred any more"
    if national.is_core_safety and not (local.is_core_safety and local.is_required >= national.is_required):
        yield "is no core safety material any more, or not required any more"


def _conditions(national: Item, local: Item) -> Iterator[Breach]:
    for condition in national.conditions:
        if condition.is_mandatory and condition not in local.conditions:
            yield "standards_condition", f"the mandatory condition {condition.code} is dropped or changed"
    for condition in local.conditions:
        if condition not in national.conditions:
            yield "standards_condition", f"the condition {condition.code} is added or changed"


def _special_steps(national: Item, local: Item) -> Iterator[Breach]:
    left = {step.name: step for step in national.special_steps}
    for step in local.special_steps:
        found = left.pop(step.name, None)
        if found is None:
            yield "standards_check", f"the special step {step.name} is added"
        elif step.days > found.days or (found.is_counted and not step.is_counted):
            yield "standards_check", f"the special step {step.name} takes longer"
    for name in left:
        yield "standards_check", f"the special step {name} is dropped"


def _is_as_wide(local: Handling, national: Handling) -> bool:
    """Whether one is handled so wherever and whenever the nation does."""
    is_there = not local.areas or (bool(national.areas) and set(national.areas) <= set(local.areas))
    is_from_then = (local.valid_from or date.min) <= (national.valid_from or date.min)
    is_until_then = (local.valid_to or date.max) >= (national.valid_to or date.max)
    is_so_long = is_from_then and is_until_then
    return local.mode == national.mode and is_there and is_so_long and _is_same_part(local.part, national.part)


def _is_same_part(local: Part | None, national: Part | None) -> bool:
    """Whether the receiving place checks the same, and posts no more originals than in the nation."""
    if local is None or national is None:
        return local == national
    return local.department == national.department and national.has_paper >= local.has_paper


def breaches(catalogue: Catalogue) -> Iterator[tuple[str, str, Breach]]:
    """Every breach of every variant: the table, the code of the variant, rule and reason."""
    for variant in catalogue.item_variants:
        if variant.item in catalogue.item_of:
            national = catalogue.item_of[variant.item]
            for breach in item_breaches(national, variant.of(national)):
                yield "item_variant", variant.code, breach
    national_bundles = {bundle.code: bundle for bundle in catalogue.bundles}
    for each in catalogue.bundle_variants:
        if each.bundle in national_bundles:
            for breach in bundle_breaches(national_bundles[each.bundle], each.of(national_bundles[each.bundle])):
                yield "bundle_variant", each.code, breach
