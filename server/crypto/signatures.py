"""Signed requests between nodes, by one strict profile of RFC 9421; receipts.py has the answers.

A request is judged in two steps. Its signature covers its headers, and the body by the digest in them, so it is
verified before a byte of the body is taken (`verify_request`, `verify_sender`). What that answers is no proof yet: it
becomes one with the body that has this digest (`prove_request`, `prove_sender`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from urllib.parse import urlsplit

from server.crypto.signature_base import (
    ALGORITHM,
    LONGEST_LIFETIME,
    Message,
    NotInProfile,
    Parameters,
    SignatureHeaders,
    SignedMessage,
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
from server.domain.values import moment_text

REQUEST = "tongban-1"
OF_BODY = ("content-type", "content-digest", "exchange-root")
EMPTY = content_digest(b"")
ENCRYPTED = "application/jose"
OLDEST = 300
FURTHEST_AHEAD = 60
ROOT_BYTES = 32


class NotSigned(Unproven):
    """The message carries no signature."""

    code = "not_signed"
    title = "请求未签名"


class SignatureInvalid(Unproven):
    """The signature does not fit the message, or its form is not that of the profile."""

    code = "signature_invalid"
    title = "签名无效"


class UnknownKey(Unproven):
    """The directory knows no such key, or not now."""

    code = "unknown_key"
    title = "签名密钥不在目录中"


class ComponentMissing(Unproven):
    """The signature does not cover exactly what the profile covers."""

    code = "component_missing"
    title = "签名覆盖范围不符合约定"


class DigestMismatch(Unproven):
    """The body is not the one that was signed."""

    code = "digest_mismatch"
    title = "内容摘要不符"


class SignatureExpired(Unproven):
    """The signature says itself that it is over."""

    code = "signature_expired"
    title = "签名已过期"


class NotEncrypted(Unsupported):
    """The body of a request between nodes must be a sealed envelope."""

    code = "not_encrypted"
    title = "请求内容未加密"


class ClockSkew(Unproven):
    """The clocks of both nodes disagree beyond the window; `seconds` is theirs minus ours."""

    code = "clock_skew"
    title = "双方时钟相差过大"

    def __init__(self, ours: datetime, seconds: int) -> None:
        detail = f"本节点时间为 {moment_text(ours)}，对方时间相差 {seconds} 秒。"
        super().__init__(detail, more={"time": moment_text(ours), "seconds": seconds})
        self.ours = ours
        self.seconds = seconds


@dataclass(frozen=True)
class OutgoingRequest:
    """A request to sign: `url` is the peer's configured origin with the path, `exchange_root` is `:base64:`."""

    method: str
    url: str
    content_type: str
    body: bytes
    exchange_root: str


@dataclass(frozen=True)
class ReceivedRequest:
    """The head of a request; `origin` is our configured one, never the Host header; `query` is without `?`."""

    method: str
    origin: str
    path: str
    query: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class KnownKey:
    """A key that the directory holds valid now, with the division of the node it belongs to."""

    sender: str
    key: VerifyKey


KeyOf = Callable[[str], KnownKey | None]


@dataclass(frozen=True)
class RequestReference:
    """What an answer repeats of its request, each as the text of a structured field; empty what it does not have."""

    signature: str
    content_digest: str = ""
    exchange_root: str = ""


@dataclass(frozen=True)
class SignedRequest(SignedMessage):
    """A signed request, which also knows what its answer must repeat."""

    asked: RequestReference


@dataclass(frozen=True)
class TrueHeaders:
    """Who signed the headers of a request, which bytes prove it, and what they cover (`content-type` -> value)."""

    sender: str
    key: VerifyKey
    covered: Mapping[str, str]
    created: datetime
    expires: datetime
    nonce: str
    directory_version: int
    base: bytes
    signature: bytes


class Announced(TrueHeaders):
    """A request with true headers, whose body has not been compared with them."""


@dataclass(frozen=True)
class AnnouncedBatch(Announced):
    """The same of a batch; `root` is that of the letters' tree, 32 bytes that the sender signed."""

    root: bytes


class Proven(TrueHeaders):
    """Who sent a request, as headers and body together prove it."""

    @property
    def asked(self) -> RequestReference:
        """What the answer to this request must repeat."""
        return _asked(self.covered, self.signature)


@dataclass(frozen=True)
class Proof(Proven):
    """The same of a batch; `root` is that of the letters' tree, 32 bytes that the sender signed."""

    root: bytes


@dataclass(frozen=True)
class Verified:
    """A message's true signature: whose it is, what it says of itself, and the bytes."""

    by: KnownKey
    parameters: Parameters
    base: bytes
    signature: bytes


