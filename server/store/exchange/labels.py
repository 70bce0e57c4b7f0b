"""What stands outside of stored letters: enough to list, show and annul one that does not open, or was erased."""

from server.crypto.fields import FieldRing, SealBroken
from server.domain.exchange.letters import About, LetterErased
from server.domain.exchange.log import BEGINNING, STREAM, LetterLabel, Position
from server.domain.values import moment_of_key
from server.store.database import Document
from server.store.sealing import opened_letter
from server.store.unproven import is_proven


def label_of(document: Document, ring: FieldRing | None, *, peer: str, number: str) -> LetterLabel:
    """The label of a letter as it is stored; `peer` and `number` (that of its batch) are the members that tell them.

    Without a ring it is not opened. Of one that is not ours as it stands only its id and its state are known.
    """
    if not is_proven(document):
        told = {name: document[name] for name in ("state", "reason", "round")}
        return LetterLabel(document["_id"], "", "", None, None, **told, position=BEGINNING, letter=None)
    kind, is_about, name = document["about"].partition(":")
    try:
        letter = opened_letter(document, ring) if ring else None
    except (SealBroken, LetterErased):
        letter = None
    about = About(kind=kind, name=name, part=None) if is_about else None
    return LetterLabel(
        id=document["_id"],
        peer=document[peer],
        kind=document["kind"],
        about=letter.about if letter else about,
        at=moment_of_key(document["at"]),
        state=document["state"],
        reason=document["reason"],
        round=document["round"],
        position=Position(document["stream"] or STREAM, document[number]),
        letter=letter,
    )
