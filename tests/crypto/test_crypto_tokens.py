"""Access tokens: honoured for their time, their issuer and their audience, and for nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from server.crypto import base64url
from server.crypto.suites import SigningKey
from server.crypto.tokens import TokenExpired, TokenInvalid, Tokens, WrongAudience
from server.domain.people.persons import TokenClaims

MODERATE = settings(max_examples=60, derandomize=True, deadline=None)
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
KEY = SigningKey("330000-tokens-1", Ed25519PrivateKey.generate())
CLAIMS = TokenClaims(subject="person-1", level="L2", session="session-1")


def tokens(**changes: Any) -> Tokens:
    return Tokens(**{"signing": KEY, "issuer": "330000", **changes})


def issued(seconds: int = 600) -> str:
    return tokens().issue(CLAIMS, audience="citizens", at=NOON, seconds=seconds)


def payload(**changes: Any) -> dict[str, Any]:
    whole = {
        "iss": "330000",
        "aud": "citizens",
        "sub": "person-1",
        "iat": int(NOON.timestamp()),
        "exp": int(NOON.timestamp()) + 600,
        "level": "L2",
        "session": "session-1",
    } | changes
    return {name: value for name, value in whole.items() if value is not ...}


def test_an_issued_token_gives_its_claims_back():
    assert tokens().verify(issued(), audience="citizens", at=NOON) == CLAIMS


def test_a_token_is_a_jwt_with_the_registered_claims():
    found = jwt.decode_complete(
        issued(),
        KEY.private.public_key(),
        algorithms=["EdDSA"],
        audience="citizens",
        issuer="330000",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert found["header"] == {"alg": "EdDSA", "kid": "330000-tokens-1", "typ": "JWT"}
    assert found["payload"] == payload()


@pytest.mark.parametrize("is_known", [False, True])
def test_a_token_is_honoured_until_it_expires_remembered_or_not(is_known: bool):
    ours, token = tokens(), issued(seconds=600)
    if is_known:
        ours.verify(token, audience="citizens", at=NOON)
    assert ours.verify(token, audience="citizens", at=NOON + timedelta(seconds=599)) == CLAIMS
    with pytest.raises(TokenExpired) as caught:
        ours.verify(token, audience="citizens", at=NOON + timedelta(seconds=600))
    assert caught.value.code == "token_expired"
    with pytest.raises(TokenExpired):
        ours.verify(token, audience="citizens", at=NOON + timedelta(days=1))


def test_a_remembered_token_is_not_honoured_for_another_audience():
    ours, token = tokens(), issued()
    ours.verify(token, audience="citizens", at=NOON)
    with pytest.raises(WrongAudience):
        ours.verify(token, audience="officers", at=NOON)
    assert ours.verify(token, audience="citizens", at=NOON) == CLAIMS


def test_the_memory_is_bounded_and_forgetting_loses_nothing():
    ours = tokens(remembered=3)
    sent = [
        ours.issue(CLAIMS.model_copy(update={"session": f"s{i}"}), audience="citizens", at=NOON, seconds=60)
        for i in range(10)
    ]
    for _ in range(2):
        assert [ours.verify(token, audience="citizens", at=NOON).session for token in sent] == [
            f"s{i}" for i in range(10)
        ]
    assert len(ours._verified) == 3


def test_a_remembered_token_is_not_verified_anew():
    ours, token = tokens(), issued()
    claims = ours.verify(token, audience="citizens", at=NOON)
    assert ours.verify(token, audience="citizens", at=NOON) is claims


def test_a_token_of_another_key_or_issuer_is_invalid():
    stranger = SigningKey(KEY.id, Ed25519PrivateKey.generate())
    forged = tokens(signing=stranger).issue(CLAIMS, audience="citizens", at=NOON, seconds=600)
    foreign = tokens(issuer="320000").issue(CLAIMS, audience="citizens", at=NOON, seconds=600)
    for token in (forged, foreign):
        with pytest.raises(TokenInvalid):
            tokens().verify(token, audience="citizens", at=NOON)


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": ...},
        {"iat": ...},
        {"exp": ...},
        {"iss": ...},
        {"aud": ...},
        {"level": ...},
        {"session": ...},
        {"sub": 7},
        {"level": 2},
        {"exp": "soon"},
        {"exp": 1.5},
        {"exp": None},
    ],
)
def test_a_signed_token_with_other_claims_is_invalid(changes: dict[str, Any]):
    token = jwt.encode(payload(**changes), KEY.private, algorithm="EdDSA")
    with pytest.raises(TokenInvalid):
        tokens().verify(token, audience="citizens", at=NOON)


def test_a_list_of_audiences_is_no_audience_of_ours():
    token = jwt.encode(payload(aud=["citizens", "officers"]), KEY.private, algorithm="EdDSA")
    with pytest.raises(WrongAudience):
        tokens().verify(token, audience="citizens", at=NOON)


def test_a_token_without_signature_or_under_a_shared_secret_is_invalid():
    unsigned = jwt.encode(payload(), "", algorithm="none")
    shared = jwt.encode(payload(), base64url.encode(KEY.public), algorithm="HS256")
    for token in (unsigned, shared):
        with pytest.raises(TokenInvalid):
            tokens().verify(token, audience="citizens", at=NOON)


@MODERATE
@given(st.data())
def test_an_altered_token_is_invalid(data: st.DataObject):
    token = issued()
    at = data.draw(st.integers(0, len(token) - 1))
    altered = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
    with pytest.raises(TokenInvalid):
        tokens().verify(altered, audience="citizens", at=NOON)


@MODERATE
@given(st.text(max_size=60) | st.lists(st.text(max_size=20).map(lambda t: base64url.encode(t.encode()))).map(".".join))
def test_stray_text_is_no_token(text: str):
    with pytest.raises(TokenInvalid):
        tokens().verify(text, audience="citizens", at=NOON)


@pytest.mark.parametrize(
    "part", [b"[" * 3000, b'{"a":' * 500, b"null", b"7", b'{"alg":"EdDSA","crit":7}', b'{"alg":7}']
)
def test_a_hostile_header_is_invalid_and_no_crash(part: bytes):
    for token in (f"{base64url.encode(part)}.e30.AAAA", f"{issued().split('.')[0]}.{base64url.encode(part)}.AAAA"):
        with pytest.raises(TokenInvalid):
            tokens().verify(token, audience="citizens", at=NOON)


def test_an_overlong_token_is_not_even_read():
    with pytest.raises(TokenInvalid):
        tokens().verify("a" * 5000, audience="citizens", at=NOON)
