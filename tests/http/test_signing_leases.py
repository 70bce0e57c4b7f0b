"""A lease is signed by its tenant over the phone and sealed by the authority: what was shown, in order, and once."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from server.demo.signing import StandInSigning
from server.desk.background.case_papers import papers_amiss
from server.papers.contracts import TrustedParties, verify_signed
from server.papers.seal_folder import ROOT
from server.papers.verifying import TrustedSeals
from tests.http.asking import Sweeper, refused
from tests.http.conftest import module_wide
from tests.http.leases import DELIVERY, STEP, granted, leasing, line_of, made, signed_with
from tests.nodes import CITIZENS, Caller, Places
from tests.world import JIANGSU

pytestmark = pytest.mark.asyncio(loop_scope="module")
Leases = tuple[Places, StandInSigning]


@module_wide
async def leases(
    tmp_path_factory: pytest.TempPathFactory, database_uri: str, database_sweeper: Sweeper
) -> AsyncIterator[Leases]:
    async with leasing(tmp_path_factory.mktemp("leases"), database_uri, database_sweeper) as leases:
        yield leases


@module_wide
async def places(leases: Leases) -> Places:
    return leases[0]


@module_wide
async def tenant(places: Places) -> Caller:
    return await places.citizen("mother")


@module_wide
async def housing(places: Places) -> Caller:
    return await places.officer("housing")


async def test_a_lease_is_shown_signed_and_sealed_and_only_then_the_result_is_delivered(
    leases: Leases, tenant: Caller, housing: Caller
):
    places, stand_in = leases
    node = places.nodes[JIANGSU].node
    case = await granted(places, tenant)
    line = await line_of(tenant, case)
    assert (line["state"], line["title"], line["shown"]) == ("waiting", "公租房租赁合同", "")
    path = f"/api/v1/cases/{case}/signings/1"
    refused(await tenant.post(path, {"shown": "0" * 64}), 409, "paper_still_coming")
    deliver = f"/desk/v1/cases/{case}/steps/{STEP}/deliver"
    refused(await housing.post(deliver, DELIVERY), 409, "contract_open")
    await made(places)
    line = await line_of(tenant, case)
    assert line["state"] == "shown"
    shown = (await tenant.get(path + "/file")).body
    assert (sha256(shown).hexdigest(), len(shown)) == (line["shown"], line["size"])
    refused(await tenant.get(f"/api/v1/cases/{case}/papers/{line['paper']}"), 409, "paper_still_coming")
    answer = await tenant.post(path, signed_with(line), key="sign-once")
    assert (answer.status, answer.body["state"]) == (200, "signed"), answer.body
    assert (await tenant.post(path, signed_with(line), key="sign-once")).body == answer.body
    refused(await housing.post(deliver, DELIVERY), 409, "contract_open")
    await made(places)
    assert (await line_of(tenant, case))["state"] == "sealed"
    contract = (await tenant.get(f"/api/v1/cases/{case}/papers/{line['paper']}")).body
    assert contract == (await housing.get(f"/desk/v1/cases/{case}/papers/{line['paper']}")).body
    assert contract.startswith(shown)
    verdict = await asyncio.to_thread(verify_signed, contract, trust_of(places, stand_in))
    assert (verdict.fault, verdict.signatory and verdict.signatory.name) == (None, CITIZENS[0].name)
    assert (await housing.post(deliver, DELIVERY)).status == 200
    record = await node.store.cases.case(case)
    assert [each.act for each in record.events if each.act in ("ask_signature", "sign_paper")] == [
        "ask_signature",
        "sign_paper",
    ]
    assert not [each async for each in papers_amiss(node, record)]


def trust_of(places: Places, stand_in: StandInSigning) -> TrustedParties:
    """Whom a stranger would trust: the service's root, and that of the seals."""
    seals = places.nodes[JIANGSU].node.settings.seals_folder
    assert seals
    root = x509.load_pem_x509_certificate((seals / ROOT).read_bytes()).public_bytes(Encoding.DER)
    return TrustedParties(person_roots=(stand_in.root,), seals=TrustedSeals(roots=(root,)))


async def test_a_decision_that_names_no_home_asks_for_no_contract(places: Places, tenant: Caller, housing: Caller):
    case = await granted(places, tenant, home={})
    assert (await tenant.get(f"/api/v1/cases/{case}/signings")).body == {"case": case, "signings": []}
    refused(await tenant.post(f"/api/v1/cases/{case}/signings/1", {"shown": "0" * 64}), 404, "no_such_signing")
    answer = await housing.post(f"/desk/v1/cases/{case}/steps/{STEP}/deliver", DELIVERY)
    assert answer.status == 200, answer.body
