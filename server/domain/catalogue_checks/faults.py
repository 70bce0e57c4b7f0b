"""Faults of a catalogue: where one stands, which rule it breaks, and what to do about it."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from server.domain.catalogue_checks.standards import STANDARDS
from server.domain.values import Value

SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

# What to do about a breach of each rule.
RULES: Mapping[str, str] = {
    "code": "write ASCII snake_case, and no word that has a meaning of its own",
    "duplicate": "remove one of them, or give it another code",
    "same_name": "define it once, or give it another name",
    "unknown_reference": "correct the code, or add the missing entry",
    "unused": "remove it, or use it",
    "choices": "give choices to a choice, and only to a choice",
    "not_after_today": "say so of dates only",
    "pattern": "give a text a pattern that compiles, and a hint that says it in words",
    "example": "give an example that the field itself would accept",
    "filled_twice": "ask for the proven detail in one field only",
    "days": "promise no more days than the law allows",
    "jurisdiction": "name a division question that every bundle of the item asks whenever the step applies, or home",
    "condition": "name a choice that is asked for there, and some of its choices",
    "choice": "let two or more steps stand to choose from, none of them optional",
    "stage": "name a stage of the catalogue's own for this subject",
    "result": "let yields name a licence, a paper or a text of [results]; what is granted is told by its name",
    "licence_type": "give a licence holders and a type code: a published one, or SAMPLE, twelve digits and three more",
    "licence_holder": "let held_by name fields of names and numbers that each item of the licence has or yields",
    "validity": "say once how long a licence holds, or is_endless; by_age begins with 0 and is of persons",
    "origin": "let a step issue licences and papers, and nothing else",
    "core_safety": "let no core safety material be deferred",
    "opinions": "let other departments be heard than the deciding one, and ask for no more of them than there are",
    "transfer": "let no licence be transferred, and nothing that no authority decides",
    "part": "say what the receiving place checks in a handover, and nothing of what goes online",
    "personal_status": "let nothing of personal status be signed (电子签名法第三条); of anything else say `none`",
    "province": "name the code of a province, once for each item or bundle",
    "circle": "remove one of these needs",
    "yielded_elsewhere": "let the step need the one that yields it",
    "yielded_perhaps": "make it certain where it is yielded, or optional where it is needed",
    "empty": "add a bundle",
    **STANDARDS,
}

# The same for who decides, where these rules hold besides.
DECIDING: Mapping[str, str] = {
    "undecided": "give the department a name at that level there, another level, or an authority of its own",
    "gone": "end it on the division's last day at the latest, and write another one for what came after",
    "overlap": "let one of them end before the other begins",
    "nameless": "give its naming an organisation: what those are called together who do this",
    "endless": "let the levels that decide for each other come to an end",
}

Place = tuple[str, str]


class Fault(Value):
    """One fault: the table, the code of its entry (empty: no single one), the rule that is broken, the reason."""

    table: str
    entry: str
    rule: str
    reason: str

    @property
    def text(self) -> str:
        """Rule and reason in one."""
        return f"{self.rule}: {self.reason}"

    @property
    def what_to_do(self) -> str:
        """How to mend it."""
        return {**RULES, **DECIDING}[self.rule]


def fault(place: Place, rule: str, *, reason: str) -> Fault:
    """A fault of the entry at this place."""
    return Fault(table=place[0], entry=place[1], rule=rule, reason=reason)


def code_faults(place: Place, kind: str, *, code: str) -> Iterator[Fault]:
    """A code is ASCII snake_case."""
    if not SNAKE_CASE.fullmatch(code):
        yield fault(place, "code", reason=f"{code!r} cannot be the code of a {kind}")


def reference_faults(place: Place, kind: str, *, codes: Sequence[str], known: Collection[str]) -> Iterator[Fault]:
    """Each code is known, and named once."""
    for code in codes:
        if code not in known:
            yield fault(place, "unknown_reference", reason=f"there is no {kind} {code!r}")
    for code in doubles(codes):
        yield fault(place, "duplicate", reason=f"it names the {kind} {code!r} more than once")


def choices_faults(place: Place, code: str, *, type: str, choices: Collection[str]) -> Iterator[Fault]:
    """A choice has choices, and nothing else has."""
    if (type == "choice") != bool(choices):
        yield fault(place, "choices", reason=f"{code} is of type {type} and has {len(choices)} choices")
    for choice in choices:
        yield from code_faults(place, "choice", code=choice)


def doubles(codes: Iterable[str]) -> list[str]:
    """What stands there more than once."""
    return [code for code, count in Counter(codes).items() if count > 1]
