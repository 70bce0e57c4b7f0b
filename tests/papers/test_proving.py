"""`python -m server paper verify` judges a file without a node."""

import json
import ssl
from pathlib import Path

import pytest

from server import proving
from server.cli import run
from server.papers.stand_in import YEAR, StandInAuthority
from tests.papers.samples import AUTHORITY, NOW
from tests.papers.sealed import CA, sealed
from tests.papers.signed import PEOPLE, WHO, contract, signed


@pytest.fixture
def root(tmp_path: Path) -> str:
    file = tmp_path / "root.pem"
    file.write_text(ssl.DER_cert_to_PEM_cert(CA.root), encoding="ascii")
    return str(file)


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "paper.pdf").write_bytes(sealed("granted"))
    return str(tmp_path / "paper.pdf")


def test_a_whole_paper(file: str, root: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["paper", "verify", file, "--root", root, "--authority", AUTHORITY]) == 0
    told = capsys.readouterr().out
    assert AUTHORITY in told
    assert "签署者自述" in told


def test_the_verdict_as_json(file: str, root: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["paper", "verify", file, "--root", root, "--at", "2026-12-01T10:30+08:00", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["is_whole"], told["fault"], told["moment_from"]) == (True, None, "asked")


def test_a_fault_is_named_and_the_code_is_one(
    file: str, root: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(file).write_bytes(sealed("granted") + b"\n")
    assert run(["paper", "verify", file, "--root", root]) == 1
    assert capsys.readouterr().out.startswith("appended: ")
    other = tmp_path / "other.pem"
    other.write_text(ssl.DER_cert_to_PEM_cert(StandInAuthority(NOW - YEAR).root), encoding="ascii")
    Path(file).write_bytes(sealed("granted"))
    assert run(["paper", "verify", file, "--root", str(other), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["fault"] == "other_signer"


@pytest.fixture
def people(tmp_path: Path) -> list[str]:
    file = tmp_path / "people.pem"
    file.write_text(ssl.DER_cert_to_PEM_cert(PEOPLE.root), encoding="ascii")
    return ["--signer-root", str(file)]


def test_a_contract_tells_both_parties(
    file: str, root: str, people: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(file).write_bytes(contract())
    assert run(["paper", "verify", file, "--root", root, *people, "--signer", WHO.name, "--authority", AUTHORITY]) == 0
    told = capsys.readouterr().out
    assert all(each in told for each in (WHO.name, WHO.id_number, AUTHORITY, "签名时间", "盖章时间"))
    assert run(["paper", "verify", file, "--root", root, *people, "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["is_whole"], verdict["signatory"]["name"], verdict["sealed_from"]) == (True, WHO.name, "seal")


def test_what_is_signed_by_its_applicant_alone_tells_no_seal(
    file: str, root: str, people: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(file).write_bytes(signed("application"))
    assert run(["paper", "verify", file, "--root", root, *people]) == 0
    assert "盖章时间" not in capsys.readouterr().out


def test_a_contract_of_one_party_or_of_another_person_is_no_contract(
    file: str, root: str, people: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(file).write_bytes(signed("contract"))
    assert run(["paper", "verify", file, "--root", root, *people]) == 1
    assert capsys.readouterr().out.startswith("not_signed_by_both: ")
    Path(file).write_bytes(contract())
    assert run(["paper", "verify", file, "--root", root, *people, "--signer", "李四"]) == 1
    assert capsys.readouterr().out.startswith("other_person: ")
    assert run(["paper", "verify", file, "--root", root]) == 1
    assert capsys.readouterr().out.startswith("other_signer: ")


def test_what_cannot_be_asked(file: str, root: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["paper", "verify", str(tmp_path / "none.pdf"), "--root", root]) == 1
    assert run(["paper", "verify", file, "--root", file]) == 1
    assert "no certificate" in capsys.readouterr().err
    for wrong in (["verify", file], ["verify", file, "--root", root, "--at", "2026-12-01T10:30"], ["show", file]):
        with pytest.raises(SystemExit) as ended:
            run(["paper", *wrong])
        assert ended.value.code == 2


def test_a_machine_without_pyhanko_says_so(
    file: str, root: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(proving, "NEEDED", ("no_such_package",))
    assert run(["paper", "verify", file, "--root", root]) == 1
    assert "papers_unavailable: the Python package no_such_package" in capsys.readouterr().err
