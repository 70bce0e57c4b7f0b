"""Lets a person sign a paper with a key that lies elsewhere: what is shown, what the key signs, the signed paper.

The PDF stays here; only the SHA-256 of the signed attributes (CMS) goes to whoever holds the key.
"""

import asyncio
import hashlib
import io
from datetime import datetime

from asn1crypto import algos, cms, x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_der_x509_certificate
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.api import CAdESSignedAttrSpec
from pyhanko.sign.fields import (
    FieldMDPAction,
    FieldMDPSpec,
    MDPPerm,
    SigFieldSpec,
    SigSeedSubFilter,
    append_signature_field,
)
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, Signer
from pyhanko.sign.signers.pdf_byterange import PreparedByteRangeDigest
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from server.domain.papers.filling import in_words
from server.domain.papers.signing import SigningCertificate
from server.domain.papers.texts import Signer as Party
from server.domain.values import Value
from server.papers.places import APPLICANT_FIELD, FIELDS, SEAL_FIELD, NotToBeSigned, filled_fields
from server.papers.printing import SetPaper, SigningPlace, signature_picture
from server.papers.sealing import LONGEST_SIGNATURE, Picture, in_points
from server.papers.signatories import signatory_of

SIGNATURE_MM, SEAL_MM = (60, 16), (42, 42)
MECHANISM = algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"})


class WrongSignature(ValueError):
    """What came back is no signature of the certificate's key over what was to be signed."""


class PreparedSignature(Value):
    """A paper between two halves of signing: all but the signature itself, whose place is `begin` to `end`.

    `attributes` are the signed attributes (DER), which name the digest of the document, the moment and the certificate.
    """

    document: bytes
    begin: int
    end: int
    document_digest: bytes
    attributes: bytes
    certificate: SigningCertificate

    @property
    def digest(self) -> bytes:
        """What the key signs: the SHA-256 of the attributes, all that leaves the node."""
        return hashlib.sha256(self.attributes).digest()


def signable(paper: SetPaper) -> bytes:
    """The paper with an empty field for each who signs it: to the byte what its applicant is shown, and signs.

    The field of the seal forbids all that would follow it. Raises NotToBeSigned for a paper of the authority alone.
    """
    if "applicant" not in paper.places:
        raise NotToBeSigned("its applicant does not sign it")
    writer = IncrementalPdfFileWriter(io.BytesIO(paper.pdf))
    for party, place in paper.places.items():
        append_signature_field(writer, _field(party, place))
    output = io.BytesIO()
    writer.write(output)  # type: ignore[no-untyped-call]
    return output.getvalue()


def prepare_signature(shown: bytes, certificate: SigningCertificate, *, at: datetime) -> PreparedSignature:
    """The PDF that was shown, made ready to be signed with this certificate at this moment.

    It begins with the bytes that were shown. If the authority is to seal it too, that may follow, and nothing else. It
    blocks, and runs a loop of its own. Raises NotToBeSigned, also if it is signed already, and NamesNobody.
    """
    fields = filled_fields(PdfFileReader(io.BytesIO(shown)))
    if fields.get(APPLICANT_FIELD, True) or fields.get(SEAL_FIELD):
        raise NotToBeSigned("it has no place for its applicant, or somebody has signed it")
    permitted = MDPPerm.FILL_FORMS if SEAL_FIELD in fields else MDPPerm.NO_CHANGES
    signer = _RemoteSigner(certificate)
    meta = PdfSignatureMetadata(
        field_name=APPLICANT_FIELD,
        md_algorithm="sha256",
        certify=True,
        docmdp_permissions=permitted,
        subfilter=SigSeedSubFilter.PADES,
        cades_signed_attr_spec=CAdESSignedAttrSpec(),
    )
    picture = Picture(signature_picture(signatory_of(signer.certificate).name, in_words(at), SIGNATURE_MM))
    pdf_signer = PdfSigner(meta, signer, stamp_style=StaticStampStyle(border_width=0, background=picture))
    return asyncio.run(_prepared(shown, pdf_signer, at, certificate=certificate))


def finish_signature(prepared: PreparedSignature, signature: bytes) -> bytes:
    """The signed PDF, with ECDSA (DER) over the attributes that were prepared; raises WrongSignature.

    That the signature fits its certificate is seen here; whether that is trusted and names the right person is asked
    of the finished PDF, as it would be asked by a stranger.
    """
    _check(prepared, signature)
    output = io.BytesIO(prepared.document)
    signed = asyncio.run(_RemoteSigner(prepared.certificate, signature).packaged(prepared.attributes))
    place = PreparedByteRangeDigest(prepared.document_digest, prepared.begin, prepared.end)
    place.fill_with_cms(output, signed)
    return output.getvalue()


def _field(party: Party, place: SigningPlace) -> SigFieldSpec:
    width, height = (in_points(length) for length in (SEAL_MM if party == "authority" else SIGNATURE_MM))
    left, bottom = round(place.x - width / 2), round(place.y - height / 2)
    is_last = party == "authority"
    return SigFieldSpec(
        FIELDS[party],
        on_page=place.page,
        box=(left, bottom, left + width, bottom + height),
        field_mdp_spec=FieldMDPSpec(FieldMDPAction.ALL) if is_last else None,
        doc_mdp_update_value=MDPPerm.NO_CHANGES if is_last else None,
    )


async def _prepared(
    shown: bytes, signer: PdfSigner, at: datetime, *, certificate: SigningCertificate
) -> PreparedSignature:
    session = signer.init_signing_session(IncrementalPdfFileWriter(io.BytesIO(shown)))
    session.system_time = at
    known = await session.perform_presign_validation()
    reserved = await session.estimate_signature_container_size(known, tight=False)
    output = io.BytesIO()
    document = session.prepare_tbs_document(validation_info=known, bytes_reserved=reserved)
    digest, _ = document.digest_tbs_document(output=output)
    said = PdfCMSSignedAttributes(signing_time=at, cades_signed_attrs=signer.signature_meta.cades_signed_attr_spec)
    attributes = await signer.signer.signed_attrs(digest.document_digest, "sha256", attr_settings=said, use_pades=True)
    return PreparedSignature(
        document=output.getvalue(),
        begin=digest.reserved_region_start,
        end=digest.reserved_region_end,
        document_digest=digest.document_digest,
        attributes=attributes.dump(),
        certificate=certificate,
    )


def _check(prepared: PreparedSignature, signature: bytes) -> None:
    key = load_der_x509_certificate(prepared.certificate.certificate).public_key()
    if not isinstance(key, EllipticCurvePublicKey):
        raise WrongSignature("the key of the certificate is of no elliptic curve")
    try:
        key.verify(signature, prepared.attributes, ECDSA(SHA256()))
    except InvalidSignature:
        raise WrongSignature("it does not fit the key of the certificate") from None


class _RemoteSigner(Signer):
    """Puts together what is signed elsewhere; it signs with the one signature that it is given."""

    def __init__(self, certificate: SigningCertificate, signature: bytes = bytes(LONGEST_SIGNATURE)) -> None:
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        store.register_multiple(x509.Certificate.load(each) for each in certificate.issuers)
        self.certificate = x509.Certificate.load(certificate.certificate)
        super().__init__(
            signing_cert=self.certificate,
            cert_registry=store,
            signature_mechanism=MECHANISM,
        )
        self._signature = signature

    async def packaged(self, attributes: bytes) -> cms.ContentInfo:
        """The CMS around the signature and the attributes that it covers."""
        return await self.async_sign_prescribed_attributes("sha256", cms.CMSAttributes.load(attributes))

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        return self._signature
