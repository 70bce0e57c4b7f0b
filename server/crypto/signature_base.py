"""Signatures over HTTP messages (RFC 9421, RFC 9530) in one strict form: what is signed, and how it is written."""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from server.crypto.suites import SigningKey

ALGORITHM = "ed25519"
LONGEST_LIFETIME = 300
SIGNATURE_BYTES = 64

# A label, the covered components, and parameters that are integers or plain strings. Other forms that RFC 8941
# allows (spaces, escapes, several members) are not read: nobody has to write them.
_LABEL = r"([a-z*][a-z0-9_.*-]{0,63})"
_VALUED = r'(?:(0|[1-9][0-9]{0,14})|"([ !#-\[\]-~]{1,128})")'
_INPUT = re.compile(_LABEL + rf"=(\(([^()\\]{{0,512}})\)((?:;[a-z]+={_VALUED})*))")
_PARAMETER = re.compile(rf";([a-z]+)={_VALUED}")
_SIGNATURE = re.compile(_LABEL + r"=(:[A-Za-z0-9+/=]{1,128}:)")
_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class NotInProfile(ValueError):
    """A value or header outside of the strict form."""


@dataclass(frozen=True)
class Parameters:
    """The parameters of a signature, all of them required; `created` and `expires` are Unix seconds."""

    created: int
    expires: int
    nonce: str
    keyid: str
    alg: str
    tag: str

    def written(self, components: Iterable[str]) -> str:
        """The value of `@signature-params` for these component identifiers."""
        return (
            f"({' '.join(components)});created={self.created};expires={self.expires}"
            f';nonce="{self.nonce}";keyid="{self.keyid}";alg="{self.alg}";tag="{self.tag}"'
        )


@dataclass(frozen=True)
class SignatureHeaders:
    """Signature-Input and Signature of one message; `covered` and `params` are texts as they were written."""

    label: str
    covered: str
    params: str
    parameters: Parameters
    signature: bytes


@dataclass(frozen=True)
class Message:
    """What a signature is about, request or answer: component identifiers (`"@method"`) with values, and headers."""

    label: str
    components: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class SignedMessage:
    """The headers to send, with the base and the signature to keep."""

    headers: Mapping[str, str]
    base: bytes
    signature: bytes


def signature_base(components: Mapping[str, str], params: str) -> bytes:
    """The bytes to sign: component identifiers (`"@method"`) with their values in order, then the parameters.

    NotInProfile for a value that is not plain ASCII: what cannot be read twice alike is not signed.
    """
    for value in components.values():
        if not _VALUE.fullmatch(value):
            raise NotInProfile("a covered value is empty or not plain ASCII")
    lines = [f"{name}: {value}" for name, value in components.items()]
    return "\n".join([*lines, f'"@signature-params": {params}']).encode("ascii")


def sign_message(
    key: SigningKey, message: Message, *, at: datetime, nonce: str, lifetime_seconds: int = LONGEST_LIFETIME
) -> SignedMessage:
    """The message's own headers with its signature; NotInProfile for what cannot be signed."""
    created = int(at.timestamp())
    parameters = Parameters(created, created + lifetime_seconds, nonce, key.id, ALGORITHM, message.label)
    params = parameters.written(message.components)
    if not _INPUT.fullmatch(f"{message.label}={params}"):
        raise NotInProfile("the nonce or the key's id cannot be written")
    base = signature_base(message.components, params)
    signature = key.sign(base)
    headers = {
        **message.headers,
        "Signature-Input": f"{message.label}={params}",
        "Signature": f"{message.label}={byte_sequence(signature)}",
    }
    return SignedMessage(headers, base, signature)


def read_signature(signature_input: str, signature: str) -> SignatureHeaders:
    """The one signature of a message; NotInProfile for several labels, unknown parameters and other forms."""
    described, given = _INPUT.fullmatch(signature_input), _SIGNATURE.fullmatch(signature)
    if not described or not given or described[1] != given[1]:
        raise NotInProfile("not one signature in the strict form")
    label, params, covered, tail = described.groups()[:4]
    return SignatureHeaders(label, covered, params, _parameters(tail), read_bytes(given[2], SIGNATURE_BYTES))


def _parameters(text: str) -> Parameters:
    found = [(name, int(number) if number else quoted) for name, number, quoted in _PARAMETER.findall(text)]
    values = dict(found)
    if len(found) != len(values) or set(values) != set(Parameters.__annotations__):
        raise NotInProfile("the parameters are not exactly those of the profile")
    parameters = Parameters(**values)
    for name, kind in Parameters.__annotations__.items():
        if not isinstance(values[name], kind):
            raise NotInProfile(f"the parameter {name} has another type")
    return parameters


def header_value(headers: Mapping[str, str], name: str) -> str:
    """The value of a header, whatever its case; several lines are joined (RFC 9110, 5.3), none is empty."""
    return ", ".join(value for key, value in headers.items() if key.lower() == name)


def byte_sequence(data: bytes) -> str:
    """A structured-field byte sequence: `:base64:`."""
    return f":{base64.b64encode(data).decode('ascii')}:"


def read_bytes(text: str, length: int) -> bytes:
    """The bytes of a byte sequence that is written as `byte_sequence` writes it; NotInProfile otherwise."""
    try:
        data = base64.b64decode(text[1:-1], validate=True)
    except ValueError as fault:
        raise NotInProfile("not a byte sequence") from fault
    if len(data) != length or byte_sequence(data) != text:
        raise NotInProfile(f"not a byte sequence of {length} bytes")
    return data


def content_digest(body: bytes) -> str:
    """The Content-Digest of a body (RFC 9530), with SHA-256."""
    return f"sha-256={byte_sequence(hashlib.sha256(body).digest())}"


def authority_of(url: str) -> str:
    """The `@authority` of a configured origin or URL: lower case, without the scheme's own port."""
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError(f"not an HTTP origin: {url}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return host if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{parts.port}"
