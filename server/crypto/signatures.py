"""Signed requests between nodes, by one strict profile of RFC 9421; receipts.py has the answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from server.crypto.signature_base import (
    ALGORITHM,
    LONGEST_LIFETIME,
    Message,
    NotInProfile,
    Parameters,
    SignatureHeaders,
    Signed,
    authority_of,
    byte_sequence,
    content_digest,
    header_value,
    read_bytes,
    read_signature,
    sign_message,
    signature_base,
)
from server.crypto.suites import SigningKey, VerifyKey
from server.domain.errors import Unproven, Unsupported
from server.domain.names import moment_text

REQUEST = "tongban-1"
ENCRYPTED = "application/jose"
OLDEST = 300
FURTHEST_AHEAD = 60
ROOT_BYTES = 32


class NotSigned(Unproven):
    """The message carries no signature."""

    title = "请求未签名"


class SignatureInvalid(Unproven):
    """The signature does not fit the message, or its form is not that of the profile."""

    title = "签名无效"


class UnknownKey(Unproven):
    """The directory knows no such key, or not now."""

    title = "签名密钥不在目录中"


class ComponentMissing(Unproven):
    """The signature does not cover exactly what the profile covers."""

    title = "签名覆盖范围不符合约定"


class DigestMismatch(Unproven):
    """The body is not the one that was signed."""

    title = "内容摘要不符"


class SignatureExpired(Unproven):
    """The signature says itself that it is over."""

    title = "签名已过期"


class NotEncrypted(Unsupported):
    """The body of a request between nodes must be a sealed envelope."""

    title = "请求内容未加密"


class ClockSkew(Unproven):
    """The clocks of both nodes disagree beyond the window; `seconds` is theirs minus ours."""

    title = "双方时钟相差过大"

    def __init__(self, ours: datetime, seconds: int) -> None:
        detail = f"本节点时间为 {moment_text(ours)}，对方时间相差 {seconds} 秒"
        super().__init__(detail, more={"time": moment_text(ours), "seconds": seconds})
        self.ours = ours
        self.seconds = seconds


@dataclass(frozen=True)
class Outgoing:
    """A request to sign: `url` is the peer's configured origin with the path, `exchange_root` is `:base64:`."""

    method: str
    url: str
    content_type: str
    body: bytes
    exchange_root: str


@dataclass(frozen=True)
class Received:
    """A request as it arrived; `origin` is our configured one, never the Host header; `query` is without `?`."""

    method: str
    origin: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class KnownKey:
    """A key that the directory holds valid now, with the division of the node it belongs to."""

    sender: str
    key: VerifyKey


@dataclass(frozen=True)
class Asked:
    """What an answer repeats of its request, each as the text of a structured field."""

    signature: str
    content_digest: str
    exchange_root: str


@dataclass(frozen=True)
class SignedRequest(Signed):
    """A signed request, which also knows what its answer must repeat."""

    asked: Asked


@dataclass(frozen=True)
class Proof:
    """Who sent a request, which bytes prove it, and what they cover (`content-type` -> value).

    `root` is the root of the letters' tree that the sender vouches for, 32 bytes.
    """

    sender: str
    key: VerifyKey
    covered: Mapping[str, str]
    root: bytes
    created: datetime
    expires: datetime
    nonce: str
    directory_version: int
    base: bytes
    signature: bytes

    @property
    def asked(self) -> Asked:
        """What the answer to this request must repeat."""
        return Asked(byte_sequence(self.signature), self.covered["content-digest"], self.covered["exchange-root"])


@dataclass(frozen=True)
class Verified:
    """A message's true signature: whose it is, what it says of itself, and the bytes."""

    by: KnownKey
    parameters: Parameters
    base: bytes
    signature: bytes


