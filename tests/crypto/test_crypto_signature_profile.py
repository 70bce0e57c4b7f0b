"""The strict profile of signed requests: true signatures in another form, and hostile messages, are refused."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.crypto.signature_base import (
    Parameters,
    byte_sequence,
    signature_base,
)
from server.crypto.signatures import (
    ClockSkew,
    ComponentMissing,
    DigestMismatch,
    NotEncrypted,
    NotSigned,
    SignatureExpired,
    SignatureInvalid,
    UnknownKey,
    sign_request,
)
from server.domain.errors import Unproven, Unsupported
from tests.crypto.signed_requests import (
    COMPONENTS,
    HEADERS,
    KEY,
    NAMES,
    NOON,
    ORIGIN,
    changed,
    of_components,
    outgoing,
    received,
    signed,
    verified,
)

MODERATE = settings(max_examples=150, derandomize=True, deadline=None)


@pytest.mark.parametrize("left_out", NAMES)
def test_a_true_signature_that_covers_less_is_refused(left_out: str):
    components = {name: value for name, value in COMPONENTS.items() if name != f'"{left_out}"'}
    with pytest.raises(ComponentMissing):
        verified(received(of_components(components)))


def test_a_true_signature_that_covers_more_or_in_another_order_is_refused():
    for components in (
        {**COMPONENTS, '"@scheme"': "https"},
        dict(reversed(COMPONENTS.items())),
        {},
    ):
        with pytest.raises(ComponentMissing):
            verified(received(of_components(components)))


@pytest.mark.parametrize("name", HEADERS)
def test_a_request_without_a_covered_header_is_refused(name: str):
    headers = {key: value for key, value in signed().headers.items() if key != name}
    with pytest.raises(ComponentMissing):
        verified(received(headers))


def test_a_true_signature_under_another_label_or_tag_is_refused():
    headers = of_components(COMPONENTS, label="tongban-1-receipt")
    relabelled = {name: value.replace("tongban-1-receipt=", "tongban-1=") for name, value in headers.items()}
    for carried in (headers, relabelled):
        with pytest.raises(SignatureInvalid):
            verified(received(carried))


def test_a_true_signature_whose_unsigned_label_was_changed_is_refused():
    relabelled = {name: value.replace("tongban-1=", "other=", 1) for name, value in signed().headers.items()}
    with pytest.raises(SignatureInvalid):
        verified(received(relabelled))


@pytest.mark.parametrize("alg", ["ed25519", "hmac-sha256", "rsa-v1_5-sha256"])
def test_a_true_signature_that_names_another_algorithm_is_refused(alg: str):
    created = int(NOON.timestamp())
    params = Parameters(created, created + 300, "n-1", KEY.id, alg, "tongban-1").written(COMPONENTS)
    signature = byte_sequence(KEY.sign(signature_base(COMPONENTS, params)))
    headers = {**HEADERS, "Signature-Input": f"tongban-1={params}", "Signature": f"tongban-1={signature}"}
    if alg == "ed25519":
        assert verified(received(headers)).nonce == "n-1"
    else:
        with pytest.raises(SignatureInvalid):
            verified(received(headers))


def test_a_second_signature_in_one_message_is_refused():
    headers = dict(signed().headers)
    twice = {name: f"{headers[name]}, {headers[name].replace('tongban-1=', 'other=', 1)}" for name in headers}
    with pytest.raises(SignatureInvalid):
        verified(received({**headers, "Signature-Input": twice["Signature-Input"], "Signature": twice["Signature"]}))
    with pytest.raises(SignatureInvalid):
        verified(received({**headers, "signature": headers["Signature"]}))


@pytest.mark.parametrize(("seconds", "is_within"), [(300, True), (301, False), (0, False), (-1, False)])
def test_a_signature_lives_at_most_five_minutes(seconds: int, is_within: bool):
    sent = sign_request(KEY, outgoing(), at=NOON, nonce="n-1", lifetime_seconds=seconds)
    if is_within:
        assert verified(received(dict(sent.headers))).expires == NOON + timedelta(seconds=seconds)
    else:
        with pytest.raises(SignatureInvalid):
            verified(received(dict(sent.headers)))


@pytest.mark.parametrize("age", [-60, 0, 299, 300])
def test_a_request_within_the_window_is_proven(age: int):
    assert verified(received(), at=NOON + timedelta(seconds=age)).created == NOON


@pytest.mark.parametrize(("age", "seconds"), [(-61, 61), (-86_400, 86_400), (301, -301), (86_400, -86_400)])
def test_a_request_outside_of_the_window_is_clock_skew_with_our_time(age: int, seconds: int):
    ours = NOON + timedelta(seconds=age)
    with pytest.raises(ClockSkew) as caught:
        verified(received(), at=ours)
    assert caught.value.code == "clock_skew"
    assert (caught.value.ours, caught.value.seconds) == (ours, seconds)
    assert f"{ours:%Y-%m-%dT%H:%M:%S}.000Z" in caught.value.detail


def test_an_altered_request_outside_of_the_window_learns_nothing_of_our_clock():
    with pytest.raises(SignatureInvalid):
        verified(received(changed("Signature-Input", 'nonce="n-1"', 'nonce="n-2"')), at=NOON + timedelta(days=1))


def test_a_signature_that_is_over_has_expired():
    sent = sign_request(KEY, outgoing(), at=NOON, nonce="n-1", lifetime_seconds=30)
    assert verified(received(dict(sent.headers)), at=NOON + timedelta(seconds=30)).nonce == "n-1"
    with pytest.raises(SignatureExpired):
        verified(received(dict(sent.headers)), at=NOON + timedelta(seconds=31))


@pytest.mark.parametrize("content_type", ["application/json", "application/jose+json", "application/jose; a=b"])
def test_a_true_signature_over_an_open_body_is_not_encrypted(content_type: str):
    sent = signed(content_type=content_type)
    with pytest.raises(NotEncrypted) as caught:
        verified(received(dict(sent.headers)))
    assert caught.value.code == "not_encrypted"


@pytest.mark.parametrize("root", ["text", ":AAAA:", byte_sequence(bytes(33)), "AAAA"])
def test_a_true_signature_over_what_is_no_root_is_refused(root: str):
    with pytest.raises(SignatureInvalid):
        verified(received(dict(signed(exchange_root=root).headers)))


def test_an_address_or_value_that_cannot_be_signed_is_a_fault_of_ours():
    for changes in ({"url": "node.zj.example"}, {"url": f"{ORIGIN}/办"}, {"exchange_root": ""}, {"method": ""}):
        with pytest.raises(ValueError, match=r".+"):
            signed(**changes)


def test_every_refusal_has_its_own_code_and_title():
    refusals = [
        NotSigned, SignatureInvalid, UnknownKey, ComponentMissing, DigestMismatch, SignatureExpired, ClockSkew,
    ]  # fmt: skip
    assert all(issubclass(refusal, Unproven) for refusal in refusals)
    assert issubclass(NotEncrypted, Unsupported)
    whole = [*refusals, NotEncrypted]
    assert len({refusal.code for refusal in whole}) == len({refusal.title for refusal in whole}) == len(whole)


HOSTILE = st.text(max_size=60) | st.sampled_from(
    ["", ":", "tongban-1=", "tongban-1=()", 'tongban-1=("@method");created=9', "::", ", ", "\x00", "é", "a" * 9000]
)


@MODERATE
@given(st.dictionaries(st.sampled_from(sorted(signed().headers)), HOSTILE, min_size=1), st.data())
def test_hostile_headers_are_refused_and_never_crash(hostile: dict[str, str], data: st.DataObject):
    headers = dict(signed().headers)
    spliced = dict(headers)
    for name, text in hostile.items():
        at = data.draw(st.integers(0, len(headers[name])))
        spliced[name] = headers[name][:at] + text + headers[name][at:]
    for given_headers in ({**headers, **hostile}, hostile, spliced):
        if given_headers != headers:
            with pytest.raises((Unproven, Unsupported)):
                verified(received(given_headers))


@MODERATE
@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.binary(max_size=20))
def test_hostile_request_lines_are_refused_and_never_crash(method: str, path: str, query: str, body: bytes):
    for request in (
        received(method=method),
        received(path=f"/{path}"),
        received(query=f"{query}&"),
        received(body=body),
    ):
        with pytest.raises(Unproven):
            verified(request)
