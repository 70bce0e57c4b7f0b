"""From an act at a desk to a sealed file in the hands of the applicant, at home and from another province."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pymongo
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from server.domain.papers.making import PaperToMake
from server.papers.seal_folder import ROOT, SealFolder
from server.papers.verifying import TrustedSeals, verify
from server.papers.workshop import Workshop
from tests.http.asking import opened
from tests.http.conftest import module_wide
from tests.http.paper_making import MakerHere, done, giving_papers, made, papers_of
from tests.http.peer_questions import FAR, far_case, picture
from tests.nodes import Caller, Places, newborn_wish
from tests.papers.samples import texts
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
NEAR = "birth_certificate"


class Sealing(MakerHere):
    """Sets and seals papers in this process, with the seals of a node."""

    def __init__(self, seals: SealFolder) -> None:
        super().__init__()
        self.workshop = Workshop(texts(), seals)

    async def content(self, paper: PaperToMake) -> bytes:
        return await asyncio.to_thread(self.workshop.make, paper)  # it runs a loop of its own


def root_of(seals: Path) -> bytes:
    """The certificate (DER) that all seals of the folder are trusted by."""
    return x509.load_pem_x509_certificate((seals / ROOT).read_bytes()).public_bytes(Encoding.DER)


@module_wide
async def places(
    tmp_path_factory: pytest.TempPathFactory,
    database_uri: str,
    database_sweeper: pymongo.MongoClient[dict[str, object]],
) -> AsyncIterator[Places]:
    async with giving_papers(tmp_path_factory.mktemp("giving"), database_uri, database_sweeper) as places:
        yield places


@pytest.mark.parametrize("step", [NEAR, FAR])
async def test_an_acceptance_gives_a_sealed_notice_that_its_applicant_opens(
    places: Places, mother: Caller, health: Caller, police: Caller, step: str
):
    node = places.nodes[JIANGSU].node
    seals = node.settings.seals_folder
    assert seals
    if step == NEAR:
        case = await opened(places, mother, await newborn_wish(mother))
        await done(health, case, NEAR, "receive", "accept")
    else:
        case = await far_case(places, mother, picture(600, "papers"))
        await places.settle()
        await done(police, f"{JIANGSU}:{case}", FAR, "receive", "accept")
    await made(places, Sealing(SealFolder(seals)))
    given = (await papers_of(mother, case, step=step))["acceptance"]
    answer = await mother.get(f"/api/v1/cases/{case}/papers/{given['id']}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/pdf")
    trust = TrustedSeals(roots=(root_of(seals),), authorities=(given["authority"],))
    verdict = await asyncio.to_thread(verify, answer.body, trust, at=node.clock.now())
    assert (verdict.fault, verdict.seal) == (None, "acceptance")