def sign_request(
    key: SigningKey, request: OutgoingRequest, *, at: datetime, nonce: str, lifetime_seconds: int = LONGEST_LIFETIME
) -> SignedRequest:
    """The headers of one attempt to send a request; ValueError for an address or a header that cannot be signed."""
    url = urlsplit(request.url)
    values = (request.content_type, content_digest(request.body), request.exchange_root)
    headers = dict(zip(("Content-Type", "Content-Digest", "Exchange-Root"), values, strict=True))
    sent = ReceivedRequest(request.method, request.url, url.path, url.query, headers)
    return sign_as_received(key, sent, at=at, nonce=nonce, lifetime_seconds=lifetime_seconds)


def sign_as_received(
    key: SigningKey, sent: ReceivedRequest, *, at: datetime, nonce: str, lifetime_seconds: int = LONGEST_LIFETIME
) -> SignedRequest:
    """The headers of a request of any kind, written as its receiver will read it."""
    message = message_of(sent)
    signed = sign_message(key, message, at=at, nonce=nonce, lifetime_seconds=lifetime_seconds)
    return SignedRequest(signed.headers, signed.base, signed.signature, _asked(_covered(message), signed.signature))


def verify_request(
    received: ReceivedRequest, *, directory_key: KeyOf, at: datetime, directory_version: int
) -> AnnouncedBatch:
    """Who announces a batch by these headers; `directory_key` knows the keys that are valid now, by id.

    Raises one of the refusals above, but DigestMismatch.
    """
    announced = verify_sender(received, directory_key=directory_key, at=at, directory_version=directory_version)
    if announced.covered.get("content-type") != ENCRYPTED:
        raise NotEncrypted
    try:
        root = read_bytes(announced.covered["exchange-root"], ROOT_BYTES)
    except NotInProfile as fault:
        raise SignatureInvalid from fault
    return AnnouncedBatch(**vars(announced), root=root)


def prove_request(announced: AnnouncedBatch, body: bytes, *, at: datetime) -> Proof:
    """Who sent this batch and vouches for its letters, now that its body is here.

    Raises DigestMismatch, and SignatureExpired for a body that took longer than its signature lives: a nonce is not
    remembered much longer. Remembering it, after this, is the caller's part.
    """
    _check_body(announced, body, at)
    return Proof(**vars(announced))


def prove_sender(announced: Announced, body: bytes, *, at: datetime) -> Proven:
    """Who sent this request, whatever its kind, now that its body is here; raises what `prove_request` raises."""
    _check_body(announced, body, at)
    return Proven(**{each.name: getattr(announced, each.name) for each in fields(Proven)})


def verify_sender(
    received: ReceivedRequest, *, directory_key: KeyOf, at: datetime, directory_version: int
) -> Announced:
    """Who announces a request of whatever kind by these headers: `verify_request` without what only a batch has."""
    message = message_of(received)
    verified = verify_message(message, directory_key=directory_key, at=at)
    return Announced(
        sender=verified.by.sender,
        key=verified.by.key,
        covered=_covered(message),
        created=datetime.fromtimestamp(verified.parameters.created, UTC),
        expires=datetime.fromtimestamp(verified.parameters.expires, UTC),
        nonce=verified.parameters.nonce,
        directory_version=directory_version,
        base=verified.base,
        signature=verified.signature,
    )


def message_of(request: ReceivedRequest) -> Message:
    """What is covered of a request: where it goes, and of its body all; of a GET, which has none, a range if any."""
    names: tuple[str, ...] = OF_BODY
    if request.method == "GET":
        names = ("range",) if header_value(request.headers, "range") else ()
    components = {
        '"@method"': request.method,
        '"@authority"': authority_of(request.origin),
        '"@path"': request.path or "/",
        '"@query"': f"?{request.query}",
        **{f'"{name}"': header_value(request.headers, name) for name in names},
    }
    return Message(REQUEST, components, request.headers)


def _covered(message: Message) -> Mapping[str, str]:
    return {name.strip('"'): value for name, value in message.components.items()}


def _asked(covered: Mapping[str, str], signature: bytes) -> RequestReference:
    return RequestReference(
        byte_sequence(signature), covered.get("content-digest", ""), covered.get("exchange-root", "")
    )


def verify_message(message: Message, *, directory_key: KeyOf, at: datetime) -> Verified:
    """The one true signature of a message that covers exactly its components; a refusal otherwise.

    Whether the body has the covered digest is for `check_digest`.
    """
    signed = _signature_of(message)
    known = directory_key(signed.parameters.keyid)
    if known is None:
        raise UnknownKey
    try:
        base = signature_base(message.components, signed.params)
    except NotInProfile as fault:
        raise SignatureInvalid from fault
    if not known.key.verify(signed.signature, base):
        raise SignatureInvalid
    _check_times(signed.parameters, at)
    return Verified(known, signed.parameters, base, signed.signature)


def check_digest(covered: str | None, body: bytes) -> None:
    """Raises DigestMismatch if the body is not the one of the covered Content-Digest; without one it is empty."""
    if (covered or EMPTY) != content_digest(body):
        raise DigestMismatch


def _check_body(announced: Announced, body: bytes, at: datetime) -> None:
    check_digest(announced.covered.get("content-digest"), body)
    if at > announced.expires:
        raise SignatureExpired


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
