"""Soundness of items and bundles: what one refers to exists, every question decides something, no graph is a circle."""

from collections.abc import Iterable, Iterator

from server.domain.catalogue.bundles import Bundle, BundleStep, Question
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.items import HOME, Field, Item, Need
from server.domain.catalogue.plan import circle
from server.domain.catalogue_checks.faults import (
    Fault,
    Place,
    choices_faults,
    code_faults,
    doubles,
    fault,
    reference_faults,
)


def item_faults(catalogue: Catalogue, item: Item) -> Iterator[Fault]:
    """What an item refers to exists, and its materials and conditional fields make sense."""
    place = ("item", item.code)
    yield from reference_faults(place, "department", codes=[item.department], known=catalogue.departments)
    yield from reference_faults(place, "field", codes=_codes(item.fields), known=catalogue.field_of)
    yield from reference_faults(place, "material", codes=_codes(item.materials), known=catalogue.material_of)
    yields = [item.yields] if item.yields else []
    yield from reference_faults(place, "result", codes=yields, known=catalogue.results)
    if not item.yields:
        yield fault(place, "result", reason="it yields nothing")
    yield from reference_faults(place, "yielded field", codes=_codes(item.yields_fields), known=catalogue.field_of)
    yield from _days(place, legal=item.legal_days, promised=item.promised_days)
    if item.opinions:
        heard = item.opinions.departments
        yield from reference_faults(place, "department to be heard", codes=heard, known=catalogue.departments)
        if item.opinions.needed > len(heard) or item.department in heard:
            yield fault(place, "opinions", reason=f"{item.opinions.needed} of {list(heard)} are to agree")
    yield from _transfer(item)
    yield from _signatures(item)
    yield from _parts(catalogue, item)
    yield from _when(catalogue, item)
    yield from _levels(catalogue, item)
    for need in item.materials:
        if (need.origin == "step") != (need.code in catalogue.documents):
            yield fault(place, "origin", reason=f"the origin of {need.code} is {need.origin}")
        if need.is_core_safety and need.may_be_deferred:
            yield fault(place, "core_safety", reason=f"{need.code} may be deferred")
    if item.is_alone and item.jurisdiction not in (HOME, *catalogue.jurisdictions):
        yield fault(place, "jurisdiction", reason=f"{item.jurisdiction!r} is no jurisdiction of the catalogue")


def _transfer(item: Item) -> Iterator[Fault]:
    """A licence is never transferred: who is not competent refuses it and names the right organ (行政许可法第三十二条).

    Nor is what no authority decides.
    """
    is_authority = item.competence is not None and item.competence.decided_by == "authority"
    if item.transfer and (item.type == "licence" or not is_authority):
        what = "a licence" if item.type == "licence" else "decided by no authority"
        yield fault(("item", item.code), "transfer", reason=f"it is {what}, and may not be transferred")


def _signatures(item: Item) -> Iterator[Fault]:
    """What is signed electronically is of no personal status, and the catalogue says so (电子签名法第三条)."""
    place = ("item", item.code)
    for kind in doubles(item.signatures):
        yield fault(place, "duplicate", reason=f"it names the signature {kind!r} more than once")
    if item.signatures and item.personal_status != "none":
        about = f"is about {item.personal_status}" if item.personal_status else "does not say what status it is about"
        yield fault(place, "personal_status", reason=f"it {about}, and {list(item.signatures)} are to be signed")


def _parts(catalogue: Catalogue, item: Item) -> Iterator[Fault]:
    """A place that receives for another does its own part first; an item handled online has no second place."""
    place = ("item", item.code)
    for handling in item.handling:
        known = [handling.part.department] if handling.part else []
        yield from reference_faults(place, "department of a part", codes=known, known=catalogue.departments)
        if handling.mode == "handover" and handling.part is None:
            yield fault(place, "part", reason="a handover has no part of the receiving place")
        if handling.mode == "online" and handling.part:
            yield fault(place, "part", reason=f"{handling.part.name!r} is a part of what goes all online")


def unreachable_items(catalogue: Catalogue) -> Iterator[Fault]:
    """Every item is in a bundle, in some province's, or may be applied for alone."""
    using = {step.item for bundle in catalogue.bundles for step in bundle.steps}
    using |= {step.item for variant in catalogue.bundle_variants for step in variant.steps}
    for item in catalogue.items:
        if item.code not in using and not item.is_alone:
            reason = "no bundle has a step for it, and it cannot be applied for alone"
            yield fault(("item", item.code), "unused", reason=reason)


