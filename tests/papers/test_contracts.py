"""What a person has signed proves who signed what they were shown; a contract, that both did, in their order."""

import hashlib
import io
import pickle
from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

import pytest
from asn1crypto import x509
from cryptography import x509 as crypto_x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner

from server.domain.papers.signing import Signatory, SigningCertificate
from server.papers import signing
from server.papers.contracts import (
    SIGNED_REFUSALS,
    AskedSignature,
    SignedFault,
    TrustedParties,
    is_to_be_signed,
    verify_signed,
)
from server.papers.places import APPLICANT_FIELD, SEAL_FIELD, NotToBeSigned
from server.papers.sealing import _PortSigner, seal_contract
from server.papers.shown import is_only_signed
from server.papers.signatories import NamesNobody, signatory_of
from server.papers.signing import WrongSignature, finish_signature, prepare_signature, signable
from server.papers.stand_in import YEAR, StandInAuthority
from server.papers.verifying import TrustedSeals, verify
from tests.papers.pictures import text_of
from tests.papers.samples import AUTHORITY, FRAME, NOW
from tests.papers.sealed import CA, sealed, sealer, set_of
from tests.papers.signed import (
    LATER,
    PEOPLE,
    TRUST,
    WHO,
    asked,
    contract,
    key_of,
    prepared,
    shown,
    shown_paper,
    signed,
    signed_by,
)
from tests.papers.test_verifying import revised

OTHER = WHO.model_copy(update={"name": "李四", "id_number": "3301**********0001"})


def fault(pdf: bytes, trust: TrustedParties = TRUST, ask: AskedSignature | None = None) -> SignedFault | None:
    return verify_signed(pdf, trust, ask).fault


def test_a_contract_of_both_says_who_signed_what_and_when() -> None:
    verdict = verify_signed(contract(), TRUST, asked("contract"))
    assert verdict.is_whole
    assert (verdict.signatory, verdict.signed_at, verdict.signed_from) == (WHO, NOW, "seal")
    assert (verdict.authority, verdict.sealed_at, verdict.sealed_from) == (AUTHORITY, LATER, "seal")
    assert verdict.digest == set_of("lease").digest
    assert verdict.proven is not None
    assert (verdict.proven.signatory, verdict.proven.shown) == (WHO, shown_paper("contract").digest)


@pytest.mark.parametrize("kind", ["application", "undertaking"])
def test_what_its_applicant_signs_alone_is_whole_without_a_seal(kind: Any) -> None:
    verdict = verify_signed(signed(kind), TRUST, asked(kind))
    assert verdict.is_whole
    assert (verdict.signatory, verdict.authority, verdict.sealed_at) == (WHO, "", None)


@pytest.mark.parametrize("kind", ["application", "contract"])
def test_the_signed_bytes_are_those_that_were_shown(kind: Any) -> None:
    assert signed(kind).startswith(shown(kind))
    assert WHO.name in text_of(signed(kind))
    other = asked(kind).model_copy(update={"shown": shown_paper("undertaking")})
    assert fault(signed("application"), ask=other) == "other_paper"


def test_no_more_than_a_digest_leaves_the_node() -> None:
    half = prepared("contract", key_of())
    assert half.digest == hashlib.sha256(half.attributes).digest()
    assert hashlib.sha256(half.attributes).hexdigest() != hashlib.sha256(half.document).hexdigest()


def test_no_full_number_stands_in_the_certificate_of_a_person() -> None:
    named = x509.Certificate.load(key_of().certificate).subject.native
    assert named == {"common_name": WHO.name, "pseudonym": FRAME["recipient_id"], "dn_qualifier": WHO.request}
    with pytest.raises(ValueError, match="id_number"):
        Signatory(name="张三", id_number="320102199001011234", request=WHO.request)


def test_not_signed_at_all() -> None:
    assert fault(shown("contract")) == "not_signed"
    assert fault(set_of("granted").pdf) == "not_signed"


def test_not_yet_signed_by_both() -> None:
    verdict = verify_signed(signed("contract"), TRUST, asked("contract"))
    assert verdict.fault == "not_signed_by_both"
    assert verdict.proven is not None, "the authority seals only what its applicant has signed indeed"


def test_a_half_signed_contract_of_another_person_proves_nothing() -> None:
    verdict = verify_signed(signed_by("contract", key_of(OTHER)), TRUST, asked("contract"))
    assert (verdict.fault, verdict.proven) == ("other_person", None)


