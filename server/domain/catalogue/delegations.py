"""Delegations: what one authority's power is exercised by another for, where, and from which day to which."""

from collections.abc import Mapping
from typing import Literal

from server.domain.catalogue.divisions import prefix
from server.domain.catalogue.items import Level, Sourced, Text
from server.domain.periods import Period

Stage = Literal["receive", "examine", "decide"]


class Delegation(Sourced, Period):
    """Power over some items that goes from one level (`giver`) to another (`receiver`) in some divisions.

    `receiver` is a level, or the id of an authority that the data names. `kind` (权力来源) is where its power comes
    from: devolved 下放, entrusted 委托, authorised 授权, recalled 收回. `stages`: its part of the procedure.
    """

    id: Text
    kind: Literal["devolved", "entrusted", "authorised", "recalled"]
    giver: Level
    receiver: Text
    items: tuple[str, ...]
    divisions: tuple[str, ...]
    stages: tuple[Stage, ...] = ("receive", "examine", "decide")
    basis: Text
    notice_url: str = ""

    @property
    def signs_as(self) -> Literal["giver", "receiver"]:
        """In whose name it is decided: in the giver's, if it is only entrusted (行政许可法第二十四条)."""
        return "giver" if self.kind == "entrusted" else "receiver"

    def covers(self, division: str) -> bool:
        """Whether it holds in this division, which is one of its own or lies inside one."""
        return any(division.startswith(prefix(each)) for each in self.divisions)

    def overlaps(self, other: "Delegation") -> bool:
        """Whether both would move the same stage of the same item, in the same place, on the same day."""
        is_same_power = self.giver == other.giver and bool(set(self.items) & set(other.items))
        is_same_place = any(other.covers(each) for each in self.divisions) or any(
            self.covers(each) for each in other.divisions
        )
        return is_same_power and is_same_place and bool(set(self.stages) & set(other.stages)) and self.meets(other)


def by_item(delegations: tuple[Delegation, ...]) -> Mapping[str, tuple[Delegation, ...]]:
    """The delegations of each item."""
    found: dict[str, tuple[Delegation, ...]] = {}
    for delegation in delegations:
        for item in delegation.items:
            found[item] = (*found.get(item, ()), delegation)
    return found
