"""A sealed paper proves who sealed it and that nothing was changed since; anything less has a name."""

import io
from datetime import datetime, timedelta

import pytest
from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.timestamps import DummyTimeStamper

from server.papers import sealing
from server.papers.sealing import seal_paper
from server.papers.stand_in import YEAR, StandInAuthority
from server.papers.verifying import REFUSALS, Fault, TrustedSeals, verify
from tests.papers.samples import AUTHORITY, NOW
from tests.papers.sealed import CA, sealed, sealer, set_of

TRUST = TrustedSeals(roots=(CA.root,))


def fault(pdf: bytes, trust: TrustedSeals = TRUST, at: datetime | None = None) -> Fault | None:
    return verify(pdf, trust, at=at).fault


def test_a_sealed_paper_is_whole_and_says_by_whom_when_and_of_what() -> None:
    verdict = verify(sealed("granted"), TRUST)
    assert verdict.is_whole
    assert (verdict.authority, verdict.seal) == (AUTHORITY, "authority")
    assert (verdict.sealed_at, verdict.moment_from) == (NOW, "seal")
    assert verdict.digest == set_of("granted").digest


def test_the_acceptance_seal_is_another_one() -> None:
    assert verify(sealed("acceptance"), TRUST).seal == "acceptance"


def test_a_paper_that_is_not_sealed() -> None:
    assert fault(set_of("granted").pdf) == "not_sealed"


@pytest.mark.parametrize("data", [b"", b"x", b"%PDF-1.7\n", b"%PDF-1.7\nstartxref\n9\n%%EOF\n"])
def test_what_is_no_paper_at_all(data: bytes) -> None:
    assert fault(data) == "unreadable"


def test_altered_bytes() -> None:
    pdf = bytearray(sealed("granted"))
    pdf[5000] ^= 1
    assert fault(bytes(pdf)) == "altered"


def test_a_byte_behind_the_end() -> None:
    assert fault(sealed("granted") + b"\n") == "appended"


