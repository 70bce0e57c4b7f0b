"""The chain of the audit in the store: where its entries wait, and what stands for them."""

from datetime import datetime
from hashlib import sha256

from server.domain.audit_chain import said_by
from server.domain.chains import Chained
from server.domain.values import moment_key
from server.store.chains import CHAINED, UNCHAINED, Chaining
from server.store.database import Document
from server.store.queries import AUDIT_UNCHAINED, BAR

AUDIT, CHAIN = "audit", "audit_chain"
NAME = "audit"
HEADS = "audit-heads"


def digest_of(id: str) -> str:
    """What stands for an entry's id in its keys: the id may tell a session's."""
    return sha256(id.encode()).hexdigest()[:16]


def waiting_key(at: datetime, digest: str) -> str:
    """The chain key of an entry that stands in no link yet."""
    return BAR.join((UNCHAINED, moment_key(at), digest))


def number_in(key: str) -> int:
    """The number of the link that an entry's chain key names; 0 if it names none."""
    state, _, place = key.partition(BAR)
    return int(place[1:]) if state == CHAINED and place[1:].isdigit() else 0


def chained(document: Document) -> Chained:
    """An entry as a link names it."""
    return Chained(id=document["_id"], sha256=said_by(document))


AUDIT_CHAIN = Chaining(NAME, CHAIN, AUDIT_UNCHAINED, chained)
