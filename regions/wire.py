"""The wire format of a batch: canonical JSON of its header and letters, and the root of their tree."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError

from server.crypto import merkle
from server.crypto.signature_base import byte_sequence
from server.domain.canonical import NotCanonical, canonical
from server.domain.errors import Forbidden, Malformed
from server.domain.exchange.letters import MOST_LETTERS, VERSION, Batch, Letter

PATH = "/peer/v1/log"
CONTENT_TYPE = "application/jose"
MOST_BODY_BYTES = 4 << 20
NO_LETTERS = b'"letters":[]'  # no other part of a batch can hold these bytes: a quote inside of a text is escaped


class BatchUnreadable(Malformed):
    """The batch, or a letter in it, is not what the protocol says."""

    code = "batch_unreadable"
    title = "批次格式不正确"


class VersionUnknown(Malformed):
    """The batch is of a version that this node does not speak."""

    code = "version_unknown"
    title = "协议版本不受支持"


class RootMismatch(Malformed):
    """The letters are not those whose root was signed."""

    code = "root_mismatch"
    title = "函件与签名的根不一致"


class SenderNotProven(Forbidden):
    """The batch or a letter names another sender than the one that the signature proves."""

    code = "sender_not_proven"
    title = "发件方与签名不一致"


class NotForUs(Forbidden):
    """The batch or a letter is addressed to another node."""

    code = "not_for_us"
    title = "收件方不是本节点"


def write(batch: Batch, letters: Sequence[bytes]) -> bytes:
    """The plaintext of a request; the letters' canonical bytes are put in as they are."""
    whole = canonical(batch.model_dump(by_alias=True) | {"letters": []})
    return whole.replace(NO_LETTERS, b'"letters":[' + b",".join(letters) + b"]", 1)


@dataclass(frozen=True)
class Arrived:
    """A letter that came, and its canonical bytes, which are a leaf of the signed root."""

    letter: Letter
    text: bytes


def read(plaintext: bytes) -> tuple[Batch, tuple[Arrived, ...]]:
    """The batch and its letters; raises VersionUnknown or BatchUnreadable.

    A letter or batch whose canonical form is not what came is refused: else it would have another hash here than there.
    """
    try:
        document = orjson.loads(plaintext)
        raw = document.pop("letters")
        version = document["v"]
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise BatchUnreadable("批次不是约定的格式。") from fault
    if not isinstance(raw, list) or len(raw) > MOST_LETTERS:
        raise BatchUnreadable(f"一个批次最多 {MOST_LETTERS} 封函件。")
    if any(spoken != VERSION for spoken in (version, *(each.get("v") for each in raw if isinstance(each, dict)))):
        raise VersionUnknown("不支持该协议版本。", more={"versions": [VERSION]})
    try:
        letters = tuple(Arrived(Letter.model_validate(each), canonical(each)) for each in raw)
        is_same = all(each.letter.text().encode() == each.text for each in letters)
        batch = Batch.model_validate(document)
        is_same = is_same and canonical(batch.model_dump(by_alias=True)) == canonical(document)
    except (ValidationError, NotCanonical) as fault:
        raise BatchUnreadable("批次或函件的字段不符合约定。") from fault
    if not is_same:
        raise BatchUnreadable("批次或函件不是规范形式。")
    return batch, letters


def root_of(letters: Sequence[bytes]) -> bytes:
    """The root of the RFC 6962 tree over the letters' canonical bytes, 32 bytes."""
    return merkle.root(letters)


def root_header(root: bytes) -> str:
    """The value of `Exchange-Root`."""
    return byte_sequence(root)


def check_parties(batch: Batch, letters: Iterable[Letter], *, sender: str, here: str) -> None:
    """Batch and letters come from the proven sender and go to us; raises SenderNotProven or NotForUs."""
    parties: list[Any] = [batch, *letters]
    if any(each.sender != sender for each in parties):
        raise SenderNotProven("发件方与签名不一致。")
    if any(each.to != here for each in parties):
        raise NotForUs("收件方不是本节点。")
