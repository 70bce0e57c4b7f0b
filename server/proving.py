"""The command of whoever holds a sealed paper: paper."""

import argparse
import importlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from server.papers.availability import PapersUnavailable, missing_packages

FAULTY = 1
NEEDED = ("pyhanko",)  # who only reads papers sets none


def add_arguments(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The command `paper`."""
    sub = command(
        "paper", _paper, "Judge a sealed paper (文书) by its bytes, without a node; exit 1 if it is not whole."
    )
    sub.add_argument("what", choices=["verify"], help="verify: is it as it was signed and sealed, and by whom?")
    sub.add_argument("file", type=Path, help="the PDF")
    sub.add_argument("--root", type=Path, action="append", required=True, help="trusted certificate, PEM; repeat")
    sub.add_argument("--authority", action="append", default=[], help="accept this authority's seal alone; repeat")
    sub.add_argument(
        "--signer-root", type=Path, action="append", default=[], help="trusted for people who sign, PEM; repeat"
    )
    sub.add_argument("--signer", action="append", default=[], help="accept the signature of this name alone; repeat")
    sub.add_argument(
        "--at", type=_moment, help="when it was sealed, such as 2026-12-01T10:30+08:00 (default: its word)"
    )
    sub.add_argument("--json", action="store_true", help="print the verdict as one JSON object")


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return at


def _paper(chosen: argparse.Namespace) -> int:
    if lacking := missing_packages(NEEDED):
        raise PapersUnavailable(lacking)
    verifying: Any = importlib.import_module("server.papers.verifying")
    contracts: Any = importlib.import_module("server.papers.contracts")
    roots, people = (_certificates(paths, verifying) for paths in (chosen.root, chosen.signer_root))
    seals = verifying.TrustedSeals(roots=roots, authorities=tuple(chosen.authority))
    pdf = chosen.file.read_bytes()
    if contracts.is_to_be_signed(pdf):
        trust = contracts.TrustedParties(person_roots=people, names=tuple(chosen.signer), seals=seals)
        verdict = contracts.verify_signed(pdf, trust, contracts.AskedSignature(sealed_at=chosen.at))
        words = _of_signed(verdict, contracts.SIGNED_REFUSALS)
    else:
        verdict = verifying.verify(pdf, seals, at=chosen.at)
        words = _of_paper(verdict, verifying.REFUSALS)
    if chosen.json:
        print(json.dumps({"is_whole": verdict.is_whole, **verdict.model_dump(mode="json")}, ensure_ascii=False))
    else:
        print(words)
    return 0 if verdict.is_whole else FAULTY


def _certificates(paths: list[Path], verifying: Any) -> tuple[bytes, ...]:
    return tuple(certificate for path in paths for certificate in verifying.certificates(path.read_bytes()))


def _of_paper(verdict: Any, refusals: Any) -> str:
    if verdict.fault:
        return f"{verdict.fault}: {refusals[verdict.fault]}"
    lines = ("文书完整，盖章以后没有改动。", f"机关：{verdict.authority}", f"印章：{verdict.seal}")
    at = f"盖章时间：{verdict.sealed_at.isoformat()}（{MOMENT_FROM[verdict.moment_from]}）"
    return "\n".join((*lines, at, f"摘要：{verdict.digest}", "是否仍然有效，请扫描文书上的二维码查询。"))


def _of_signed(verdict: Any, refusals: Any) -> str:
    if verdict.fault:
        return f"{verdict.fault}: {refusals[verdict.fault]}"
    who = verdict.signatory
    lines = [
        "文书完整，签署以后没有改动。",
        f"签名人：{who.name}（证件号码：{who.id_number}）",
        f"签名时间：{verdict.signed_at.isoformat()}（{MOMENT_FROM[verdict.signed_from]}）",
    ]
    if verdict.authority:
        at = f"盖章时间：{verdict.sealed_at.isoformat()}（{MOMENT_FROM[verdict.sealed_from]}）"
        lines += [f"机关：{verdict.authority}", at]
    return "\n".join((*lines, f"摘要：{verdict.digest}", "是否仍然有效，请扫描文书上的二维码查询。"))


MOMENT_FROM = {"asked": "由查询者给出", "stamp": "时间戳", "seal": "签署者自述"}
