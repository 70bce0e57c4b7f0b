"""Signed answers between nodes: each is bound to its request, and a 200 is the receipt."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from server.crypto.signature_base import Message, SignedMessage, content_digest, header_value, sign_message
from server.crypto.signatures import REQUEST, KnownKey, RequestReference, UnknownKey, check_digest, verify_message
from server.crypto.suites import SigningKey

RECEIPT = "tongban-1-receipt"
PART = 206


@dataclass(frozen=True)
class Answer:
    """An answer to sign; `content_range` is there if, and only if, it is a part (206)."""

    status: int
    content_type: str
    body: bytes
    content_range: str = ""


@dataclass(frozen=True)
class ReceivedAnswer:
    """An answer as it arrived."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Receipt:
    """That `sender` gave this very request this status, signed at `created` by its key `signer`."""

    sender: str
    signer: str
    status: int
    created: datetime
    base: bytes
    signature: bytes


def sign_answer(
    key: SigningKey, answer: Answer, *, request: RequestReference, at: datetime, nonce: str
) -> SignedMessage:
    """The headers of the answer to a verified request (`Proof.asked`)."""
    headers = {"Content-Type": answer.content_type, "Content-Digest": content_digest(answer.body)}
    headers |= {"Content-Range": answer.content_range} if answer.status == PART else {}
    sent = ReceivedAnswer(answer.status, headers, answer.body)
    return sign_message(key, _message(sent, request), at=at, nonce=nonce)


def verify_answer(
    answer: ReceivedAnswer,
    *,
    request: RequestReference,
    sender: str,
    directory_key: Callable[[str], KnownKey | None],
    at: datetime,
) -> Receipt:
    """The receipt for the request that we signed (`SignedRequest.asked`) and sent to the node of `sender`.

    Raises the refusals of signatures.py; an answer signed by another node is from an UnknownKey.
    """
    message = _message(answer, request)
    verified = verify_message(message, directory_key=directory_key, at=at)
    check_digest(message.components['"content-digest"'], answer.body)
    if verified.by.sender != sender:
        raise UnknownKey
    return Receipt(
        sender=sender,
        signer=verified.by.key.id,
        status=answer.status,
        created=datetime.fromtimestamp(verified.parameters.created, UTC),
        base=verified.base,
        signature=verified.signature,
    )


def _message(answer: ReceivedAnswer, request: RequestReference) -> Message:
    names = ("content-type", "content-digest", *(("content-range",) if answer.status == PART else ()))
    repeated = {
        f'"signature";req;key="{REQUEST}"': request.signature,
        '"content-digest";req': request.content_digest,
        '"exchange-root";req': request.exchange_root,
    }
    components = {
        '"@status"': str(answer.status),
        **{f'"{name}"': header_value(answer.headers, name) for name in names},
        **{name: value for name, value in repeated.items() if value},
    }
    return Message(RECEIPT, components, answer.headers)
