"""Letters and batches: what nodes tell each other, as canonical bytes that are made once and never rebuilt."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from server.domain.canonical import canonical, digest
from server.domain.chains import ChainHead
from server.domain.errors import Missing
from server.domain.values import Moment, Value, china_day

VERSION = 2
GENESIS = "0" * 64
MOST_LETTERS = 200
MOST_BYTES = 1 << 20

CASE = "case"
REFUSED, RETRY, ANNULLED = "letter.refused", "letter.retry", "letter.annulled"
WITNESSED = "head.witnessed"

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
LetterId = Hash
NodeCode = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{5}$")]


class LetterErased(Missing):
    """The text of this letter was erased here with its case; that it went or came is still known, and proven."""

    code = "letter_erased"
    title = "函件内容已随办件删除"


class About(Value):
    """What a letter is about: an aggregate of a kind (`case`), by the name that all nodes give it, or a part of it.

    The part of a case is a step, by the code of its item.
    """

    kind: str
    name: str
    part: str | None


class Letter(Value):
    """One message about one part of one aggregate, such as a step of a case.

    `after` is the id of the sender's previous letter about it to this node; `salt` (128 bits) keeps its leaf in the
    tree from being guessed. A letter that the receiver `may_ignore` is a courtesy: nothing waits for it to be
    understood. The `letter.*` kinds are about no aggregate and have no `after`.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    v: int = VERSION
    id: LetterId
    sender: NodeCode = Field(alias="from")
    to: NodeCode
    after: LetterId | None
    about: About | None
    kind: str
    may_ignore: bool = False
    at: Moment
    salt: str
    body: Mapping[str, Any]

    @property
    def unique_id(self) -> str:
        """The id among the letters of all nodes: its own one is unique for its sender only."""
        return unique_id(self.sender, self.id)

    @property
    def case(self) -> str | None:
        """The name of the case that it is about, or None."""
        return self.about.name if self.about and self.about.kind == CASE else None

    @property
    def step(self) -> str | None:
        """The step of the case that it is about, or None."""
        return self.about.part if self.about and self.about.kind == CASE else None

    def text(self) -> str:
        """The canonical form: what is stored, signed, sent again and proven later."""
        return canonical(self.model_dump(by_alias=True)).decode()


class Batch(Value):
    """One entry of the log between two nodes, without its letters, which stand beside it.

    `root` (hex) is that of the RFC 6962 tree over the letters; all letters with `at` up to `complete_to`
    are in this batch or before it.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    v: int = VERSION
    sender: NodeCode = Field(alias="from")
    to: NodeCode
    stream: int
    number: int
    prev: Hash
    complete_to: Moment
    root: Hash

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hex) of the canonical form without letters, so that erasing bodies later breaks no chain."""
        return digest(self.model_dump(by_alias=True))


def says_the_same(first: Letter, again: Letter) -> bool:
    """Whether a letter about a letter only repeats the first under its id, as a node does after a backup was put back.

    Nothing but its moment and its salt are new then.
    """
    told = (again.kind, again.sender, again.body)
    return again.kind in (REFUSED, RETRY, ANNULLED) and told == (first.kind, first.sender, first.body)


def unique_id(sender: str, id: LetterId) -> str:
    """A letter among those of all nodes, by its sender and the id that the sender gave it."""
    return f"{sender}:{id}"


def letter_id(*source: Any) -> str:
    """SHA-256 of `[from, to, about.kind, about.name, event number, index]`; if the letter is about no aggregate, of
    `[from, to, kind, subject]`.
    """
    return digest(list(source))


def letter_salt(salt: bytes, event: int, index: int) -> str:
    """128 bits of base64url for one letter out of the random bytes of one commit."""
    derived = hashlib.sha256(salt + event.to_bytes(8, "big") + index.to_bytes(8, "big")).digest()
    return base64.urlsafe_b64encode(derived[:16]).rstrip(b"=").decode()


def about_letter(kind: str, id: LetterId, *, between: tuple[str, str], at: Moment, salt: bytes, **said: Any) -> Letter:
    """The `letter.*` letter about the letter of this id; `between` is who says it and to whom, `said` more of its body.

    `round` (how often that letter was judged anew) tells apart what is said of it again.
    """
    body = {"id": id, **said}
    subject = id if not body.get("round") else f"{id}:{body['round']}"
    return _blank(kind, subject, between=between, at=at, salt=salt).model_copy(update={"body": body})


def witness_letter(chain: str, head: ChainHead, *, between: tuple[str, str], at: Moment, salt: bytes) -> Letter:
    """The letter that tells another node the head of a chain of ours, to be held to us; one for each day."""
    body = {"chain": chain, "number": head.number, "hash": head.hash}
    letter = _blank(WITNESSED, f"{chain}:{china_day(at)}", between=between, at=at, salt=salt)
    return letter.model_copy(update={"may_ignore": True, "body": body})


def _blank(kind: str, subject: str, *, between: tuple[str, str], at: Moment, salt: bytes) -> Letter:
    """A letter that belongs to no case, without its body."""
    here, to = between
    return Letter(
        id=letter_id(here, to, kind, subject),
        sender=here,
        to=to,
        after=None,
        about=None,
        kind=kind,
        at=at,
        salt=letter_salt(salt, 0, 0),
        body={},
    )
