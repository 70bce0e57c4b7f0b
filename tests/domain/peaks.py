"""A made-up peak for tests: one may join from eleven, it opens at noon on a Monday, and ends in the evening."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

from server.domain.catalogue.peaks import Peak
from server.domain.waiting.lots import LOT_BITS
from server.domain.waiting.tickets import Ticket
from tests.world import MONDAY

REGIONS = Path(__file__).parents[2] / "config/regions"
PEAK = Peak(
    id="enrolment-2026",
    bundle="newborn",
    joins_at=MONDAY - timedelta(hours=1),
    opens_at=MONDAY,
    closes_at=MONDAY + timedelta(hours=8),
    per_second=10,
)


def peak(**change: Any) -> Peak:
    """The same peak, with these changes."""
    return Peak.model_validate({**PEAK.model_dump(), **change})


def announced_in(folder: Path, *peaks: Peak) -> Path:
    """A copy of the shipped `config/regions` below this folder, which announces these peaks."""
    regions = shutil.copytree(REGIONS, folder / "regions")
    (regions / "peaks.toml").write_text("\n".join(map(_written, peaks)), encoding="utf-8")
    return regions


def _written(one: Peak) -> str:
    moments = "".join(f"{name} = {getattr(one, name).isoformat()}\n" for name in ("joins_at", "opens_at", "closes_at"))
    return f'[[peak]]\nid = "{one.id}"\nbundle = "{one.bundle}"\n{moments}per_second = {one.per_second}\n'


def lot(part: float) -> int:
    """The lot that stands at this part of all, from 0 to 1."""
    return int(part * 2**53) << (LOT_BITS - 53)


def ticket(part: float = 0.5, **more: Any) -> Ticket:
    """A ticket of the peak, of the person with this lot."""
    return Ticket(peak=PEAK.id, lot=lot(part), **more)