def other_order() -> bytes:
    """The lease, sealed first."""
    output = io.BytesIO()
    for name, signer, pdf in (
        (SEAL_FIELD, _PortSigner(sealer("authority")), shown("contract")),
        (APPLICANT_FIELD, signing._RemoteSigner(SigningCertificate(key="1", certificate=key_of().certificate)), b""),
    ):
        output = PdfSigner(PdfSignatureMetadata(field_name=name, md_algorithm="sha256"), signer).sign_pdf(
            IncrementalPdfFileWriter(io.BytesIO(pdf or output.getvalue()))
        )
    return output.getvalue()


def test_the_wrong_order() -> None:
    assert fault(other_order()) == "wrong_order"
    with pytest.raises(NotToBeSigned):
        seal_contract(shown("contract"), sealer("authority"), at=NOW)
    with pytest.raises(NotToBeSigned):
        seal_contract(contract(), sealer("authority"), at=LATER)
    with pytest.raises(NotToBeSigned):
        seal_contract(signed("application"), sealer("authority"), at=LATER)


def test_another_signer_than_the_named_person() -> None:
    pdf = seal_contract(signed_by("contract", key_of(OTHER)), sealer("authority"), at=LATER)
    assert fault(pdf) is None, "as long as nobody is named"
    assert fault(pdf, ask=asked("contract")) == "other_person"
    assert fault(pdf, TRUST.model_copy(update={"names": (WHO.name,)})) == "other_person"


def test_a_certificate_that_was_made_for_another_request() -> None:
    other = WHO.model_copy(update={"request": "request-0002"})
    assert fault(signed_by("application", key_of(other)), ask=asked("application")) == "other_person"


def test_a_certificate_that_nobody_trusts() -> None:
    stranger = StandInAuthority(NOW - YEAR, name="样例电子认证机构")
    forged = stranger.person(WHO, begins_at=NOW - YEAR / 2, ends_at=NOW + YEAR / 2)
    assert fault(signed_by("application", forged)) == "other_signer"
    assert fault(contract(), TRUST.model_copy(update={"seals": TrustedSeals(roots=(PEOPLE.root,))})) == "other_signer"
    assert fault(contract(), TRUST.model_copy(update={"person_roots": (CA.root,)})) == "other_signer"


def test_a_seal_does_not_sign_for_a_person_nor_a_person_for_an_authority() -> None:
    certificate = SigningCertificate(key="1", certificate=sealer("authority").certificate)
    with pytest.raises(NamesNobody):
        prepare_signature(shown("application"), certificate, at=NOW)
    assert fault(sealed("granted")) == "not_signed", "it has no place for a person"
    both = TRUST.model_copy(update={"seals": TrustedSeals(roots=(PEOPLE.root,))})
    assert fault(sealed_by_person(), both) == "other_authority"


def sealed_by_person() -> bytes:
    """The lease, with the signature of a person where the seal of the authority should be."""

    class Seal:
        name, look, issuers = AUTHORITY, sealer("authority").look, ()
        certificate = key_of(OTHER).certificate

        def sign(self, data: bytes) -> bytes:
            return key_of(OTHER).sign_digest(hashlib.sha256(data).digest())

    return seal_contract(signed("contract"), Seal(), at=LATER)


def test_a_trusted_seal_of_another_authority() -> None:
    for names, expected in ((("别的机关",), "other_authority"), ((AUTHORITY,), None)):
        seals = TRUST.seals.model_copy(update={"authorities": names})
        assert fault(contract(), TRUST.model_copy(update={"seals": seals})) == expected


def test_a_certificate_that_had_ended() -> None:
    late = signed_by("application", key_of(), at=timedelta(days=2))
    assert fault(late) == "certificate_ended"
    assert fault(late, ask=AskedSignature(signed_at=NOW)) is None, "who knows the moment knows better"
    pdf = seal_contract(signed("contract"), sealer("authority"), at=NOW + YEAR)
    assert fault(pdf) == "certificate_ended"
    assert fault(pdf, ask=AskedSignature(sealed_at=LATER)) is None


@pytest.mark.parametrize("kind", ["application", "contract"])
def test_altered_bytes(kind: Any) -> None:
    pdf = bytearray(contract() if kind == "contract" else signed(kind))
    pdf[5000] ^= 1
    assert fault(bytes(pdf)) == "altered"


def drawn_over(pdf: bytes) -> bytes:
    return revised(pdf, page=b"0 0 300 300 re f")


@pytest.mark.parametrize("change", [drawn_over, revised])
def test_altered_between_both(change: Any) -> None:
    """Also by what shows nothing: between the two there is nothing to add."""
    pdf = seal_contract(change(signed("contract")), sealer("authority"), at=LATER)
    assert fault(pdf) == "altered_between"