def revised(pdf: bytes, *, page: bytes = b"") -> bytes:
    """The paper with a revision appended to it: with `page` drawn over its first page, else with what nobody shows."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    if page:
        first = writer.root["/Pages"]["/Kids"][0]
        new = writer.add_object(generic.StreamObject(stream_data=page))
        first["/Contents"] = generic.ArrayObject([first.raw_get("/Contents"), new])
        writer.update_container(first)
    else:
        writer.update_root()
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def test_an_appended_revision_that_changes_a_page() -> None:
    assert fault(revised(sealed("granted"), page=b"0 0 300 300 re f")) == "page_changed"


def test_an_appended_revision_that_shows_nothing() -> None:
    assert fault(revised(sealed("granted"))) == "appended"


def test_a_revision_does_not_help_a_paper_that_was_altered_too() -> None:
    pdf = bytearray(revised(sealed("granted")))
    pdf[5000] ^= 1
    assert fault(bytes(pdf)) == "altered"


def test_another_signer() -> None:
    stranger = StandInAuthority(NOW - YEAR)  # of the same name
    forged = stranger.sealer(AUTHORITY, "authority", begins_at=NOW - YEAR / 2, ends_at=NOW + YEAR / 2)
    pdf = seal_paper(set_of("granted"), forged, at=NOW)
    assert fault(pdf) == "other_signer"
    assert fault(pdf, TrustedSeals(roots=(stranger.root,))) is None
    assert fault(sealed("granted"), TrustedSeals(roots=())) == "other_signer"


def test_a_seal_cannot_certify_another_one() -> None:
    """Whoever holds a seal must not make seals for others."""
    assert fault(sealed("granted"), TrustedSeals(roots=(sealer("acceptance").certificate,))) == "other_signer"


def test_a_trusted_seal_of_another_authority() -> None:
    assert fault(sealed("granted"), TRUST.model_copy(update={"authorities": ("别的机关",)})) == "other_authority"
    assert fault(sealed("granted"), TRUST.model_copy(update={"authorities": ("别的机关", AUTHORITY)})) is None


@pytest.mark.parametrize("at", [NOW - YEAR * 0.6, NOW + YEAR * 0.6])
def test_a_certificate_that_did_not_count_when_it_sealed(at: datetime) -> None:
    pdf = seal_paper(set_of("granted"), sealer("authority"), at=at)
    assert fault(pdf) == "certificate_ended"
    assert fault(pdf, at=NOW) is None, "our own event knows better than the seal"
    assert fault(sealed("granted"), at=at) == "certificate_ended"


def test_a_paper_stays_whole_when_its_certificate_has_ended_since() -> None:
    old = StandInAuthority(NOW - 9 * YEAR)
    ended = old.sealer(AUTHORITY, "authority", begins_at=NOW - 9 * YEAR, ends_at=NOW - 8 * YEAR)
    pdf = seal_paper(set_of("granted"), ended, at=NOW - 8.5 * YEAR)
    assert fault(pdf, TrustedSeals(roots=(old.root,))) is None


def test_a_seal_that_does_not_forbid_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lax:
        NO_CHANGES = MDPPerm.FILL_FORMS

    monkeypatch.setattr(sealing, "MDPPerm", Lax)
    assert fault(seal_paper(set_of("granted"), sealer("authority"), at=NOW)) == "not_locked"


def test_nobody_can_sign_after_the_seal() -> None:
    signer = PdfSigner(PdfSignatureMetadata(field_name="Second"), sealing._PortSigner(sealer("authority")))
    with pytest.raises(SigningError):
        signer.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(sealed("granted"))))


def stamper(at: datetime) -> tuple[DummyTimeStamper, bytes]:
    """A time stamper that always says this moment, and its own certificate, which is its root too."""
    key = generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Time")])
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    built = built.not_valid_before(NOW - YEAR).not_valid_after(NOW + 50 * YEAR)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    certificate = built.add_extension(usage, critical=True).sign(key, SHA256()).public_bytes(Encoding.DER)
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    loaded = asn1_x509.Certificate.load(certificate), keys.PrivateKeyInfo.load(private)
    return DummyTimeStamper(*loaded, fixed_dt=at), certificate


def test_a_time_stamp_counts_more_than_the_word_of_the_seal() -> None:
    stamp, root = stamper(NOW + timedelta(hours=1))
    pdf = seal_paper(set_of("granted"), sealer("authority"), at=NOW - YEAR * 0.6, stamper=stamp)
    trusted = TRUST.model_copy(update={"stamp_roots": (root,)})
    verdict = verify(pdf, trusted)
    assert (verdict.fault, verdict.moment_from) == (None, "stamp")
    assert verdict.sealed_at == NOW + timedelta(hours=1)
    assert fault(pdf) == "certificate_ended", "a stamp of strangers is passed over"


def test_each_refusal_has_a_sentence() -> None:
    assert all(sentence.endswith("。") for sentence in REFUSALS.values())


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_change_of_a_sealed_byte_goes_unnoticed(data: st.DataObject) -> None:
    """The signature itself is written in hexadecimal digits, of which some mean the same: it stands apart."""
    pdf = bytearray(sealed("granted"))
    begin = pdf.index(b"/Contents <") + len(b"/Contents <")
    end = pdf.index(b">", begin)
    places = st.one_of(st.integers(0, begin - 2), st.integers(end + 1, len(pdf) - 1))
    place = data.draw(places)
    pdf[place] ^= data.draw(st.integers(1, 255))
    assert fault(bytes(pdf)) is not None


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 300_000), st.binary(max_size=40))
def test_a_cut_or_mended_paper_is_refused_and_never_an_error(length: int, tail: bytes) -> None:
    cut = sealed("granted")[:length] + tail
    if cut != sealed("granted"):
        assert fault(cut) is not None
