"""Seals a paper: PAdES with a certificate, and the picture of the seal over signature and date."""

import asyncio
import io
import uuid
from datetime import datetime

from asn1crypto import algos, x509
from pyhanko.pdf_utils.content import PdfContent
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.api import CAdESSignedAttrSpec
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, Signer
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from server.papers.places import APPLICANT_FIELD, SEAL_FIELD, NotToBeSigned, filled_fields
from server.papers.printing import SetPaper, seal_picture
from server.papers.sealers import Sealer

POINTS_PER_MM = 72 / 25.4
LONGEST_SIGNATURE = 72  # bytes of DER, P-256


def seal_paper(paper: SetPaper, sealer: Sealer, *, at: datetime, stamper: TimeStamper | None = None) -> bytes:
    """The paper, sealed at this moment, so that nothing may be added to it: PAdES B-B, or B-T with a time stamper.

    It blocks, and runs a loop of its own. The moment is the sealer's own word, unless it is stamped. Raises
    NotForOneSeal, and pyhanko's SigningError.
    """
    if list(paper.places) != ["authority"]:
        raise NotForOneSeal(f"it is signed by {', '.join(paper.places)}")
    writer = IncrementalPdfFileWriter(io.BytesIO(paper.pdf))
    return asyncio.run(_sealed(writer, _signer(sealer, stamper, where=_place(paper, sealer)), at))


def in_points(length_mm: float) -> int:
    """A length of so many millimetres, in points."""
    return round(length_mm * POINTS_PER_MM)


def seal_contract(signed: bytes, sealer: Sealer, *, at: datetime, stamper: TimeStamper | None = None) -> bytes:
    """What its applicant has signed, sealed at this moment as the last of both, so that nothing may be added to it.

    As `seal_paper`. That the signature of the applicant holds is not asked here: verify it first. Raises NotToBeSigned
    unless the applicant, and nobody else, has signed.
    """
    if filled_fields(PdfFileReader(io.BytesIO(signed))) != {APPLICANT_FIELD: True, SEAL_FIELD: False}:
        raise NotToBeSigned("its applicant has not signed it, or nobody seals it, or somebody has")
    writer = IncrementalPdfFileWriter(io.BytesIO(signed))
    return asyncio.run(_sealed(writer, _signer(sealer, stamper, where=None), at))


def _place(paper: SetPaper, sealer: Sealer) -> SigFieldSpec:
    width = in_points(sealer.look.diameter_mm)
    place = paper.places["authority"]
    left, bottom = round(place.x - width / 2), round(place.y - width / 2)
    return SigFieldSpec(SEAL_FIELD, on_page=place.page, box=(left, bottom, left + width, bottom + width))


def _signer(sealer: Sealer, stamper: TimeStamper | None, *, where: SigFieldSpec | None) -> PdfSigner:
    """It certifies a paper at a new place, or signs at that of a contract, whose field locks all of it."""
    return PdfSigner(
        PdfSignatureMetadata(
            field_name=SEAL_FIELD,
            md_algorithm="sha256",
            name=sealer.name,
            certify=where is not None,
            docmdp_permissions=MDPPerm.NO_CHANGES,
            subfilter=SigSeedSubFilter.PADES,
            cades_signed_attr_spec=CAdESSignedAttrSpec(),
        ),
        _PortSigner(sealer),
        timestamper=stamper,
        stamp_style=StaticStampStyle(border_width=0, background=Picture(seal_picture(sealer.look, sealer.name))),
        new_field_spec=where,
    )


async def _sealed(writer: IncrementalPdfFileWriter, signer: PdfSigner, at: datetime) -> bytes:
    """What pyhanko's sign_pdf does, at a moment that is given to it."""
    session = signer.init_signing_session(writer)
    session.system_time = at
    known = await session.perform_presign_validation(writer)
    reserved = await session.estimate_signature_container_size(known, tight=False)
    prepared = session.prepare_tbs_document(validation_info=known, bytes_reserved=reserved)
    output = io.BytesIO()
    digest, _ = prepared.digest_tbs_document(output=output)
    signed = PdfCMSSignedAttributes(signing_time=at, cades_signed_attrs=signer.signature_meta.cades_signed_attr_spec)
    await prepared.perform_signature(digest.document_digest, signed)
    return output.getvalue()


class NotForOneSeal(ValueError):
    """The paper is signed by its applicant, alone or before the authority: no seal alone makes it whole."""


class _PortSigner(Signer):
    """Lets the port sign what pyhanko puts together."""

    def __init__(self, sealer: Sealer) -> None:
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        store.register_multiple(x509.Certificate.load(each) for each in sealer.issuers)
        super().__init__(
            signing_cert=x509.Certificate.load(sealer.certificate),
            cert_registry=store,
            signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
        )
        self._sealer = sealer

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        return bytes(LONGEST_SIGNATURE) if dry_run else self._sealer.sign(data)


class Picture(PdfContent):
    """The one page of a PDF in memory as the picture of a field."""

    def __init__(self, pdf: bytes) -> None:
        super().__init__()
        self._pdf = pdf

    def render(self) -> bytes:
        """What draws it, once its page is among the resources."""
        drawing = self._ensure_writer.import_page_as_xobject(PdfFileReader(io.BytesIO(self._pdf)))
        left, bottom, right, top = (float(edge) for edge in drawing.get_object()["/BBox"])
        self.box = BoxConstraints(width=right - left, height=top - bottom)
        name = f"/Seal{uuid.uuid4().hex}"
        self.resources.xobject[name] = drawing
        return f"{name} Do".encode("ascii")
