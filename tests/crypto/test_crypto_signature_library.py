"""Signed requests against the vector of RFC 9421 and the library http-message-signatures, in both directions."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, MappingKeyResolver, algorithms

from server.crypto.signatures import (
    KnownKey,
    ReceivedRequest,
    SignatureInvalid,
    verify_request,
)
from server.crypto.suites import VerifyKey
from tests.crypto.signed_requests import (
    BODY,
    COMPONENTS,
    HEADERS,
    KEY,
    NAMES,
    NOON,
    ORIGIN,
    ROOT,
    received,
    signed,
    verified,
)


def test_the_message_of_the_rfc_vector_is_refused():
    components = '("date" "@method" "@path" "@authority" "content-type" "content-length")'
    headers = {
        "Host": "example.com",
        "Date": "Tue, 20 Apr 2021 02:07:55 GMT",
        "Content-Type": "application/json",
        "Content-Length": "18",
        "Signature-Input": f'sig-b26={components};created=1618884473;keyid="test-key-ed25519"',
        "Signature": (
            "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"
        ),
    }
    public = base64.urlsafe_b64decode("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs=")
    request = ReceivedRequest("POST", "https://example.com", "/foo", "param=Value", headers)
    with pytest.raises(SignatureInvalid):
        verify_request(
            request,
            directory_key=lambda keyid: KnownKey("320000", VerifyKey(keyid, public)),
            at=datetime.fromtimestamp(1618884473, UTC),
            directory_version=7,
        )


@dataclass
class LibraryRequest:
    """A request as http-message-signatures reads and writes it."""

    headers: dict[str, str]
    method: str = "POST"
    url: str = f"{ORIGIN}/peer/v1/log"


RESOLVER = MappingKeyResolver(public_keys={KEY.id: KEY.private.public_key()}, private_keys={KEY.id: KEY.private})


def test_the_library_verifies_what_we_sign():
    now = datetime.now(UTC)  # the library compares with the real clock
    sent = signed(at=now)
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=RESOLVER)
    (found,) = verifier.verify(
        LibraryRequest(dict(sent.headers)),
        max_age=timedelta(seconds=300),
        expect_tag="tongban-1",
        expect_label="tongban-1",
        require_components=NAMES,
        body=BODY,
    )
    assert found.parameters["keyid"] == KEY.id
    assert found.nonce == "n-1"
    assert {name: value for name, value in found.covered_components.items() if name in COMPONENTS} == COMPONENTS


def test_we_verify_what_the_library_signs():
    request = LibraryRequest({name: HEADERS[name] for name in ("Content-Type", "Exchange-Root")})
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=RESOLVER)
    signer.sign(
        request,
        key_id=KEY.id,
        created=NOON,
        expires=NOON + timedelta(seconds=120),
        nonce="n-2",
        label="tongban-1",
        tag="tongban-1",
        covered_component_ids=NAMES,
        body=BODY,
    )
    proof = verified(received(request.headers))
    assert (proof.sender, proof.nonce, proof.root) == ("320000", "n-2", ROOT)
    assert proof.expires == NOON + timedelta(seconds=120)
