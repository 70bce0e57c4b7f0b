"""Judges a sealed paper by its bytes alone."""

import io
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from asn1crypto import pem, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import SignatureCoverageLevel
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import PdfSignatureStatus

from server.domain.values import Moment, Value
from server.papers.weighing import BROKEN, MomentFrom, digest_of, is_to_the_end, moment_of, nearest, weigh

Fault = Literal[
    "unreadable",
    "not_sealed",
    "altered",
    "page_changed",
    "appended",
    "not_locked",
    "other_signer",
    "other_authority",
    "certificate_ended",
]
# What a paper may be refused for, each with a sentence for whoever holds it; the first that fits is told.
REFUSALS: Mapping[Fault, str] = {
    "unreadable": "这个文件不是可以读取的 PDF。",
    "not_sealed": "这个文件没有电子印章。",
    "altered": "文件在盖章以后被改动，内容不可信。",
    "page_changed": "盖章以后有人追加内容，改变了页面。",
    "appended": "盖章以后有人在文件末尾追加了内容。",
    "not_locked": "印章没有禁止改动，不是本系统出具的文书。",
    "other_signer": "印章的证书不是受信任的机构签发的。",
    "other_authority": "印章不属于这个机关。",
    "certificate_ended": "盖章时，印章的证书不在有效期内。",
}


class PaperVerdict(Value):
    """What the bytes of a paper prove.

    With `fault` they prove nothing, and what else is said is only what they claim. `sealed_at` is the moment that
    counted: the one that was asked with, else that of the time stamp, else what the seal says of itself
    (`moment_from`). That a paper is whole does not say that it still counts: only its authority knows (the address in
    its QR code).
    """

    fault: Fault | None = None
    authority: str = ""
    seal: str = ""
    sealed_at: Moment | None = None
    moment_from: MomentFrom = ""
    digest: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it is as it was sealed, by one who is trusted."""
        return self.fault is None


class TrustedSeals(Value):
    """Whose seals count: the roots above their certificates (DER), and if any are named, these authorities alone.

    `stamp_roots` are those of time stamps; a stamp of others is passed over.
    """

    roots: tuple[bytes, ...]
    authorities: tuple[str, ...] = ()
    stamp_roots: tuple[bytes, ...] = ()


def verify(pdf: bytes, trust: TrustedSeals, *, at: datetime | None = None) -> PaperVerdict:
    """Judge a paper; it fetches nothing, and blocks for some tens of milliseconds. `at`: when it was sealed, if known.

    One seal that covers the file to its last byte, certified so that nothing may be added, of a certificate that is
    trusted and counted when it sealed: anything less is a fault, never an exception.
    """
    try:
        reader = PdfFileReader(io.BytesIO(pdf))
        seals = reader.embedded_regular_signatures
        if not seals:
            return PaperVerdict(fault="not_sealed")
        return _judged(seals[0], trust, at=at, is_whole=is_to_the_end(seals[0], len(pdf)))
    except BROKEN:
        return PaperVerdict(fault="unreadable")


def _judged(seal: EmbeddedPdfSignature, trust: TrustedSeals, *, at: datetime | None, is_whole: bool) -> PaperVerdict:
    certificate = seal.signer_cert
    named: dict[str, Any] = certificate.subject.native
    status = weigh(seal, trust.roots, stamp_roots=trust.stamp_roots, at=at)
    moment, moment_from = moment_of(seal, status, at)
    verdict = PaperVerdict(
        authority=str(named.get("organization_name", "")),
        seal=str(named.get("organizational_unit_name", "")),
        sealed_at=moment,
        moment_from=moment_from,
        digest=digest_of(seal.reader),
    )
    faults = _faults(seal, status, is_whole=is_whole)
    fault = next(faults, None) or _fault_of_signer(status, trust, verdict, certificate=certificate)
    return verdict.model_copy(update={"fault": fault})


def _faults(seal: EmbeddedPdfSignature, status: PdfSignatureStatus, *, is_whole: bool) -> Iterator[Fault]:
    """What is wrong with the file, the worst first."""
    if not (status.intact and status.valid):
        yield "altered"
    if status.coverage is not SignatureCoverageLevel.ENTIRE_FILE or not is_whole:
        level = status.modification_level
        is_harmless = level is not None and level <= ModificationLevel.LTA_UPDATES
        yield "appended" if is_harmless else "page_changed"
    if seal.docmdp_level is not MDPPerm.NO_CHANGES:
        yield "not_locked"


def _fault_of_signer(
    status: PdfSignatureStatus, trust: TrustedSeals, verdict: PaperVerdict, *, certificate: x509.Certificate
) -> Fault | None:
    if status.trust_problem_indic is not None or not status.trusted:
        return "other_signer"
    if trust.authorities and verdict.authority not in trust.authorities:
        return "other_authority"
    if verdict.sealed_at is None or nearest(certificate, verdict.sealed_at) != verdict.sealed_at:
        return "certificate_ended"
    return None


def certificates(data: bytes) -> tuple[bytes, ...]:
    """The certificates of a PEM text, DER; raises ValueError if there are none."""
    parts = pem.unarmor(data, multiple=True) if pem.detect(data) else ()
    found = tuple(der for label, _, der in parts if label == "CERTIFICATE")
    if not found:
        raise ValueError("there is no certificate in it")
    return found
