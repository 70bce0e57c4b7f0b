"""A person's signature is made with a key that the signing service holds, over real HTTP; else it has a name."""

import asyncio
import hashlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import tornado.httpserver
import tornado.netutil
import tornado.web
from cryptography import x509
from structlog.testing import capture_logs

from server.demo.platform import PlatformUser
from server.demo.signing import StandInSigning, listen
from server.domain.errors import Refusal
from server.domain.papers.signing import (
    Signatory,
    SigningAttempt,
    SigningCertificate,
    SigningRefused,
    SigningRequest,
    SigningUnavailable,
    check_attempt,
    signed,
    verified,
)
from server.papers.contracts import AskedSignature, TrustedParties, verify_signed
from server.papers.sealing import seal_contract
from server.papers.signing import finish_signature, prepare_signature
from server.papers.verifying import TrustedSeals
from server.tools.signing import SigningProvider
from tests.papers.sealed import CA, sealer
from tests.papers.signed import shown, shown_paper

ROOT = Path(__file__).parents[2]
NUMBER = "11010519491231002X"
ZHANG = PlatformUser(code="code-1", openid="o-1", name="张㙍䶮𠮷", id_number=NUMBER, face_token="face-1")
WHO = Signatory(name=ZHANG.name, id_number="1101**********002X", request="request-0001")
FACE = {"id_number": NUMBER, "face_token": "face-1"}
DIGEST = hashlib.sha256(b"x").digest()
GIVEN = SigningCertificate(key="k", certificate=b"c")
ServiceAt = Callable[..., SigningProvider]


@pytest.fixture
async def service_at() -> AsyncIterator[ServiceAt]:
    async with aiohttp.ClientSession() as session:
        yield lambda url, **other: SigningProvider(url, "node", session=session, **({"secret": "hush"} | other))


@pytest.fixture
def stand_in() -> StandInSigning:
    return StandInSigning([ZHANG])


@pytest.fixture
async def stand_in_url(stand_in: StandInSigning) -> AsyncIterator[str]:
    server, port = listen(stand_in)
    yield f"http://127.0.0.1:{port}"
    server.stop()
    await server.close_all_connections()


@pytest.fixture
def service(stand_in_url: str, service_at: ServiceAt) -> SigningProvider:
    return service_at(stand_in_url)


class Scripted(tornado.web.RequestHandler):
    """Answers what it is told to, after so many seconds, and notes what it was asked."""

    def initialize(self, status: int, body: bytes, seconds: float, asked: list[bytes]) -> None:
        self.told, self.seconds, self.asked = (status, body), seconds, asked

    async def post(self) -> None:
        self.asked.append(self.request.body)
        await asyncio.sleep(self.seconds)
        self.set_status(self.told[0])
        self.finish(self.told[1])


@pytest.fixture
async def scripted(service_at: ServiceAt) -> AsyncIterator[Callable[..., tuple[SigningProvider, list[bytes]]]]:
    servers = []

    def start(body: Any, *, status: int = 200, seconds: float = 0.0) -> tuple[SigningProvider, list[bytes]]:
        asked: list[bytes] = []
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        route = (r"/.*", Scripted, {"status": status, "body": raw, "seconds": seconds, "asked": asked})
        server = tornado.httpserver.HTTPServer(tornado.web.Application([route], log_function=lambda _: None))
        sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        servers.append(server)
        return service_at(f"http://127.0.0.1:{sockets[0].getsockname()[1]}", total_seconds=0.3), asked

    yield start
    for server in servers:
        server.stop()
        await server.close_all_connections()


async def refusal_of(wish: Awaitable[object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await wish
    return caught.value


async def test_a_person_gets_a_certificate_and_one_signature_of_its_key(service: SigningProvider) -> None:
    given = await service.certificate(WHO, **FACE)
    assert await service.sign(given, DIGEST)
    assert type(await refusal_of(service.sign(given, DIGEST))) is SigningRefused, "a key signs once"


async def test_each_request_has_a_certificate_of_its_own(service: SigningProvider) -> None:
    given = [await service.certificate(WHO, **FACE) for _ in range(2)]
    assert len({each.key for each in given}) == len({each.certificate for each in given}) == 2


@pytest.mark.parametrize(
    ("who", "told"),
    [
        ({}, {"face_token": "face-2"}),
        ({}, {"id_number": "110105194912310039"}),
        ({"name": "李四"}, {}),
        ({"id_number": "1101**********0000"}, {}),
        ({"id_number": "1101*"}, {}),
    ],
)
async def test_nobody_gets_a_certificate_of_somebody_else(
    service: SigningProvider, who: dict[str, str], told: dict[str, str]
) -> None:
    refusal = await refusal_of(service.certificate(WHO.model_copy(update=who), **{**FACE, **told}))
    assert type(refusal) is SigningRefused
    assert NUMBER not in str(refusal)


async def test_a_key_that_was_never_given_signs_nothing(service: SigningProvider) -> None:
    assert type(await refusal_of(service.sign(GIVEN, DIGEST))) is SigningRefused


async def test_nothing_but_a_digest_is_ever_asked_to_be_signed(service: SigningProvider) -> None:
    given = await service.certificate(WHO, **FACE)
    for wrong in (b"", b"x" * 31, b"%PDF-1.7" * 100):
        with pytest.raises(ValueError, match="32 bytes"):
            await service.sign(given, wrong)
    assert await service.sign(given, DIGEST), "and the key is not used up by it"


async def test_who_has_no_secret_is_told_nothing(stand_in_url: str, service_at: ServiceAt) -> None:
    refusal = await refusal_of(service_at(stand_in_url, secret="").certificate(WHO, **FACE))
    assert type(refusal) is SigningUnavailable


async def test_a_service_that_is_not_there(service_at: ServiceAt) -> None:
    assert type(await refusal_of(service_at("http://127.0.0.1:1").sign(GIVEN, DIGEST))) is SigningUnavailable


async def test_a_service_that_is_too_slow_is_asked_once(
    scripted: Callable[..., tuple[SigningProvider, list[bytes]]],
) -> None:
    service, asked = scripted({"signature": "eA=="}, seconds=2)
    assert type(await refusal_of(service.sign(GIVEN, DIGEST))) is SigningUnavailable
    assert len(asked) == 1, "it may have signed, and a key signs once"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {}),
        (200, b"x"),
        (200, []),
        (200, {}),
        (200, {"signature": ""}),
        (200, {"signature": "%"}),
        (200, {"signature": 1}),
        (302, {"signature": "eA=="}),
        (200, b'{"signature": "' + b"A" * 100_000 + b'"}'),
    ],
)
async def test_an_answer_that_cannot_be_read_is_no_signature(
    scripted: Callable[..., tuple[SigningProvider, list[bytes]]], status: int, body: Any
) -> None:
    service, _ = scripted(body, status=status)
    assert type(await refusal_of(service.sign(GIVEN, DIGEST))) is SigningUnavailable


