"""Deciders of one division: who decides which items there, in one list."""

from collections.abc import Mapping
from datetime import date

from server.domain.catalogue.authorities import Authorities, Decider, NobodyDecides, PlaceTooBroad
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.divisions import province_of
from server.domain.catalogue.items import DecidedBy, Item
from server.domain.catalogue.pinning import organisation
from server.domain.values import Value

NO_AUTHORITY: Mapping[DecidedBy, str] = {
    "authority": "",
    "provider": "医疗机构、学校、银行等，不是行政机关",
    "chosen": "由申请人选择",
}


class DeciderLine(Value):
    """Who decides these items in a division, by the id under which officers have posts there.

    Level and status are those of an authority: an organisation that is none has only an id and a name, and has no id
    where nothing says what it is called.
    `delegation`: by which one it decides. `refusal` is the code of why nobody does, and the name says it in words.
    """

    id: str = ""
    name: str
    level: str = ""
    status: str = ""
    delegation: str = ""
    refusal: str = ""
    items: tuple[str, ...] = ()


def deciders_in(
    authorities: Authorities, catalogue: Catalogue, division: str, *, answers: Mapping[str, str], on: date
) -> tuple[DeciderLine, ...]:
    """A line for each authority, in the order of the items; raises NoSuchDivision, DivisionNotInForce."""
    found: dict[DeciderLine, list[str]] = {}
    for item in catalogue.of(province_of(division)).items:
        try:
            decider = authorities.decider_of(item, answers, division, on=on)
            line = _line(decider) or _organisation(authorities, item, division, decided_by=decider.decided_by)
        except (PlaceTooBroad, NobodyDecides) as refusal:
            line = DeciderLine(name=refusal.title, refusal=refusal.code)
        found.setdefault(line, []).append(item.code)
    return tuple(line.model_copy(update={"items": tuple(items)}) for line, items in found.items())


def missing_answers(
    authorities: Authorities, item: Item, answers: Mapping[str, str], *, division: str
) -> tuple[str, ...]:
    """The answers without which the level, and so who decides the item in this division, cannot be said."""
    competence = item.competence
    left = competence.levels_left(answers) if competence else ()
    if competence is None or len({authorities.level_at(each, item.department, division) for each in left}) < 2:
        return ()
    open_rules = (rule for rule in competence.levels if rule.may_hold(answers))
    return tuple(dict.fromkeys(code for rule in open_rules for code in rule.when if code not in answers))


def _line(decider: Decider) -> DeciderLine | None:
    """The line of an authority; None if whoever decides is none."""
    authority = decider.authority
    if authority is None:
        return None
    return DeciderLine(
        id=authority.id,
        name=authority.name,
        level=authority.level,
        status=authority.status,
        delegation=decider.delegation,
    )


def _organisation(authorities: Authorities, item: Item, division: str, *, decided_by: DecidedBy) -> DeciderLine:
    """The line of those who decide the item without being an authority."""
    found = organisation(authorities, item.department, division, decided_by=decided_by)
    return DeciderLine(id=found.id, name=found.name) if found else DeciderLine(name=NO_AUTHORITY[decided_by])
