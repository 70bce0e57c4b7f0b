"""Sealed documents: the sensitive parts of a value are encrypted on their way into the store and opened on the way out.

A sealed text stands as `{"~": "<base64url>"}`, bound to its place: the case (or whatever the document is of) and the
path inside it. So it can neither be read nor moved, and opening needs no knowledge of the value's type.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from server.crypto.fields import DataKey, FieldRing
from server.domain.exchange.letters import Letter, LetterErased
from server.domain.exchange.log import own_id
from server.domain.values import SENSITIVE, Value, moment_key, moment_text

SEAL = "~"


def sealed(value: Value, key: DataKey, place: str) -> dict[str, Any]:
    """The value as a document of plain JSON types, with all that is marked SENSITIVE sealed under its path."""
    document = value.model_dump(mode="json")
    _seal_inside(value, document, key, place=place)
    return document


def opened(document: Any, key: DataKey, place: str) -> Any:
    """The same document with every seal opened; SealBroken if one was altered or moved."""
    if isinstance(document, dict):
        if document.keys() == {SEAL}:
            return key.open(document[SEAL], place)
        return {
            name: opened(inner, key, f"{place}/{name}") if isinstance(inner, dict | list) else inner
            for name, inner in document.items()
        }
    if isinstance(document, list):
        return [opened(inner, key, f"{place}/{index}") for index, inner in enumerate(document)]
    return document


def key_kept(document: Mapping[str, Any], ring: FieldRing) -> DataKey:
    """The data key of a document that is written again, wrapped by the current key: its other seals stay readable."""
    id = document["_id"]
    return ring.key(ring.rewrapped(document["data_key"], id), id)


def sealed_letter(letter: Letter, key: DataKey, *, context: str, text: bytes | None = None) -> dict[str, Any]:
    """A letter as it is stored, its canonical text (that came, or else is made) once and for good.

    `context` is what the data key is bound to: what the letter is about, or the letter itself.
    """
    return {
        "_id": letter.id,
        "to": letter.to,
        "kind": letter.kind,
        "about": f"{letter.about.kind}:{letter.about.name}" if letter.about else "",
        "at": moment_key(letter.at),
        "text": key.seal(text.decode() if text else letter.text(), letter.id),
        "data_key": key.wrapped,
        "context": context,
    }


def erased_letter(letter: Mapping[str, Any], *, at: datetime) -> dict[str, Any]:
    """What is left of a letter, wherever it stands, when its case is erased: all but its text and the key to it."""
    kept = {name: value for name, value in letter.items() if name not in ("text", "data_key")}
    return {**kept, "erased_at": moment_text(at)}


def is_erased_letter(letter: Mapping[str, Any]) -> bool:
    """Whether the text of a letter was erased with its case."""
    return "erased_at" in letter


def letter_text(document: Mapping[str, Any], ring: FieldRing) -> bytes:
    """The canonical bytes that `sealed_letter` wrote; LetterErased, and SealBroken if they were altered or moved."""
    if is_erased_letter(document):
        raise LetterErased
    key = ring.key(document["data_key"], document["context"])
    return key.open(document["text"], own_id(document["_id"])).encode()


def opened_letter(document: Mapping[str, Any], ring: FieldRing) -> Letter:
    """The letter that `sealed_letter` wrote; LetterErased, and SealBroken if it was altered or moved."""
    return Letter.model_validate_json(letter_text(document, ring))


def _seal_inside(value: Value, document: dict[str, Any], key: DataKey, *, place: str) -> None:
    for name, field in type(value).model_fields.items():
        inner, path = getattr(value, name), f"{place}/{name}"
        if SENSITIVE in field.metadata:
            document[name] = _seal(document[name], key, path)
        elif isinstance(inner, Value):
            _seal_inside(inner, document[name], key, place=path)
        elif isinstance(inner, tuple):
            for index, (each, written) in enumerate(zip(inner, document[name], strict=True)):
                if isinstance(each, Value):
                    _seal_inside(each, written, key, place=f"{path}/{index}")


def _seal(written: Any, key: DataKey, path: str) -> Any:
    if isinstance(written, Mapping):
        return {name: _seal(inner, key, f"{path}/{name}") for name, inner in written.items()}
    if isinstance(written, list):
        return [_seal(inner, key, f"{path}/{index}") for index, inner in enumerate(written)]
    return {SEAL: key.seal(written, path)}
