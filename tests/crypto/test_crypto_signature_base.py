"""The signature base and its headers, against the vector of RFC 9421, B.2.6, and hostile texts."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from server.crypto.signature_base import (
    Message,
    NotInProfile,
    Parameters,
    authority_of,
    byte_sequence,
    content_digest,
    header_value,
    read_bytes,
    read_signature,
    sign_message,
    signature_base,
)
from server.crypto.suites import SigningKey
from tests.crypto.signed_requests import public_half

MODERATE = settings(max_examples=150, derandomize=True, deadline=None)
VECTOR_KEY = SigningKey(
    "test-key-ed25519",
    Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU=")),
)
VECTOR_COMPONENTS = {
    '"date"': "Tue, 20 Apr 2021 02:07:55 GMT",
    '"@method"': "POST",
    '"@path"': "/foo",
    '"@authority"': "example.com",
    '"content-type"': "application/json",
    '"content-length"': "18",
}
VECTOR_PARAMS = (
    '("date" "@method" "@path" "@authority" "content-type" "content-length")'
    ';created=1618884473;keyid="test-key-ed25519"'
)
VECTOR_BASE = b"""\
"date": Tue, 20 Apr 2021 02:07:55 GMT
"@method": POST
"@path": /foo
"@authority": example.com
"content-type": application/json
"content-length": 18
"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length")\
;created=1618884473;keyid="test-key-ed25519\""""
VECTOR_SIGNATURE = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="

INPUT = (
    'tongban-1=("@method" "@path");created=1795406400;expires=1795406700'
    ';nonce="n-1";keyid="320000-sign-1";alg="ed25519";tag="tongban-1"'
)
SIGNATURE = f"tongban-1={byte_sequence(bytes(64))}"


def test_the_base_and_the_signature_are_those_of_the_vector():
    base = signature_base(VECTOR_COMPONENTS, VECTOR_PARAMS)
    assert base == VECTOR_BASE
    assert VECTOR_KEY.sign(base) == base64.b64decode(VECTOR_SIGNATURE)
    assert public_half(VECTOR_KEY).verify(base64.b64decode(VECTOR_SIGNATURE), base)


@pytest.mark.parametrize("value", ["", " a", "a ", "a\nb", "a\r\nb", "a\tb", "é", "a\x00", "\ud800", "办"])
def test_a_value_that_is_not_plain_has_no_base(value: str):
    with pytest.raises(NotInProfile):
        signature_base({'"@path"': value}, "()")


def test_headers_in_the_strict_form_are_read():
    found = read_signature(INPUT, SIGNATURE)
    assert found.label == "tongban-1"
    assert found.covered == '"@method" "@path"'
    assert f"tongban-1={found.params}" == INPUT
    assert found.parameters == Parameters(1795406400, 1795406700, "n-1", "320000-sign-1", "ed25519", "tongban-1")
    assert found.signature == bytes(64)


def test_the_order_of_the_parameters_is_the_signers_choice():
    turned = (
        'tongban-1=("@method" "@path");tag="tongban-1";alg="ed25519";keyid="320000-sign-1"'
        ';nonce="n-1";expires=1795406700;created=1795406400'
    )
    assert read_signature(turned, SIGNATURE).parameters == read_signature(INPUT, SIGNATURE).parameters


