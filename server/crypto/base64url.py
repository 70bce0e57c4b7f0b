"""Base64url without padding (RFC 4648, section 5), read strictly."""

import binascii

_TO_URL = bytes.maketrans(b"+/", b"-_")


def encode(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL, b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes; ValueError for every text that `encode` would not have written."""
    if "+" in text or "/" in text or "=" in text:
        raise ValueError("not base64url without padding")
    data = binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), strict_mode=True)
    if len(data) % 3 and not text.endswith(encode(data[-(len(data) % 3) :])):
        raise ValueError("not base64url without padding")  # bits are set that no byte needs
    return data