def test_altered_with_the_seal() -> None:
    """Whoever seals draws over what the tenant has signed."""
    writer = IncrementalPdfFileWriter(io.BytesIO(signed("contract")))
    first = writer.root["/Pages"]["/Kids"][0]
    first["/Contents"] = generic.ArrayObject(
        [first.raw_get("/Contents"), writer.add_object(generic.StreamObject(stream_data=b"0 0 300 300 re f"))]
    )
    writer.update_container(first)
    meta = PdfSignatureMetadata(field_name=SEAL_FIELD, md_algorithm="sha256", docmdp_permissions=MDPPerm.NO_CHANGES)
    pdf = PdfSigner(meta, _PortSigner(sealer("authority"))).sign_pdf(writer)
    assert fault(pdf.getvalue(), ask=AskedSignature(sealed_at=LATER)) == "altered_between"


def test_appended_after_the_last() -> None:
    for pdf in (contract(), signed("application"), signed("contract")):
        for more in (b"\n", b"x", bytes(10)):
            assert fault(pdf + more) == "appended"
        assert fault(revised(pdf)) == "appended"
        assert fault(drawn_over(pdf)) == "page_changed"


def test_nobody_signs_after_the_last() -> None:
    third = PdfSigner(PdfSignatureMetadata(field_name="Third"), _PortSigner(sealer("authority")))
    with pytest.raises(SigningError):
        third.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(signed("application"))))
    pdf = third.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(contract())))  # what forbids it is not a certified one
    assert fault(pdf.getvalue()) == "page_changed"


@pytest.mark.parametrize("kind", ["application", "contract"])
def test_a_signature_that_does_not_forbid_what_may_not_follow(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Lax:
        NO_CHANGES, FILL_FORMS = MDPPerm.FILL_FORMS, MDPPerm.ANNOTATE

    monkeypatch.setattr(signing, "MDPPerm", Lax)
    pdf = signed_by(kind, key_of())
    assert fault(pdf) == "not_locked"


def another_page(writer: IncrementalPdfFileWriter) -> None:
    page = writer.root["/Pages"]["/Kids"][0]
    drawn = writer.add_object(generic.StreamObject(stream_data=b"0 0 300 300 re f"))
    page["/Contents"] = generic.ArrayObject([page.raw_get("/Contents"), drawn])
    writer.update_container(page)


def other_pages(writer: IncrementalPdfFileWriter) -> None:
    writer.root["/Pages"] = writer.add_object(generic.DictionaryObject(writer.root["/Pages"]))
    writer.update_root()


def another_digest(writer: IncrementalPdfFileWriter) -> None:
    writer.set_info(generic.DictionaryObject({generic.pdf_name("/Keywords"): generic.pdf_string("0" * 64)}))


def another_digest_in_place(writer: IncrementalPdfFileWriter) -> None:
    info = writer.prev.trailer["/Info"]
    info["/Keywords"] = generic.pdf_string("0" * 64)
    writer.update_container(info)


def a_larger_place(writer: IncrementalPdfFileWriter) -> None:
    field = writer.root["/AcroForm"]["/Fields"][0]
    field["/Rect"] = generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 842)))
    writer.update_container(field)


def another_place(writer: IncrementalPdfFileWriter) -> None:
    form = writer.root["/AcroForm"]
    field = generic.DictionaryObject({generic.pdf_name("/T"): generic.pdf_string("More")})
    form["/Fields"].append(writer.add_object(field))
    writer.update_container(form["/Fields"])


def what_opens_by_itself(writer: IncrementalPdfFileWriter) -> None:
    writer.root["/OpenAction"] = generic.ArrayObject()
    writer.update_root()


