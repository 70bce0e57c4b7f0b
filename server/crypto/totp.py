"""Codes of an authenticator (TOTP, RFC 6238): six digits of SHA-1 for each thirty seconds, as every app shows them."""

import base64
from datetime import datetime

from cryptography.hazmat.primitives.constant_time import bytes_eq
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

DIGITS = 6
STEP_SECONDS = 30
NEIGHBOURS = (0, -1, 1)  # RFC 6238, section 5.2: a code may be on its way when its step ends, and clocks differ


def secret_text(secret: bytes) -> str:
    """The secret as it is typed into an authenticator: base32."""
    return base64.b32encode(secret).decode()


def provisioning_uri(secret: str, *, name: str, issuer: str) -> str:
    """The address that an authenticator reads as a QR code."""
    return _of(secret).get_provisioning_uri(name, issuer)


def code_at(secret: str, at: datetime) -> str:
    """The code of this moment."""
    return _of(secret).generate(at.timestamp()).decode()


def step_of(secret: str, code: str, *, at: datetime, after: int) -> int | None:
    """The number of the step whose code this is, if it is the present one or next to it, and later than `after`.

    A step that was used once is not later than itself: so no code is good twice.
    """
    now, one_time = int(at.timestamp()) // STEP_SECONDS, _of(secret)
    for step in (now + each for each in NEIGHBOURS):
        is_right = bytes_eq(one_time.generate(step * STEP_SECONDS), code.encode())
        if is_right and step > after:
            return step
    return None


def _of(secret: str) -> TOTP:
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 # what authenticators know
