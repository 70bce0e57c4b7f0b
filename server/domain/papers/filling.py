"""What a paper says: its text filled with its data."""

from datetime import date, datetime
from typing import Any

from server.domain.papers.data import PaperData, Remedy
from server.domain.papers.texts import (
    ME,
    PLACEHOLDER,
    YOU,
    PaperText,
    PaperTexts,
    Paragraph,
    RemedyText,
    SealKind,
    Signer,
)
from server.domain.values import CHINA, Value


class FilledTable(Value):
    """A table of a paper: its headings, and its cells row by row."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class FilledParagraph(Value):
    """A paragraph of a paper, and the table after it if it has one."""

    text: str
    table: FilledTable | None = None


class FilledPaper(Value):
    """All that a paper says, as plain text: nothing of it is markup."""

    title: str
    paragraphs: tuple[FilledParagraph, ...]
    dated: str
    seal: SealKind
    is_sample: bool
    is_countersigned: bool
    signers: tuple[Signer, ...]
    versions: str


class WrongText(ValueError):
    """There is no text for the paper, or its data lacks what the text must say."""


def fill(data: PaperData, texts: PaperTexts) -> FilledPaper:
    """The paper in words. Raises WrongText for a kind without text, and for a refusal without its remedy."""
    text = texts.by_code.get(data.kind)
    if text is None:
        raise WrongText(f"there is no text for a paper of the kind {data.kind!r}")
    values = _values(data)
    said = [_filled(each, data, values) for each in text.paragraph if _is_said(each, data)]
    if data.frame.note is not None:
        said.append(FilledParagraph(text=data.frame.note))
    used: list[PaperText | RemedyText] = [text]
    if text.has_remedy:
        remedy, told = _remedy_of(data, texts)
        used.append(told)
        said.append(FilledParagraph(text=_remedy(remedy, told.text)))
    return FilledPaper(
        title=title_of(text, data),
        paragraphs=tuple(said),
        dated=in_words(data.frame.dated_on),
        seal=text.seal,
        is_sample=any(each.status == "sample" for each in used),
        is_countersigned=text.is_countersigned,
        signers=text.signers,
        versions=" ".join(each.version for each in used),
    )


def title_of(text: PaperText, data: PaperData) -> str:
    """What the paper is called: by its body, if the text says so, else by the type of its item."""
    return str(getattr(data.body, text.title_from)) if text.title_from else text.title_for(data.frame.item_type)


def in_words(value: Any) -> str:
    """A value as it stands in a paper: days in Arabic figures without zeros, moments to the minute in China's time."""
    if isinstance(value, datetime):
        at = value.astimezone(CHINA)
        return f"{at.year}年{at.month}月{at.day}日{at.hour}时{at.minute:02}分"
    if isinstance(value, date):
        return f"{value.year}年{value.month}月{value.day}日"
    return str(value)


def _values(data: PaperData) -> dict[str, str]:
    members = {name: getattr(data.body, name) for name in type(data.body).model_fields}
    frame = {name: getattr(data.frame, name) for name in type(data.frame).model_fields}
    is_person = data.frame.recipient_kind == "person"
    known = {YOU: "你" if is_person else "你单位", ME: "我" if is_person else "本单位"}
    return known | {name: in_words(value) for name, value in (frame | members).items() if value is not None}


def _is_said(paragraph: Paragraph, data: PaperData) -> bool:
    is_of_type = not paragraph.types or data.frame.item_type in paragraph.types
    return is_of_type and not (paragraph.needs and getattr(data.body, paragraph.needs) in (None, ()))


def _filled(paragraph: Paragraph, data: PaperData, values: dict[str, str]) -> FilledParagraph:
    """Each placeholder once, in one pass: braces in what a person wrote are text and stay as they are."""
    said = PLACEHOLDER.sub(lambda found: values[found[1]], paragraph.text)
    if not paragraph.rows:
        return FilledParagraph(text=said)
    titles = tuple(column.title for column in paragraph.columns)
    members = tuple(column.member for column in paragraph.columns)
    rows = getattr(data.body, paragraph.rows)
    cells = tuple(tuple(in_words(getattr(row, member)) for member in members) for row in rows)
    return FilledParagraph(text=said, table=FilledTable(titles=titles, rows=cells))


def _remedy_of(data: PaperData, texts: PaperTexts) -> tuple[Remedy, RemedyText]:
    if data.frame.remedy is None:
        raise WrongText(f"a paper of the kind {data.kind!r} tells the remedy, and its data has none")
    text = texts.by_kind.get(data.frame.remedy.kind)
    if text is None:
        raise WrongText(f"there is no text for a remedy of the kind {data.frame.remedy.kind!r}")
    return data.frame.remedy, text


def _remedy(remedy: Remedy, text: str) -> str:
    values = {name: value for name, value in remedy.model_dump().items() if value is not None}
    if absent := set(PLACEHOLDER.findall(text)) - values.keys():
        raise WrongText(f"the remedy tells {', '.join(sorted(absent))}, and the data has none")
    return PLACEHOLDER.sub(lambda found: values[found[1]], text)