@pytest.mark.parametrize(
    "change",
    [
        another_page,
        other_pages,
        another_digest,
        another_digest_in_place,
        a_larger_place,
        another_place,
        what_opens_by_itself,
    ],
)
def test_nothing_may_change_with_the_signature(
    change: Callable[[IncrementalPdfFileWriter], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node itself cannot slip another page under the hand of who signs."""
    plain = signing.IncrementalPdfFileWriter

    def changing(stream: io.BytesIO) -> IncrementalPdfFileWriter:
        writer = plain(stream)
        change(writer)
        return writer

    monkeypatch.setattr(signing, "IncrementalPdfFileWriter", changing)
    pdf = signed_by("application", key_of())
    assert pdf.startswith(shown("application"))
    assert fault(pdf) == "other_paper"


@pytest.mark.parametrize(("freed", "is_only"), [("", True), ("8 1\n0000000000 00001 f \n", False)])
def test_a_page_that_is_taken_away_with_the_signature_is_missed(freed: str, is_only: bool) -> None:
    """What a revision frees is seen no more: it counts as written anew."""
    pdf = shown("application")
    last = pdf[pdf.rindex(b"startxref") :].split()[1].decode()
    before = PdfFileReader(io.BytesIO(pdf))
    refers = " ".join(f"{name} {before.trailer.raw_get(name).idnum} 0 R" for name in ("/Root", "/Info"))
    trailer = f"trailer\n<</Size {before.trailer['/Size']} {refers} /Prev {last}>>\nstartxref\n{len(pdf)}\n%%EOF\n"
    reader = PdfFileReader(io.BytesIO(pdf + f"xref\n0 1\n0000000000 65535 f \n{freed}{trailer}".encode()))
    (place,) = [reference for _, _, reference in enumerate_sig_fields(reader)]
    assert is_only_signed(reader, place.reference, revision=2) is is_only


def test_the_two_halves_may_be_made_in_two_processes() -> None:
    half = pickle.loads(pickle.dumps(prepared("application", key_of())))  # noqa: S301 # our own
    assert verify_signed(
        finish_signature(half, key_of().sign_digest(half.digest)), TRUST, asked("application")
    ).is_whole


def test_what_was_shown_ends_where_the_signature_begins() -> None:
    """A digest of fewer bytes than were shown proves less than all of it."""
    cut = set_of("application").pdf
    part = shown_paper("application").model_copy(update={"digest": hashlib.sha256(cut).hexdigest(), "length": len(cut)})
    assert signed("application").startswith(cut)
    assert fault(signed("application"), ask=AskedSignature(shown=part)) == "other_paper"


def test_a_signature_that_is_not_of_the_key_is_not_put_in() -> None:
    half = prepared("application", key_of())
    with pytest.raises(WrongSignature):
        finish_signature(half, key_of(OTHER).sign_digest(half.digest))
    with pytest.raises(WrongSignature):
        finish_signature(half, b"x")


def test_a_paper_is_signed_once_and_only_where_there_is_a_place() -> None:
    certificate = SigningCertificate(key="1", certificate=key_of().certificate)
    for pdf in (signed("application"), contract(), set_of("granted").pdf):
        with pytest.raises(NotToBeSigned):
            prepare_signature(pdf, certificate, at=NOW)
    with pytest.raises(NotToBeSigned):
        signable(set_of("granted"))


def test_a_paper_of_an_authority_is_no_contract_and_a_contract_none_of_an_authority_alone() -> None:
    assert is_to_be_signed(shown("application"))
    assert not is_to_be_signed(sealed("granted"))
    assert not is_to_be_signed(b"x")
    assert verify(contract(), TRUST.seals).fault is not None


def test_a_certificate_names_a_person_and_nothing_else() -> None:
    assert signatory_of(x509.Certificate.load(key_of().certificate)) == WHO
    root = crypto_x509.load_der_x509_certificate(PEOPLE.root)
    with pytest.raises(NamesNobody):
        signatory_of(x509.Certificate.load(PEOPLE.root))
    assert root.subject.rfc4514_string() == "CN=样例电子认证机构"


def test_each_refusal_has_a_sentence() -> None:
    assert set(SIGNED_REFUSALS) == set(get_args(SignedFault))
    assert all(sentence.endswith("。") for sentence in SIGNED_REFUSALS.values())


def contents(pdf: bytes) -> list[tuple[int, int]]:
    """Where the signatures themselves stand, whose hexadecimal digits may be written in several ways."""
    spans = []
    for signature in PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures:
        _, length, start, _ = list(signature.byte_range)
        spans.append((int(length) - 1, int(start) + 1))
    return spans


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_change_of_a_byte_goes_unnoticed(data: st.DataObject) -> None:
    pdf = bytearray(contract())
    place = data.draw(st.integers(0, len(pdf) - 1))
    if any(begin <= place < end for begin, end in contents(contract())):
        return
    pdf[place] ^= data.draw(st.integers(1, 255))
    assert fault(bytes(pdf), ask=asked("contract")) is not None


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 400_000), st.binary(max_size=40))
def test_a_cut_or_mended_contract_is_refused_and_never_an_error(length: int, tail: bytes) -> None:
    cut = contract()[:length] + tail
    if cut != contract():
        assert fault(cut) is not None
