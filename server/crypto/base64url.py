"""Base64url without padding (RFC 4648, section 5), read strictly."""

import base64
import binascii

_FOREIGN = ("+", "/", "=")


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes; ValueError for every text that `encode` would not have written."""
    if any(sign in text for sign in _FOREIGN):
        raise ValueError("not base64url without padding")
    data = binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), strict_mode=True)
    if len(data) % 3 and not text.endswith(encode(data[-(len(data) % 3) :])):
        raise ValueError("not base64url without padding")  # bits are set that no byte needs
    return data
