"""Judges what a person has signed, and what its authority has sealed after them, by the bytes alone."""

import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import SignatureCoverageLevel
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import PdfSignatureStatus

from server.domain.papers.signing import ProvenSignature, ShownPaper, Signatory
from server.domain.values import Moment, Value
from server.papers.places import APPLICANT_FIELD, SEAL_FIELD, filled_fields
from server.papers.shown import begins_with, is_only_signed
from server.papers.signatories import NamesNobody, signatory_of
from server.papers.verifying import TrustedSeals
from server.papers.weighing import BROKEN, MomentFrom, digest_of, moment_of, nearest, weigh

SignedFault = Literal[
    "unreadable",
    "not_signed",
    "wrong_order",
    "altered",
    "page_changed",
    "appended",
    "altered_between",
    "not_locked",
    "other_paper",
    "other_signer",
    "other_person",
    "other_authority",
    "certificate_ended",
    "not_signed_by_both",
]
# What it may be refused for, each with a sentence for whoever holds it; the first that fits is told.
SIGNED_REFUSALS: Mapping[SignedFault, str] = {
    "unreadable": "这个文件不是可以读取的 PDF。",
    "not_signed": "这个文件没有本人的电子签名。",
    "wrong_order": "签名和盖章的顺序不对，应当先由本人签名，后由机关盖章。",
    "altered": "文件在签名或者盖章以后被改动，内容不可信。",
    "page_changed": "最后的签名或者盖章以后有人追加内容，改变了页面。",
    "appended": "最后的签名或者盖章以后有人在文件末尾追加了内容。",
    "altered_between": "本人签名以后、机关盖章以前或者盖章时，文件被改动。",
    "not_locked": "签名或者印章没有禁止改动，不是本系统出具的文书。",
    "other_paper": "签名的内容不是展示给签名人的文书。",
    "other_signer": "签名或者印章的证书不是受信任的机构签发的。",
    "other_person": "签名人不是文书指定的本人。",
    "other_authority": "印章不属于这个机关。",
    "certificate_ended": "签名或者盖章时，证书不在有效期内。",
    "not_signed_by_both": "双方还没有全部签署，合同没有成立。",
}


class TrustedParties(Value):
    """Whose signatures count: the roots above certificates of people (DER), their names if any; and whose seals."""

    person_roots: tuple[bytes, ...]
    names: tuple[str, ...] = ()
    seals: TrustedSeals


class AskedSignature(Value):
    """What is known of a signature besides its bytes: who was to sign what, and when it was signed and sealed."""

    signatory: Signatory | None = None
    shown: ShownPaper | None = None
    signed_at: Moment | None = None
    sealed_at: Moment | None = None


