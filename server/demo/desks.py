"""The desks of a demo: who decides something in the places of its stories, by the data that its nodes work by."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from server.demo.processes import ROOT
from server.tools.publications import load_authorities, load_catalogue, load_divisions

CATALOGUE, REGIONS = ROOT / "config/catalogue", ROOT / "config/regions"
CHINA = timezone(timedelta(hours=8))
IN_STORIES: Mapping[str, Sequence[str]] = {"320000": ("320102", "320508"), "330000": ("330106",)}  # 玄武、姑苏, 西湖


@dataclass(frozen=True)
class DemoDesk:
    """An authority, or an organisation that is none, by its id (`provider/health/320102`) and its name."""

    id: str
    name: str

    @property
    def department(self) -> str:
        """By whose power it acts."""
        return self.id.split("/")[-2]


def desks_of(counties: Iterable[str], bundles: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[DemoDesk, ...]]:
    """By county whoever decides an item of these bundles there today, or leads one of them.

    `bundles` are the answers with which each is applied for.
    """
    catalogue, authorities = load_catalogue(CATALOGUE), load_authorities(REGIONS, load_divisions(REGIONS))
    today = datetime.now(CHINA).date()

    def found(county: str) -> Iterator[DemoDesk]:
        for bundle, answers in ((catalogue.bundle(code), answers) for code, answers in bundles.items()):
            if lead := authorities.holder_of(bundle.lead, county, on=today):
                yield DemoDesk(lead.id, lead.name)
            for item in (catalogue.item_of[step.item] for step in bundle.steps):
                decider = authorities.decider_of(item, answers, county, on=today)
                if decider.authority:
                    yield DemoDesk(decider.authority.id, decider.authority.name)
                    continue
                called = authorities.naming_of[item.department].organisation
                name = called.format(place=authorities.divisions.name_in_full(county))
                yield DemoDesk(f"{decider.decided_by}/{item.department}/{county}", name)

    return {county: tuple(dict.fromkeys(found(county))) for county in counties}


def places_in(province: str) -> Sequence[str]:
    """The counties of the stories in a province; of another one its first county."""
    return IN_STORIES.get(province) or counties_of(province, 1)


def counties_of(province: str, count: int) -> list[str]:
    """The first counties of a province, at most so many."""
    today = datetime.now(CHINA).date()
    all_of_them = load_divisions(REGIONS).divisions
    inside = (each for each in all_of_them if each.code.startswith(province[:2]) and each.is_routable)
    return [each.code for each in inside if each.kind == "county" and each.is_valid(today)][:count]