def _when(catalogue: Catalogue, item: Item) -> Iterator[Fault]:
    """A field may depend on a choice that the same item always asks for and that no step yields."""
    place = ("item", item.code)
    always = {need.code for need in item.fields if need.is_required and not need.when}
    for need in item.fields:
        for code, allowed in need.when.items():
            field = catalogue.field_of.get(code)
            if field is None or field.type != "choice" or code not in always - catalogue.yielded:
                yield fault(place, "condition", reason=f"{need.code}: {code!r} is no choice that this item asks for")
            elif not allowed or not set(allowed) <= set(field.choices):
                yield fault(place, "condition", reason=f"{need.code}: {code} does not offer {list(allowed)}")


def _levels(catalogue: Catalogue, item: Item) -> Iterator[Fault]:
    """A level depends on choices of the item's own form, or of the questions of a bundle that it is part of."""
    asked = [catalogue.field_of[need.code] for need in item.fields if need.code in catalogue.field_of]
    bundles = [catalogue.bundle_of[code] for code in catalogue.bundles_with.get(item.code, ())]
    choosing: list[Field | Question] = [*asked, *(question for each in bundles for question in each.questions)]
    offered = {each.code: each.choices for each in choosing if each.type == "choice"}
    for rule in item.competence.levels if item.competence else ():
        for code, allowed in rule.when.items():
            if not allowed or not set(allowed) <= set(offered.get(code, ())):
                reason = f"the level {rule.level}: no choice {code!r} that is asked for offers {list(allowed)}"
                yield fault(("item", item.code), "condition", reason=reason)


def bundle_faults(catalogue: Catalogue, bundle: Bundle) -> Iterator[Fault]:
    """What a bundle refers to exists, its questions decide something, its graph can be walked."""
    place = ("bundle", bundle.code)
    steps = [step.item for step in bundle.steps]
    departments = [bundle.lead, *bundle.cooperating]
    yield from reference_faults(place, "department", codes=departments, known=catalogue.departments)
    yield from reference_faults(place, "item", codes=steps, known=catalogue.item_of)
    if bundle.stage not in catalogue.stages.get(bundle.subject, (bundle.stage,)):
        yield fault(place, "stage", reason=f"{bundle.subject} has no stage {bundle.stage!r}")
    if bundle.legal_days and bundle.promised_days:
        yield from _days(place, legal=bundle.legal_days, promised=bundle.promised_days)
    yield from _subject(catalogue, bundle)
    yield from _questions(catalogue, bundle)
    for step in bundle.steps:
        yield from reference_faults(place, f"step needed by {step.item}:", codes=step.needs, known=steps)
        yield from _conditions(place, step.item, bundle=bundle, asking=step)
        yield from _jurisdiction(catalogue, bundle, step=step)
        yield from _yields(catalogue, bundle, step=step)
        if step.is_optional and (step.one_of or any(question.code == step.item for question in bundle.questions)):
            yield fault(
                place, "choice", reason=f"{step.item} is optional, so the wish for it is a question of that code"
            )
    found = circle({step.item: step.needs for step in bundle.steps})
    if found:
        yield fault(place, "circle", reason=" before ".join(found))


def _subject(catalogue: Catalogue, bundle: Bundle) -> Iterator[Fault]:
    """Every step asks for the subject's name and ID number, so that the form of any plan names the subject."""
    items = [catalogue.item_of[step.item] for step in bundle.steps if step.item in catalogue.item_of]
    asked = [{need.code for need in item.fields if need.is_required and not need.when} for item in items]
    yielded = {need.code for item in items for need in item.yields_fields}
    for code, type in zip(bundle.subject_fields or (), ("person_name", "id_number"), strict=False):
        field = catalogue.field_of.get(code)
        is_asked = all(code in each for each in asked) and code not in yielded
        is_fit = field and field.type == type and not field.filled_from and is_asked
        kind = f"field of type {type} that every step asks the applicant for:"
        yield from reference_faults(("bundle", bundle.code), kind, codes=[code], known=[code] if is_fit else [])