@pytest.mark.parametrize(
    "described",
    [
        "",
        "tongban-1",
        f"{INPUT}, {INPUT}",
        f"{INPUT}, other=();created=1",
        f" {INPUT}",
        f"{INPUT} ",
        f"{INPUT}\n",
        INPUT.replace("tongban-1=(", "Tongban=("),
        INPUT.replace("tongban-1=(", "other=("),
        INPUT.replace("=(", "= ("),
        INPUT.replace(";created=1795406400", ""),
        INPUT.replace(';nonce="n-1"', ""),
        INPUT + ";created=1795406400",
        INPUT + ';sure="yes"',
        INPUT + ";sure",
        INPUT.replace("created=1795406400", 'created="1795406400"'),
        INPUT.replace("created=1795406400", "created=01795406400"),
        INPUT.replace("created=1795406400", "created=-1"),
        INPUT.replace("created=1795406400", "created=1795406400.5"),
        INPUT.replace("created=1795406400", "created=1795406400000000"),
        INPUT.replace("created=1795406400", "created=１７９５"),
        INPUT.replace('nonce="n-1"', "nonce=1"),
        INPUT.replace('nonce="n-1"', 'nonce=""'),
        INPUT.replace('nonce="n-1"', 'nonce="a\\"b"'),
        INPUT.replace('nonce="n-1"', 'nonce="é"'),
        INPUT.replace('nonce="n-1"', f'nonce="{"n" * 129}"'),
        INPUT.replace(";created", "; created"),
    ],
)
def test_a_signature_input_in_any_other_form_is_refused(described: str):
    with pytest.raises(NotInProfile):
        read_signature(described, SIGNATURE)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "tongban-1",
        "other=" + byte_sequence(bytes(64)),
        "tongban-1=" + byte_sequence(bytes(63)),
        "tongban-1=" + byte_sequence(bytes(65)),
        f"{SIGNATURE}, {SIGNATURE}",
        SIGNATURE + ";a=1",
        SIGNATURE.replace("A==:", "B==:"),
        SIGNATURE.replace("==:", ":"),
        SIGNATURE.replace("==:", "=:"),
        "tongban-1=:====:",
        "tongban-1=::",
    ],
)
def test_a_signature_in_any_other_form_is_refused(signature: str):
    with pytest.raises(NotInProfile):
        read_signature(INPUT, signature)


@MODERATE
@given(st.text(max_size=80) | st.binary(max_size=80).map(lambda data: data.decode("latin-1")), st.data())
def test_stray_texts_are_refused_and_never_crash(text: str, data: st.DataObject):
    at = data.draw(st.integers(0, len(INPUT)))
    for described, signature in ((text, SIGNATURE), (INPUT, text), (text, text)):
        with pytest.raises(NotInProfile):
            read_signature(described, signature)
    spliced = INPUT[:at] + text + INPUT[at:]
    try:
        found = read_signature(spliced, SIGNATURE)
    except NotInProfile:
        return
    assert f"tongban-1={found.params}" == spliced


@pytest.mark.parametrize("nonce", ["", 'a"b', "a\\b", "a\nb", "é", "n" * 129])
def test_a_nonce_that_cannot_be_written_is_not_signed(nonce: str):
    message = Message("tongban-1", {'"@method"': "POST"}, {})
    with pytest.raises(NotInProfile):
        sign_message(VECTOR_KEY, message, at=datetime(2026, 11, 23, tzinfo=UTC), nonce=nonce)


@MODERATE
@given(st.binary(max_size=70))
def test_a_byte_sequence_is_read_as_it_was_written(data: bytes):
    assert read_bytes(byte_sequence(data), len(data)) == data
    with pytest.raises(NotInProfile):
        read_bytes(byte_sequence(data), len(data) + 1)


@pytest.mark.parametrize("text", ["", ":", "QQ==", ":QQ:", ":QR==:", ":Q Q=:", ":é:", ":\ud800:", "xQQ==x", ":QQ==:;a"])
def test_what_is_no_byte_sequence_is_refused(text: str):
    with pytest.raises(NotInProfile):
        read_bytes(text, 1)


def test_the_content_digest_is_that_of_rfc_9530():
    assert content_digest(b'{"hello": "world"}\n') == "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://node.zj.example", "node.zj.example"),
        ("https://Node.ZJ.example:443/peer/v1/log?a=b", "node.zj.example"),
        ("http://node.zj.example:80", "node.zj.example"),
        ("https://node.zj.example:80", "node.zj.example:80"),
        ("http://127.0.0.1:8001/peer", "127.0.0.1:8001"),
        ("http://[::1]:8001", "[::1]:8001"),
        ("https://[::1]/", "[::1]"),
        ("https://someone@node.example/", "node.example"),
    ],
)
def test_the_authority_is_that_of_the_configured_origin(url: str, authority: str):
    assert authority_of(url) == authority


@pytest.mark.parametrize("url", ["", "node.example", "ftp://node.example", "https://", "https://a:port", "/peer"])
def test_an_origin_without_scheme_or_host_is_refused(url: str):
    with pytest.raises(ValueError, match=r".+"):
        authority_of(url)


def test_a_header_is_found_in_any_case_and_several_lines_are_joined():
    headers = {"Content-Type": "a", "content-type": "b", "Other": "c"}
    assert header_value(headers, "content-type") == "a, b"
    assert header_value(headers, "other") == "c"
    assert header_value(headers, "missing") == ""
