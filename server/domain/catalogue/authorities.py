"""Authorities (实施主体): who decides an item, by department, level and division, but for what data says otherwise."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from itertools import product

from pydantic import field_validator

from server.domain.catalogue.delegations import Delegation, by_item
from server.domain.catalogue.divisions import Division, Divisions, NoSuchDivision, parent_of, prefix
from server.domain.catalogue.items import DecidedBy, Item, Level, Sourced, Text
from server.domain.catalogue.naming import Naming
from server.domain.catalogue.type_codes import is_organisation_code, sample_organisation
from server.domain.errors import Invalid
from server.domain.periods import Period
from server.domain.values import Value

LEVELS: Mapping[Level, str] = {
    "province": "省（自治区、直辖市）",
    "city": "设区的市",
    "county": "县（市、区）",
    "town": "乡镇（街道）",
}
DIGITS: Mapping[Level, int] = {"province": 2, "city": 4, "county": 6, "town": 6}
HOTLINE = "12345"


class PlaceTooBroad(Invalid):
    """The item is decided at a deeper level than that of the place; `level` says which."""

    code = "place_too_broad"
    title = "请选择更具体的地区"


class DivisionNotInForce(Invalid):
    """The division did not exist on that day; `successors` are the divisions that took its place."""

    code = "division_not_in_force"
    title = "该行政区划当日无效"


class NobodyDecides(Invalid):
    """No authority is known that decides this item there."""

    code = "nobody_decides"
    title = "该地没有办理这一项的机关"


class Authority(Sourced):
    """Who decides: the organ that holds the power of one department, or several, for its divisions.

    The id never changes. Address and hours are empty, and the telephone is the hotline, unless a source gives them.
    """

    id: Text
    name: Text
    departments: tuple[str, ...]
    level: Level
    divisions: tuple[str, ...]
    address: str = ""
    telephone: str = HOTLINE
    hours: str = ""


class NamedAuthority(Authority, Period):
    """One that data names: it stands in the place of those by rule, for all items of its departments or for some.

    `uscc` is its code as an organisation, where a source gives it.
    """

    items: tuple[str, ...] = ()
    uscc: str = ""

    @field_validator("uscc")
    @classmethod
    def _is_code(cls, value: str) -> str:
        if value and not is_organisation_code(value):
            raise ValueError("uscc must be the code of an organisation")
        return value

    def decides(self, item: Item, on: date) -> bool:
        """Whether it decides this item on this day, if the item's place is one of its divisions."""
        return self.holds(on) and (not self.items or item.code in self.items)

    def overlaps(self, other: "NamedAuthority") -> bool:
        """Whether both would decide the same item of the same department in the same division on the same day."""
        is_same_place = bool(set(self.divisions) & set(other.divisions))
        is_same_power = bool(set(self.departments) & set(other.departments)) and (
            not self.items or not other.items or bool(set(self.items) & set(other.items))
        )
        return is_same_place and is_same_power and self.meets(other)


class NextLevel(Sourced):
    """The level that decides instead where a level has no authority of its own; no division, no department: all."""

    level: Level
    instead: Level
    divisions: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()


class Decider(Value):
    """Who decides an item: an authority, or an organisation that is none.

    `signs_as` is the authority in whose name it is decided: another one if the power is only entrusted (委托).
    `delegation` is the id of the one by which it decides; empty: the power is its own.
    """

    decided_by: DecidedBy
    level: Level | None = None
    authority: Authority | None = None
    signs_as: Authority | None = None
    delegation: str = ""