def _questions(catalogue: Catalogue, bundle: Bundle) -> Iterator[Fault]:
    """Each question has a code of its own, and decides something: nobody is asked in vain."""
    place = ("bundle", bundle.code)
    deciding = {catalogue.item_of[step.item].jurisdiction for step in bundle.steps if step.item in catalogue.item_of}
    deciding |= {code for step in bundle.steps for code in step.when}
    deciding |= {code for question in bundle.questions for code in question.when}
    choosing = [step.one_of for step in bundle.steps if step.one_of]
    for at, question in enumerate(bundle.questions):
        yield from code_faults(place, "question", code=question.code)
        yield from choices_faults(place, question.code, type=question.type, choices=question.choices)
        before = bundle.model_copy(update={"questions": bundle.questions[:at]})
        yield from _conditions(place, question.code, bundle=before, asking=question)
        if question.code == HOME:
            yield fault(place, "code", reason=f"a question named {HOME} would hide the home node")
        if question.code not in deciding | set(choosing):
            yield fault(place, "unused", reason=f"nothing depends on the question {question.code}")
        if (question.type == "one_of") != (choosing.count(question.code) > 1):
            reason = (
                f"{question.code} is of type {question.type} and chooses among {choosing.count(question.code)} steps"
            )
            yield fault(place, "choice", reason=reason)
    asked = [question.code for question in bundle.questions]
    yield from reference_faults(place, "question", codes=list(dict.fromkeys(choosing)), known=asked)
    for code in doubles(asked):
        yield fault(place, "duplicate", reason=f"the question {code} is asked more than once")


def _conditions(place: Place, who: str, *, bundle: Bundle, asking: BundleStep | Question) -> Iterator[Fault]:
    choices = {question.code: question.choices for question in bundle.questions if question.type == "choice"}
    for question, allowed in asking.when.items():
        if question not in choices:
            yield fault(place, "condition", reason=f"{who}: there is no choice question {question!r} before it")
        elif not allowed:
            yield fault(place, "condition", reason=f"{who} applies for no answer to {question}")
        for choice in allowed:
            if choice not in choices.get(question, allowed):
                yield fault(place, "condition", reason=f"{who}: {question} does not offer {choice!r}")


def _jurisdiction(catalogue: Catalogue, bundle: Bundle, *, step: BundleStep) -> Iterator[Fault]:
    """Whenever the step applies, the question that names its decider is asked, and must be answered."""
    item = catalogue.item_of.get(step.item)
    if item is None or item.jurisdiction == HOME:
        return
    asked = [each for each in bundle.questions if each.code == item.jurisdiction and each.type == "division"]
    always = [
        each
        for each in asked
        if each.is_required and all(step.when.get(code, ()) == allowed for code, allowed in each.when.items())
    ]
    if not always:
        reason = f"{item.jurisdiction!r} is no division question that the bundle {bundle.code} asks for it"
        yield fault(("item", item.code), "jurisdiction", reason=reason)


def _yields(catalogue: Catalogue, bundle: Bundle, *, step: BundleStep) -> Iterator[Fault]:
    """What a step yields is never asked of the citizen: whatever uses it must need that step.

    And without a detour, since a need for a third step may fall away with that one.
    """
    place = ("bundle", bundle.code)
    items = [catalogue.item_of[other.item] for other in bundle.steps if other.item in catalogue.item_of]
    pairs = [(using, other) for using in items if using.code == step.item for other in items]
    for using, other in pairs:
        for need, is_certain in _handed_over(other, using, document=catalogue.document_of(other)):
            used = f"{need.code}, which {step.item} asks for,"
            if other.code not in step.needs:
                reason = f"{used} is yielded by {other.code}, which that step does not need"
                yield fault(place, "yielded_elsewhere", reason=reason)
            elif need.is_required and not is_certain:
                yield fault(place, "yielded_perhaps", reason=f"{used} is not always yielded by {other.code}")


def _handed_over(yielding: Item, using: Item, *, document: str) -> list[tuple[Need, bool]]:
    """What one item asks for and the other yields, and whether it always does."""
    certain = {need.code: need.is_required for need in yielding.yields_fields}
    found: list[tuple[Need, bool]] = [(need, certain[need.code]) for need in using.fields if need.code in certain]
    return found + [(need, True) for need in using.materials if need.code == document]


def _days(place: Place, *, legal: int, promised: int) -> Iterator[Fault]:
    if promised > legal:
        yield fault(place, "days", reason=f"{promised} days are promised, {legal} are allowed")


def _codes(needs: Iterable[Need]) -> list[str]:
    return [need.code for need in needs]