@pytest.mark.parametrize(
    "changes", [{"key": ""}, {"key": 1}, {"key": "k" * 201}, {"certificate": None}, {"issuers": "x"}, {"issuers": [1]}]
)
async def test_an_answer_that_cannot_be_read_is_no_certificate(
    scripted: Callable[..., tuple[SigningProvider, list[bytes]]], changes: dict[str, Any]
) -> None:
    right = {"key": "k", "certificate": "eA==", "issuers": ["eA=="]}
    service, _ = scripted({**right, **changes})
    assert type(await refusal_of(service.certificate(WHO, **FACE))) is SigningUnavailable
    service, asked = scripted(right)
    given = await service.certificate(WHO, **FACE)
    assert (given.key, given.certificate, given.issuers) == ("k", b"x", (b"x",))
    told = json.loads(asked[0])
    assert (told["id_number"], told["masked_number"], told["request"]) == (NUMBER, WHO.id_number, WHO.request)


async def test_the_log_tells_why_and_nothing_of_the_person(service: SigningProvider) -> None:
    with capture_logs() as lines:
        await refusal_of(service.certificate(WHO, id_number=NUMBER, face_token="face-2"))
    assert [(line["event"], line["reason"]) for line in lines] == [("signing.refused", "identity_mismatch")]
    assert not any(each in str(lines) for each in (NUMBER, ZHANG.name, "face-2", "hush"))


async def test_it_runs_as_a_process_and_writes_what_to_trust(tmp_path: Path, service_at: ServiceAt) -> None:
    citizens, root = tmp_path / "citizens.json", tmp_path / "people.pem"
    citizens.write_text(json.dumps([vars(ZHANG)]), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "server.demo.signing", "--port", "0", "--citizens", str(citizens), "--root", str(root)),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        line = json.loads(await asyncio.wait_for(process.stderr.readline(), 30))
        assert line["event"] == "signing.ready"
        given = await service_at(f"http://127.0.0.1:{line['port']}").certificate(WHO, **FACE)
        given_by = x509.load_der_x509_certificate(given.certificate)
        given_by.verify_directly_issued_by(x509.load_pem_x509_certificate(root.read_bytes()))
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_a_tenant_signs_the_lease_that_was_shown_and_the_authority_seals_it(
    stand_in: StandInSigning, service: SigningProvider
) -> None:
    """From what is shown to a contract of both; only what the file proves makes the signature count."""
    at, pdf = datetime.now(UTC).replace(microsecond=0), shown("contract")
    paper = shown_paper("contract")
    request = SigningRequest(signatory=WHO, person="p1", paper=paper, asked_at=at, ends_at=at + timedelta(days=7))
    attempt = SigningAttempt(person="p1", shown=paper.digest, face_checked_at=at, at=at)
    check_attempt(request, attempt, fresh_seconds=300)
    given = await service.certificate(WHO, **FACE)
    half = await asyncio.to_thread(prepare_signature, pdf, given, at=at)
    by_one = await asyncio.to_thread(finish_signature, half, await service.sign(given, half.digest))
    digest = hashlib.sha256(by_one).hexdigest()
    request = signed(request, digest, at=at)
    trust = TrustedParties(person_roots=(stand_in.root,), seals=TrustedSeals(roots=(CA.root,)))
    asked = AskedSignature(signatory=WHO, shown=paper, signed_at=at)
    verdict = await asyncio.to_thread(verify_signed, by_one, trust, asked)
    assert verdict.fault == "not_signed_by_both"
    assert verdict.proven is not None
    assert not request.has_effect
    assert verified(request, digest, proven=verdict.proven).has_effect
    by_both = await asyncio.to_thread(seal_contract, by_one, sealer("authority"), at=at)
    assert (await asyncio.to_thread(verify_signed, by_both, trust, asked)).is_whole


async def test_a_service_that_certifies_somebody_else_proves_nothing(
    stand_in: StandInSigning, service: SigningProvider
) -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    given = await service.certificate(WHO.model_copy(update={"request": "request-0002"}), **FACE)
    half = await asyncio.to_thread(prepare_signature, shown("application"), given, at=at)
    pdf = await asyncio.to_thread(finish_signature, half, await service.sign(given, half.digest))
    trust = TrustedParties(person_roots=(stand_in.root,), seals=TrustedSeals(roots=()))
    asked = AskedSignature(signatory=WHO, shown=shown_paper("application"))
    verdict = await asyncio.to_thread(verify_signed, pdf, trust, asked)
    assert (verdict.fault, verdict.proven) == ("other_person", None)
