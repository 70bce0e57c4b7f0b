"""A lease is signed by its tenant over the phone and sealed by the authority: what was shown, in order, and once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from hashlib import sha256

import jsonschema_rs
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from server.demo.signing import StandInSigning
from server.desk.background import making_papers
from server.desk.background.case_papers import papers_amiss
from server.desk.citizen import signing
from server.domain.case.papers import PaperMade
from server.domain.case.signings import PaperSigned
from server.domain.errors import Unavailable
from server.papers.contracts import TrustedParties, verify_signed
from server.papers.seal_folder import ROOT
from server.papers.verifying import TrustedSeals
from tests.http.asking import Sweeper, pointers, refused
from tests.http.conftest import module_wide
from tests.http.leases import (
    BUNDLE,
    DELIVERY,
    HOME,
    STEP,
    LeaseMaker,
    approve,
    checked,
    granted,
    leasing,
    line_of,
    made,
    pool_of,
    signed_with,
)
from tests.http.paper_making import MakerHere
from tests.http.paper_making import made as make_all
from tests.http.test_agents import given
from tests.nodes import CITIZENS, Caller, Places
from tests.papers.pictures import text_of
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
    described = (await tenant.get("/openapi.json")).body
    shape = {"$ref": "#/components/schemas/SigningLine", "components": described["components"]}
    jsonschema_rs.validate(shape, answer.body)
    assert (await tenant.post(path, signed_with(line), key="sign-once")).body == answer.body
    refused(await housing.post(deliver, DELIVERY), 409, "contract_open")
    await made(places)
    assert (await line_of(tenant, case))["state"] == "sealed"
    contract = (await tenant.get(f"/api/v1/cases/{case}/papers/{line['paper']}")).body
    assert contract == (await housing.get(f"/desk/v1/cases/{case}/papers/{line['paper']}")).body
    assert contract.startswith(shown)
    papers = (await tenant.get(f"/api/v1/cases/{case}")).body["papers"]
    listed = next(each for each in papers if each["id"] == line["paper"])
    words = "".join(text_of(contract).split())
    for number in (listed["number"], listed["spoken_number"]):
        assert number, "the numbers that stand on what was signed"
        assert number.replace(" ", "") in words
    found = await housing.post("/desk/v1/searches", {"kind": "number", "text": listed["spoken_number"]})
    assert [[each["id"] for each in one["papers"]] for one in found.body["cases"]] == [[line["paper"]]]
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


async def test_who_may_not_sign_is_refused_and_what_does_not_prove_it_counts_for_nothing(
    leases: Leases, tenant: Caller, monkeypatch: pytest.MonkeyPatch
):
    places, stand_in = leases
    case = await granted(places, tenant)
    await made(places)
    line, path = await line_of(tenant, case), f"/api/v1/cases/{case}/signings/1"
    right = signed_with(line)
    refused(await (await places.citizen("stranger")).post(path, right), 404, "no_such_case")
    for number in ("0", "2", "01x"):
        refused(await tenant.post(f"/api/v1/cases/{case}/signings/{number}", right), 404, "no_such_signing")
    refused(await tenant.post(path, {**right, "shown": "0" * 64}), 412, "other_paper_shown")
    refused(await tenant.post(path, {"shown": line["shown"]}), 403, "face_check_needed")
    refused(await tenant.post(path, signed_with(line, face="face-stranger")), 422, "identity_mismatch")
    with monkeypatch.context() as other:
        other.setattr(stand_in, "_citizens", ())
        refused(await tenant.post(path, right), 403, "signing_refused")
    with monkeypatch.context() as other:
        other.setattr(stand_in, "sign", lambda _: 1 / 0)
        refused(await tenant.post(path, right), 503, "signing_unavailable")
    with monkeypatch.context() as other:
        clock = places.nodes[JIANGSU].node.clock
        other.setattr(stand_in, "_authority", StandInSigning(CITIZENS, clock=clock.now)._authority)
        refused(await tenant.post(path, right), 409, "signature_unproven")
    assert await line_of(tenant, case) == line, "nothing of that counts"
    assert (await tenant.post(path, right)).status == 200
    refused(await tenant.post(path, right), 409, "signed_already")


async def test_a_decision_that_says_half_of_what_a_lease_says_is_refused(places: Places, tenant: Caller):
    half = {"allotted_home": HOME["allotted_home"], "allotted_rent": "600"}
    case = await checked(places, tenant)
    problem = refused(await approve(places, case, half), 422, "form_faulty")
    assert pointers(problem) == dict.fromkeys(
        ("/result/allotted_area", "/result/lease_begins_on", "/result/lease_ends_on"), "required"
    )


async def test_no_agent_signs_for_the_tenant(leases: Leases, tenant: Caller):
    places, _ = leases
    node, agent = places.nodes[JIANGSU].node, await places.citizen("agent")
    mandate = await given(tenant, node.clock, bundles=[BUNDLE])  # type: ignore[arg-type]
    case = await granted(places, agent, mandate=mandate)
    await made(places)
    line, path = await line_of(agent, case), f"/api/v1/cases/{case}/signings/1"
    refused(await agent.post(path, signed_with(line, face="face-agent")), 403, "other_person_signs")
    assert (await tenant.post(path, signed_with(line))).status == 200


async def test_without_a_signing_service_it_waits_and_says_so(places: Places, tenant: Caller):
    node, maker = places.nodes[JIANGSU].node, MakerHere()
    case = await granted(places, tenant)
    await make_all(places, maker)
    record = await node.store.cases.case(case)
    [paper] = [each for each in record.case.given_papers if each.paper_kind == "lease"]
    row = await node.store.papers.find(paper.id)
    assert row
    assert (row.reason, row.number, row.outcome) == ("no signing service", "", "")
    owner = record.case.applicant
    assert owner
    told = await signing.my_signings(node, owner.key, case, tools=None)
    assert told.signings[0].words == signing.NO_SERVICE
    wish = signing.SigningWish("1", signing.SignatureGiven(shown="0" * 64), "k")
    with pytest.raises(signing.SigningNotSetUp):
        await signing.sign(node, owner.key, case, wish=wish, tools=None)
    await made(places)
    assert (await line_of(tenant, case))["state"] == "shown"


@pytest.mark.parametrize("cut", ["before it is kept", "before the case has it", "before its answer"])
async def test_who_is_cut_off_signs_once_all_the_same(
    leases: Leases, tenant: Caller, monkeypatch: pytest.MonkeyPatch, cut: str
):
    places, stand_in = leases
    node, signatures = places.nodes[JIANGSU].node, []
    case = await granted(places, tenant)
    await made(places)
    line, path, sign = await line_of(tenant, case), f"/api/v1/cases/{case}/signings/1", stand_in.sign
    monkeypatch.setattr(stand_in, "sign", lambda asked: signatures.append(asked) or sign(asked))
    places_of_cuts = {
        "before it is kept": (node.store.materials, "keep_content"),
        "before the case has it": (signing, "perform"),
        "before its answer": (signing, "_line"),
    }
    with monkeypatch.context() as broken:
        broken.setattr(*places_of_cuts[cut], killed)
        assert (await tenant.post(path, signed_with(line), key="cut")).status == 503
    answer = await tenant.post(path, signed_with(line), key="cut")
    assert (answer.status, answer.body["state"]) == (200, "signed"), answer.body
    assert len(signatures) == (2 if cut == "before it is kept" else 1)
    record = await node.store.cases.case(case)
    assert [each.act for each in record.events].count("sign_paper") == 1
    await made(places)
    assert not [each async for each in papers_amiss(node, await node.store.cases.case(case))]


def killed(*_: object, **__: object) -> None:
    raise Unavailable("cut off")


async def test_two_who_sign_at_once_leave_one_signature(places: Places, tenant: Caller):
    case = await granted(places, tenant)
    await made(places)
    node, line = places.nodes[JIANGSU].node, await line_of(tenant, case)
    answers = await asyncio.gather(
        *(tenant.post(f"/api/v1/cases/{case}/signings/1", signed_with(line)) for _ in range(2))
    )
    assert sorted(each.status for each in answers)[0] == 200
    assert {each.code for each in answers if each.status != 200} <= {"signed_already", "stale_version"}
    record = await node.store.cases.case(case)
    assert [each.act for each in record.events].count("sign_paper") == 1


@pytest.mark.parametrize("cut", ["before it is kept", "before the case has it", "before its row ends"])
async def test_what_is_cut_off_in_work_is_shown_and_sealed_once(
    places: Places, tenant: Caller, monkeypatch: pytest.MonkeyPatch, cut: str
):
    node = places.nodes[JIANGSU].node
    await made(places)  # what other tests have left
    case = await granted(places, tenant)
    await cut_off(places, monkeypatch, cut)
    maker = await made(places)
    line = await line_of(tenant, case)
    assert len(maker.leases) == (cut == "before it is kept"), "what is kept already is not made again"
    assert (await tenant.post(f"/api/v1/cases/{case}/signings/1", signed_with(line))).status == 200
    await cut_off(places, monkeypatch, cut)
    maker = await made(places)
    assert len(maker.seals) == (cut == "before it is kept"), "what is sealed already is not sealed again"
    record = await node.store.cases.case(case)
    acts = [each.act for each in record.events]
    lease = next(each.paper for each in record.events if isinstance(each, PaperSigned))
    made_of_it = [each for each in record.events if isinstance(each, PaperMade) and each.paper == lease]
    assert (acts.count("ask_signature"), acts.count("sign_paper"), len(made_of_it)) == (1, 1, 1)
    assert not [each async for each in papers_amiss(node, record)]


async def cut_off(places: Places, monkeypatch: pytest.MonkeyPatch, cut: str) -> None:
    """A round of work with the lease alone that is killed there, and what it holds is let go."""
    node = places.nodes[JIANGSU].node
    places_of_cuts = {
        "before it is kept": (node.store.materials, "keep_content"),
        "before the case has it": (making_papers, "perform"),
        "before its row ends": (node.store.papers, "end"),
    }
    await make_all(places, MakerHere())  # whoever may not ask for signatures leaves the lease
    node.clock.wait(seconds=600)  # type: ignore[attr-defined]
    with monkeypatch.context() as broken:
        broken.setattr(*places_of_cuts[cut], killed)
        with contextlib.suppress(Unavailable):
            await making_papers.make_papers(node, LeaseMaker(pool_of(places)))
    node.clock.wait(seconds=600)  # type: ignore[attr-defined]


async def test_what_nobody_signs_in_time_lapses_and_holds_up_nothing_more(places: Places, tenant: Caller):
    node = places.nodes[JIANGSU].node
    case = await granted(places, tenant)
    await made(places)
    line = await line_of(tenant, case)
    node.clock.wait(days=31)  # type: ignore[attr-defined]
    late, officer = await places.citizen("mother"), await places.officer("housing")
    refused(await late.post(f"/api/v1/cases/{case}/signings/1", signed_with(line)), 409, "signing_too_late")
    await made(places)
    row = await node.store.papers.find(line["paper"])
    assert row
    assert (row.outcome, (await line_of(late, case))["state"]) == ("lapsed", "lapsed")
    answer = await officer.post(f"/desk/v1/cases/{case}/steps/{STEP}/deliver", DELIVERY)
    assert answer.status == 200, answer.body