class Authorities(Value):
    """What they follow from (divisions, names, levels) and the exceptions; look-ups are kept once made."""

    divisions: Divisions
    namings: tuple[Naming, ...] = ()
    next_levels: tuple[NextLevel, ...] = ()
    named: tuple[NamedAuthority, ...] = ()
    delegations: tuple[Delegation, ...] = ()

    @cached_property
    def naming_of(self) -> dict[str, Naming]:
        """How the organs of each department are called."""
        return {naming.department: naming for naming in self.namings}

    def decider_of(self, item: Item, answers: Mapping[str, str], division: str, *, on: date) -> Decider:
        """Who decides the item, with these answers, in this division, on this day.

        Raises NoSuchDivision, DivisionNotInForce, PlaceTooBroad, NobodyDecides.
        """
        place = in_force(self.divisions, division, on=on)
        if item.competence is None:
            raise NobodyDecides(f"目录没有写明由谁办理“{item.name}”。")
        level = self.level_of(item, answers, place.code)
        if level is None:
            return Decider(decided_by=item.competence.decided_by)
        delegation = self._delegation_of(item, level, place.code, on=on)
        if not place.is_routable and (delegation is None or delegation.receiver in LEVELS):
            return _by_itself(self._own(item, place, on=on))
        giver = self._authority_at(level, item, place.code, on=on)
        if delegation is None:
            return _by_itself(giver)
        receiver = self._receiver(delegation, item, place.code, on=on)
        signs_as = giver if delegation.signs_as == "giver" else receiver
        return _by_itself(receiver).model_copy(update={"signs_as": signs_as, "delegation": delegation.id})

    def holder_of(self, department: str, division: str, *, on: date) -> Authority | None:
        """Who holds all the power of a department in this division, or around it where it has no organ there."""
        for code in (division, *_upwards(division)):
            named = (each for each in self._named.get((department, code), ()) if not each.items and each.holds(on))
            if found := next(named, None) or self.by_rule(department, code):
                return found
        return None

    def level_at(self, level: Level, department: str, division: str) -> Level:
        """The level at which the department decides in this division what it decides at that level elsewhere."""
        for _ in LEVELS:
            instead = self._instead(level, department, division)
            if instead is None:
                break
            level = instead
        return level

    def level_of(self, item: Item, answers: Mapping[str, str], division: str) -> Level | None:
        """The level at which the item is decided in this division, if an authority does and none delegates it."""
        if item.competence is None or item.competence.decided_by != "authority":
            return None
        return self.level_at(item.competence.level_of(answers), item.department, division)

    def level_after(self, item: Item, level: Level, division: str, *, on: date) -> Level:
        """The level to which a delegation moves the item from this one on this day; the same if none does."""
        delegation = self._delegation_of(item, level, division, on=on)
        return (_level_named(delegation.receiver) if delegation else None) or level

    def _instead(self, level: Level, department: str, division: str) -> Level | None:
        around = [division, *_upwards(division), ""]
        keys = ((level, code, each) for each in (department, "") for code in around)
        return next((self._next_levels[key] for key in keys if key in self._next_levels), None)

    def _delegation_of(self, item: Item, level: Level, division: str, *, on: date) -> Delegation | None:
        """The delegation that moves the decision of the item away from this level."""
        moving = (each for each in self._delegations.get(item.code, ()) if "decide" in each.stages)
        return next((each for each in moving if each.giver == level and each.covers(division) and each.holds(on)), None)

    def _receiver(self, delegation: Delegation, item: Item, division: str, *, on: date) -> Authority:
        level = _level_named(delegation.receiver)
        return self._authority_at(level, item, division, on=on) if level else self._by_id[delegation.receiver]

    def _own(self, item: Item, place: Division, *, on: date) -> Authority:
        """The authority of what is no place to decide (a zone, a town), if data gives it one."""
        found = self._named_at(item, place.code, on=on)
        if found is None:
            raise NobodyDecides(f"{place.name}不单独办理“{item.name}”，请选择所属的县（市、区）或市。")
        return found

    def _authority_at(self, level: Level, item: Item, division: str, *, on: date) -> Authority:
        inner = prefix(division)
        if len(inner) < DIGITS[level]:
            detail = f"“{item.name}”由{LEVELS[level]}一级办理，请选择具体的{LEVELS[level]}。"
            raise PlaceTooBroad(detail, more={"level": level})
        code = inner[: DIGITS[level]].ljust(6, "0")
        found = self._named_at(item, code, on=on) or self.by_rule(item.department, code)
        if found is None:
            place = self.divisions.name_in_full(division)
            raise NobodyDecides(f"尚不清楚“{item.name}”在{place}由哪个机关办理，可以拨打 {HOTLINE} 询问。")
        return found

    def _named_at(self, item: Item, code: str, *, on: date) -> NamedAuthority | None:
        known = self._named.get((item.department, code), ())
        return next((each for each in known if each.decides(item, on)), None)

    def by_rule(self, department: str, code: str) -> Authority | None:
        """The authority that the rule makes of a department and a division, if they have one."""
        if (key := (department, code)) not in self._made:
            self._made[key] = self._make(department, code)
        return self._made[key]

    def _make(self, department: str, code: str) -> Authority | None:
        division, naming = self.divisions.find(code), self.naming_of.get(department)
        name = naming.name(division, self.divisions.find(parent_of(code))) if division and naming else ""
        level = next((each for each in LEVELS if division and each == division.kind), None)
        if not (naming and name and level):
            return None
        return Authority(
            id=f"{department}/{code}",
            name=name,
            departments=(department,),
            level=level,
            divisions=(code,),
            source=naming.source,
            status=naming.status,
        )

    @cached_property
    def _made(self) -> dict[tuple[str, str], Authority | None]:
        return {}

    @cached_property
    def _next_levels(self) -> dict[tuple[Level, str, str], Level]:
        return {
            (each.level, division, department): each.instead
            for each in self.next_levels
            for division in each.divisions or [""]
            for department in each.departments or [""]
        }

    @cached_property
    def _named(self) -> dict[tuple[str, str], tuple[NamedAuthority, ...]]:
        found: dict[tuple[str, str], tuple[NamedAuthority, ...]] = {}
        for authority in self.named:
            for key in product(authority.departments, authority.divisions):
                found[key] = (*found.get(key, ()), authority)
        return found

    @cached_property
    def _by_id(self) -> dict[str, NamedAuthority]:
        return {authority.id: authority for authority in self.named}

    @cached_property
    def _delegations(self) -> Mapping[str, tuple[Delegation, ...]]:
        return by_item(self.delegations)


def in_force(divisions: Divisions, code: str, *, on: date) -> Division:
    """The division of this code, if it exists on this day; raises NoSuchDivision, DivisionNotInForce."""
    found = divisions.find(code)
    if found is None:
        raise NoSuchDivision("没有这个行政区划代码，请核对后重试。")
    if not found.is_valid(on):
        names = [divisions.name_in_full(each) for each in found.successors]
        instead = f"请按实际所在地选择：{'、'.join(names)}" if names else "请重新选择"
        more = {"successors": list(found.successors)}
        raise DivisionNotInForce(f"{found.name}（{code}）当日不是有效的行政区划，{instead}。", more=more)
    return found


def _by_itself(authority: Authority) -> Decider:
    return Decider(decided_by="authority", level=authority.level, authority=authority, signs_as=authority)


def _level_named(name: str) -> Level | None:
    return next((each for each in LEVELS if each == name), None)


def _upwards(division: str) -> Iterator[str]:
    while division := parent_of(division):
        yield division


def organisation_code(authorities: Authorities, id: str) -> str:
    """The code of an authority as an organisation: the one that data gives, else a sample that stands for it."""
    return next((each.uscc for each in authorities.named if each.id == id and each.uscc), "") or sample_organisation(id)
