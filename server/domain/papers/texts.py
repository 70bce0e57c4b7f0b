"""The text of one kind of paper, as config/papers holds it, and what is wrong with it."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, StringConstraints

from server.domain.catalogue.items import Sourced, Text
from server.domain.papers.bodies import BODIES
from server.domain.papers.data import Frame, ItemType, Remedy, RemedyKind
from server.domain.values import Value

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
LICENCE_WORDS = "行政许可"  # only of items that are licences by law
FRAME = frozenset(Frame.model_fields) - {"number", "remedy", "note"}  # those may be left out
YOU = "you"  # 你 or 你单位, by who reads
ME = "me"  # 我 or 本单位, by who signs
SealKind = Literal["acceptance", "authority"]
Signer = Literal["applicant", "authority"]
SIGNERS: tuple[tuple[Signer, ...], ...] = (("authority",), ("applicant",), ("applicant", "authority"))


class Column(Value):
    """One column of a table: its heading, and the member of each row that it shows."""

    title: Text
    member: Text


class Paragraph(Value):
    """One paragraph, or with `rows` the table that stands after it.

    It is left out where the member `needs` is, and unless the item is of one of `types` (none: of any).
    """

    text: Text
    needs: str = ""
    types: tuple[ItemType, ...] = ()
    rows: str = ""
    columns: tuple[Column, ...] = ()


class PaperText(Sourced):
    """The text of one kind of paper.

    `title` stands for all types of items, or `titles` names one for each type; the member `title_from` of the body,
    if one is named, stands in their place. `word` is the 类字 of the number.
    `unused` are members of the body that the text leaves out with intent. `seal` is the acceptance seal (受理专用章) or
    that of the authority; with `is_countersigned` there is a line for the hand of whoever receives it. `signers` sign
    it, in that order: the authority by its seal, which nothing may follow.
    """

    code: Text
    version: Text
    word: Annotated[str, StringConstraints(min_length=1, max_length=4)]
    title: str = ""
    titles: Mapping[ItemType, Text] = {}
    title_from: str = ""
    seal: SealKind
    has_remedy: bool = False
    is_countersigned: bool = False
    signers: tuple[Signer, ...] = ("authority",)
    paragraph: tuple[Paragraph, ...]
    unused: tuple[str, ...] = ()

    def title_for(self, item_type: ItemType) -> str:
        """The title of the paper for an item of this type."""
        return self.titles.get(item_type, self.title)


class RemedyText(Sourced):
    """How a paper tells the remedy of one kind."""

    kind: RemedyKind
    version: Text
    text: Text


class PaperTexts(Value):
    """The texts of all kinds of papers, and of the remedies that they tell."""

    papers: tuple[PaperText, ...]
    remedies: tuple[RemedyText, ...]

    @cached_property
    def by_code(self) -> Mapping[str, PaperText]:
        """The text of each kind of paper."""
        return {text.code: text for text in self.papers}

    @cached_property
    def by_kind(self) -> Mapping[RemedyKind, RemedyText]:
        """The text of each kind of remedy."""
        return {text.kind: text for text in self.remedies}


def remedy_faults(text: RemedyText) -> Iterator[str]:
    """What is wrong with the text of a remedy, each with the name of its rule in front."""
    names = set(PLACEHOLDER.findall(text.text))
    if unknown := names - set(Remedy.model_fields):
        yield f"unknown_placeholder: there is no {_listed(unknown)}"
    due = {"organ", "online_channel"} | ({"court"} if text.kind == "administrative" else set())
    if absent := due - names:
        yield f"forgotten: {_listed(absent)} must be told"


def text_faults(text: PaperText) -> Iterator[str]:
    """What is wrong with a text, each with the name of its rule in front."""
    if text.code not in BODIES:
        yield f"unknown_kind: there is no kind of paper {text.code!r}"
        return
    yield from _title_faults(text)
    yield from _title_member_faults(text)
    yield from _signer_faults(text)
    body = BODIES[text.code]
    members, asked = set(body.model_fields), {text.title_from}
    for place, paragraph in enumerate(text.paragraph, start=1):
        names = {*PLACEHOLDER.findall(paragraph.text)}
        asked |= {*names, paragraph.needs, paragraph.rows}
        optional = {name for name, field in body.model_fields.items() if not field.is_required()}
        yield from (f"paragraph {place}: {fault}" for fault in _paragraph_faults(paragraph, body, names))
        if open_ends := names & optional - {paragraph.needs}:
            yield f"paragraph {place}: unguarded: {_listed(open_ends)} may be left out, and `needs` does not say so"
    if forgotten := members - asked - set(text.unused):
        yield f"forgotten: {_listed(forgotten)} stands nowhere; name it in `unused` if that is meant"
    if wrong := set(text.unused) - (members - asked):
        yield f"unused: {_listed(wrong)} is used, or no member of the body"


def _title_faults(text: PaperText) -> Iterator[str]:
    if bool(text.title) == bool(text.titles):
        yield "title: either `title` or `titles`"
    if text.titles and (absent := set(get_args(ItemType)) - text.titles.keys()):
        yield f"title: none for {_listed(absent)}"
    if LICENCE_WORDS in text.title:
        yield f"licence_words: {LICENCE_WORDS} in the title of all types"
    for item_type, title in text.titles.items():
        if LICENCE_WORDS in title and item_type != "licence":
            yield f"licence_words: {LICENCE_WORDS} in the title for {item_type}"


def _title_member_faults(text: PaperText) -> Iterator[str]:
    member = BODIES[text.code].model_fields.get(text.title_from)
    if text.title_from and (member is None or not member.is_required() or row_type(BODIES[text.code], text.title_from)):
        yield f"title: {text.title_from} is no member of the body that is always there"


def _signer_faults(text: PaperText) -> Iterator[str]:
    if text.signers not in SIGNERS:
        yield f"signers: {list(text.signers)} is none of {[list(each) for each in SIGNERS]}"
    if text.is_countersigned and "applicant" in text.signers:
        yield "signers: the applicant signs, and there is a line for their hand besides"


def _paragraph_faults(paragraph: Paragraph, body: type[BaseModel], names: set[str]) -> Iterator[str]:
    members = set(body.model_fields)
    listed = {name for name in members if row_type(body, name)}
    known = (members | FRAME | {YOU, ME}) - listed
    for name in sorted(names - known):
        yield f"unknown_placeholder: there is no {{{name}}}"
    if "{" in PLACEHOLDER.sub("", paragraph.text) or "}" in PLACEHOLDER.sub("", paragraph.text):
        yield "braces: a brace without its partner"
    if paragraph.needs and (paragraph.needs not in members or body.model_fields[paragraph.needs].is_required()):
        yield f"needs: {paragraph.needs} is no member that may be left out"
    if LICENCE_WORDS in paragraph.text and paragraph.types != ("licence",):
        yield f"licence_words: {LICENCE_WORDS} without types = ['licence']"
    if paragraph.rows and paragraph.rows not in listed:
        yield f"rows: {paragraph.rows} is no list of the body"
    elif bool(paragraph.rows) != bool(paragraph.columns):
        yield "rows: rows and columns come together"
    elif paragraph.rows:
        yield from _column_faults(paragraph, row_type(body, paragraph.rows))


def _column_faults(paragraph: Paragraph, row: type[BaseModel] | None) -> Iterator[str]:
    fields = set(row.model_fields) if row else set()
    shown = {column.member for column in paragraph.columns}
    if shown != fields:
        yield f"columns: {_listed(shown ^ fields)} is shown and no member of a row, or not shown"


def row_type(body: type[BaseModel], name: str) -> type[BaseModel] | None:
    """What the rows of this member are; None if it is no list."""
    row = next(iter(get_args(body.model_fields[name].annotation)), None)
    return row if isinstance(row, type) and issubclass(row, BaseModel) else None


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
