"""The processes that make papers: begun when there is work, replaced when they end."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from server.domain.papers.making import PapersWait, PaperToMake
from server.papers.pool import PaperNotMade, PaperPool
from server.papers.seal_folder import ROOT, SealFolder, make_stand_in
from server.papers.verifying import TrustedSeals, verify
from tests.papers.samples import AUTHORITY, NOW, paper, texts
from tests.papers.sealed import sealer

pytestmark = pytest.mark.asyncio(loop_scope="module")
TO_MAKE = PaperToMake(data=paper("acceptance"), authority="health/320102", at=NOW)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seals")
    make_stand_in(folder, NOW)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(seals: Path) -> AsyncIterator[PaperPool]:
    """One for the whole module, as a process takes a second to begin."""
    pool = PaperPool(texts(), seals)
    yield pool
    await pool.close()


async def test_a_paper_is_made_outside_and_sealed_by_its_authority(pool: PaperPool, seals: Path):
    content = await pool.make(TO_MAKE)
    root = x509.load_pem_x509_certificate((seals / ROOT).read_bytes())
    trust = TrustedSeals(roots=(root.public_bytes(Encoding.DER),), authorities=(AUTHORITY,))
    assert (await asyncio.to_thread(verify, content, trust, at=NOW)).is_whole
    again, process = await pool.make(TO_MAKE), pool._idle[0].process.pid
    assert again != content, "a seal is never the same twice"
    assert pool._idle[0].process.pid == process, "the same process makes the next one"


async def test_what_cannot_be_made_is_refused_and_the_next_is_made(pool: PaperPool):
    without_remedy = TO_MAKE.model_copy(update={"data": paper("refused", remedy=None)})
    with pytest.raises(PaperNotMade, match="remedy"):
        await pool.make(without_remedy)
    assert (await pool.make(TO_MAKE)).startswith(b"%PDF")


async def test_a_process_that_is_killed_costs_its_paper_alone(pool: PaperPool):
    await pool.make(TO_MAKE)
    os.kill(pool._idle[0].process.pid, signal.SIGKILL)
    with pytest.raises(PaperNotMade, match="its process ended"):
        await pool.make(TO_MAKE)
    assert (await pool.make(TO_MAKE)).startswith(b"%PDF")


async def test_without_a_seal_a_paper_waits(tmp_path: Path):
    with pytest.raises(PapersWait, match="no acceptance seal of health/320102"):
        SealFolder(tmp_path).sealer("health/320102", AUTHORITY, "acceptance")
    pool = PaperPool(texts(), tmp_path)
    try:
        with pytest.raises(PapersWait, match="no acceptance seal"):
            await pool.make(TO_MAKE)
    finally:
        await pool.close()


async def test_a_seal_of_its_own_goes_before_the_stand_in_which_is_made_once(tmp_path: Path):
    make_stand_in(tmp_path, NOW)
    with pytest.raises(FileExistsError):
        make_stand_in(tmp_path, NOW)
    own = sealer("authority")
    certificate = x509.load_der_x509_certificate(own.certificate)
    file = tmp_path / "health%2F320102.authority.pem"
    file.write_bytes(
        own.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    folder = SealFolder(tmp_path)
    assert folder.sealer("health/320102", AUTHORITY, "authority").certificate == own.certificate
    assert folder.sealer("health/320102", AUTHORITY, "acceptance").certificate != own.certificate
    file.write_bytes(b"no key")
    with pytest.raises(PapersWait, match="ValueError"):
        SealFolder(tmp_path).sealer("health/320102", AUTHORITY, "authority")


@pytest.mark.parametrize("how", ["closed", "killed", "let go"])
async def test_a_process_leaves_no_file_behind_however_it_ends(
    seals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    pool = PaperPool(texts(), seals)
    await pool.make(TO_MAKE)
    process = pool._idle[0].process
    assert os.listdir(tmp_path)
    if how == "killed":
        process.kill()
        with pytest.raises(PaperNotMade):
            await pool.make(TO_MAKE)
    if how == "let go":
        pool._let_go()
        await process.wait()
    await pool.close()
    assert not os.listdir(tmp_path)
