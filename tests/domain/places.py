"""A directory of nodes without keys, and a few divisions, for what only asks who decides where."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from server.domain.catalogue.authorities import Authorities
from server.domain.catalogue.context import Context
from server.domain.catalogue.divisions import Division, Divisions
from server.domain.catalogue.items import Competence, LevelRule
from server.domain.catalogue.naming import Naming
from server.domain.exchange.directory import Directory, NodeEntry
from server.tools.publications import load_authorities, load_divisions

REGIONS = Path(__file__).parents[2] / "config/regions"
TODAY = date(2026, 11, 23)


def naming(department: str) -> Naming:
    """What the organs of a department are called: by place and department."""
    pattern = f"{{place}}{department}"
    levels = dict.fromkeys(("province", "city", "county"), pattern)
    return Naming(department=department, **levels, organisation=pattern, source="tests", status="sample")


DIVISIONS = Divisions(
    known_to=date(2026, 6, 30),
    source="tests",
    status="sample",
    divisions=(
        Division(code="320000", name="江苏省", kind="province"),
        Division(code="320100", name="南京市", kind="city"),
        Division(code="320102", name="玄武区", kind="county"),
        Division(code="330000", name="浙江省", kind="province"),
        Division(code="330100", name="杭州市", kind="city"),
        Division(code="330102", name="上城区", kind="county"),
        Division(code="330106", name="西湖区", kind="county"),
        Division(code="330171", name="某开发区", kind="zone"),
        Division(code="419000", name="省直辖县", kind="grouping"),
        Division(code="500000", name="重庆市", kind="province"),
        Division(code="500100", name="重庆市", kind="city"),
        Division(code="500109", name="北碚区", kind="county"),
        Division(
            code="500112",
            name="渝北区",
            kind="county",
            valid_to=date(2025, 11, 5),
            successors=("500157", "500109"),
        ),
        Division(code="500157", name="两江新区", kind="county", valid_from=date(2025, 11, 6)),
    ),
)
# The organs of the shipped catalogue's departments are called as the shipped data has it.
NAMINGS = load_authorities(REGIONS, load_divisions(REGIONS)).namings
DECIDED = Competence(levels=(LevelRule(level="province"),), source="tests", status="sample")  # wherever the place is
AUTHORITIES = Authorities(divisions=DIVISIONS, namings=(*NAMINGS, naming("police"), naming("insurance")))
CONTEXT = Context(home="320000", on=TODAY, authorities=AUTHORITIES)
IN_COUNTY = CONTEXT.model_copy(update={"division": "320102"})


def directory_of(divisions: Mapping[str, Sequence[str]]) -> Directory:
    """The directory in which each node decides for these divisions."""
    nodes = tuple(
        NodeEntry(node=node, name=node, origin=f"https://{node}.example", divisions=tuple(codes), keys=())
        for node, codes in divisions.items()
    )
    return Directory(version=1, issued_at=datetime(2026, 11, 23, tzinfo=UTC), nodes=nodes)
