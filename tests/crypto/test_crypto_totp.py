"""Codes of an authenticator."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from server.crypto.totp import code_at, provisioning_uri, secret_text, step_of

# RFC 6238, appendix B: the secret of its table for SHA-1, and the last six of the eight digits that it gives.
SECRET = base64.b32encode(b"12345678901234567890").decode()
TABLE = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037"}
NOW = datetime(2026, 11, 23, 4, 0, 10, tzinfo=UTC)
STEP = int(NOW.timestamp()) // 30


@pytest.mark.parametrize(("seconds", "code"), TABLE.items())
def test_codes_are_those_of_the_standard(seconds: int, code: str):
    assert code_at(SECRET, datetime.fromtimestamp(seconds, UTC)) == code


@pytest.mark.parametrize(("late", "step"), [(-60, None), (-30, STEP - 1), (0, STEP), (30, STEP + 1), (60, None)])
def test_a_code_is_good_in_its_own_step_and_the_two_beside_it(late: int, step: int | None):
    code = code_at(SECRET, NOW + timedelta(seconds=late))
    assert step_of(SECRET, code, at=NOW, after=0) == step


def test_a_step_that_was_used_and_all_before_it_are_over():
    code = code_at(SECRET, NOW)
    assert step_of(SECRET, code, at=NOW, after=STEP) is None
    assert step_of(SECRET, code, at=NOW, after=STEP + 1) is None
    assert step_of(SECRET, code, at=NOW, after=STEP - 1) == STEP


@pytest.mark.parametrize("code", ["", "000", "数字", "1234567890", "000000 "])
def test_any_other_text_is_no_code(code: str):
    assert step_of(SECRET, code, at=NOW, after=0) is None


def test_an_authenticator_can_read_the_address():
    secret = secret_text(bytes(range(20)))
    address = urlsplit(provisioning_uri(secret, name="赵敏", issuer="Tongban 320000"))
    asked = parse_qs(address.query)
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert (asked["secret"], asked["digits"], asked["period"]) == ([secret], ["6"], ["30"])
    assert asked["issuer"] == ["Tongban 320000"]
