"""Checking a catalogue before anybody relies on it: what in it contradicts itself."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from server.domain.catalogue import Bundle, BundleStep, Catalogue, Field, Item, Need, Question
from server.domain.names import Value
from server.domain.plan import HOME, circle

SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

# What to do about a breach of each rule.
RULES: Mapping[str, str] = {
    "code": "write ASCII snake_case, and no word that has a meaning of its own",
    "duplicate": "remove one of them, or give it another code",
    "unknown_reference": "correct the code, or add the missing entry",
    "unused": "remove it, or use it",
    "choices": "give choices to a choice, and only to a choice",
    "not_after_today": "say so of dates only",
    "filled_twice": "ask for the proven detail in one field only",
    "days": "promise no more days than the law allows",
    "jurisdiction": "name a division question that every bundle of the item asks, or home",
    "condition": "name a choice question of this bundle, and some of its choices",
    "circle": "remove one of these needs",
    "yielded_elsewhere": "let the step need the one that yields it",
    "yielded_perhaps": "make it certain where it is yielded, or optional where it is needed",
    "empty": "add a bundle",
}

Place = tuple[str, str]


class Fault(Value):
    """One fault: the table, the code of its entry (empty: no single one), the rule that is broken, the reason."""

    table: str
    entry: str
    rule: str
    reason: str

    @property
    def what_to_do(self) -> str:
        """How to mend it."""
        return RULES[self.rule]


def catalogue_faults(catalogue: Catalogue) -> tuple[Fault, ...]:
    """Every fault of the catalogue; one without any can be planned, merged and filled in for all answers."""
    faults = [*_codes(catalogue), *_fields(catalogue.fields)]
    for item in catalogue.items:
        faults += _item(catalogue, item)
    for bundle in catalogue.bundles:
        faults += _bundle(catalogue, bundle)
    if not catalogue.bundles:
        faults.append(_fault(("bundle", ""), "empty", reason="there is no bundle"))
    return tuple(dict.fromkeys(faults))


def _fault(place: Place, rule: str, *, reason: str) -> Fault:
    return Fault(table=place[0], entry=place[1], rule=rule, reason=reason)


def _codes(catalogue: Catalogue) -> Iterator[Fault]:
    """Codes are well formed, and unique in their table."""
    for code in catalogue.departments:
        yield from _code(("departments", ""), "department", code=code)
    for code in catalogue.licences:
        yield from _code(("licences", ""), "licence", code=code)
    tables = {
        "field": [field.code for field in catalogue.fields],
        "material": [material.code for material in catalogue.materials],
        "item": [item.code for item in catalogue.items],
        "bundle": [bundle.code for bundle in catalogue.bundles],
    }
    for table, codes in tables.items():
        for code in codes:
            yield from _code((table, code), table, code=code)
        for code in _doubles(codes):
            yield _fault((table, code), "duplicate", reason=f"the {table} {code} is defined more than once")


def _fields(fields: Sequence[Field]) -> Iterator[Fault]:
    for field in fields:
        yield from _choices(("field", field.code), field)
        if field.not_after_today and field.type != "date":
            yield _fault(("field", field.code), "not_after_today", reason=f"{field.code} is of type {field.type}")
    twice = _doubles(field.filled_from for field in fields if field.filled_from)
    for field in fields:
        if field.filled_from in twice:
            reason = f"another field is filled from {field.filled_from} too"
            yield _fault(("field", field.code), "filled_twice", reason=reason)


def _item(catalogue: Catalogue, item: Item) -> Iterator[Fault]:
    """What an item refers to exists; some bundle uses it; every such bundle asks where it is decided."""
    place = ("item", item.code)
    yield from _references(place, "department", codes=[item.department], known=catalogue.departments)
    yield from _references(place, "field", codes=_names(item.fields), known=catalogue.field_of)
    yield from _references(place, "material", codes=_names(item.materials), known=catalogue.material_of)
    yield from _references(place, "licence", codes=[item.yields] if item.yields else [], known=catalogue.licences)
    yield from _references(place, "yielded field", codes=_names(item.yields_fields), known=catalogue.field_of)
    yield from _days(place, item)
    bundles = [bundle for bundle in catalogue.bundles if any(step.item == item.code for step in bundle.steps)]
    if not bundles:
        yield _fault(place, "unused", reason="no bundle has a step for it")
    for bundle in bundles:
        divisions = [question.code for question in bundle.questions if question.type == "division"]
        if item.jurisdiction not in (HOME, *divisions):
            reason = f"{item.jurisdiction!r} is no division question of the bundle {bundle.code}"
            yield _fault(place, "jurisdiction", reason=reason)


def _bundle(catalogue: Catalogue, bundle: Bundle) -> Iterator[Fault]:
    place = ("bundle", bundle.code)
    steps = [step.item for step in bundle.steps]
    departments = [bundle.lead, *bundle.cooperating]
    yield from _references(place, "department", codes=departments, known=catalogue.departments)
    yield from _references(place, "item", codes=steps, known=catalogue.item_of)
    yield from _days(place, bundle)
    yield from _questions(catalogue, bundle)
    for step in bundle.steps:
        yield from _references(place, f"step needed by {step.item}:", codes=step.needs, known=steps)
        yield from _conditions(bundle, step)
        yield from _yields(catalogue, bundle, step=step)
    found = circle({step.item: step.needs for step in bundle.steps})
    if found:
        yield _fault(place, "circle", reason=" before ".join(found))


def _questions(catalogue: Catalogue, bundle: Bundle) -> Iterator[Fault]:
    """Each question has a code of its own, and decides something: nobody is asked in vain."""
    place = ("bundle", bundle.code)
    deciding = {catalogue.item_of[step.item].jurisdiction for step in bundle.steps if step.item in catalogue.item_of}
    deciding |= {question for step in bundle.steps for question in step.when}
    for question in bundle.questions:
        yield from _code(place, "question", code=question.code)
        yield from _choices(place, question)
        if question.code == HOME:
            yield _fault(place, "code", reason=f"a question named {HOME} would hide the home node")
        if question.code not in deciding:
            yield _fault(place, "unused", reason=f"nothing depends on the question {question.code}")
    for code in _doubles(question.code for question in bundle.questions):
        yield _fault(place, "duplicate", reason=f"the question {code} is asked more than once")


def _conditions(bundle: Bundle, step: BundleStep) -> Iterator[Fault]:
    place = ("bundle", bundle.code)
    choices = {question.code: question.choices for question in bundle.questions if question.type == "choice"}
    for question, allowed in step.when.items():
        if question not in choices:
            yield _fault(place, "condition", reason=f"{step.item}: there is no choice question {question!r}")
        elif not allowed:
            yield _fault(place, "condition", reason=f"{step.item} applies for no answer to {question}")
        for choice in allowed:
            if choice not in choices.get(question, allowed):
                yield _fault(place, "condition", reason=f"{step.item}: {question} does not offer {choice!r}")


def _yields(catalogue: Catalogue, bundle: Bundle, *, step: BundleStep) -> Iterator[Fault]:
    """What a step yields is never asked of the citizen: whatever uses it must need that step.

    And without a detour, since a need for a third step may fall away with that one.
    """
    place = ("bundle", bundle.code)
    items = [catalogue.item_of[other.item] for other in bundle.steps if other.item in catalogue.item_of]
    pairs = [(using, other) for using in items if using.code == step.item for other in items]
    for using, other in pairs:
        for need, is_certain in _handed_over(other, using):
            used = f"{need.code}, which {step.item} asks for,"
            if other.code not in step.needs:
                reason = f"{used} is yielded by {other.code}, which that step does not need"
                yield _fault(place, "yielded_elsewhere", reason=reason)
            elif need.is_required and not is_certain:
                yield _fault(place, "yielded_perhaps", reason=f"{used} is not always yielded by {other.code}")


def _handed_over(yielding: Item, using: Item) -> Iterator[tuple[Need, bool]]:
    """What one item asks for and the other yields, and whether it always does."""
    certain = {need.code: need.is_required for need in yielding.yields_fields}
    yield from ((need, certain[need.code]) for need in using.fields if need.code in certain)
    yield from ((need, True) for need in using.materials if need.code == yielding.yields)


def _code(place: Place, kind: str, *, code: str) -> Iterator[Fault]:
    if not SNAKE_CASE.fullmatch(code):
        yield _fault(place, "code", reason=f"{code!r} cannot be the code of a {kind}")


def _choices(place: Place, asked: Field | Question) -> Iterator[Fault]:
    if (asked.type == "choice") != bool(asked.choices):
        reason = f"{asked.code} is of type {asked.type} and has {len(asked.choices)} choices"
        yield _fault(place, "choices", reason=reason)
    for choice in asked.choices:
        yield from _code(place, "choice", code=choice)


def _references(place: Place, kind: str, *, codes: Sequence[str], known: Collection[str]) -> Iterator[Fault]:
    for code in codes:
        if code not in known:
            yield _fault(place, "unknown_reference", reason=f"there is no {kind} {code!r}")
    for code in _doubles(codes):
        yield _fault(place, "duplicate", reason=f"it names the {kind} {code!r} more than once")


def _days(place: Place, promising: Item | Bundle) -> Iterator[Fault]:
    if promising.promised_days > promising.legal_days:
        reason = f"{promising.promised_days} days are promised, {promising.legal_days} are allowed"
        yield _fault(place, "days", reason=reason)


def _names(needs: Iterable[Need]) -> list[str]:
    return [need.code for need in needs]


def _doubles(codes: Iterable[str]) -> list[str]:
    return [code for code, count in Counter(codes).items() if count > 1]