def sign_request(
    key: SigningKey, request: Outgoing, *, at: datetime, nonce: str, lifetime_seconds: int = LONGEST_LIFETIME
) -> SignedRequest:
    """The headers of one attempt to send a request; ValueError for an address or a header that cannot be signed."""
    url = urlsplit(request.url)
    headers = {
        "Content-Type": request.content_type,
        "Content-Digest": content_digest(request.body),
        "Exchange-Root": request.exchange_root,
    }
    sent = Received(request.method, request.url, url.path, url.query, headers, request.body)
    signed = sign_message(key, _message(sent), at=at, nonce=nonce, lifetime_seconds=lifetime_seconds)
    asked = Asked(byte_sequence(signed.signature), headers["Content-Digest"], request.exchange_root)
    return SignedRequest(signed.headers, signed.base, signed.signature, asked)


def verify_request(
    received: Received,
    *,
    directory_key: Callable[[str], KnownKey | None],
    at: datetime,
    directory_version: int,
) -> Proof:
    """Who sent this request; `directory_key` knows the keys that are valid now, by id.

    Raises one of the refusals above. Remembering the nonce, after this, is the caller's part.
    """
    message = _message(received)
    verified = verify_message(message, directory_key=directory_key, at=at)
    covered = {name.strip('"'): value for name, value in message.components.items()}
    if covered["content-type"] != ENCRYPTED:
        raise NotEncrypted
    try:
        root = read_bytes(covered["exchange-root"], ROOT_BYTES)
    except NotInProfile as fault:
        raise SignatureInvalid from fault
    return Proof(
        sender=verified.by.sender,
        key=verified.by.key,
        covered=covered,
        root=root,
        created=datetime.fromtimestamp(verified.parameters.created, UTC),
        expires=datetime.fromtimestamp(verified.parameters.expires, UTC),
        nonce=verified.parameters.nonce,
        directory_version=directory_version,
        base=verified.base,
        signature=verified.signature,
    )


def _message(request: Received) -> Message:
    components = {
        '"@method"': request.method,
        '"@authority"': authority_of(request.origin),
        '"@path"': request.path or "/",
        '"@query"': f"?{request.query}",
        '"content-type"': header_value(request.headers, "content-type"),
        '"content-digest"': header_value(request.headers, "content-digest"),
        '"exchange-root"': header_value(request.headers, "exchange-root"),
    }
    return Message(REQUEST, components, request.headers, request.body)


def verify_message(message: Message, *, directory_key: Callable[[str], KnownKey | None], at: datetime) -> Verified:
    """The one true signature of a message that covers exactly its components; a refusal otherwise."""
    signed = _signature_of(message)
    known = directory_key(signed.parameters.keyid)
    if known is None:
        raise UnknownKey
    if message.components['"content-digest"'] != content_digest(message.body):
        raise DigestMismatch
    try:
        base = signature_base(message.components, signed.params)
    except NotInProfile as fault:
        raise SignatureInvalid from fault
    if not known.key.verify(signed.signature, base):
        raise SignatureInvalid
    _check_times(signed.parameters, at)
    return Verified(known, signed.parameters, base, signed.signature)


def _signature_of(message: Message) -> SignatureHeaders:
    """The signature in the message's headers, after all checks that need neither key nor clock."""
    described, given = header_value(message.headers, "signature-input"), header_value(message.headers, "signature")
    if not described or not given:
        raise NotSigned
    try:
        signed = read_signature(described, given)
    except NotInProfile as fault:
        raise SignatureInvalid from fault
    if signed.covered != " ".join(message.components) or "" in message.components.values():
        raise ComponentMissing
    parameters = signed.parameters
    if (signed.label, parameters.tag, parameters.alg) != (message.label, message.label, ALGORITHM):
        raise SignatureInvalid
    if not 0 < parameters.expires - parameters.created <= LONGEST_LIFETIME:
        raise SignatureInvalid
    return signed


def _check_times(parameters: Parameters, at: datetime) -> None:
    ahead = parameters.created - at.timestamp()
    if not -OLDEST <= ahead <= FURTHEST_AHEAD:
        raise ClockSkew(at, round(ahead))
    if at.timestamp() > parameters.expires:
        raise SignatureExpired
