"""Whatever a province may do more kindly than the nation with an item, drawn at random."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import lru_cache
from itertools import combinations
from typing import Any

from hypothesis import strategies as st

from server.domain.catalogue.items import FieldNeed, Handling, Item, MaterialNeed, SpecialStep
from server.domain.catalogue.merging import FORMS

# The fields of the invented catalogues on which others may depend, and what they offer.
CHOICE_FIELDS: Mapping[str, tuple[str, ...]] = {"c0": ("a", "b", "c"), "c1": ("a", "b")}
Draw = Callable[[st.SearchStrategy[Any]], Any]


@lru_cache
def some(offered: tuple[str, ...], *, least: int = 1) -> st.SearchStrategy[tuple[str, ...]]:
    """Some of those offered, in their order: one draw, which is faster than one for each."""
    counts = range(least, len(offered) + 1)
    return st.sampled_from([chosen for count in counts for chosen in combinations(offered, count)])


@st.composite
def kinder(draw: st.DrawFn, item: Item) -> dict[str, Any]:
    """What a variant of the item may name: any of it, each no less kind than in the nation."""
    legal = draw(st.integers(1, item.legal_days))
    found: dict[str, Any] = {
        "visits": draw(st.integers(0, item.visits)),
        "fee_fen": draw(st.integers(0, item.fee_fen)),
        "fields": _fields(draw, item),
        "materials": tuple(need for each in item.materials for need in _material(draw, each)),
        "conditions": tuple(each for each in item.conditions if each.is_mandatory or draw(st.booleans())),
        "special_steps": tuple(_special_step(draw, each) for each in item.special_steps),
        "handling": _handling(draw, item),
        "guidance": "本省另有说明。",
    }
    named = draw(some((*found, "days"), least=0))
    days = {"legal_days": legal, "promised_days": draw(st.integers(1, min(legal, item.promised_days)))}
    return {name: value for name, value in found.items() if name in named} | (days if "days" in named else {})


def _fields(draw: Draw, item: Item) -> tuple[FieldNeed, ...]:
    """Some left out, some optional, some asked in fewer cases; what others depend on is always asked."""
    always = [need.code for need in item.fields if need.code in CHOICE_FIELDS and need.is_required and not need.when]
    bases = [code for code in always if draw(st.integers(0, 3))]
    found = []
    for need in item.fields:
        if need.code in bases:
            found.append(need)
        elif set(need.when) <= set(bases) and draw(st.integers(0, 3)):
            found.append(_field(draw, need, bases))
    return tuple(found)


def _field(draw: Draw, need: FieldNeed, bases: list[str]) -> FieldNeed:
    when = {code: draw(some(allowed)) for code, allowed in need.when.items()}
    for code in bases:
        if code not in when and draw(st.integers(0, 3)) == 0:
            when[code] = draw(some(CHOICE_FIELDS[code]))
    return FieldNeed(code=need.code, is_required=need.is_required and draw(st.booleans()), when=when)


def _material(draw: Draw, need: MaterialNeed) -> list[MaterialNeed]:
    """None, if it may be left out, or one that is no harder to get."""
    if not need.is_core_safety and not draw(st.integers(0, 3)):
        return []
    milder = {
        "form": draw(st.sampled_from(FORMS[: FORMS.index(need.form) + 1])),
        "copies": draw(st.integers(1, need.copies)),
        "origin": "shared" if need.origin == "own" and draw(st.booleans()) else need.origin,
    }
    if not need.is_core_safety:
        milder["is_required"] = need.is_required and draw(st.booleans())
        milder["may_be_deferred"] = need.may_be_deferred or draw(st.booleans())
    return [need.model_copy(update=milder)]


def _special_step(draw: Draw, step: SpecialStep) -> SpecialStep:
    shorter = {"days": draw(st.integers(1, step.days)), "is_counted": step.is_counted or draw(st.booleans())}
    return step.model_copy(update=shorter)


def _handling(draw: Draw, item: Item) -> tuple[Handling, ...]:
    """Each as it is or wider in place and time, and perhaps one more."""
    found = [_wider(draw, each) for each in item.handling]
    if draw(st.booleans()):
        found.append(Handling(mode="joint", areas=("110000",), certainty="stated", source="tests"))
    return tuple(found)


def _wider(draw: Draw, handling: Handling) -> Handling:
    areas = (*handling.areas, "110000") if handling.areas else ()
    longer: dict[str, Any] = {"areas": draw(st.sampled_from([handling.areas, areas, ()]))}
    if handling.valid_from:
        longer["valid_from"] = draw(st.sampled_from([None, handling.valid_from - timedelta(days=1)]))
    if handling.valid_to:
        longer["valid_to"] = draw(st.sampled_from([None, handling.valid_to + timedelta(days=1)]))
    if handling.part and draw(st.booleans()):
        longer["part"] = handling.part.model_copy(update={"has_paper": False})
    return handling.model_copy(update=longer)