class SignedVerdict(Value):
    """What the bytes of a signed paper prove.

    With `fault` they prove nothing, but for one: a contract that is `not_signed_by_both` yet proves what its applicant
    signed. `proven` says that, where it was asked with what was shown. The two moments are as those of a PaperVerdict.
    """

    fault: SignedFault | None = None
    signatory: Signatory | None = None
    signed_at: Moment | None = None
    signed_from: MomentFrom = ""
    authority: str = ""
    sealed_at: Moment | None = None
    sealed_from: MomentFrom = ""
    digest: str = ""
    proven: ProvenSignature | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all who sign it have signed, and nothing else was done to it."""
        return self.fault is None


def is_to_be_signed(pdf: bytes) -> bool:
    """Whether the PDF has a place for the signature of an applicant; not if it cannot be read."""
    try:
        return APPLICANT_FIELD in filled_fields(PdfFileReader(io.BytesIO(pdf)))
    except BROKEN:
        return False


def verify_signed(pdf: bytes, trust: TrustedParties, asked: AskedSignature | None = None) -> SignedVerdict:
    """Judge what a person has signed, alone or before an authority; it fetches nothing, and blocks (a loop of its own).

    First the applicant, by a certificate of a trusted root that names them, then at most the seal, which covers the
    file to its last byte; between and beside them nothing. Anything less is a fault, never an exception.
    """
    try:
        return _judged(_Signed(pdf, trust, asked or AskedSignature()))
    except NamesNobody:
        return SignedVerdict(fault="other_person")
    except BROKEN:
        return SignedVerdict(fault="unreadable")


class _Part:
    """One signature, with what is found of it."""

    def __init__(self, signature: EmbeddedPdfSignature, seals: TrustedSeals, at: datetime | None) -> None:
        self.signature = signature
        self.status: PdfSignatureStatus = weigh(signature, seals.roots, stamp_roots=seals.stamp_roots, at=at)
        self.moment, self.moment_from = moment_of(signature, self.status, at)

    @property
    def is_trusted(self) -> bool:
        return self.status.trust_problem_indic is None and bool(self.status.trusted)

    @property
    def is_in_time(self) -> bool:
        return self.moment is not None and nearest(self.signature.signer_cert, self.moment) == self.moment


class _Signed:
    """A PDF with what is asked of it."""

    def __init__(self, pdf: bytes, trust: TrustedParties, asked: AskedSignature) -> None:
        self.pdf, self.trust, self.asked = pdf, trust, asked
        self.reader = PdfFileReader(io.BytesIO(pdf))
        self.signatures: Sequence[EmbeddedPdfSignature] = self.reader.embedded_regular_signatures
        places = filled_fields(self.reader)
        self.due = [name for name in (APPLICANT_FIELD, SEAL_FIELD) if name in places]
        self.by = [each.field_name for each in self.signatures]

    def parts(self) -> list[_Part]:
        """The signatures of the parties, in their order."""
        people = TrustedSeals(roots=self.trust.person_roots)
        whose = ((people, self.asked.signed_at), (self.trust.seals, self.asked.sealed_at))
        return [
            _Part(each, seals, at) for each, (seals, at) in zip(self.signatures, whose[: len(self.due)], strict=False)
        ]


def _judged(it: _Signed) -> SignedVerdict:
    if not it.by or APPLICANT_FIELD not in it.due:
        return SignedVerdict(fault="not_signed")
    if it.by[: len(it.due)] != it.due[: len(it.by)]:
        return SignedVerdict(fault="wrong_order")
    parts = it.parts()
    signatory = signatory_of(parts[0].signature.signer_cert)
    verdict = SignedVerdict(
        signatory=signatory,
        signed_at=parts[0].moment,
        signed_from=parts[0].moment_from,
        authority=_authority(parts[1]) if len(parts) > 1 else "",
        sealed_at=parts[1].moment if len(parts) > 1 else None,
        sealed_from=parts[1].moment_from if len(parts) > 1 else "",
        digest=digest_of(it.reader),
    )
    faults = (*_of_file(it, parts), *_of_applicant(it, parts[0], signatory), *_of_seal(it, parts[1:]))
    fault = next(iter(faults), None)
    proven = None
    if fault in (None, "not_signed_by_both") and it.asked.shown and parts[0].moment:
        proven = ProvenSignature(signatory=signatory, shown=it.asked.shown.digest, signed_at=parts[0].moment)
    return verdict.model_copy(update={"fault": fault, "proven": proven})


def _of_file(it: _Signed, parts: Sequence[_Part]) -> Iterator[SignedFault]:
    """What is wrong with the file, the worst first."""
    if not all(part.status.intact and part.status.valid for part in parts):
        yield "altered"
    last = parts[-1]
    if last.status.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        level = last.status.modification_level
        yield "appended" if level is not None and level <= ModificationLevel.LTA_UPDATES else "page_changed"
    first = parts[0]
    if len(parts) > 1 and not _is_untouched(first, last):
        yield "altered_between"
    permitted = (MDPPerm.FILL_FORMS, MDPPerm.NO_CHANGES) if len(it.due) > 1 else (MDPPerm.NO_CHANGES,)
    if any(part.signature.docmdp_level is not level for part, level in zip(parts, permitted, strict=False)):
        yield "not_locked"


def _is_untouched(first: _Part, last: _Part) -> bool:
    """Whether the seal comes right after the signature of the applicant, and fills its place and no more."""
    level = first.status.modification_level
    is_filled = level is not None and level <= ModificationLevel.FORM_FILLING and bool(first.status.docmdp_ok)
    is_next: bool = last.signature.signed_revision == first.signature.signed_revision + 1
    return is_filled and is_next


def _of_applicant(it: _Signed, part: _Part, signatory: Signatory) -> Iterator[SignedFault]:
    revision = part.signature.signed_revision
    place = part.signature.sig_field.container_ref
    is_shown = it.asked.shown is None or begins_with(it.pdf, it.asked.shown, revision=revision)
    if not is_shown or not is_only_signed(it.reader, place, revision=revision):
        yield "other_paper"
    if not part.is_trusted:
        yield "other_signer"
    is_named = not it.trust.names or signatory.name in it.trust.names
    if not is_named or signatory != (it.asked.signatory or signatory):
        yield "other_person"
    if not part.is_in_time:
        yield "certificate_ended"


def _of_seal(it: _Signed, parts: Sequence[_Part]) -> Iterator[SignedFault]:
    for part in parts:
        if not part.is_trusted:
            yield "other_signer"
        authority, known = _authority(part), it.trust.seals.authorities
        if not authority or (known and authority not in known):
            yield "other_authority"
        if not part.is_in_time:
            yield "certificate_ended"
    if len(it.by) < len(it.due):
        yield "not_signed_by_both"


def _authority(part: _Part) -> str:
    named: dict[str, object] = part.signature.signer_cert.subject.native
    return str(named.get("organization_name", ""))
