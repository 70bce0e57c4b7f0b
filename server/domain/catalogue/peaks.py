"""Peaks (高峰): the announced hours in which more people come for one bundle than a node serves at once."""

from datetime import datetime
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from server.domain.catalogue.divisions import prefix
from server.domain.values import Moment, Value

LEAST_PER_SECOND, MOST_PER_SECOND = 0.01, 100_000


class Peak(Value):
    """One peak of a bundle, in these divisions and what lies around and inside (none: everywhere).

    From `joins_at` on one may ask for a ticket, and nothing of the bundle is taken without one; before `opens_at` who
    asks draws lots, after it who comes first is served first. From `closes_at` on no ticket is asked for. `per_second`
    is how many are let in each second, over all processes of the node. An id is never given twice.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    bundle: str
    divisions: tuple[str, ...] = ()
    joins_at: Moment
    opens_at: Moment
    closes_at: Moment
    per_second: Annotated[float, Field(ge=LEAST_PER_SECOND, le=MOST_PER_SECOND, allow_inf_nan=False)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.joins_at < self.opens_at < self.closes_at:
            raise ValueError("joins_at, opens_at and closes_at must come one after the other")
        return self

    def is_on(self, at: datetime) -> bool:
        """Whether tickets are given and asked for at this moment."""
        return self.joins_at <= at < self.closes_at

    def is_about(self, bundle: str, division: str) -> bool:
        """Whether an application for this bundle in this division falls under it; one without a division does."""
        return bundle == self.bundle and (not self.divisions or any(_meet(each, division) for each in self.divisions))

    def meets(self, other: "Peak") -> bool:
        """Whether some application falls under both at some moment."""
        is_same_time = self.joins_at < other.closes_at and other.joins_at < self.closes_at
        places = self.divisions or ("",)
        return is_same_time and any(other.is_about(self.bundle, each) for each in places)


class Peaks(Value):
    """All peaks that are announced; the look-up is kept once made."""

    peaks: tuple[Peak, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Peak]:
        """All peaks by id."""
        return {peak.id: peak for peak in self.peaks}

    def on_for(self, bundle: str, division: str, *, at: datetime) -> Peak | None:
        """The peak under which an application falls at this moment, if there is one."""
        return next((each for each in self.peaks if each.is_on(at) and each.is_about(bundle, division)), None)


def _meet(one: str, other: str) -> bool:
    """Whether one division lies inside the other, or is the same; without a code it is anywhere."""
    begins = prefix(one) if one else "", prefix(other) if other else ""
    return begins[0].startswith(begins[1]) or begins[1].startswith(begins[0])
