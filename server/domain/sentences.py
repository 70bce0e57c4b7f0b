"""Puts texts that people wrote together as sentences, each of which ends once."""

from datetime import date

ENDS = "。！？…!?."
CLOSERS = "”’）》」』】)\"'"


def sentences(*texts: str) -> str:
    """The texts one after the other, each ended by a full stop if it has no end of its own; empty ones are left out."""
    return "".join(text if _has_ended(text) else f"{text}。" for text in map(str.strip, texts) if text)


def clause(text: str) -> str:
    """The text as a part of a longer sentence: without the full stop at its end."""
    return text.strip().rstrip("。")


def _has_ended(text: str) -> bool:
    return text.rstrip(CLOSERS).endswith(tuple(ENDS))


def chinese_date(day: date) -> str:
    """A day as people write it: `2026年12月1日`."""
    return f"{day.year}年{day.month}月{day.day}日"


def because(what: str, why: str) -> str:
    """What happened, and why if a reason is given; `sentences` ends it."""
    return f"{what}：{why.strip()}" if why.strip() else what
