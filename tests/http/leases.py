"""A node whose tenants sign leases: with a stand-in of the signing service, and a process that makes papers."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from server.demo.signing import StandInSigning, listen
from server.domain.papers.making import PaperToMake
from server.domain.papers.signing_jobs import ContractToSeal
from server.papers.pool import PaperPool
from tests.catalogue.shipped import CATALOGUE
from tests.http.asking import Sweeper, opened
from tests.http.paper_making import DAY_SECONDS, MakerHere, giving_papers
from tests.http.paper_making import made as make_all
from tests.http.test_every_bundle import followed
from tests.nodes import CITIZENS, HERE, Answer, Caller, HandClock, Places
from tests.world import JIANGSU

BUNDLE, STEP = "public_rental_housing", "public_rental_waiting"
CHECKS = ("household", "vehicle", "marriage", "income", "housing")
CODES = (*(f"rental_{each}_check" for each in CHECKS), "rental_qualification", STEP)
LAST_OF_A_ROUND = {"rental_housing_check", "rental_qualification"}
ANSWERS = {"residence": HERE, "rental_help": "home"}
HOME = {
    "allotted_home": "江苏省南京市玄武区测试路8号202室",
    "allotted_area": "45.6",
    "allotted_rent": "600",
    "lease_begins_on": "2027-01-01",
    "lease_ends_on": "2029-12-31",
}
DELIVERY = {"delivery": {"method": "window"}}
FACE = next(each.face_token for each in CITIZENS if each.code == "mother")


@asynccontextmanager
async def leasing(folder: Path, database_uri: str, sweeper: Sweeper) -> AsyncIterator[tuple[Places, StandInSigning]]:
    """Jiangsu alone, with seals and a signing service, under a clock that the tests hold."""
    clock = HandClock()
    clock.wait(seconds=-DAY_SECONDS)
    stand_in = StandInSigning(CITIZENS, clock=clock.now)
    clock.wait(seconds=DAY_SECONDS)
    roots = folder / "people.pem"
    roots.write_text(ssl.DER_cert_to_PEM_cert(stand_in.root), encoding="ascii")
    server, port = listen(stand_in)
    signing = {
        "signing_url": f"http://127.0.0.1:{port}",
        "signing_app_id": "node",
        "signing_app_secret": "hush",
        "signing_roots_file": roots,
    }
    try:
        async with giving_papers(folder, database_uri, sweeper, divisions=(JIANGSU,), clock=clock, **signing) as places:
            yield places, stand_in
    finally:
        server.stop()
        await server.close_all_connections()


def pool_of(places: Places) -> PaperPool:
    """The one process that makes papers, and puts signatures into them."""
    tools = places.nodes[JIANGSU].signing
    assert tools
    assert isinstance(tools.works, PaperPool)
    return tools.works


class LeaseMaker(MakerHere):
    """Makes leases as they are, and of all other papers only a file that says which one it is."""

    def __init__(self, pool: PaperPool) -> None:
        super().__init__()
        self.pool = pool
        self.leases: list[PaperToMake] = []
        self.seals: list[ContractToSeal] = []

    @property
    def may_sign(self) -> bool:
        return self.pool.may_sign

    async def content(self, paper: PaperToMake) -> bytes:
        if paper.data.kind != "lease":
            return await super().content(paper)
        self.leases.append(paper)
        return await self.pool.make(paper)

    async def seal(self, asked: ContractToSeal) -> bytes:
        self.seals.append(asked)
        return await self.pool.seal(asked)


async def made(places: Places) -> LeaseMaker:
    """All that `work` has to make now is made; by whom."""
    maker = LeaseMaker(pool_of(places))
    await make_all(places, maker)
    return maker


async def granted(places: Places, tenant: Caller, *, home: dict[str, str] | None = None, **more: str) -> str:
    """A case whose last step has just been approved, with this home or with that of all these tests.

    `more` is what the application says beside all else.
    """
    case = await checked(places, tenant, **more)
    answer = await approve(places, case, HOME if home is None else home)
    assert answer.status == 200, answer.body
    return case


async def checked(places: Places, tenant: Caller, **more: str) -> str:
    """A case whose last step has just been accepted."""
    guide = (await tenant.post(f"/api/v1/bundles/{BUNDLE}/guide", {"answers": ANSWERS})).body
    bundle = next(each for each in CATALOGUE.bundles if each.code == BUNDLE)
    wish = await followed(tenant, bundle, ANSWERS, guide, home=JIANGSU)
    case = await opened(places, tenant, {**wish, **more})
    officers = {each.code: await places.officer(each.department) for each in CATALOGUE.items if each.code in CODES}
    for step in CODES:
        acts = {"receive": {}, "accept": {}} | ({"approve": {"result": example_of(step)}} if step != STEP else {})
        for act, said in acts.items():
            answer = await officers[step].post(f"/desk/v1/cases/{case}/steps/{step}/{act}", said)
            assert answer.status == 200, answer.body
        if step in LAST_OF_A_ROUND:
            await places.settle()
    return case


async def approve(places: Places, case: str, home: dict[str, str]) -> Answer:
    """What is answered to an approval that names this home."""
    officer = await places.officer("housing")
    return await officer.post(f"/desk/v1/cases/{case}/steps/{STEP}/approve", {"result": home})


def example_of(step: str) -> dict[str, str]:
    """A result with which the item may be approved."""
    item = next(each for each in CATALOGUE.items if each.code == step)
    return {need.code: CATALOGUE.field_of[need.code].example for need in item.yields_fields if need.is_required}


async def line_of(tenant: Caller, case: str) -> dict[str, Any]:
    """The one paper that the tenant signs, as it stands."""
    answer = await tenant.get(f"/api/v1/cases/{case}/signings")
    assert answer.status == 200, answer.body
    [line] = answer.body["signings"]
    return dict(line)


def signed_with(line: dict[str, Any], *, face: str = FACE) -> dict[str, str]:
    """What a tenant says who signs what they were shown."""
    return {"shown": line["shown"], "face_token": face}
